package org.iommu4j.amdvi.layout;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.dma.FaultReason;

/**
 * Why an event is logged: each cause of each {@link EventCode}, with the flags of its record that
 * follow from the cause. 48882, "Event Logging"; the causes of a code have no names there.
 */
public enum Reason implements FaultReason {
  DTE_RESERVED(
      EventCode.ILLEGAL_DEV_TABLE_ENTRY,
      Flag.RZ,
      0,
      "Reserved bits set in the device table entry",
      "the entry is corrupt, or uses what the unit does not have"),
  DTE_IO_CONTROL(
      EventCode.ILLEGAL_DEV_TABLE_ENTRY,
      Flag.RZ,
      0,
      "IoCtl of the device table entry is reserved",
      "IoCtl = 3 has no meaning"),
  DTE_MODE(
      EventCode.ILLEGAL_DEV_TABLE_ENTRY,
      0,
      0,
      "Mode of the device table entry is reserved",
      "Mode = 7 has no meaning; with HATDis no host table is allowed, with SEV-SNP none is not"),
  DTE_INT_RESERVED(
      EventCode.ILLEGAL_DEV_TABLE_ENTRY,
      Flag.I | Flag.RZ,
      0,
      "Reserved interrupt bits set in the device table entry",
      "the entry is corrupt, or uses what the unit does not have"),
  DTE_INT_CONTROL(
      EventCode.ILLEGAL_DEV_TABLE_ENTRY,
      Flag.I | Flag.RZ,
      0,
      "IntCtl of the device table entry is reserved",
      "IntCtl = 3 has no meaning"),
  DTE_INT_LENGTH(
      EventCode.ILLEGAL_DEV_TABLE_ENTRY,
      Flag.I,
      0,
      "Interrupt table length is illegal",
      "IntTabLen above 11"),
  DTE_INT_MODE(
      EventCode.ILLEGAL_DEV_TABLE_ENTRY,
      Flag.I,
      0,
      "Device of the interrupt passes through",
      "with SEV-SNP an entry with TV = 1 has host tables, also one for interrupts alone"),
  DEVICE_OUT_OF_TABLE(
      EventCode.IO_PAGE_FAULT,
      0,
      0,
      "DeviceID is beyond the device table",
      "the requester id is unknown, spoofed, or the table's Size is too small"),
  BLOCKED(
      EventCode.IO_PAGE_FAULT,
      0,
      0,
      "Device is blocked",
      "no driver attached the device: its entry has V = 1 and TV = 0"),
  DTE_PERMISSION(
      EventCode.IO_PAGE_FAULT,
      Flag.PR | Flag.PE,
      0,
      "Device table entry denies the access",
      "IR or IW of the entry is 0: no driver attached the device, or only for one direction"),
  MODE_UNSUPPORTED(
      EventCode.IO_PAGE_FAULT,
      Flag.PR,
      0,
      "Levels of the host table are not supported",
      "Mode of the entry is above EFR.HATS"),
  TOO_WIDE(
      EventCode.IO_PAGE_FAULT,
      0,
      0,
      "Address is beyond the host table",
      "the device sent an address above what Mode covers: look for a truncated or sign-extended"
          + " pointer"),
  NOT_PRESENT(
      EventCode.IO_PAGE_FAULT,
      0,
      0,
      "Page is not present",
      "the address is not mapped, or was unmapped while the device still uses it"),
  PTE_RESERVED(
      EventCode.IO_PAGE_FAULT,
      Flag.PR | Flag.RZ,
      0,
      "Reserved bits set in a host page table entry",
      "the entry is corrupt"),
  PTE_LEVEL(
      EventCode.IO_PAGE_FAULT,
      Flag.PR,
      0,
      "NextLevel of a host page table entry is illegal",
      "the entry is corrupt, or points to a level that is not below its own"),
  PTE_SKIPPED(
      EventCode.IO_PAGE_FAULT,
      Flag.PR,
      0,
      "Address bits of a skipped level are not 0",
      "the table covers less than the address: it was not mapped"),
  PTE_SIZE(
      EventCode.IO_PAGE_FAULT,
      Flag.PR,
      0,
      "Page size of a host page table entry is illegal",
      "NextLevel = 7 with a size that does not belong to its level"),
  PERMISSION(
      EventCode.IO_PAGE_FAULT,
      Flag.PR | Flag.PE,
      0,
      "Permission is missing in the host tables",
      "the page is mapped for the other direction only (DMA direction)"),
  GCR3_INVALID(
      EventCode.IO_PAGE_FAULT,
      Flag.GN,
      0,
      "PASID has no guest tables",
      "nobody set up this PASID for the device: its GCR3 entry is not valid, or beyond GLX"),
  GCR3_RESERVED(
      EventCode.IO_PAGE_FAULT,
      Flag.GN | Flag.PR | Flag.RZ,
      0,
      "Reserved bits set in a GCR3 table entry",
      "the entry is corrupt"),
  GUEST_NOT_CANONICAL(
      EventCode.IO_PAGE_FAULT,
      Flag.GN,
      0,
      "Guest address is not canonical",
      "the device sent an address in the hole between the two halves: a truncated pointer"),
  GUEST_NOT_PRESENT(
      EventCode.IO_PAGE_FAULT,
      Flag.GN,
      0,
      "Guest page is not present",
      "the guest does not map the address"),
  GUEST_RESERVED(
      EventCode.IO_PAGE_FAULT,
      Flag.GN | Flag.PR | Flag.RZ,
      0,
      "Reserved bits set in a guest page table entry",
      "the entry is corrupt"),
  GUEST_PERMISSION(
      EventCode.IO_PAGE_FAULT,
      Flag.GN | Flag.PR | Flag.PE,
      0,
      "Permission is missing in the guest tables",
      "the guest maps the page read-only"),
  GUEST_USER(
      EventCode.IO_PAGE_FAULT,
      Flag.GN | Flag.PR | Flag.PE | Flag.US,
      0,
      "User request of a supervisor page",
      "U/S of the guest's mapping is 0"),
  GUEST_NO_EXECUTE(
      EventCode.IO_PAGE_FAULT,
      Flag.GN | Flag.PR | Flag.PE | Flag.NX,
      0,
      "Guest page is not executable",
      "NX of the guest's mapping is 1"),
  PASID_WITHOUT_GUEST(
      EventCode.IO_PAGE_FAULT,
      0,
      0,
      "Request with PASID, but no guest tables",
      "the device uses PASIDs, GV of its entry is 0 or GTEn is off"),
  INTERRUPT_INDEX(
      EventCode.IO_PAGE_FAULT,
      Flag.I,
      0,
      "Interrupt index is beyond the table",
      "the MSI data names an entry that does not exist: IntTabLen, or a stale MSI"),
  INTERRUPT_DISABLED(
      EventCode.IO_PAGE_FAULT,
      Flag.I,
      0,
      "Interrupt remapping entry is not enabled",
      "the interrupt was freed while the device still sends it"),
  INTERRUPT_ENTRY(
      EventCode.IO_PAGE_FAULT,
      Flag.I | Flag.PR | Flag.RZ,
      0,
      "Interrupt remapping entry is illegal",
      "IntType is reserved, or GuestMode without GAMEn"),
  INTERRUPT_TYPE(
      EventCode.IO_PAGE_FAULT,
      Flag.I,
      0,
      "Interrupt type is not allowed to pass",
      "NMIPass, InitPass or EIntPass of the entry is 0, or the destination is logical"),
  SMI_FILTERED(
      EventCode.IO_PAGE_FAULT,
      Flag.I,
      0,
      "System management interrupt is filtered",
      "no SMI filter register names the device"),
  DEVICE_TABLE_READ(
      EventCode.DEV_TAB_HARDWARE_ERROR,
      0,
      0,
      "Device table cannot be read",
      "the table lies where there is no memory: check the Device Table Base"),
  PAGE_TABLE_READ(
      EventCode.PAGE_TAB_HARDWARE_ERROR,
      0,
      0,
      "Page table cannot be read",
      "a table lies where there is no memory: the entry above it is corrupt or its page was freed"),
  GUEST_TABLE_READ(
      EventCode.PAGE_TAB_HARDWARE_ERROR,
      Flag.GN,
      0,
      "Guest page table cannot be read",
      "a guest's table leads where there is no memory"),
  INTERRUPT_TABLE_READ(
      EventCode.PAGE_TAB_HARDWARE_ERROR,
      Flag.I,
      0,
      "Interrupt table cannot be read",
      "the table lies where there is no memory: check its root pointer"),
  ILLEGAL_COMMAND(
      EventCode.ILLEGAL_COMMAND_ERROR,
      0,
      0,
      "Command is illegal",
      "an unknown opcode or reserved bits at the address in the record"),
  COMMAND_HARDWARE(
      EventCode.COMMAND_HARDWARE_ERROR,
      0,
      0,
      "Command buffer cannot be read, or a store failed",
      "the buffer or a COMPLETION_WAIT store address lies where there is no memory"),
  IOTLB_TIMEOUT(
      EventCode.IOTLB_INV_TIMEOUT,
      0,
      0,
      "Device did not answer an invalidation",
      "the device is gone, hangs, or its ATS is off"),
  INTERRUPT_RANGE(
      EventCode.INVALID_DEVICE_REQUEST,
      0,
      0,
      "Access to the interrupt range is no interrupt",
      "a read, an atomic or a write that is not of four bytes to 0xfeexxxxx"),
  TRANSLATED_WITHOUT_IOTLB(
      EventCode.INVALID_DEVICE_REQUEST,
      0,
      1,
      "Translated request, but no device IOTLB",
      "the device uses ATS, I or V of its entry is 0"),
  PORT_IO(
      EventCode.INVALID_DEVICE_REQUEST,
      0,
      2,
      "Port I/O is not allowed",
      "IoCtl of the device's entry is 0"),
  SYSTEM_MANAGEMENT(
      EventCode.INVALID_DEVICE_REQUEST,
      0,
      3,
      "System management message is not allowed",
      "SysMgt of the device's entry denies it"),
  SYSTEM_MANAGEMENT_READ(
      EventCode.INVALID_DEVICE_REQUEST,
      0,
      4,
      "System management range was read",
      "only messages are posted there"),
  INTERRUPT_ABORTED(
      EventCode.INVALID_DEVICE_REQUEST,
      0,
      5,
      "Interrupt is not allowed",
      "IntCtl of the device's entry is 0: no driver set up interrupts of the device"),
  INTERRUPT_RESERVED(
      EventCode.INVALID_DEVICE_REQUEST,
      0,
      6,
      "Reserved interrupt address",
      "a write to a reserved part of the HyperTransport range"),
  RANGE_WITHOUT_TRANSLATION(
      EventCode.INVALID_DEVICE_REQUEST,
      0,
      7,
      "Special range is translated, but the device has no translation",
      "SysMgt = 3 or IoCtl = 2 of the device's entry, and TV = 0"),
  ATS_RANGE(
      EventCode.INVALID_DEVICE_REQUEST,
      0,
      3,
      "Write to the address translation range",
      "the unit reserves 0xfdfbxxxxxx (HtAtsResv)"),
  ATS_RANGE_READ(
      EventCode.INVALID_DEVICE_REQUEST,
      0,
      4,
      "Read of the address translation range",
      "the unit reserves 0xfdfbxxxxxx (HtAtsResv)"),
  TRANSLATION_NOT_ALLOWED(
      EventCode.INVALID_DEVICE_REQUEST,
      Flag.TR,
      0,
      "Translation request is not allowed",
      "the device uses ATS, and I, V or TV of its entry is 0"),
  TRANSLATION_OF_SPECIAL_RANGE(
      EventCode.INVALID_DEVICE_REQUEST,
      Flag.TR,
      1,
      "Translation request of a special range",
      "interrupts, port I/O and system management are not translated for device IOTLBs"),
  PPR_NOT_ALLOWED(
      EventCode.INVALID_PPR_REQUEST,
      0,
      0,
      "Page request is not allowed",
      "PPR of the device's entry is 0"),
  PPR_WITHOUT_GUEST(
      EventCode.INVALID_PPR_REQUEST,
      0,
      0,
      "Page request, but no guest translation",
      "GTEn is off, or GV of the device's entry is 0"),
  COUNTER_ZERO(
      EventCode.EVENT_COUNTER_ZERO,
      0,
      0,
      "Performance counter wrapped",
      "a counter with reporting reached 0"),
  GUEST_EVENT(
      EventCode.GUEST_EVENT_FAULT,
      0,
      0,
      "Guest's event could not be logged",
      "the unit could not write into a guest's event log: the guest's log or its tables are wrong"),
  VIRTUAL_IOMMU(
      EventCode.VIOMMU_HARDWARE_ERROR,
      0,
      0,
      "Virtual IOMMU's tables cannot be accessed",
      "the unit could not read or write the memory that is behind a guest's IOMMU"),
  RMP_PAGE_FAULT(
      EventCode.RMP_PAGE_FAULT,
      0,
      0,
      "Reverse map table forbids the access",
      "the page belongs to a guest with SEV-SNP or to firmware: the guest did not share it, or it"
          + " was not made the hypervisor's again"),
  RMP_LARGE_PAGE(
      EventCode.RMP_PAGE_FAULT,
      0,
      0,
      "Reverse map table forbids the access to a large page",
      "the host maps 2 MiB or more, and some of their pages belong to a guest with SEV-SNP or to"
          + " firmware: guests' memory has to be mapped with pages of 4 KiB"),
  RMP_TABLE_WRITE(
      EventCode.RMP_PAGE_FAULT,
      0,
      0,
      "Reverse map table forbids to set an accessed or dirty bit",
      "a page table lies in a page that belongs to a guest with SEV-SNP or to firmware"),
  RMP_BACKING_PAGE(
      EventCode.RMP_PAGE_FAULT,
      Flag.I,
      0,
      "Reverse map table forbids to record an interrupt",
      "the guest's virtual APIC backing page belongs to a guest with SEV-SNP or to firmware"),
  RMP_HARDWARE(
      EventCode.RMP_HARDWARE_ERROR,
      0,
      0,
      "Reverse map table cannot be read",
      "the table lies where there is no memory, or the memory is bad");

