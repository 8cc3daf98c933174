package org.iommu4j.amdvi.layout;

import static org.iommu4j.core.bits.Field.Kind.RO;
import static org.iommu4j.core.bits.Field.Kind.RW1C;
import static org.iommu4j.core.bits.Field.Kind.WARL;
import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;

/** The memory-mapped registers. 48882, "IOMMU MMIO Registers". */
public final class Registers {
  /** Bytes of the register page without performance counters. */
  public static final int BYTES = 0x4000;

  /** With them. */
  public static final int BYTES_WITH_COUNTERS = 0x8_0000;

  // Device table: (Size + 1) * 4 KiB.
  public static final Field SIZE = bits("Size", 8, 0);
  public static final Field SEGMENT_SIZE = bits("Size", 7, 0);
  public static final Field DEV_TAB_BASE = bits("DevTabBase", 51, 12);
  public static final Register DEVICE_TABLE =
      Register.of64("Device Table Base", 0x0000, SIZE, DEV_TAB_BASE);

  // Rings: 2^Len entries.
  public static final Field RING_BASE = bits("Base", 51, 12);
  public static final Field RING_LEN = bits("Len", 59, 56);
  public static final Register COMMAND_BUFFER = ring("Command Buffer Base", 0x0008);
  public static final Register EVENT_LOG = ring("Event Log Base", 0x0010);
  public static final Register PPR_LOG = ring("PPR Log Base", 0x0038);
  public static final Register GA_LOG = ring("GA Log Base", 0x00e0);
  public static final Register PPR_LOG_B = ring("PPR Log B Base", 0x00f0);
  public static final Register EVENT_LOG_B = ring("Event Log B Base", 0x00f8);

  // Exclusion range, or completion-store range with SNP
  public static final Field EX_EN = bit("ExEn", 0);
  public static final Field ALLOW = bit("Allow", 1);
  public static final Field EX_BASE = bits("Base", 51, 12);
  public static final Field EX_LIMIT = bits("Limit", 51, 12);
  public static final Register EXCLUSION_BASE =
      Register.of64("Exclusion Base", 0x0020, EX_EN, ALLOW, EX_BASE);
  public static final Register EXCLUSION_LIMIT =
      Register.of64("Exclusion Range Limit", 0x0028, EX_LIMIT);

  // Hardware events
  public static final Field WORD = bits("event", 63, 0);
  public static final Register HARDWARE_EVENT_UPPER =
      Register.of64("Hardware Event Upper", 0x0040, WORD);
  public static final Register HARDWARE_EVENT_LOWER =
      Register.of64("Hardware Event Lower", 0x0048, WORD);
  public static final Field HEV = bit("HEV", 0).as(RW1C);
  public static final Field HEO = bit("HEO", 1).as(RW1C);
  public static final Register HARDWARE_EVENT_STATUS =
      Register.of64("Hardware Event Status", 0x0050, HEV, HEO);

  // SMI filters
  public static final int SMI_FILTERS = 16;
  public static final Field SMI_DEVICE = bits("SmiDID", 15, 0).as(WARL);
  public static final Field SMI_VALID = bit("SmiDV", 16).as(WARL);
  public static final Field SMI_LOCK = bit("SmiFLock", 17).as(WARL);
  public static final List<Register> SMI_FILTER = smiFilters();

  // GA log tail pointer in memory
  public static final Field GA_TAIL_ADDRESS = bits("address", 51, 3);
  public static final Register GA_LOG_TAIL_ADDRESS =
      Register.of64("GA Log Tail Address", 0x00e8, GA_TAIL_ADDRESS);

  /** Device table segments 1..7 at index 0..6. */
  public static final List<Register> DEVICE_TABLE_SEGMENT = segments();

  // Device-specific: what an implementation has, and of which revision
  public static final Field IMPLEMENTATION = bits("implementation", 23, 0);
  public static final Field REV_MINOR = bits("RevMinor", 27, 24).as(RO);
  public static final Field REV_MAJOR = bits("RevMajor", 31, 28).as(RO);
  public static final Register DSFX =
      Register.of64("DSFX", 0x0138, IMPLEMENTATION.as(RO), REV_MINOR, REV_MAJOR);
  public static final Register DSCX =
      Register.of64("DSCX", 0x0140, IMPLEMENTATION, REV_MINOR, REV_MAJOR);
  public static final Register DSSX =
      Register.of64("DSSX", 0x0148, IMPLEMENTATION.as(RW1C), REV_MINOR, REV_MAJOR);

