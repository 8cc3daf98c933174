package org.iommu4j.amdvi.model;

import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.RegisterFile;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.core.unit.BaseSetup;
import org.jspecify.annotations.Nullable;

/**
 * What translations depend on, as one immutable value: device threads read it once per request, a
 * register write that changes any of it publishes a new one.
 */
final class Setup extends BaseSetup {
  /** The upper bit of DTE.HAD: dirty, too. */
  private static final Field DIRTY = Field.bit("HAD, dirty", DeviceTableEntry.HAD.hi());

  private static final long PAGE_REQUESTS =
      DeviceTableEntry.PPR.mask() | DeviceTableEntry.GPRP.mask();

  private static final long INTERRUPTS = 0xfee0_0000L;
  private static final long HYPER_TRANSPORT = 0xfd_0000_0000L;

  /** No address has more bits than table entries hold. */
  private static final long BEYOND = -1L << 52;

  final UnitConfig config;

  /** Control.IommuEn. */
  final boolean enabled;

  /** The reverse map table, if writes are looked up there. */
  final @Nullable Rmp rmp;

  final boolean guest;

  /** Control.GCR3TRPMode: under host tables, GCR3 tables are at guest-physical addresses. */
  final boolean gcr3Nested;

  /** Control.vIommuEn: guests have IOMMUs of their own. */
  final boolean virtual;

  /** Control.vCmdEn: and their command buffers are executed. */
  final boolean virtualCommands;

  /** Control.GstBufferTRPMode: guests' rings are at guest-physical addresses. */
  final boolean guestBuffers;

  final boolean longEntries;
  final boolean xt;
  final boolean guestApic;

  /** Control.GAPPIEn. */
  final boolean gappi;

  /** IRTE.GAPPIDis means something. */
  final boolean gappiDis;

  final boolean pureIndex;
  final boolean keepsIrtes;
  final boolean smiFilter;

  /** Segment bits of a DeviceID, 0..3. */
  final int segmentBits;

  /** Base and bytes of each segment of the device table. */
  private final long[] tableBase;

  private final long[] tableBytes;

  // Exclusion range.
  private final boolean excludes;
  final long excludedFirst;
  final long excludedLast;
  final boolean excludedForAll;

  final boolean apertures;
  final long[] apertureBase;
  final long[] apertureLength;
  final long[] apertureTarget;

  /** The HyperTransport range is special. */
  final boolean special;

  /** No A, no D in guest tables. */
  final boolean guestAccessed;

  final boolean guestDirty;
  final boolean noExecute;
  final boolean privilege;

  /**
   * Control.EPHEn: device table entries say who may send page requests. Without, the bits for that
   * are reserved: units log ILLEGAL_DEV_TABLE_ENTRY with RZ = 1 for them (Linux commit
   * ef75966abf95).
   */
  final boolean enhancedPageRequests;

  final int hostLevels;
  final int guestLevels;
  final int pasidBits;

  final long reserved0;
  final long reserved1;
  final long reserved2;
  final long reserved3;

  /** Absent entries may be kept, and are. */
  final boolean keepsAbsent;

  /** Cached translations may be used without the full process. */
  final boolean quick;

  /** {@link PlainWalk} may be tried. */
  final boolean plain;

