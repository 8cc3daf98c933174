/**
 * RIMT, the ACPI table that tells where RISC-V IOMMUs are and which devices are behind them, read
 * and written. Follows RISC-V IO Mapping Table 1.0.
 *
 * <p>What is read can be written again byte for byte, if the table lays its nodes out as {@link
 * org.iommu4j.riscv.firmware.Rimt#toBytes} does: one after another, arrays at their end, in the
 * order of the specification.
 */
@NullMarked
package org.iommu4j.riscv.firmware;

import org.jspecify.annotations.NullMarked;
