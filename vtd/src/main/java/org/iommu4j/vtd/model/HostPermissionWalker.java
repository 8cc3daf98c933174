package org.iommu4j.vtd.model;

import org.iommu4j.core.dma.Access;
import org.iommu4j.vtd.layout.ExtendedCapability;
import org.iommu4j.vtd.layout.HostPermissionEntry;
import org.iommu4j.vtd.layout.Reason;
import org.jspecify.annotations.Nullable;

/**
 * The host permission table: what a device may do at addresses that it had translated before. §9.
 *
 * <pre>
 *   level 4  index from bit 41   no groups           next table
 *   level 3  index 40:33         8 groups of 1 GiB   next table
 *   level 2  index 32:25         16 groups of 2 MiB  next table
 *   level 1  index 24:17         32 groups of 4 KiB
 * </pre>
 *
 * A group that grants anything decides; where none does, the next table is asked. Choice: nothing
 * of it is cached.
 */
final class HostPermissionWalker {
  private static final long RESERVED_OF_GROUPS = 0xcccc_cccc_cccc_ccccL;

  private HostPermissionWalker() {}

  /** Whether the space's table lets a translated request pass. */
  static @Nullable Reason check(Setup s, Space space, Workspace w, long address, boolean zero) {
    if (address >>> space.hptBits != 0) {
      return Reason.SPT_9;
    }
    long table = space.hptRoot;
    int granted = 0;
    for (int level = 4; level >= 1 && granted == 0; level--) {
      int shift = 9 + 8 * level; // 41, 33, 25, 17
      long index = level == 4 ? address >>> shift : address >>> shift & 0xff;
      long at = table + index * HostPermissionEntry.BYTES;
      w.count(s, 2, 8, level - 1);
      if (!w.loadPair(s, at)) {
        return level == 4 ? Reason.HPT_3 : Reason.HPT_1;
      }
      long low = w.pair().first();
      long high = w.pair().second();
      if (w.traced()) {
        w.note("host permission entry, level " + level, HostPermissionEntry.LAYOUT, at, low, high);
      }
      if (reserved(s, level, low, high)) {
        return Reason.HPT_2;
      }
      granted = group(level, address, low, high);
      if (level > 1 && granted == 0) {
        if (!HostPermissionEntry.AV.isSet(high)) {
          break;
        }
        table = HostPermissionEntry.ADDR.in(high);
      }
    }
    return verdict(s, w, granted, zero);
  }

  private static @Nullable Reason verdict(Setup s, Workspace w, int granted, boolean zero) {
    w.permissions = granted;
    if (zero && s.zlr) {
      return granted == 0 ? Reason.HPT_4 : null;
    }
    int missing = w.wanted & ~granted;
    if (missing == 0) {
      return null;
    }
    return (missing & Access.WRITE) != 0 ? Reason.HPT_5 : Reason.HPT_6;
  }

  private static boolean reserved(Setup s, int level, long low, long high) {
    if (level == 1) {
      return ((low | high) & RESERVED_OF_GROUPS) != 0;
    }
    long groups =
        switch (level) {
          case 2 -> ~RESERVED_OF_GROUPS;
          case 3 ->
              s.config.has(ExtendedCapability.HPT1GPS) ? ~RESERVED_OF_GROUPS & 0xffff_ffffL : 0;
          default -> 0;
        };
    return (low & ~groups) != 0
        || (high
                & (HostPermissionEntry.LAYOUT.reservedMask(1)
                    | HostPermissionEntry.ADDR.in(s.beyond)))
            != 0;
  }

  private static int group(int level, long address, long low, long high) {
    int n =
        switch (level) {
          case 1 -> (int) (address >>> 12 & 31);
          case 2 -> (int) (address >>> 21 & 15);
          case 3 -> (int) (address >>> 30 & 7);
          default -> -1;
        };
    if (n < 0) {
      return 0;
    }
    long word = n < 16 ? low : high;
    // Bit 0 R and bit 1 W are in the order of READ and WRITE.
    return (int) (word >>> (HostPermissionEntry.GROUP_BITS * (n & 15))) & 3;
  }
}