  // The MSI capability, mirrored
  public static final Field MSI_NUM = bits("MsiNum", 4, 0).as(RO);
  public static final Field MSI_NUM_PPR = bits("MsiNumPPR", 31, 27).as(RO);
  public static final Register MSI_VECTOR_0 =
      Register.of32("MSI Vector 0", 0x0150, MSI_NUM, MSI_NUM_PPR);
  public static final Field MSI_NUM_GA = bits("MsiNumGA", 4, 0);
  public static final Register MSI_VECTOR_1 = Register.of32("MSI Vector 1", 0x0154, MSI_NUM_GA);
  public static final Field MSI_EN = bit("MsiEn", 16);
  public static final Register MSI_CAPABILITY =
      Register.of32("MSI Capability Header", 0x0158, MSI_EN);
  public static final Field MSI_ADDRESS = bits("address", 31, 2);
  public static final Register MSI_ADDRESS_LOW =
      Register.of32("MSI Address Low", 0x015c, MSI_ADDRESS);
  public static final Field MSI_UPPER = bits("address", 31, 0);
  public static final Register MSI_ADDRESS_HIGH =
      Register.of32("MSI Address High", 0x0160, MSI_UPPER);
  public static final Field MSI_DATA_FIELD = bits("data", 15, 0);
  public static final Register MSI_DATA = Register.of32("MSI Data", 0x0164, MSI_DATA_FIELD);
  public static final Register MSI_MAPPING =
      Register.of32("MSI Mapping Capability Header", 0x0168, bits("header", 31, 0).as(RO));
  public static final Field PERF_OPT_EN = bit("PerfOptEn", 13);
  public static final Register PERFORMANCE_OPTIMIZATION =
      Register.of32("Performance Optimization Control", 0x016c, PERF_OPT_EN);

  // The unit's own interrupts with IntCapXTEn
  public static final Field XT_DM = bit("DM", 2);
  public static final Field XT_DEST_LOW = bits("Dest 23:0", 31, 8);
  public static final Field XT_VECTOR = bits("Vector", 39, 32);
  public static final Field XT_MT = bit("MT", 40);
  public static final Field XT_DEST_HIGH = bits("Dest 31:24", 63, 56);
  public static final Register XT_GENERAL = xt("XT IOMMU General Interrupt Control", 0x0170);
  public static final Register XT_PPR = xt("XT IOMMU PPR Interrupt Control", 0x0178);
  public static final Register XT_GA = xt("XT IOMMU GA Log Interrupt Control", 0x0180);

  /** Of the virtual IOMMU. */
  public static final Register VIOMMU_STATUS =
      Register.of64("vIOMMU Status", 0x0190, bits("status", 63, 0).as(RO));

  // MARC apertures
  public static final int APERTURES = 4;
  public static final Field MARC_BASE_FIELD = bits("Base", 51, 12);
  public static final Field MARC_RELOC_EN = bit("RelocEn", 0);
  public static final Field MARC_READ_ONLY = bit("ReadOnly", 1);
  public static final Field MARC_RELOC_FIELD = bits("Relocation", 51, 12);
  public static final Field MARC_LENGTH_FIELD = bits("Length", 51, 12);
  public static final List<Register> MARC_BASE = apertures(" Base", 0x200, MARC_BASE_FIELD);
  public static final List<Register> MARC_RELOCATION =
      apertures(" Relocation", 0x208, MARC_RELOC_EN, MARC_READ_ONLY, MARC_RELOC_FIELD);
  public static final List<Register> MARC_LENGTH = apertures(" Length", 0x210, MARC_LENGTH_FIELD);

  /** Accesses are counted as an event. */
  public static final Register RESERVED = Register.of64("Reserved", 0x1ff8, bits("value", 63, 0));

