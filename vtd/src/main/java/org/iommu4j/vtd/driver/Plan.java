package org.iommu4j.vtd.driver;

import static org.iommu4j.vtd.driver.Settings.invalid;

import org.iommu4j.core.bits.Field;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.GuestTable;
import org.iommu4j.driver.support.PageSizes;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.ExtendedCapability;
import org.iommu4j.vtd.layout.Registers;
import org.jspecify.annotations.Nullable;

/**
 * What driver and unit make of each other: the capabilities, seen through the settings.
 *
 * @param cap value of CAP_REG
 * @param ecap value of ECAP_REG
 * @param settings the settings
 * @param scalable scalable mode, else legacy mode
 * @param queued invalidations go through the queue, else through registers
 * @param first format of first-stage tables; null if domains do not use them
 * @param second format of second-stage tables; null if there are none
 * @param pageSizes the page sizes in use
 * @param haw bits of a physical address
 * @param pasidBits bits of a PASID, 0 if PASIDs are not in use
 */
record Plan(
    long cap,
    long ecap,
    Settings settings,
    boolean scalable,
    boolean queued,
    @Nullable FirstStageFormat first,
    @Nullable SecondStageFormat second,
    long pageSizes,
    int haw,
    int pasidBits) {

  /** Register-based invalidation ends before this major version. */
  private static final int MAJOR_WITHOUT_REGISTERS = 6;

  private static final int LARGEST_ADDRESS = 52;
  private static final int FOUR_LEVELS = 4;
  private static final int FIVE_LEVELS = 5;

  static Plan of(long version, long cap, long ecap, Settings s) {
    int major = Registers.MAX.getInt(version);
    if (version >>> 8 != 0 || major == 0) {
      throw new DriverException(
          "VER_REG reads 0x%x, CAP_REG 0x%x: there is no remapping unit at these registers"
              .formatted(version, cap));
    }
    boolean scalable = s.mode() != Settings.Mode.LEGACY && ExtendedCapability.SMTS.isSet(ecap);
    if (s.mode() == Settings.Mode.SCALABLE && !scalable) {
      throw invalid("mode", "the unit has no scalable mode (ECAP.SMTS)");
    }
    boolean queue = ExtendedCapability.QI.isSet(ecap);
    if (!queue && major >= MAJOR_WITHOUT_REGISTERS) {
      throw new DriverException(
          "ECAP_REG reads 0x%x: version %d has neither a queue (QI) nor registers to invalidate"
              .formatted(ecap, major));
    }
    if (s.registers() && (scalable || major >= MAJOR_WITHOUT_REGISTERS)) {
      throw invalid("invalidation", "scalable mode, and versions from 6 on, need the queue");
    }
    if (s.ats() && (!ExtendedCapability.DT.isSet(ecap) || s.registers())) {
      throw invalid("ats", "the unit has no device-TLBs (ECAP.DT), or no queue to invalidate them");
    }
    if (s.pri() && (!scalable || !ExtendedCapability.PRS.isSet(ecap))) {
      throw invalid("pri", "page requests need scalable mode and ECAP.PRS");
    }
    FirstStageFormat first = scalable ? firstStage(cap, ecap, s) : null;
    SecondStageFormat second = secondStage(cap, ecap, s, scalable);
    if (s.stage() == Settings.Stage.FIRST && first == null) {
      throw invalid("stage", "the unit has no first stage (ECAP.FSTS) of that kind");
    }
    if (s.stage() == Settings.Stage.SECOND && second == null) {
      throw invalid("stage", "the unit has no second stage (ECAP.SSTS) of that kind");
    }
    if (s.stage() == Settings.Stage.SECOND) {
      first = null;
    }
    if (s.levels() != 0 && first == null && second == null) {
      throw invalid("levels", "the unit has no tables of %d levels".formatted(s.levels()));
    }
    if (!scalable && second == null) {
      throw new DriverException(
          "CAP_REG reads 0x%x: SAGAW offers neither 3, 4 nor 5 levels".formatted(cap));
    }
    long all = first != null ? first.pageSizes() : second != null ? second.pageSizes() : 1L << 12;
    if ((s.pageSizes() & 1L << 12) == 0) {
      throw invalid("page_sizes", "has to include 4K; there are " + PageSizes.describe(all));
    }
    int width = Capability.MGAW.getInt(cap) + 1;
    return new Plan(
        cap,
        ecap,
        s,
        scalable,
        queue && !s.registers(),
        first,
        second,
        all & s.pageSizes(),
        s.addressBits() != 0 ? s.addressBits() : Math.min(width, LARGEST_ADDRESS),
        scalable && ExtendedCapability.PASID.isSet(ecap)
            ? Math.min(s.pasidBits(), ExtendedCapability.PSS.getInt(ecap) + 1)
            : 0);
  }

  private static @Nullable FirstStageFormat firstStage(long cap, long ecap, Settings s) {
    boolean five = Capability.FS5LP.isSet(cap);
    int levels = s.levels() != 0 ? s.levels() : five ? FIVE_LEVELS : FOUR_LEVELS;
    boolean fits = levels == FOUR_LEVELS || levels == FIVE_LEVELS && five;
    if (!ExtendedCapability.FSTS.isSet(ecap) || !fits) {
      return null;
    }
    long sizes = PageSizes.of(12, 21) | (Capability.FS1GP.isSet(cap) ? PageSizes.of(30) : 0);
    return new FirstStageFormat(levels, sizes);
  }

  private static @Nullable SecondStageFormat secondStage(
      long cap, long ecap, Settings s, boolean scalable) {
    if (scalable && !ExtendedCapability.SSTS.isSet(ecap)) {
      return null;
    }
    for (int levels = FIVE_LEVELS; levels >= 3; levels--) {
      boolean wanted = s.levels() == 0 || s.levels() == levels;
      if (wanted && (Capability.SAGAW.get(cap) >>> levels - 2 & 1) != 0) {
        long large = Capability.SSLPS.get(cap);
        long sizes =
            PageSizes.of(12)
                | ((large & 1) != 0 ? PageSizes.of(21) : 0)
                | ((large & 2) != 0 ? PageSizes.of(30) : 0);
        return new SecondStageFormat(levels, sizes, true);
      }
    }
    return null;
  }

  boolean hasCap(Field feature) {
    return feature.isSet(cap);
  }

  boolean hasEcap(Field feature) {
    return feature.isSet(ecap);
  }

  /** Whether what becomes present has to be invalidated, too. §6.1. */
  boolean cachesAbsent() {
    return hasCap(Capability.CM) || settings.quirks().strictCaching();
  }

  /** Whether stores reach the unit only after a flush. §6.8. */
  boolean flushesBuffers() {
    return hasCap(Capability.RWBF) || settings.quirks().forceRwbf();
  }

  /** Whether descriptors have 32 bytes. */
  boolean wideDescriptors() {
    return hasEcap(ExtendedCapability.SMTS) || hasEcap(ExtendedCapability.ADMS);
  }

  /** Largest address mask of an invalidation. */
  int addressMask() {
    return Math.min(Capability.MAMV.getInt(cap), settings.quirks().maxAddressMask());
  }

  /** Domain ids, 0 and 1 included. */
  int domainIds() {
    return 1 << Math.min(16, 4 + 2 * Capability.ND.getInt(cap));
  }

  /** Whether domains of guests can be made. §3.8. */
  boolean nesting() {
    return scalable
        && hasEcap(ExtendedCapability.NEST)
        && hasEcap(ExtendedCapability.FSTS)
        && second != null;
  }

  boolean passThrough() {
    return hasEcap(ExtendedCapability.PT);
  }

  boolean remapsInterrupts() {
    return settings.remapInterrupts() && queued && hasEcap(ExtendedCapability.IR);
  }

  boolean wideApicIds() {
    return settings.wideApicIds() && hasEcap(ExtendedCapability.EIM);
  }

  boolean postsInterrupts() {
    return remapsInterrupts() && hasCap(Capability.PI);
  }

  /** Bits of a device address of a second stage. */
  int secondStageBits() {
    SecondStageFormat s = second;
    return s == null ? 0 : Math.min(s.addressBits(), Capability.MGAW.getInt(cap) + 1);
  }

  /** Bits of a device address of an ordinary domain. */
  int iovaBits() {
    return first != null ? first.addressBits() : secondStageBits();
  }

  /** The code for PDTS: the directory has 2^(PDTS+7) entries for 64 PASIDs each. */
  int directorySize() {
    return Math.max(0, pasidBits - 13);
  }

  /**
   * Checks a guest's table.
   *
   * @throws IllegalArgumentException if the unit has no such first stage
   */
  void check(GuestTable table) {
    boolean five = table.levels() == FIVE_LEVELS && hasCap(Capability.FS5LP);
    if (table.levels() != FOUR_LEVELS && !five) {
      throw new IllegalArgumentException(
          "the unit has no first stage of %d levels".formatted(table.levels()));
    }
    if ((table.root() & 0xfff) != 0 || table.root() >>> secondStageBits() != 0) {
      throw new IllegalArgumentException(
          "a root table at 0x%x: it has to be a multiple of 0x1000 below 0x%x"
              .formatted(table.root(), 1L << secondStageBits()));
    }
  }
}
