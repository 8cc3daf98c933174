/** A platform: fabric, endpoints, interrupt targets, scenarios. */
@NullMarked
package org.iommu4j.machine;

import org.jspecify.annotations.NullMarked;
