/** Plays what devices and drivers do, and measures traffic. */
@NullMarked
package org.iommu4j.machine.scenario;

import org.jspecify.annotations.NullMarked;
