package org.iommu4j.amdvi.layout;

import static org.iommu4j.core.bits.Field.Kind.IGNORED;
import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;
import static org.iommu4j.core.bits.Field.reserved;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;

/** Device table entry, 32 bytes, one for each DeviceID. 48882, "Device Table Entry Format". */
public final class DeviceTableEntry {
  /** Bytes of an entry. */
  public static final int BYTES = 32;

  // Word 0.
  /** Valid: words 0 and 1. Without it DMA passes untranslated. */
  public static final Field V = bit("V", 0);

  /** Translation information valid. Without it DMA is blocked. */
  public static final Field TV = bit("TV", 1);

  public static final Field CXL_MEM_ATTR = bits("CXLMemAttr", 6, 4);

  /** Host A/D: 0 none, 1 accessed, 3 accessed and dirty. */
  public static final Field HAD = bits("HAD", 8, 7);

  /** Levels of the host table; 0 none. */
  public static final Field MODE = bits("Mode", 11, 9);

  public static final Field ROOT = bits("Host Page Table Root Pointer", 51, 12);

  /** Page requests are allowed. */
  public static final Field PPR = bit("PPR", 52);

  /** Responses to page requests carry the PASID. */
  public static final Field GPRP = bit("GPRP", 53);

  /** Requests without PASID use the guest tables of PASID 0. */
  public static final Field GIOV = bit("GIOV", 54);

  /** Guest translation valid. */
  public static final Field GV = bit("GV", 55);

  /** Levels of the GCR3 table, minus 1. */
  public static final Field GLX = bits("GLX", 57, 56);

  public static final Field GCR3_14_12 = bits("GCR3 TRP 14:12", 60, 58);
  public static final Field IR = bit("IR", 61);
  public static final Field IW = bit("IW", 62);

  // Word 1.
  public static final Field DOMAIN_ID = bits("DomainID", 15, 0);
  public static final Field GCR3_30_15 = bits("GCR3 TRP 30:15", 31, 16);

  /** Device IOTLB (ATS) enable. */
  public static final Field I = bit("I", 32);

  /** Suppress further I/O page faults after the first. */
  public static final Field SE = bit("SE", 33);

  /** Suppress all I/O page faults. */
  public static final Field SA = bit("SA", 34);

  /** Port I/O: 0 abort, 1 forward, 2 translate. */
  public static final Field IO_CTL = bits("IoCtl", 36, 35);

  public static final Field CACHE = bit("Cache", 37);

  /** Snoop disable. */
  public static final Field SD = bit("SD", 38);

  /** The exclusion range is for this device. */
  public static final Field EX = bit("EX", 39);

  /** System management: 0 deny, 1 forward, 2 INTx messages only, 3 translate. */
  public static final Field SYS_MGT = bits("SysMgt", 41, 40);

  /** Secure ATS. */
  public static final Field SATS = bit("SATS", 42);

  public static final Field GCR3_51_31 = bits("GCR3 TRP 51:31", 63, 43);

  // Word 2.
  /** Interrupt map valid: words 2 and 3. Without it interrupts pass unmapped. */
  public static final Field IV = bit("IV", 0);

  /** The interrupt table has 2^IntTabLen entries. */
  public static final Field INT_TAB_LEN = bits("IntTabLen", 4, 1);

  /** Events of unmapped interrupts are suppressed. */
  public static final Field IG = bit("IG", 5);

  public static final Field INT_TAB_ROOT = bits("Interrupt Table Root Pointer", 51, 6);

  /** 0 4-level, 1 5-level guest tables. */
  public static final Field GUEST_PAGING_MODE = bits("GuestPagingMode", 55, 54);

  public static final Field INIT_PASS = bit("InitPass", 56);
  public static final Field EINT_PASS = bit("EIntPass", 57);
  public static final Field NMI_PASS = bit("NMIPass", 58);
  public static final Field HPT_MODE = bit("HptMode", 59);

  /** Fixed and arbitrated interrupts: 0 abort, 1 forward, 2 remap. */
  public static final Field INT_CTL = bits("IntCtl", 61, 60);

  public static final Field LINT0_PASS = bit("Lint0Pass", 62);
  public static final Field LINT1_PASS = bit("Lint1Pass", 63);

  // Word 3.
  /** The device is one of a guest's IOMMU; with vIOMMUSup. */
  public static final Field VIMU_EN = bit("vImuEn", 15);

  /** What the guest calls the device. */
  public static final Field G_DEVICE_ID = bits("GDeviceID", 31, 16);

  /** Which guest. */
  public static final Field GUEST_ID = bits("GuestID", 47, 32);

  public static final Field ATTR_V = bit("AttrV", 54);
  public static final Field MODE0_FC = bit("Mode0FC", 55);
  public static final Field SNOOP_ATTRIBUTE = bits("SnoopAttribute", 63, 56);

  public static final int INT_ABORT = 0;
  public static final int INT_FORWARD = 1;
  public static final int INT_REMAP = 2;

  public static final Layout LAYOUT =
      Layout.of(
              "device table entry",
              "48882, Device Table Entry Format",
              V,
              TV,
              reserved(3, 2),
              CXL_MEM_ATTR,
              HAD,
              MODE,
              ROOT,
              PPR,
              GPRP,
              GIOV,
              GV,
              GLX,
              GCR3_14_12,
              IR,
              IW,
              reserved(63, 63))
          .then(DOMAIN_ID, GCR3_30_15, I, SE, SA, IO_CTL, CACHE, SD, EX, SYS_MGT, SATS, GCR3_51_31)
          .then(
              IV,
              INT_TAB_LEN,
              IG,
              INT_TAB_ROOT,
              reserved(53, 52),
              GUEST_PAGING_MODE,
              INIT_PASS,
              EINT_PASS,
              NMI_PASS,
              HPT_MODE,
              INT_CTL,
              LINT0_PASS,
              LINT1_PASS)
          .then(
              reserved(14, 0),
              VIMU_EN,
              G_DEVICE_ID,
              GUEST_ID,
              reserved(52, 48),
              bit("available", 53).as(IGNORED),
              ATTR_V,
              MODE0_FC,
              SNOOP_ATTRIBUTE);

  private DeviceTableEntry() {}

  /** The address of the GCR3 table, from words 0 and 1. */
  public static long gcr3(long first, long second) {
    return GCR3_14_12.get(first) << 12
        | GCR3_30_15.get(second) << 15
        | GCR3_51_31.get(second) << 31;
  }

  /** The fields of word 0 that name a GCR3 table. */
  public static long gcr3First(long table) {
    return GCR3_14_12.of(table >>> 12);
  }

  /** The fields of word 1 that name a GCR3 table. */
  public static long gcr3Second(long table) {
    return GCR3_30_15.of(table >>> 15) | GCR3_51_31.of(table >>> 31);
  }
}
