package org.iommu4j.vtd.linux;

import static org.iommu4j.vtd.linux.Known.HEX;
import static org.iommu4j.vtd.linux.Known.UNIT;
import static org.iommu4j.vtd.linux.Known.error;
import static org.iommu4j.vtd.linux.Known.hex;
import static org.iommu4j.vtd.linux.Known.of;
import static org.iommu4j.vtd.linux.Known.state;
import static org.iommu4j.vtd.linux.Known.warning;

import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import org.iommu4j.core.KernelMessage.Kind;
import org.iommu4j.core.bits.FieldText;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.ExtendedCapability;
import org.iommu4j.vtd.layout.Registers;

/** Lines about one unit: what it can do, its fault status, page requests, counters. */
final class UnitMessages {
  /** What the kernel calls a capability, and the field's name. */
  private static final Map<String, String> FEATURES =
      Map.ofEntries(
          Map.entry("pi_support", "CAP.PI"),
          Map.entry("fl5lp_support", "CAP.FS5LP"),
          Map.entry("5lp_support", "CAP.FS5LP"),
          Map.entry("fl1gp_support", "CAP.FS1GP"),
          Map.entry("read_drain", "CAP.DRD"),
          Map.entry("write_drain", "CAP.DWD"),
          Map.entry("pgsel_inv", "CAP.PSI"),
          Map.entry("zlr", "CAP.ZLR"),
          Map.entry("caching_mode", "CAP.CM"),
          Map.entry("phmr", "CAP.PHMR"),
          Map.entry("plmr", "CAP.PLMR"),
          Map.entry("rwbf", "CAP.RWBF"),
          Map.entry("afl", "CAP.AFL"),
          Map.entry("eim_support", "ECAP.EIM"),
          Map.entry("rps", "ECAP.RPS"),
          Map.entry("smpwc", "ECAP.SMPWCS"),
          Map.entry("flts", "ECAP.FSTS"),
          Map.entry("slts", "ECAP.SSTS"),
          Map.entry("nwfs", "ECAP.NWFS"),
          Map.entry("slads", "ECAP.SSADS"),
          Map.entry("vcs", "ECAP.VCS"),
          Map.entry("smts", "ECAP.SMTS"),
          Map.entry("pds", "ECAP.PDS"),
          Map.entry("dit", "ECAP.DIT"),
          Map.entry("pasid", "ECAP.PASID"),
          Map.entry("eafs", "ECAP.EAFS"),
          Map.entry("srs", "ECAP.SRS"),
          Map.entry("ers", "ECAP.ERS"),
          Map.entry("prs", "ECAP.PRS"),
          Map.entry("nest", "ECAP.NEST"),
          Map.entry("mts", "ECAP.MTS"),
          Map.entry("sc_support", "ECAP.SC"),
          Map.entry("pass_through", "ECAP.PT"),
          Map.entry("dev_iotlb_support", "ECAP.DT"),
          Map.entry("qis", "ECAP.QI"),
          Map.entry("coherent", "ECAP.C"));

  private static final String NO_QUEUE =
      "The unit's page requests cannot be taken, so its devices cannot share page tables with"
          + " processes.";