  /** The flags that a cause sets, at the places of {@link EventRecord}'s fields, 48 less. */
  private static final class Flag {
    static final int GN = 1;
    static final int NX = 1 << 1;
    static final int US = 1 << 2;
    static final int I = 1 << 3;
    static final int PR = 1 << 4;
    static final int PE = 1 << 6;
    static final int RZ = 1 << 7;
    static final int TR = 1 << 8;
  }

  private final EventCode event;
  private final int flags;
  private final int type;
  private final String title;
  private final String advice;

  Reason(EventCode event, int flags, int type, String title, String advice) {
    this.event = event;
    this.flags = flags;
    this.type = type;
    this.title = title;
    this.advice = advice;
  }

  @Override
  public int code() {
    return event.code();
  }

  @Override
  public String title() {
    return title;
  }

  @Override
  public String advice() {
    return advice;
  }

  /** The event that is logged. */
  public EventCode event() {
    return event;
  }

  /** Flags and type of its record where they stand in the first word. */
  public long flags() {
    return EventRecord.FLAGS.of(flags) | EventRecord.TYPE.of(type);
  }

  /** Whether it is a page fault of a memory request: what DTE.SA and DTE.SE suppress. */
  public boolean isPageFault() {
    return event == EventCode.IO_PAGE_FAULT && !isInterrupt();
  }

