/** The hardware face: requests, translations, faults, ports. */
@NullMarked
package org.iommu4j.core.dma;

import org.jspecify.annotations.NullMarked;
