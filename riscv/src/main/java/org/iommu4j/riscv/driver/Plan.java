package org.iommu4j.riscv.driver;

import org.iommu4j.core.bits.Field;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.GuestTable;
import org.iommu4j.driver.support.PageSizes;
import org.iommu4j.riscv.layout.Capabilities;
import org.iommu4j.riscv.layout.DeviceContext;
import org.jspecify.annotations.Nullable;

/**
 * What driver and unit make of each other: the capabilities, seen through the settings.
 *
 * @param capabilities value of the register
 * @param settings the settings
 * @param first format of first-stage tables; null if the second stage translates alone
 * @param second format of second-stage tables; null if the first stage translates alone
 * @param parent format of the tables that guests' first stages can stand on; null if there are none
 * @param pageSizes the page sizes in use
 * @param paBits bits of a physical address that a mapping can lead to
 * @param pdtMode the value for pdtp.MODE; Bare if there are no PASIDs
 * @param pasidBits bits of a PASID
 */
record Plan(
    long capabilities,
    Settings settings,
    @Nullable SvFormat first,
    @Nullable SvFormat second,
    @Nullable SvFormat parent,
    long pageSizes,
    int paBits,
    int pdtMode,
    int pasidBits) {

  private static final int[] LEVELS = {3, 4, 5};
  private static final Field[] FIRST = {Capabilities.SV39, Capabilities.SV48, Capabilities.SV57};
  private static final Field[] SECOND = {
    Capabilities.SV39X4, Capabilities.SV48X4, Capabilities.SV57X4
  };
  private static final int[] FIRST_MODE = {
    DeviceContext.IOSATP_SV39, DeviceContext.IOSATP_SV48, DeviceContext.IOSATP_SV57
  };
  private static final int[] SECOND_MODE = {
    DeviceContext.IOHGATP_SV39X4, DeviceContext.IOHGATP_SV48X4, DeviceContext.IOHGATP_SV57X4
  };

  static Plan of(long capabilities, Settings s) {
    int version = Capabilities.VERSION.getInt(capabilities);
    if (version >>> 4 != 1) {
      throw new DriverException(
          "capabilities.version is 0x%x; this driver knows version 1 (0x10)".formatted(version));
    }
    boolean touched = s.ad() == Settings.AccessedDirty.SOFTWARE;
    if (!touched && !Capabilities.AMO_HWAD.isSet(capabilities)) {
      throw Settings.invalid("ad", "the unit has no AMO_HWAD: it cannot set the bits");
    }
    if (s.ats() && !Capabilities.ATS.isSet(capabilities)) {
      throw Settings.invalid("ats", "the unit has no ATS");
    }
    SvFormat first = format(capabilities, s.mode(), FIRST, FIRST_MODE, 9, touched);
    SvFormat second = format(capabilities, s.mode(), SECOND, SECOND_MODE, 11, touched);
    // With stage=nested the second stage is the driver's own.
    SvFormat parent = first == null || s.stage() == Settings.Stage.NESTED ? null : second;
    switch (s.stage()) {
      case AUTO -> second = first != null ? null : need(second, s, "any stage");
      case FIRST -> {
        need(first, s, "a first stage");
        second = null;
      }
      case SECOND -> {
        need(second, s, "a second stage");
        first = null;
      }
      case NESTED -> {
        need(first, s, "a first stage");
        need(second, s, "a second stage");
      }
    }
    int pas = Capabilities.PAS.getInt(capabilities);
    SvFormat pages = first != null ? first : need(second, s, "any stage");
    long sizes = s.pageSizes() & pages.pageSizes();
    if ((sizes & 1L << pages.shift(0)) == 0) {
      throw Settings.invalid(
          "page_sizes", "has to include 4K; there are " + PageSizes.describe(pages.pageSizes()));
    }
    int pdt = first == null ? DeviceContext.PDTP_BARE : pdtMode(capabilities);
    return new Plan(
        capabilities,
        s,
        first,
        second,
        parent,
        sizes,
        // Over an identity second stage, only what that spans can be reached.
        first != null && second != null ? Math.min(pas, second.addressBits()) : pas,
        pdt,
        pasidBits(pdt));
  }

  private static @Nullable SvFormat format(
      long caps, Settings.Mode wanted, Field[] has, int[] modes, int rootBits, boolean touched) {
    for (int i = LEVELS.length - 1; i >= 0; i--) {
      boolean fits = wanted == Settings.Mode.WIDEST || wanted.ordinal() == i + 1;
      if (fits && has[i].isSet(caps)) {
        return new SvFormat(modes[i], LEVELS[i], rootBits, touched);
      }
    }
    return null;
  }

  private static SvFormat need(@Nullable SvFormat format, Settings s, String what) {
    if (format == null) {
      if (s.stage() == Settings.Stage.AUTO && s.mode() == Settings.Mode.WIDEST) {
        throw new DriverException("the unit offers neither Sv39 nor Sv39x4 nor anything wider");
      }
      throw Settings.invalid(
          s.mode() == Settings.Mode.WIDEST ? "stage" : "mode",
          "the unit does not offer %s of that kind".formatted(what));
    }
    return format;
  }

  private static int pdtMode(long capabilities) {
    if (Capabilities.PD20.isSet(capabilities)) {
      return DeviceContext.PDTP_PD20;
    }
    if (Capabilities.PD17.isSet(capabilities)) {
      return DeviceContext.PDTP_PD17;
    }
    return Capabilities.PD8.isSet(capabilities) ? DeviceContext.PDTP_PD8 : DeviceContext.PDTP_BARE;
  }

  private static int pasidBits(int pdtMode) {
    return switch (pdtMode) {
      case DeviceContext.PDTP_PD8 -> 8;
      case DeviceContext.PDTP_PD17 -> 17;
      case DeviceContext.PDTP_PD20 -> 20;
      default -> 0;
    };
  }

  boolean has(Field capability) {
    return capability.isSet(capabilities);
  }

  /** Whether there are ATS commands and a page-request queue. */
  boolean hasAts() {
    return has(Capabilities.ATS);
  }

  /** Whether device contexts are of the extended format. */
  boolean extended() {
    return Capabilities.MSI_FLAT.isSet(capabilities);
  }

  /** Whether a first stage runs over an identity second stage. */
  boolean nested() {
    return first != null && second != null;
  }

  /**
   * Bits of a device address. Of a first stage the lower half: the upper one has all bits above
   * set, and is the kernel's by tradition.
   */
  int iovaBits() {
    return first != null ? first.addressBits() - 1 : second != null ? second.addressBits() : 0;
  }

  /**
   * The word for DC.fsc of a guest's own first stage.
   *
   * @throws IllegalArgumentException if the unit has no such tables
   */
  long guestFsc(GuestTable table) {
    for (int i = 0; i < LEVELS.length; i++) {
      if (LEVELS[i] == table.levels() && has(FIRST[i])) {
        long fsc = DeviceContext.MODE.of(FIRST_MODE[i]) | DeviceContext.PPN.of(table.root() >>> 12);
        if (DeviceContext.PPN.get(fsc) << 12 != table.root()) {
          throw new IllegalArgumentException(
              "a root table at 0x%x: it has to be a multiple of 0x1000 below 2^56"
                  .formatted(table.root()));
        }
        return fsc;
      }
    }
    throw new IllegalArgumentException(
        "the unit has no first stage of %d levels".formatted(table.levels()));
  }
}