  /** Whether it is about an interrupt request. */
  public boolean isInterrupt() {
    return (flags & Flag.I) != 0;
  }

  /** Whether the record's address is a guest-virtual one. */
  public boolean isGuest() {
    return (flags & Flag.GN) != 0;
  }

  /** Whether the translation was there: only then a record tells reads from writes. */
  public boolean isPresent() {
    return (flags & Flag.PR) != 0;
  }

  /** The causes that a record can have, from its first word; empty for an unknown code. */
  public static List<Reason> of(long first) {
    List<Reason> all = new ArrayList<>();
    long compared =
        EventRecord.GN.mask()
            | EventRecord.I.mask()
            | EventRecord.PR.mask()
            | EventRecord.PE.mask()
            | EventRecord.RZ.mask();
    for (Reason r : values()) {
      boolean same =
          switch (r.event) {
            case INVALID_DEVICE_REQUEST ->
                EventRecord.TYPE.get(first) == r.type
                    && EventRecord.TR.get(first) == EventRecord.TR.get(r.flags());
            // What else their flags say is not published.
            case RMP_PAGE_FAULT -> EventRecord.I.get(first) == EventRecord.I.get(r.flags());
            case RMP_HARDWARE_ERROR -> true;
            default -> ((first ^ r.flags()) & compared) == 0;
          };
      if (r.code() == EventRecord.CODE.getInt(first) && same) {
        all.add(r);
      }
    }
    return List.copyOf(all);
  }

  /**
   * As {@link #of}, the likeliest first. Choice: of causes with the same flags these are what goes
   * wrong in practice; the others follow in the specification's order.
   */
  public static List<Reason> likeliest(long first) {
    List<Reason> all =
        new ArrayList<>(
            List.of(
                NOT_PRESENT, PERMISSION, GUEST_NOT_PRESENT, GUEST_PERMISSION, INTERRUPT_DISABLED));
    List<Reason> same = of(first);
    all.retainAll(same);
    same.stream().filter(r -> !all.contains(r)).toList().forEach(all::add);
    return List.copyOf(all);
  }
}
