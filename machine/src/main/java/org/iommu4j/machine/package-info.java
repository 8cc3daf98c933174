/** A platform: memory, units with their drivers, endpoints, interrupt targets. */
@NullMarked
package org.iommu4j.machine;

import org.jspecify.annotations.NullMarked;
