/** Captures: what was read from a real machine, as a folder of files. */
@NullMarked
package org.iommu4j.machine.capture;

import org.jspecify.annotations.NullMarked;
