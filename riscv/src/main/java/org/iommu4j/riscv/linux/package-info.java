/**
 * What Linux says about RISC-V IOMMUs: the log lines of its driver ({@code riscv,iommu} and {@code
 * iommu_pci}), as of Linux 7.2. The driver has no capability files in sysfs.
 */
@NullMarked
package org.iommu4j.riscv.linux;

import org.jspecify.annotations.NullMarked;
