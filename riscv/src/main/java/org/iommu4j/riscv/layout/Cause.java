package org.iommu4j.riscv.layout;

import org.iommu4j.core.dma.FaultReason;
import org.jspecify.annotations.Nullable;

/**
 * The CAUSE field of a fault record. §4.2, "Fault record CAUSE field encodings".
 *
 * <p>Causes 4 and 6 (misaligned) belong to the IO bridge; a unit records them when its bridge
 * reports them.
 */
public enum Cause implements FaultReason {
  INSTRUCTION_ACCESS_FAULT(
      1,
      "Instruction access fault",
      "the page tables lead to memory that does not exist or forbids the access"),
  READ_ADDRESS_MISALIGNED(
      4, "Read address misaligned", "the device's read is not aligned as its bridge demands"),
  READ_ACCESS_FAULT(
      5,
      "Read access fault",
      "a page-table page lies where there is no memory, or memory rules forbid reading it"),
  WRITE_ADDRESS_MISALIGNED(
      6, "Write/AMO address misaligned", "the device's atomic is not naturally aligned"),
  WRITE_ACCESS_FAULT(
      7,
      "Write/AMO access fault",
      "a page-table page lies where there is no memory, or an A/D update was refused"),
  INSTRUCTION_PAGE_FAULT(
      12, "Instruction page fault", "the page is not mapped, or not for execution"),
  READ_PAGE_FAULT(
      13,
      "Read page fault",
      "the address is not mapped, was unmapped, or the page may not be read by this device"),
  WRITE_PAGE_FAULT(
      15,
      "Write/AMO page fault",
      "the address is not mapped, was unmapped, or is mapped read-only (DMA direction)"),
  INSTRUCTION_GUEST_PAGE_FAULT(
      20, "Instruction guest-page fault", "the second stage does not map the guest page so"),
  READ_GUEST_PAGE_FAULT(
      21,
      "Read guest-page fault",
      "the guest-physical page in iotval2 is not mapped by the hypervisor's second stage"),
  WRITE_GUEST_PAGE_FAULT(
      23,
      "Write/AMO guest-page fault",
      "the guest-physical page in iotval2 is not mapped writable by the second stage"),
  ALL_INBOUND_TRANSACTIONS_DISALLOWED(
      256,
      "All inbound transactions disallowed",
      "ddtp.iommu_mode is Off: the unit was never programmed, or was shut down"),
  DDT_ENTRY_LOAD_ACCESS_FAULT(
      257,
      "DDT entry load access fault",
      "the device directory lies where there is no memory: check ddtp.PPN and the non-leaf entry"),
  DDT_ENTRY_NOT_VALID(
      258,
      "DDT entry not valid",
      "no driver attached this device: the requester id is unknown, spoofed or an alias"),
  DDT_ENTRY_MISCONFIGURED(
      259,
      "DDT entry misconfigured",
      "a reserved bit, or a mode that the capabilities do not offer, in the device context"),
  TRANSACTION_TYPE_DISALLOWED(
      260,
      "Transaction type disallowed",
      "the request's kind, PASID, privilege or device id width is not enabled for this device"),
  MSI_PTE_LOAD_ACCESS_FAULT(
      261, "MSI PTE load access fault", "the MSI page table lies where there is no memory"),
  MSI_PTE_NOT_VALID(
      262, "MSI PTE not valid", "the guest interrupt file that was addressed is not mapped"),
  MSI_PTE_MISCONFIGURED(
      263, "MSI PTE misconfigured", "a reserved bit or mode in the MSI page-table entry"),
  MRIF_ACCESS_FAULT(
      264, "MRIF access fault", "the memory-resident interrupt file lies where there is no memory"),
  PDT_ENTRY_LOAD_ACCESS_FAULT(
      265, "PDT entry load access fault", "the process directory lies where there is no memory"),
  PDT_ENTRY_NOT_VALID(
      266, "PDT entry not valid", "no address space is bound to this PASID of the device"),
  PDT_ENTRY_MISCONFIGURED(
      267,
      "PDT entry misconfigured",
      "a reserved bit, or a mode that the capabilities do not offer, in the process context"),
  DDT_DATA_CORRUPTION(268, "DDT data corruption", "the memory of the device directory is poisoned"),
  PDT_DATA_CORRUPTION(
      269, "PDT data corruption", "the memory of the process directory is poisoned"),
  MSI_PT_DATA_CORRUPTION(
      270, "MSI PT data corruption", "the memory of the MSI page table is poisoned"),
  MRIF_DATA_CORRUPTION(
      271,
      "MSI MRIF data corruption",
      "the memory of the memory-resident interrupt file is poisoned"),
  INTERNAL_DATA_PATH_ERROR(
      272, "Internal data path error", "the unit or its bridge detected an internal error"),
  IOMMU_MSI_WRITE_ACCESS_FAULT(
      273,
      "IOMMU MSI write access fault",
      "the address in iotval, programmed for the unit's own or a notice MSI, refuses writes"),
  PT_DATA_CORRUPTION(
      274, "First/second-stage PT data corruption", "the memory of a page-table page is poisoned");

  private static final @Nullable Cause[] BY_CODE = new Cause[275];

  static {
    for (Cause c : values()) {
      BY_CODE[c.code] = c;
    }
  }

  private final int code;
  private final String title;
  private final String advice;

  Cause(int code, String title, String advice) {
    this.code = code;
    this.title = title;
    this.advice = advice;
  }

  @Override
  public int code() {
    return code;
  }

  @Override
  public String title() {
    return title;
  }

  @Override
  public String advice() {
    return advice;
  }

  /** Whether the fault is recorded although the device context has DTF = 1. */
  public boolean recordedDespiteDtf() {
    return switch (this) {
      case ALL_INBOUND_TRANSACTIONS_DISALLOWED,
          DDT_ENTRY_LOAD_ACCESS_FAULT,
          DDT_ENTRY_NOT_VALID,
          DDT_ENTRY_MISCONFIGURED,
          DDT_DATA_CORRUPTION,
          INTERNAL_DATA_PATH_ERROR,
          IOMMU_MSI_WRITE_ACCESS_FAULT ->
          true;
      default -> false;
    };
  }

  /** The cause of that code, or null. */
  public static @Nullable Cause of(int code) {
    return code >= 0 && code < BY_CODE.length ? BY_CODE[code] : null;
  }
}
