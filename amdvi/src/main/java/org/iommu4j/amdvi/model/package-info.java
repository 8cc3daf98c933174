/**
 * The hardware: what the bus and the CPU see of an AMD-Vi unit.
 *
 * <p>{@link org.iommu4j.amdvi.model.Units} is the only door. {@code AmdviIommu} holds the parts
 * together; {@code Translator} follows a request through the device table and the page tables over
 * one immutable {@code Setup}; {@code PlainWalk} is the quick way of ordinary requests and decides
 * nothing.
 *
 * <p>With vIOMMUSup {@code VirtualIommus} serves guests' own command buffers and logs. Of that the
 * specification's text was not at hand: what AMD's Linux driver programs is built as it programs
 * it, and comments say {@code Inferred:} where nothing public tells what the hardware does. What
 * could not be inferred is left out: guest MMIO and the dirty status of command buffers in the
 * private address space, the bits of vIOMMU Status, vNR, vPtr and Src of events, PPR early overflow
 * of guests.
 */
@NullMarked
package org.iommu4j.amdvi.model;

import org.jspecify.annotations.NullMarked;