  static final List<Known> ALL =
      List.of(
          of(
              Kind.STATE,
              "(?<unit>dmar\\d+|IOMMU \\d+): reg_base_addr "
                  + HEX
                  + " ver (\\d+):(\\d+) cap "
                  + HEX
                  + " ecap "
                  + HEX,
              UnitMessages::unit),
          of(Kind.STATE, "DRHD: handling fault status reg 0*2", m -> "Faults follow, one a line."),
          of(Kind.ERROR, "DRHD: handling fault status reg " + HEX, m -> status(hex(m, 1))),
          of(
              Kind.STATE,
              "IOMMU feature (\\w+) inconsistent\\.?",
              m ->
                  "The units differ in %s, so that it is used by none."
                      .formatted(FEATURES.getOrDefault(m.group(1), "the capability"))),
          state(
              "(?<unit>dmar\\d+|IOMMU(?: \\d+)?(?: 0x[0-9a-f]+)?):? [Uu]sing Queued invalidation",
              "Invalidations go through the queue in memory, as they should."),
          state(
              "(?<unit>dmar\\d+|IOMMU(?: \\d+)?(?: 0x[0-9a-f]+)?):? [Uu]sing Register based"
                  + " invalidation",
              "Invalidations go through registers, one at a time: ECAP.QI is 0 or the queue could"
                  + " not be set up. Interrupt remapping needs the queue."),
          error("Can't reserve memory", "Another driver claims the unit's registers."),
          error("Can't map the region", "The unit's registers cannot be mapped."),
          error("Failed to map " + UNIT, "The unit is not used; the line before says why."),
          error("Failed to allocate seq_id", "There are more units than the kernel can number."),
          error(
              "Cannot get a valid (?:max )?agaw for iommu \\(seq_id = \\d+\\)",
              "CAP.SAGAW has no table depth that the kernel can use: the unit translates nothing,"
                  + " though it may remap interrupts. Emulators offer the width as an option."),
          warning(
              "(?<unit>dmar\\d+): No supported address widths\\. Not attempting DMA translation\\.",
              "CAP.SAGAW is 0: the unit only remaps interrupts."),
          error("No free IRQ vectors", "The unit cannot report faults by interrupt."),
          error("Can't request irq", "The unit cannot report faults by interrupt."),
          error(
              "DRHD [0-9a-f]+: failed to enable fault, interrupt, ret -?\\d+",
              "The unit cannot report faults by interrupt."),
          error("(?<unit>dmar\\d+): No free domain ids", "Every domain id of CAP.ND is in use."),
          error("Allocating root entry for " + UNIT + " failed", "Memory was short."),
          error(UNIT + ": Address is not canonical", "A device asked for a page that cannot be."),
          error(
              UNIT + ": Page request in Privilege Mode",
              "A device asked for a page with privilege; the kernel grants none and answered so."),
          error(
              UNIT + ": Execution request not supported",
              "A device asked for a page to execute; the kernel answered that it is invalid."),
          error(
              UNIT + ": PRQ overflow detected",
              "Page requests came faster than they were answered, and some were thrown away."),
          state(UNIT + ": PRQ overflow cleared", "Page requests are taken again."),
          error(UNIT + ": Failed to allocate page request queue", NO_QUEUE),
          error(UNIT + ": Failed to create IRQ vector for page request queue", NO_QUEUE),
          error(UNIT + ": Failed to allocate iopf queue", NO_QUEUE),
          error(UNIT + ": Failed to request IRQ for page request queue", NO_QUEUE),
          warning(
              UNIT + ":? SVM disabled, incompatible (?:1GB page capability|paging mode)",
              "The unit's first stage does not fit the processor's page tables, so devices cannot"
                  + " share them with processes."),
          warning(
              UNIT + ": (?:No PASID available|Invalid PASID|Unexpected error code \\d+)",
              "The emulated unit did not do what the virtual command interface was asked for."),
          error(
              "No (?:first|second)[- ]level translation support on " + UNIT,
              "ECAP lacks what the domain needs: the device cannot be attached."),
          error(
              "No (?:5-level paging|supervisor request|nested translation) support .*?on " + UNIT,
              "ECAP or CAP lacks what the domain needs: the device cannot be attached."),
          warning(
              "PMU counter capability inconsistent, counter number reduced to \\d+",
              "The unit's counters differ; only the first alike ones are used."),
          warning(
              "The number of IOMMU counters \\d+ > max\\(\\d+\\), clipping!",
              "The unit has more counters than the kernel uses."),
          warning(
              "Cannot find the assigned event for counter \\d+",
              "A counter overflowed that nobody started."),
          error(
              "Failed to (?:register|alloc) PMU for iommu \\(seq_id = \\d+\\)",
              "The unit's counters cannot be read."));

  private UnitMessages() {}

  private static String unit(Matcher m) {
    long cap = hex(m, 5);
    long ecap = hex(m, 6);
    return "Version %s.%s at 0x%x: %s. CAP: %s. ECAP: %s."
        .formatted(
            m.group(3),
            m.group(4),
            hex(m, 2),
            UnitText.summary(cap, ecap),
            FieldText.of(Capability.FIELDS, cap),
            FieldText.of(ExtendedCapability.FIELDS, ecap));
  }

  private static String status(long fsts) {
    if (fsts == 0xffff_ffffL) {
      return "All ones: the unit does not answer. It lost power, or its address is wrong.";
    }
    StringBuilder s = new StringBuilder(FieldText.of(Registers.FSTS.fields(), fsts));
    s.append(".");
    if (Registers.PFO.isSet(fsts)) {
      s.append(" More faults came than there are records: some are lost.");
    }
    if (Registers.IQE.isSet(fsts)) {
      s.append(" The invalidation queue stopped at a descriptor.");
    }
    if (Registers.ITE.isSet(fsts)) {
      s.append(" A device did not answer an invalidation of its cache.");
    }
    if (Registers.ICE.isSet(fsts)) {
      s.append(" A device answered an invalidation that nobody sent.");
    }
    return s.toString();
  }
}
