/** What every architecture offers: how a unit is built, described and restored. */
@NullMarked
package org.iommu4j.core;

import org.jspecify.annotations.NullMarked;
