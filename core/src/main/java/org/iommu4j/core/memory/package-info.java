/** Guest-physical memory: sparse, beyond 2 GiB, with failures as results. */
@NullMarked
package org.iommu4j.core.memory;

import org.jspecify.annotations.NullMarked;
