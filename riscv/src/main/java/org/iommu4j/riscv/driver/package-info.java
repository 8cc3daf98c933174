/**
 * The driver of the RISC-V IOMMU: what a kernel would do with one, through its registers and memory
 * only.
 *
 * <p>Follows RISC-V IOMMU Architecture Specification 1.0.1 line, release 20260222; what has to be
 * invalidated after which change is its chapter "Software guidelines".
 *
 * <p>Left out:
 *
 * <ul>
 *   <li>big-endian structures (fctl.BE = 1, SBE = 1) and 32-bit modes (GXL, SXL, Sv32, Sv32x4): a
 *       unit that is fixed to them is refused;
 *   <li>MSI page tables and memory-resident interrupt files: they are for virtual machines, and
 *       devices of the host itself reach their interrupt files through ordinary mappings;
 *   <li>T2GPA, DTF, Svpbmt memory types, QoS ids, performance counters and the debug registers;
 *   <li>a guest's first stage for one PASID: a device has one, or PASIDs;
 *   <li>privileged requests: process contexts have ENS = 0, so they are refused;
 *   <li>taking over a unit that is on: it has to be reset first;
 *   <li>the upper half of the canonical address space.
 * </ul>
 *
 * <p>Choices:
 *
 * <ul>
 *   <li>all commands are waited for, in batches, and only one batch is in the queue at a time;
 *   <li>a device context or process context that changes while valid is invalid for a moment, in
 *       which the device's requests are blocked and reported;
 *   <li>process_id 0 is what requests without PASID use;
 *   <li>a device that leaves an invalidation of its own cache unanswered loses ATS;
 *   <li>directory pages of devices are kept until the driver is closed.
 * </ul>
 */
@NullMarked
package org.iommu4j.riscv.driver;

import org.jspecify.annotations.NullMarked;
