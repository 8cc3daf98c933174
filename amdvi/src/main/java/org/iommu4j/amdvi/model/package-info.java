/**
 * The hardware: what the bus and the CPU see of an AMD-Vi unit.
 *
 * <p>{@link org.iommu4j.amdvi.model.Units} is the only door. {@code AmdviIommu} holds the parts
 * together; {@code Translator} follows a request through the device table and the page tables over
 * one immutable {@code Setup}; {@code PlainWalk} is the quick way of ordinary requests and decides
 * nothing.
 */
@NullMarked
package org.iommu4j.amdvi.model;

import org.jspecify.annotations.NullMarked;
