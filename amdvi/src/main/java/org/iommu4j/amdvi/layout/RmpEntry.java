package org.iommu4j.amdvi.layout;

import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;
import static org.iommu4j.core.bits.Field.reserved;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;

/**
 * The reverse map table of SEV-SNP: who owns each page of 4 KiB of physical memory. AMD64 APM
 * volume 2, 15.36.3, has its purpose and fields; the bits are those that AMD publishes for family
 * 19h, and that AMD's firmware for the security processor uses (AMD-ASPFW, {@code sev_rmp.h}).
 */
public final class RmpEntry {
  /** Bytes of an entry. */
  public static final int BYTES = 16;

  /** Bytes before the entries, for processors' own bookkeeping. */
  public static final int BOOKKEEPING_BYTES = 0x4000;

  /** The page belongs to a guest or to firmware: nobody else may write to it. */
  public static final Field ASSIGNED = bit("Assigned", 0);

  /** 0: 4 KiB; 1: the entry is that of all 2 MiB from here. */
  public static final Field PAGE_SIZE = bit("Page_Size", 1);

  /** Only firmware may change the entry. */
  public static final Field IMMUTABLE = bit("Immutable", 2);

  /** In the first entry of 2 MiB: how many of the other pages are assigned, each by itself. */
  public static final Field SUBPAGE_COUNT = bits("Subpage_Count", 11, 3);

  public static final Field GPA = bits("GPA", 50, 12);
  public static final Field ASID = bits("ASID", 60, 51);
  public static final Field VMSA = bit("VMSA", 61);
  public static final Field VALIDATED = bit("Validated", 62);
  public static final Field LOCK = bit("Lock", 63);

  public static final Layout LAYOUT =
      Layout.of(
              "reverse map table entry",
              "AMD64 APM volume 2, 15.36.3",
              ASSIGNED,
              PAGE_SIZE,
              IMMUTABLE,
              SUBPAGE_COUNT,
              GPA,
              ASID,
              VMSA,
              VALIDATED,
              LOCK)
          .then(
              bits("VMPL0", 7, 0),
              bits("VMPL1", 15, 8),
              bits("VMPL2", 23, 16),
              bits("VMPL3", 31, 24),
              reserved(63, 32));

  // A segmented table: where the segments are. MSR RMP_CFG tells that there are segments.

  /** RMP_CFG: the table is segmented. */
  public static final Field SEGMENTED = bit("SegmentedRmpEn", 0);

  /** RMP_CFG: log2 of the bytes of memory that a segment is for. */
  public static final Field SEGMENT_SHIFT = bits("RmpSegmentShift", 13, 8);

  /** Entries of the segment table, of 8 bytes each; it follows the bookkeeping. */
  public static final int SEGMENTS = 512;

  /** GiB of memory that the segment has entries for; 0: there is no such segment. */
  public static final Field MAPPED_SIZE = bits("MappedSize", 19, 0);

  /** Physical address of the segment's first entry. */
  public static final Field SEGMENT_BASE = bits("SegmentBase", 51, 20);

  public static final Layout SEGMENT_LAYOUT =
      Layout.of(
          "RMP segment table entry",
          "AMD64 APM volume 2, 15.36.3",
          MAPPED_SIZE,
          SEGMENT_BASE,
          reserved(63, 52));

  private RmpEntry() {}
}
