package org.iommu4j.vtd.layout;

import static org.iommu4j.core.bits.Field.Kind.RO;

import java.util.List;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;

/** ECAP_REG: what else a unit has. §11.4. */
public final class ExtendedCapability {
  /** Page-walk coherency. */
  public static final Field C = ro("C", 0);

  /** Queued invalidation. */
  public static final Field QI = ro("QI", 1);

  /** Device-TLBs. */
  public static final Field DT = ro("DT", 2);

  /** Interrupt remapping. */
  public static final Field IR = ro("IR", 3);

  /** Extended interrupt mode: 32-bit APIC ids. */
  public static final Field EIM = ro("EIM", 4);

  /** Pass-through. */
  public static final Field PT = ro("PT", 6);

  /** Snoop control. */
  public static final Field SC = ro("SC", 7);

  /** Offset of IVA_REG and IOTLB_REG, in units of 16 bytes. */
  public static final Field IRO = ro("IRO", 17, 8);

  /** Maximum handle mask value. */
  public static final Field MHMV = ro("MHMV", 23, 20);

  /** Memory types. */
  public static final Field MTS = ro("MTS", 25);

  /** Nested translation. */
  public static final Field NEST = ro("NEST", 26);

  /** Page requests. */
  public static final Field PRS = ro("PRS", 29);

  /** Execute requests; 0 in new parts. */
  public static final Field ERS = ro("ERS", 30);

  /** Supervisor requests. */
  public static final Field SRS = ro("SRS", 31);

  /** The no-write flag of translation requests is honoured. */
  public static final Field NWFS = ro("NWFS", 33);

  /** Extended accessed flag. */
  public static final Field EAFS = ro("EAFS", 34);

  /** PASID size in bits, minus 1. */
  public static final Field PSS = ro("PSS", 39, 35);

  /** Process address space ids. */
  public static final Field PASID = ro("PASID", 40);

  /** Device-TLB invalidation throttle. */
  public static final Field DIT = ro("DIT", 41);

  /** Page-request drain. */
  public static final Field PDS = ro("PDS", 42);

  /** Scalable mode. */
  public static final Field SMTS = ro("SMTS", 43);

  /** Virtual command interface. */
  public static final Field VCS = ro("VCS", 44);

  /** Second-stage accessed and dirty bits. */
  public static final Field SSADS = ro("SSADS", 45);

  /** Second-stage translation in scalable mode. */
  public static final Field SSTS = ro("SSTS", 46);

  /** First-stage translation. */
  public static final Field FSTS = ro("FSTS", 47);

  /** Scalable-mode page-walk coherency. */
  public static final Field SMPWCS = ro("SMPWCS", 48);

  /** RID_PASID. */
  public static final Field RPS = ro("RPS", 49);

  /** TDX Connect. */
  public static final Field TDXCS = ro("TDXCS", 50);

  /** Performance monitoring. */
  public static final Field PMS = ro("PMS", 51);

  /** Abort-DMA mode. */
  public static final Field ADMS = ro("ADMS", 52);

  /** RID_PRIV. */
  public static final Field RPRIVS = ro("RPRIVS", 53);

  /** Host permission table. */
  public static final Field HPTS = ro("HPTS", 55);

  /** Translated requests with PASID. */
  public static final Field PTRS = ro("PTRS", 56);

  /** Second-stage IR and IW bits. */
  public static final Field SSIRWS = ro("SSIRWS", 57);

  /** Stop markers. */
  public static final Field SMS = ro("SMS", 58);

  /** Host permission table leaves of 1 GiB. */
  public static final Field HPT1GPS = ro("HPT1GPS", 59);

  /** Resource director technology: RDTC_REG. */
  public static final Field RDTS = ro("RDTS", 60);

  /** Extended interrupt mode is required. */
  public static final Field EIMER = ro("EIMER", 61);

  /** Interrupt remapping is required. */
  public static final Field IRREQ = ro("IRREQ", 62);

  /** In the specification's order. */
  public static final List<Field> FIELDS =
      List.of(
          C, QI, DT, IR, EIM, PT, SC, IRO, MHMV, MTS, NEST, PRS, ERS, SRS, NWFS, EAFS, PSS, PASID,
          DIT, PDS, SMTS, VCS, SSADS, SSTS, FSTS, SMPWCS, RPS, TDXCS, PMS, ADMS, RPRIVS, HPTS, PTRS,
          SSIRWS, SMS, HPT1GPS, RDTS, EIMER, IRREQ);

  public static final Register REGISTER = new Register("ECAP_REG", 0x10, 8, FIELDS);

  private ExtendedCapability() {}

  private static Field ro(String name, int at) {
    return ro(name, at, at);
  }

  private static Field ro(String name, int hi, int lo) {
    return Field.bits(name, hi, lo).as(RO);
  }
}
