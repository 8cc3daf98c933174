/** Fields and registers declared as data. */
@NullMarked
package org.iommu4j.core.bits;

import org.jspecify.annotations.NullMarked;
