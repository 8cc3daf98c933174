package org.iommu4j.amdvi.oracle;

/**
 * The causes of events, from the tables of events and flags, written down a second time.
 *
 * <p>Flags stand where they do in the first word of an event: GN 48, NX 49, US 50, I 51, PR 52, RW
 * 53, PE 54, RZ 55, TR 56, type 59:57.
 */
enum Rule {
  // ILLEGAL_DEV_TABLE_ENTRY
  DTE_RESERVED(1, "RZ"),
  DTE_IO_CONTROL(1, "RZ"),
  DTE_MODE(1, ""),
  DTE_INT_RESERVED(1, "I RZ"),
  DTE_INT_CONTROL(1, "I RZ"),
  DTE_INT_LENGTH(1, "I"),
  DTE_INT_MODE(1, "I"),
  // IO_PAGE_FAULT
  DEVICE_OUT_OF_TABLE(2, ""),
  BLOCKED(2, ""),
  DTE_PERMISSION(2, "PR PE"),
  MODE_UNSUPPORTED(2, "PR"),
  TOO_WIDE(2, ""),
  NOT_PRESENT(2, ""),
  PTE_RESERVED(2, "PR RZ"),
  PTE_LEVEL(2, "PR"),
  PTE_SKIPPED(2, "PR"),
  PTE_SIZE(2, "PR"),
  PERMISSION(2, "PR PE"),
  GCR3_INVALID(2, "GN"),
  GCR3_RESERVED(2, "GN PR RZ"),
  GUEST_NOT_CANONICAL(2, "GN"),
  GUEST_NOT_PRESENT(2, "GN"),
  GUEST_RESERVED(2, "GN PR RZ"),
  GUEST_PERMISSION(2, "GN PR PE"),
  GUEST_USER(2, "GN PR PE US"),
  GUEST_NO_EXECUTE(2, "GN PR PE NX"),
  PASID_WITHOUT_GUEST(2, ""),
  INTERRUPT_INDEX(2, "I"),
  INTERRUPT_DISABLED(2, "I"),
  INTERRUPT_ENTRY(2, "I PR RZ"),
  INTERRUPT_TYPE(2, "I"),
  SMI_FILTERED(2, "I"),
  // Hardware errors
  DEVICE_TABLE_READ(3, ""),
  PAGE_TABLE_READ(4, ""),
  GUEST_TABLE_READ(4, "GN"),
  INTERRUPT_TABLE_READ(4, "I"),
  ILLEGAL_COMMAND(5, ""),
  COMMAND_HARDWARE(6, ""),
  IOTLB_TIMEOUT(7, ""),
  // INVALID_DEVICE_REQUEST
  INTERRUPT_RANGE(8, "0"),
  TRANSLATED_WITHOUT_IOTLB(8, "1"),
  PORT_IO(8, "2"),
  SYSTEM_MANAGEMENT(8, "3"),
  SYSTEM_MANAGEMENT_READ(8, "4"),
  INTERRUPT_ABORTED(8, "5"),
  INTERRUPT_RESERVED(8, "6"),
  RANGE_WITHOUT_TRANSLATION(8, "7"),
  ATS_RANGE(8, "3"),
  ATS_RANGE_READ(8, "4"),
  TRANSLATION_NOT_ALLOWED(8, "TR 0"),
  TRANSLATION_OF_SPECIAL_RANGE(8, "TR 1"),
  // INVALID_PPR_REQUEST
  PPR_NOT_ALLOWED(9, ""),
  PPR_WITHOUT_GUEST(9, ""),
  COUNTER_ZERO(10, ""),
  GUEST_EVENT(11, ""),
  VIRTUAL_IOMMU(12, ""),
  // RMP_PAGE_FAULT
  RMP_PAGE_FAULT(13, ""),
  RMP_LARGE_PAGE(13, ""),
  RMP_TABLE_WRITE(13, ""),
  RMP_BACKING_PAGE(13, "I"),
  RMP_HARDWARE(14, "");

  private final int code;
  private final long flags;

  Rule(int code, String words) {
    this.code = code;
    long all = 0;
    for (String word : words.split(" ")) {
      all |=
          switch (word) {
            case "" -> 0;
            case "GN" -> 1L << 48;
            case "NX" -> 1L << 49;
            case "US" -> 1L << 50;
            case "I" -> 1L << 51;
            case "PR" -> 1L << 52;
            case "PE" -> 1L << 54;
            case "RZ" -> 1L << 55;
            case "TR" -> 1L << 56;
            default -> Long.parseLong(word) << 57;
          };
    }
    this.flags = all;
  }

  int code() {
    return code;
  }

  long flags() {
    return flags;
  }

  boolean guest() {
    return (flags >>> 48 & 1) != 0;
  }

  boolean interrupt() {
    return (flags >>> 51 & 1) != 0;
  }

  boolean present() {
    return (flags >>> 52 & 1) != 0;
  }
}
