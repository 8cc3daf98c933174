/**
 * Registers and in-memory formats of the RISC-V IOMMU, declared once as data; no behaviour.
 *
 * <p>Source: RISC-V IOMMU Architecture Specification 1.0.1 line, release 20260222, with the
 * ratified extensions QOSID, NL, S and Svrsw60t59b.
 */
@NullMarked
package org.iommu4j.riscv.layout;

import org.jspecify.annotations.NullMarked;
