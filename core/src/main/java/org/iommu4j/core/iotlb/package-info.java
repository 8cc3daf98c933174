/** Translation caches with lock-free readers, for every architecture. */
@NullMarked
package org.iommu4j.core.iotlb;

import org.jspecify.annotations.NullMarked;
