package org.iommu4j.amdvi.driver;

import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.core.bits.Field;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.support.PageSizes;
import org.jspecify.annotations.Nullable;

/**
 * What driver and unit make of each other: the features, seen through the settings.
 *
 * @param features value of the Extended Feature Register
 * @param features2 value of Extended Feature 2
 * @param settings the settings
 * @param host format of host tables; null if guest tables translate
 * @param guest format of guest tables; null if host tables translate
 * @param pageSizes the page sizes in use
 * @param pasidBits bits of a PASID, 0 if PASIDs are not in use
 */
record Plan(
    long features,
    long features2,
    Settings settings,
    @Nullable HostFormat host,
    @Nullable GuestFormat guest,
    long pageSizes,
    int pasidBits) {

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
    return new Plan(
        features,
        features2,
        s,
        guest ? null : new HostFormat(s.levels(), sizes),
        guest ? new GuestFormat(s.levels(), sizes, ExtendedFeatures.NX_SUP.isSet(features)) : null,
        sizes,
        guest ? Math.min(s.pasidBits(), unitBits) : 0);
  }

  boolean has(Field feature) {
    return feature.isSet(features);
  }

  int iovaBits() {
    return guest != null ? guest.addressBits() : host != null ? host.addressBits() : 0;
  }

  /** Levels of the GCR3 tables. */
  int gcr3Levels() {
    return Math.max(1, (pasidBits + 8) / 9);
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
