/**
 * The RISC-V IOMMU: layout, model, driver, firmware table and Linux's messages.
 *
 * <p>Embedding the model takes {@link org.iommu4j.riscv.RiscvArchitecture} only.
 */
@NullMarked
package org.iommu4j.riscv;

import org.jspecify.annotations.NullMarked;
