/** Measures what a build does on a machine: nanoseconds and bytes of an operation. */
@NullMarked
package org.iommu4j.machine.measure;

import org.jspecify.annotations.NullMarked;
