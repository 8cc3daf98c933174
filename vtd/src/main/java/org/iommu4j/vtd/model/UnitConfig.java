package org.iommu4j.vtd.model;

import static org.iommu4j.vtd.layout.ExtendedCapability.DT;
import static org.iommu4j.vtd.layout.ExtendedCapability.FSTS;
import static org.iommu4j.vtd.layout.ExtendedCapability.IR;
import static org.iommu4j.vtd.layout.ExtendedCapability.QI;
import static org.iommu4j.vtd.layout.ExtendedCapability.SMPWCS;
import static org.iommu4j.vtd.layout.ExtendedCapability.SMTS;
import static org.iommu4j.vtd.layout.ExtendedCapability.SSTS;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.Architecture.Option;
import org.iommu4j.core.CacheSettings;
import org.iommu4j.core.Options;
import org.iommu4j.core.bits.Field;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.ExtendedCapability;
import org.iommu4j.vtd.layout.FaultRecord;

/**
 * What a unit is built like: its identification registers and the parameters that the specification
 * leaves to the implementation.
 *
 * @param version value of VER_REG
 * @param cap value of CAP_REG
 * @param ecap value of ECAP_REG
 * @param haw host address width in bits, as the DMAR table tells it
 * @param counters performance counters, if ECAP.PMS
 * @param itags Invalidation Requests that can be outstanding, 1..32
 * @param quirks deviations
 * @param caches how it caches
 */