  Setup(
      PhysicalMemory memory,
      UnitConfig config,
      RegisterFile r,
      boolean counting,
      @Nullable Rmp table) {
    super(memory, BEYOND, config.caches(), counting);
    this.config = config;
    long control = r.get(Control.REGISTER);
    enabled = Control.IOMMU_EN.isSet(control);
    rmp = enabled ? table : null;
    guest = Control.GT_EN.isSet(control);
    gcr3Nested = Control.GCR3_TRP_MODE.isSet(control);
    virtual = enabled && Control.VIOMMU_EN.isSet(control);
    virtualCommands = virtual && Control.VCMD_EN.isSet(control);
    guestBuffers = Control.GST_BUFFER_TRP_MODE.isSet(control);
    longEntries = Control.GA_EN.isSet(control);
    xt = Control.XT_EN.isSet(control);
    // On a system with SNP, GAMEn alone does not do.
    guestApic =
        Control.SNP_AVIC_EN.isSet(control) || (rmp == null && Control.GAM_EN.isSet(control));
    gappi = Control.GAPPI_EN.isSet(control);
    gappiDis = ExtendedFeatures.GAPPI_DIS_SUP.isSet(config.features2());
    pureIndex = Control.NUM_INT_REMAP_MODE.get(control) == 1;
    keepsIrtes = !Control.IRT_CACHE_DIS.isSet(control);
    smiFilter = Control.SMIF_EN.isSet(control);
    segmentBits = Control.DEV_TBL_SEG_EN.getInt(control);
    int segments = 1 << segmentBits;
    tableBase = new long[segments];
    tableBytes = new long[segments];
    long first = r.get(Registers.DEVICE_TABLE);
    tableBase[0] = Registers.DEV_TAB_BASE.in(first);
    tableBytes[0] = (Registers.SIZE.get(first) + 1) << 12;
    for (int n = 1; n < segments; n++) {
      long segment = r.get(Registers.DEVICE_TABLE_SEGMENT.get(n - 1));
      tableBase[n] = Registers.DEV_TAB_BASE.in(segment);
      tableBytes[n] = (Registers.SEGMENT_SIZE.get(segment) + 1) << 12;
    }
    long exclusion = r.get(Registers.EXCLUSION_BASE);
    // With SNP the same registers say where completions may be stored.
    excludedFirst = Registers.EX_BASE.in(exclusion);
    excludedLast = r.get(Registers.EXCLUSION_LIMIT) | 0xfff;
    excludes =
        Registers.EX_EN.isSet(exclusion)
            && !config.has(ExtendedFeatures.SNP_SUP)
            && Long.compareUnsigned(excludedFirst, excludedLast) < 0;
    excludedForAll = Registers.ALLOW.isSet(exclusion);
    apertures = Control.MARC_EN.isSet(control);
    apertureBase = new long[Registers.APERTURES];
    apertureLength = new long[Registers.APERTURES];
    apertureTarget = new long[Registers.APERTURES];
    for (int n = 0; n < Registers.APERTURES; n++) {
      apertureBase[n] = r.get(Registers.MARC_BASE.get(n));
      apertureLength[n] = r.get(Registers.MARC_LENGTH.get(n));
      apertureTarget[n] = r.get(Registers.MARC_RELOCATION.get(n));
    }
    special = !ExtendedFeatures.HT_RANGE_IGNORE.isSet(config.features2());
    guestAccessed = !Control.GA_UPDATE_DIS.isSet(control);
    guestDirty = !Control.GD_UPDATE_DIS.isSet(control);
    noExecute = config.has(ExtendedFeatures.NX_SUP);
    privilege = config.has(ExtendedFeatures.US_SUP);
    enhancedPageRequests = Control.EPH_EN.isSet(control);
    hostLevels = config.hostLevels();
    // GuestPagingMode has no code for six levels.
    guestLevels = Math.min(5, 4 + config.field(ExtendedFeatures.GATS));
    // The field has room for more than PCI Express: a PASID has 20 bits.
    pasidBits = Math.min(20, config.field(ExtendedFeatures.PAS_MAX) + 1);
    reserved0 =
        DeviceTableEntry.LAYOUT.reservedMask(0)
            | without(ExtendedFeatures.SNOOP_ATTR_SUP, DeviceTableEntry.CXL_MEM_ATTR)
            | without(ExtendedFeatures.HA_SUP, DeviceTableEntry.HAD)
            | without(ExtendedFeatures.HD_SUP, DIRTY)
            | (enhancedPageRequests ? 0 : PAGE_REQUESTS)
            | without(ExtendedFeatures.GIO_SUP, DeviceTableEntry.GIOV)
            | without(ExtendedFeatures.GT_SUP, DeviceTableEntry.GV)
            | without(ExtendedFeatures.GT_SUP, DeviceTableEntry.GLX)
            | without(ExtendedFeatures.GT_SUP, DeviceTableEntry.GCR3_14_12);
    reserved1 =
        DeviceTableEntry.LAYOUT.reservedMask(1)
            | without(ExtendedFeatures.SATS_SUP, DeviceTableEntry.SATS);
    reserved2 =
        DeviceTableEntry.LAYOUT.reservedMask(2)
            | without(ExtendedFeatures.GT_SUP, DeviceTableEntry.GUEST_PAGING_MODE);
    reserved3 =
        DeviceTableEntry.LAYOUT.reservedMask(3)
            | without(ExtendedFeatures.VIOMMU_SUP, DeviceTableEntry.VIMU_EN);
    keepsAbsent = worst && config.keepsAbsent();
    boolean ordinary = enabled && !counting && !excludes && !apertures && rmp == null;
    quick = ordinary && normal();
    plain = ordinary && !worst;
  }