  // Heads and tails: byte offsets
  public static final Field POINTER = bits("pointer", 18, 4).as(WARL);
  public static final Field GA_POINTER = bits("pointer", 15, 3).as(WARL);
  public static final Register COMMAND_HEAD = pointer("Command Buffer Head", 0x2000);
  public static final Register COMMAND_TAIL = pointer("Command Buffer Tail", 0x2008);
  public static final Register EVENT_HEAD = pointer("Event Log Head", 0x2010);
  public static final Register EVENT_TAIL = pointer("Event Log Tail", 0x2018);
  public static final Register PPR_HEAD = pointer("PPR Log Head", 0x2030);
  public static final Register PPR_TAIL = pointer("PPR Log Tail", 0x2038);
  public static final Register GA_HEAD = Register.of64("GA Log Head", 0x2040, GA_POINTER);
  public static final Register GA_TAIL = Register.of64("GA Log Tail", 0x2048, GA_POINTER);
  public static final Register PPR_B_HEAD = pointer("PPR Log B Head", 0x2050);
  public static final Register PPR_B_TAIL = pointer("PPR Log B Tail", 0x2058);
  public static final Register EVENT_B_HEAD = pointer("Event Log B Head", 0x2070);
  public static final Register EVENT_B_TAIL = pointer("Event Log B Tail", 0x2078);

  // Status
  public static final Field EVENT_OVERFLOW = bit("EventOverflow", 0).as(RW1C);
  public static final Field EVENT_LOG_INT = bit("EventLogInt", 1).as(RW1C);
  public static final Field COM_WAIT_INT = bit("ComWaitInt", 2).as(RW1C);
  public static final Field EVENT_LOG_RUN = bit("EventLogRun", 3).as(RO);
  public static final Field CMD_BUF_RUN = bit("CmdBufRun", 4).as(RO);
  public static final Field PPR_OVERFLOW = bit("PprOverflow", 5).as(RW1C);
  public static final Field PPR_INT = bit("PprInt", 6).as(RW1C);
  public static final Field PPR_LOG_RUN = bit("PprLogRun", 7).as(RO);
  public static final Field GA_LOG_RUN = bit("GALogRun", 8).as(RO);
  public static final Field GA_LOG_OVERFLOW = bit("GALOverflow", 9).as(RW1C);
  public static final Field GA_INT = bit("GAInt", 10).as(RW1C);
  public static final Field PPR_OVERFLOW_B = bit("PprOverflowB", 11).as(RW1C);
  public static final Field PPR_LOG_ACTIVE = bit("PprLogActive", 12).as(RO);
  public static final Field EVENT_OVERFLOW_B = bit("EventOverflowB", 15).as(RW1C);
  public static final Field EVENT_LOG_ACTIVE = bit("EventLogActive", 16).as(RO);
  public static final Field PPR_OVERFLOW_EARLY_B = bit("PprOverflowEarlyB", 17).as(RW1C);
  public static final Field PPR_OVERFLOW_EARLY = bit("PprOverflowEarly", 18).as(RW1C);
  public static final Register STATUS =
      Register.of64(
          "Status",
          0x2020,
          EVENT_OVERFLOW,
          EVENT_LOG_INT,
          COM_WAIT_INT,
          EVENT_LOG_RUN,
          CMD_BUF_RUN,
          PPR_OVERFLOW,
          PPR_INT,
          PPR_LOG_RUN,
          GA_LOG_RUN,
          GA_LOG_OVERFLOW,
          GA_INT,
          PPR_OVERFLOW_B,
          PPR_LOG_ACTIVE,
          EVENT_OVERFLOW_B,
          EVENT_LOG_ACTIVE,
          PPR_OVERFLOW_EARLY_B,
          PPR_OVERFLOW_EARLY);

  // PPR auto response and early overflow
  public static final Field AUTO_CODE = bits("PprAutoRspCode", 3, 0);
  public static final Field AUTO_MASK_GEN = bit("PprAutoRspMaskGen", 4);
  public static final Register PPR_AUTO_RESPONSE =
      Register.of64("PPR Log Auto Response", 0x2080, AUTO_CODE, AUTO_MASK_GEN);
  public static final Field EARLY_THRESHOLD = bits("PprOvrflwEarlyThreshold", 14, 0);
  public static final Field EARLY_INT_EN = bit("PprOvrflwEarlyIntEn", 30);
  public static final Field EARLY_EN = bit("PprOvrflwEarlyEn", 31);
  public static final Register PPR_EARLY =
      Register.of64(
          "PPR Log Overflow Early Indicator", 0x2088, EARLY_THRESHOLD, EARLY_INT_EN, EARLY_EN);
  public static final Register PPR_B_EARLY =
      Register.of64(
          "PPR Log B Overflow Early Indicator", 0x2090, EARLY_THRESHOLD, EARLY_INT_EN, EARLY_EN);

