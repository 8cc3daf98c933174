/**
 * The RISC-V IOMMU as the bus and the CPU see it.
 *
 * <p>Follows the RISC-V IOMMU Architecture Specification, 1.0.1 line, release 20260222, with QOSID,
 * NL, S and Svrsw60t59b; the Privileged ISA for page tables; AIA for MSI page tables and MRIFs.
 *
 * <p>Implementation-defined and UNSPECIFIED behaviour that was decided here is marked {@code
 * Choice:} at the place where it is made.
 *
 * <p>Left out: custom encodings (modes 14 and 15, causes and opcodes above the standard ranges);
 * QoS identifiers are checked and stored but steer nothing, since memory here has no bandwidth to
 * share.
 */
@NullMarked
package org.iommu4j.riscv.model;

import org.jspecify.annotations.NullMarked;