  private long without(Field feature, Field field) {
    return config.has(feature) ? 0 : field.mask();
  }

  /** Where the entry of a DeviceID is; −1 beyond the table. */
  long entryAddress(int deviceId) {
    int segment = segmentBits == 0 ? 0 : (deviceId & 0xffff) >>> 16 - segmentBits;
    int index = deviceId & 0xffff >>> segmentBits;
    long offset = (long) index * DeviceTableEntry.BYTES;
    return offset + DeviceTableEntry.BYTES > tableBytes[segment] ? -1 : tableBase[segment] + offset;
  }

  /** Whether requests of a device without PASID may pass by the exclusion range. */
  boolean excludes(DeviceEntry d) {
    return enabled
        && excludes
        && d.valid
        && d.memoryFault == null
        && (excludedForAll || DeviceTableEntry.EX.isSet(d.word1));
  }

  /** Whether an address is in the exclusion range. */
  boolean excluded(long address) {
    return excludes
        && Long.compareUnsigned(excludedFirst, address) <= 0
        && Long.compareUnsigned(address, excludedLast) <= 0;
  }

  /** Whether an address is one of the interrupt range, FEE0_0000h..FEEF_FFFFh. */
  static boolean interrupt(long address) {
    return address >>> 20 == 0xfee;
  }

  /** Whether an address is one of the HyperTransport range, FD_0000_0000h..FF_FFFF_FFFFh. */
  static boolean hyperTransport(long address) {
    return address >>> 32 >= 0xfd && address >>> 32 <= 0xff;
  }

  /**
   * How far the answer to a request without PASID holds: what is around the address may be a
   * device's interrupts, special or excluded, and is no part of the page then.
   *
   * @param shift log2 of the bytes around the address that lie in the same page
   */
  int besideNotes(long address, int shift) {
    int cut = shift;
    while (cut > 12 && mixed(address, cut)) {
      cut--;
    }
    return cut;
  }

  /** Whether an aligned range has addresses of more than one kind in it. */
  private boolean mixed(long address, int shift) {
    long first = address >>> shift << shift;
    long last = first | (1L << shift) - 1;
    // Within the HyperTransport range controls change at every megabyte.
    return partly(first, last, INTERRUPTS, INTERRUPTS + 0xf_ffff)
        || (special
            && (hyperTransport(address)
                ? shift > 20
                : partly(first, last, HYPER_TRANSPORT, 0xff_ffff_ffffL)))
        || (excludes && partly(first, last, excludedFirst, excludedLast));
  }

  /** Whether a range has a part in another, and a part beside it. */
  private static boolean partly(long first, long last, long from, long to) {
    boolean meet = Long.compareUnsigned(first, to) <= 0 && Long.compareUnsigned(from, last) <= 0;
    return meet && (Long.compareUnsigned(first, from) < 0 || Long.compareUnsigned(to, last) < 0);
  }

  /** Whether an untranslated request without PASID to this address may be special. */
  boolean ofNote(long address) {
    return interrupt(address) || (special && hyperTransport(address));
  }
}
