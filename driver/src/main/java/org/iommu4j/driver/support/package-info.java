/**
 * What the drivers of all architectures are built from: page tables of any radix format, domains,
 * the record of who is attached where, batching of invalidations, identifiers.
 *
 * <p>Users of drivers need {@link org.iommu4j.driver} only; this package is for those who write
 * one. An architecture adds a {@link org.iommu4j.driver.support.TableFormat} and the hardware half
 * of {@link org.iommu4j.driver.support.BaseDriver}.
 */
@NullMarked
package org.iommu4j.driver.support;

import org.jspecify.annotations.NullMarked;