record UnitConfig(
    int version,
    long cap,
    long ecap,
    int haw,
    int counters,
    int itags,
    Quirks quirks,
    CacheSettings caches) {

  /** Version 5.0: register-based invalidation is still there. */
  static final int VERSION = 0x50;

  /**
   * 64K domains, protected regions, 39, 48 and 57 bits, zero-length reads, 8 fault records at 600h,
   * all page sizes, page-selective invalidation up to 2^48 pages, draining, posted interrupts,
   * 5-level paging, enhanced commands, ESRTPS and ESIRTPS.
   */
  static final long CAP =
      Capability.ND.of(6)
          | Capability.PLMR.mask()
          | Capability.PHMR.mask()
          | Capability.SAGAW.of(0b01110)
          | Capability.MGAW.of(56)
          | Capability.ZLR.mask()
          | Capability.FRO.of(0x60)
          | Capability.SSLPS.of(3)
          | Capability.PSI.mask()
          | Capability.NFR.of(7)
          | Capability.MAMV.of(48)
          | Capability.DWD.mask()
          | Capability.DRD.mask()
          | Capability.FS1GP.mask()
          | Capability.PI.mask()
          | Capability.FS5LP.mask()
          | Capability.ECMDS.mask()
          | Capability.ESIRTPS.mask()
          | Capability.ESRTPS.mask();

  /** Everything that the model has, except what only restricts: EIMER and IRREQ. */
  static final long ECAP =
      ExtendedCapability.C.mask()
          | QI.mask()
          | DT.mask()
          | IR.mask()
          | ExtendedCapability.EIM.mask()
          | ExtendedCapability.PT.mask()
          | ExtendedCapability.SC.mask()
          | ExtendedCapability.IRO.of(0x50)
          | ExtendedCapability.MHMV.of(15)
          | ExtendedCapability.NEST.mask()
          | ExtendedCapability.PRS.mask()
          | ExtendedCapability.SRS.mask()
          | ExtendedCapability.NWFS.mask()
          | ExtendedCapability.EAFS.mask()
          | ExtendedCapability.PSS.of(19)
          | ExtendedCapability.PASID.mask()
          | ExtendedCapability.DIT.mask()
          | ExtendedCapability.PDS.mask()
          | SMTS.mask()
          | ExtendedCapability.SSADS.mask()
          | SSTS.mask()
          | FSTS.mask()
          | SMPWCS.mask()
          | ExtendedCapability.RPS.mask()
          | ExtendedCapability.PMS.mask()
          | ExtendedCapability.ADMS.mask()
          | ExtendedCapability.RPRIVS.mask()
          | ExtendedCapability.HPTS.mask()
          | ExtendedCapability.PTRS.mask()
          | ExtendedCapability.SSIRWS.mask()
          | ExtendedCapability.SMS.mask()
          | ExtendedCapability.HPT1GPS.mask();

  private static final List<Option> OWN_OPTIONS =
      List.of(
          new Option("ver", "number", "0x50", "value of VER_REG"),
          new Option("cap", "number", hex(CAP), "value of CAP_REG"),
          new Option("ecap", "number", hex(ECAP), "value of ECAP_REG"),
          new Option("haw", "32..52", "52", "host address width in bits"),
          new Option("counters", "0..64", "8", "performance counters, if ECAP.PMS"),
          new Option("itags", "1..32", "32", "outstanding invalidation requests"));

  static final List<Option> OPTIONS = options();

  private static List<Option> options() {
    List<Option> all = new ArrayList<>(OWN_OPTIONS);
    all.addAll(CacheSettings.OPTIONS);
    all.addAll(Quirks.OPTIONS);
    return List.copyOf(all);
  }

  static UnitConfig of(Options o) {
    UnitConfig config =
        new UnitConfig(
            (int) o.number("ver", VERSION),
            o.number("cap", CAP),
            o.number("ecap", ECAP),
            o.integer("haw", 52, 32, 52),
            o.integer("counters", 8, 0, 64),
            o.integer("itags", 32, 1, 32),
            Quirks.of(o),
            CacheSettings.of(o));
    o.finish(OPTIONS.stream().map(Option::name).toList());
    config.check();
    return config;
  }

  /** Combinations that the specification rules out. §11.4, CAP_REG and ECAP_REG. */
  private void check() {
    if (Capability.ND.get(cap) > 6) {
      throw invalid("cap", "ND = 7 is reserved");
    }
    int sagaw = Capability.SAGAW.getInt(cap);
    if ((sagaw & 0b10001) != 0) {
      throw invalid("cap", "SAGAW bits 0 and 4 are reserved");
    }
    int sslps = Capability.SSLPS.getInt(cap);
    if (sslps > 3 || sslps == 2) {
      throw invalid("cap", "SSLPS has to be 0, 1 or 3");
    }
    if (Capability.AFL.isSet(cap)) {
      throw invalid("cap", "AFL: advanced fault logging is not part of the model");
    }
    needs("ecap", "DT needs QI", DT, QI);
    needs("ecap", "IR needs QI", IR, QI);
    needs("ecap", "EIM needs IR", ExtendedCapability.EIM, IR);
    needs("ecap", "MTS needs SMTS", ExtendedCapability.MTS, SMTS);
    needs("ecap", "NEST needs FSTS", ExtendedCapability.NEST, FSTS);
    needs("ecap", "NEST needs SSTS", ExtendedCapability.NEST, SSTS);
    needs("ecap", "PRS needs DT", ExtendedCapability.PRS, DT);
    needs("ecap", "PRS needs SMTS", ExtendedCapability.PRS, SMTS);
    needs("ecap", "SRS needs SMTS", ExtendedCapability.SRS, SMTS);
    needs("ecap", "NWFS needs DT", ExtendedCapability.NWFS, DT);
    needs("ecap", "EAFS needs FSTS", ExtendedCapability.EAFS, FSTS);
    needs("ecap", "EAFS needs SMPWCS", ExtendedCapability.EAFS, SMPWCS);
    needs("ecap", "PASID needs SMTS", ExtendedCapability.PASID, SMTS);
    needs("ecap", "DIT needs DT", ExtendedCapability.DIT, DT);
    needs("ecap", "PDS needs DT", ExtendedCapability.PDS, DT);
    needs("ecap", "SMTS needs QI", SMTS, QI);
    needs("ecap", "SSADS needs SMPWCS", ExtendedCapability.SSADS, SMPWCS);
    needs("ecap", "SSTS needs SMTS", SSTS, SMTS);
    needs("ecap", "FSTS needs SMTS", FSTS, SMTS);
    needs("ecap", "SMPWCS needs SMTS", SMPWCS, SMTS);
    needs("ecap", "RPS needs SMTS", ExtendedCapability.RPS, SMTS);
    needs("ecap", "RPRIVS needs SRS", ExtendedCapability.RPRIVS, ExtendedCapability.SRS);
    needs("ecap", "HPTS needs SMTS", ExtendedCapability.HPTS, SMTS);
    needs("ecap", "HPTS needs DT", ExtendedCapability.HPTS, DT);
    needs("ecap", "PTRS needs PASID", ExtendedCapability.PTRS, ExtendedCapability.PASID);
    needs("ecap", "PTRS needs DT", ExtendedCapability.PTRS, DT);
    needs("ecap", "SSIRWS needs SSTS", ExtendedCapability.SSIRWS, SSTS);
    needs("ecap", "SMS needs PRS", ExtendedCapability.SMS, ExtendedCapability.PRS);
    needs("ecap", "HPT1GPS needs HPTS", ExtendedCapability.HPT1GPS, ExtendedCapability.HPTS);
    needs("ecap", "EIMER needs EIM", ExtendedCapability.EIMER, ExtendedCapability.EIM);
    needs("ecap", "IRREQ needs IR", ExtendedCapability.IRREQ, IR);
    if (has(SMTS)) {
      if (!has(FSTS) && !has(SSTS) && !has(ExtendedCapability.PT)) {
        throw invalid("ecap", "SMTS needs FSTS, SSTS or PT");
      }
      if (Capability.RWBF.isSet(cap)) {
        throw invalid("cap", "RWBF has to be 0 with ECAP.SMTS");
      }
    }
    if (has(ExtendedCapability.PMS) && !Capability.ECMDS.isSet(cap)) {
      throw invalid("ecap", "PMS needs CAP.ECMDS");
    }
    if (has(ExtendedCapability.VCS)) {
      throw invalid("ecap", "VCS: the virtual command interface is not part of the model");
    }
    if (has(ExtendedCapability.TDXCS)) {
      throw invalid("ecap", "TDXCS: TDX Connect is not part of the model");
    }
    if ((has(SSTS) || !has(SMTS)) && sagaw == 0) {
      throw invalid("cap", "SAGAW = 0, but there is a second stage");
    }
  }

  private void needs(String option, String rule, Field feature, Field basis) {
    if (has(feature) && !has(basis)) {
      throw invalid(option, rule);
    }
  }

  private static Options.InvalidOption invalid(String name, String message) {
    return new Options.InvalidOption(name, message);
  }

  private static String hex(long value) {
    return "0x" + Long.toHexString(value);
  }

  /** Whether ECAP_REG has the feature. */
  boolean has(Field feature) {
    return feature.isSet(ecap);
  }

  /** Major version. */
  int major() {
    return version >>> 4 & 0xf;
  }

  /** Records of the fault log. */
  int faultRecords() {
    return FaultRecord.count(cap);
  }

  /** Bits of an address above the host address width. */
  long beyond() {
    return -1L << haw;
  }

  /** Domain ids from here on do not exist. */
  int domains() {
    return 1 << (4 + 2 * Capability.ND.getInt(cap));
  }
}
