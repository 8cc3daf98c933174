/** The RISC-V IOMMU: its model, and the driver that programs it. */
@NullMarked
package org.iommu4j.riscv;

import org.jspecify.annotations.NullMarked;