  // Performance counters
  public static final Field N_COUNTER = bits("NCounter", 10, 7).as(RO);
  public static final Field N_COUNTER_BANKS = bits("NCounterBanks", 17, 12).as(RO);
  public static final Register COUNTER_CONFIGURATION =
      Register.of64("Counter Configuration", 0x4000, N_COUNTER, N_COUNTER_BANKS);
  public static final Field LOCKS = bits("locks", 63, 0);
  public static final Register PASID_BANK_LOCK =
      Register.of64("Counter PASID Bank Lock", 0x4008, LOCKS);
  public static final Register DOMAIN_BANK_LOCK =
      Register.of64("Counter Domain Bank Lock", 0x4010, LOCKS);
  public static final Register DEVICE_BANK_LOCK =
      Register.of64("Counter DeviceID Bank Lock", 0x4018, LOCKS);

  /** Every register that is not part of a counter's block, by offset. */
  public static final List<Register> ALL = all();

  private Registers() {}

  private static Register ring(String name, int offset) {
    return Register.of64(name, offset, RING_BASE, RING_LEN);
  }

  private static Register pointer(String name, int offset) {
    return Register.of64(name, offset, POINTER);
  }

  private static Register xt(String name, int offset) {
    return Register.of64(name, offset, XT_DM, XT_DEST_LOW, XT_VECTOR, XT_MT, XT_DEST_HIGH);
  }

  private static List<Register> smiFilters() {
    List<Register> list = new ArrayList<>();
    for (int n = 0; n < SMI_FILTERS; n++) {
      list.add(Register.of64("SMI Filter " + n, 0x60 + 8 * n, SMI_DEVICE, SMI_VALID, SMI_LOCK));
    }
    return List.copyOf(list);
  }

  private static List<Register> segments() {
    List<Register> list = new ArrayList<>();
    for (int n = 1; n <= 7; n++) {
      list.add(
          Register.of64(
              "Device Table Segment " + n + " Base", 0xf8 + 8 * n, SEGMENT_SIZE, DEV_TAB_BASE));
    }
    return List.copyOf(list);
  }

  private static List<Register> apertures(String name, int first, Field... fields) {
    List<Register> list = new ArrayList<>();
    for (int n = 0; n < APERTURES; n++) {
      list.add(Register.of64("MARC Aperture " + n + name, first + 0x18 * n, fields));
    }
    return List.copyOf(list);
  }

  private static List<Register> all() {
    List<Register> list =
        new ArrayList<>(
            List.of(
                DEVICE_TABLE,
                COMMAND_BUFFER,
                EVENT_LOG,
                Control.REGISTER,
                EXCLUSION_BASE,
                EXCLUSION_LIMIT,
                ExtendedFeatures.REGISTER,
                PPR_LOG,
                HARDWARE_EVENT_UPPER,
                HARDWARE_EVENT_LOWER,
                HARDWARE_EVENT_STATUS));
    list.addAll(SMI_FILTER);
    list.addAll(List.of(GA_LOG, GA_LOG_TAIL_ADDRESS, PPR_LOG_B, EVENT_LOG_B));
    list.addAll(DEVICE_TABLE_SEGMENT);
    list.addAll(
        List.of(
            DSFX,
            DSCX,
            DSSX,
            MSI_VECTOR_0,
            MSI_VECTOR_1,
            MSI_CAPABILITY,
            MSI_ADDRESS_LOW,
            MSI_ADDRESS_HIGH,
            MSI_DATA,
            MSI_MAPPING,
            PERFORMANCE_OPTIMIZATION,
            XT_GENERAL,
            XT_PPR,
            XT_GA,
            VIOMMU_STATUS,
            ExtendedFeatures.REGISTER_2));
    for (int n = 0; n < APERTURES; n++) {
      list.addAll(List.of(MARC_BASE.get(n), MARC_RELOCATION.get(n), MARC_LENGTH.get(n)));
    }
    list.addAll(
        List.of(
            RESERVED,
            COMMAND_HEAD,
            COMMAND_TAIL,
            EVENT_HEAD,
            EVENT_TAIL,
            STATUS,
            PPR_HEAD,
            PPR_TAIL,
            GA_HEAD,
            GA_TAIL,
            PPR_B_HEAD,
            PPR_B_TAIL,
            EVENT_B_HEAD,
            EVENT_B_TAIL,
            PPR_AUTO_RESPONSE,
            PPR_EARLY,
            PPR_B_EARLY,
            COUNTER_CONFIGURATION,
            PASID_BANK_LOCK,
            DOMAIN_BANK_LOCK,
            DEVICE_BANK_LOCK));
    return List.copyOf(list);
  }
}
