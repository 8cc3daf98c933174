/**
 * The hardware: what the bus and the CPU see of a VT-d unit.
 *
 * <p>{@link org.iommu4j.vtd.model.Units} is the only door. {@code VtdIommu} holds the parts
 * together; {@code Translator} follows the specification's steps over one immutable {@code Setup};
 * {@code PlainWalk} is the quick way of ordinary requests and decides nothing.
 */
@NullMarked
package org.iommu4j.vtd.model;

import org.jspecify.annotations.NullMarked;
