package org.iommu4j.vtd.layout;

import static org.iommu4j.core.bits.Field.Kind.RO;

import java.util.List;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;

/** CAP_REG: what a unit has. §11.4. */
public final class Capability {
  /** Domains supported: 2^(4 + 2*ND). */
  public static final Field ND = ro("ND", 2, 0);

  /** Advanced fault logging; before revision 4.0. */
  public static final Field AFL = ro("AFL", 3, 3);

  /** Required write-buffer flushing. */
  public static final Field RWBF = ro("RWBF", 4, 4);

  /** Protected low-memory region. */
  public static final Field PLMR = ro("PLMR", 5, 5);

  /** Protected high-memory region. */
  public static final Field PHMR = ro("PHMR", 6, 6);

  /** Caching mode: entries that are not present or erroneous may be cached. */
  public static final Field CM = ro("CM", 7, 7);

  /** Supported adjusted guest address widths: bit 1 39-bit, bit 2 48-bit, bit 3 57-bit. */
  public static final Field SAGAW = ro("SAGAW", 12, 8);

  /** Maximum guest address width, minus 1. */
  public static final Field MGAW = ro("MGAW", 21, 16);

  /** Zero-length reads of write-only pages are allowed. */
  public static final Field ZLR = ro("ZLR", 22, 22);

  /** Offset of the fault recording registers, in units of 16 bytes. */
  public static final Field FRO = ro("FRO", 33, 24);

  /** Second-stage large pages: bit 0 2 MiB, bit 1 1 GiB. */
  public static final Field SSLPS = ro("SSLPS", 37, 34);

  /** Page-selective invalidation. */
  public static final Field PSI = ro("PSI", 39, 39);

  /** Number of fault recording registers, minus 1. */
  public static final Field NFR = ro("NFR", 47, 40);

  /** Maximum address mask value. */
  public static final Field MAMV = ro("MAMV", 53, 48);

  /** Write draining. */
  public static final Field DWD = ro("DWD", 54, 54);

  /** Read draining. */
  public static final Field DRD = ro("DRD", 55, 55);

  /** First-stage 1 GiB pages. */
  public static final Field FS1GP = ro("FS1GP", 56, 56);

  /** Posted interrupts. */
  public static final Field PI = ro("PI", 59, 59);

  /** First-stage 5-level paging. */
  public static final Field FS5LP = ro("FS5LP", 60, 60);

  /** Enhanced command interface. */
  public static final Field ECMDS = ro("ECMDS", 61, 61);

  /** Set interrupt remapping table pointer invalidates the interrupt entry cache. */
  public static final Field ESIRTPS = ro("ESIRTPS", 62, 62);

  /** Set root table pointer invalidates all DMA remapping caches. */
  public static final Field ESRTPS = ro("ESRTPS", 63, 63);

  /** In the specification's order. */
  public static final List<Field> FIELDS =
      List.of(
          ND, AFL, RWBF, PLMR, PHMR, CM, SAGAW, MGAW, ZLR, FRO, SSLPS, PSI, NFR, MAMV, DWD, DRD,
          FS1GP, PI, FS5LP, ECMDS, ESIRTPS, ESRTPS);

  public static final Register REGISTER = new Register("CAP_REG", 0x08, 8, FIELDS);

  private Capability() {}

  private static Field ro(String name, int hi, int lo) {
    return Field.bits(name, hi, lo).as(RO);
  }
}
