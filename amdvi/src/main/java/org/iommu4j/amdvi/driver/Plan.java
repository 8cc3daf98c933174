package org.iommu4j.amdvi.driver;

import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.core.bits.Field;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.GuestTable;
import org.iommu4j.driver.support.PageSizes;
import org.jspecify.annotations.Nullable;

/**
 * What driver and unit make of each other: the features, seen through the settings.
 *
 * @param features value of the Extended Feature Register
 * @param features2 value of Extended Feature 2
 * @param settings the settings
 * @param host format of host tables; null if there are none
 * @param guest format of guest tables; null if host tables translate, of domains that are not
 *     nested
 * @param pageSizes the page sizes of the tables that translate
 * @param pasidBits bits of a PASID, 0 if PASIDs are not in use
 * @param guestPasidBits bits of a PASID in a guest's GCR3 table; 0 if there are no nested domains
 */
record Plan(
    long features,
    long features2,
    Settings settings,
    @Nullable HostFormat host,
    @Nullable GuestFormat guest,
    long pageSizes,
    int pasidBits,
    int guestPasidBits) {

  /** HATS: there are no host tables. */
  private static final int NO_HOST_TABLES = 3;

  /** Of a physical address. */
  static final int ADDRESS_BITS = 52;

  static Plan of(long features, long features2, Settings s) {
    if (features == -1L) {
      throw new DriverException(
          "the Extended Feature Register reads all ones: there is no unit at these registers");
    }
    boolean guestTables =
        ExtendedFeatures.GT_SUP.isSet(features) && ExtendedFeatures.GIO_SUP.isSet(features);
    if (s.tables() == Settings.Tables.GUEST && !guestTables) {
      throw Settings.invalid("tables", "the unit has no guest tables with GIOV (GTSup, GIOSup)");
    }
    boolean guest = guestTables && s.tables() != Settings.Tables.HOST && s.levels() != 3;
    if (s.tables() == Settings.Tables.GUEST && s.levels() == 3) {
      throw Settings.invalid("levels", "guest tables have 4 or 5");
    }
    if (!guest && ExtendedFeatures.HATS.getInt(features) == NO_HOST_TABLES) {
      throw new DriverException(
          "the unit has no host tables (HATS), and guest tables are "
              + (guestTables ? "not what is asked for" : "not there, or not with GIOV"));
    }
    int most =
        4
            + (guest
                ? ExtendedFeatures.GATS.getInt(features)
                : ExtendedFeatures.HATS.getInt(features) % 3);
    if (s.levels() > most) {
      throw Settings.invalid("levels", "the unit has at most " + most);
    }
    long all = guest ? GuestFormat.SIZES : HostFormat.SIZES;
    long sizes = all & s.pageSizes();
    if ((sizes & 1L << 12) == 0) {
      throw Settings.invalid(
          "page_sizes", "has to include 4K; there are " + PageSizes.describe(all));
    }
    if (s.pri() && !ExtendedFeatures.PPR_SUP.isSet(features)) {
      throw Settings.invalid("pri", "the unit takes no page requests (PPRSup)");
    }
    int unitBits =
        Math.min(
            ExtendedFeatures.PAS_MAX.getInt(features) + 1,
            9 * (ExtendedFeatures.GLX_SUP.getInt(features) + 1));
    int bits = Math.min(s.pasidBits(), unitBits);
    // As Linux has it: the GCR3 table of a guest lies in its own memory, and only with
    // GCR3TRPMode is the pointer to it a guest-physical address.
    boolean nesting =
        guestTables
            && ExtendedFeatures.GCR3_TRP_MODE_SUP.isSet(features2)
            && ExtendedFeatures.HATS.getInt(features) != NO_HOST_TABLES
            && bits > 0;
    return new Plan(
        features,
        features2,
        s,
        guest && !nesting ? null : hostFormat(features, s),
        guest ? new GuestFormat(s.levels(), sizes, ExtendedFeatures.NX_SUP.isSet(features)) : null,
        sizes,
        guest ? bits : 0,
        nesting ? bits : 0);
  }

  private static HostFormat hostFormat(long features, Settings s) {
    int most = GuestFormat.LEAST + ExtendedFeatures.HATS.getInt(features) % NO_HOST_TABLES;
    return new HostFormat(Math.min(s.levels(), most), HostFormat.SIZES & s.pageSizes());
  }

  boolean has(Field feature) {
    return feature.isSet(features);
  }

  int iovaBits() {
    return guest != null ? guest.addressBits() : host != null ? host.addressBits() : 0;
  }

  /** Levels of the driver's own GCR3 tables. */
  int gcr3Levels() {
    return gcr3Levels(pasidBits);
  }

  /** Levels of a GCR3 table. */
  static int gcr3Levels(int pasidBits) {
    return Math.max(1, (pasidBits + 8) / 9);
  }

  boolean nesting() {
    return guestPasidBits > 0;
  }

  /** PASIDs that the unit takes with a guest's GCR3 table, whatever the guest says of them. */
  int reach(GuestTable table) {
    int bits = ExtendedFeatures.PAS_MAX.getInt(features) + 1;
    return 1 << Math.min(bits, 9 * gcr3Levels(table.pasidBits()));
  }

  /**
   * Checks a guest's table.
   *
   * @throws IllegalArgumentException if the unit cannot walk it
   */
  void check(GuestTable table) {
    int most = GuestFormat.LEAST + ExtendedFeatures.GATS.getInt(features);
    if (table.levels() < GuestFormat.LEAST || table.levels() > most) {
      throw new IllegalArgumentException(
          "the unit has guest tables of %d..%d levels, not of %d"
              .formatted(GuestFormat.LEAST, most, table.levels()));
    }
    int bits = host == null ? 0 : Math.min(host.addressBits(), ADDRESS_BITS);
    if ((table.root() & 0xfff) != 0 || table.root() >>> bits != 0) {
      throw new IllegalArgumentException(
          "a GCR3 table at 0x%x: it has to be a multiple of 0x1000 below 0x%x"
              .formatted(table.root(), 1L << bits));
    }
  }

  /** Whether messages can go to virtual processors. */
  boolean postsInterrupts() {
    return settings.remapInterrupts() && longEntries() && has(ExtendedFeatures.GAM_SUP);
  }

  boolean longEntries() {
    return has(ExtendedFeatures.GA_SUP);
  }

  boolean wideApicIds() {
    return settings.wideApicIds() && longEntries() && has(ExtendedFeatures.XT_SUP);
  }

  /** The HyperTransport range is not for memory. */
  boolean reservesHyperTransport() {
    return !ExtendedFeatures.HT_RANGE_IGNORE.isSet(features2);
  }
}
