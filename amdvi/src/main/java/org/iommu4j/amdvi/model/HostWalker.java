package org.iommu4j.amdvi.model;

import org.iommu4j.amdvi.layout.HostPte;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.iotlb.Iotlb;
import org.iommu4j.core.memory.EntryUpdate;
import org.iommu4j.core.unit.TablePointer;
import org.jspecify.annotations.Nullable;

/**
 * The walk of host (v1) page tables: from a device's address to a physical one. 48882, "I/O Page
 * Tables for Host Translations".
 *
 * <pre>
 *   Mode n: n levels, 9n + 12 address bits (6: all 64). A table entry may skip levels; a page may
 *   have any power of two of bytes that its level has room for.
 * </pre>
 */
final class HostWalker {
  // Compile-time masks of the inner loop.
  static final long PR = HostPte.PR.mask();
  static final long A = HostPte.A.mask();
  static final long D = HostPte.D.mask();
  static final long ADDRESS = HostPte.ADDRESS.mask();

  private HostWalker() {}

  /**
   * Translates {@code gpa}; the results are {@code spa} and the {@code host...} fields of the
   * workspace.
   *
   * @param wanted READ and WRITE that this access needs
   * @param check whether missing permissions are a fault
   */
  static @Nullable Reason translate(
      Setup s, DeviceEntry d, Workspace w, long gpa, int wanted, boolean check) {
    if (d.mode == 0) {
      identity(w, gpa);
      return null;
    }
    w.faultAddress = gpa;
    if (d.mode > s.hostLevels) {
      w.missShift = 64;
      return Reason.MODE_UNSUPPORTED;
    }
    if (d.mode < 6 && gpa >>> 12 + 9 * d.mode != 0) {
      w.missShift = 64;
      return Reason.TOO_WIDE;
    }
    boolean caches = s.cached && !w.dry();
    long tag = Tags.host(d.domainId);
    if (caches && s.keepsAbsent && w.unit.walkCaches().absent.lookup(tag, gpa) != Iotlb.MISS) {
      return Reason.NOT_PRESENT;
    }
    long pointer = TablePointer.of(d.root, 3 + 9 * d.mode, WalkCaches.ALL);
    if (caches) {
      long kept = w.unit.walkCaches().host.lookup(tag, gpa);
      w.count(s, kept == Iotlb.MISS ? Counters.PDE_MISS : Counters.PDE_HIT);
      pointer = kept == Iotlb.MISS ? pointer : kept;
    }
    int shift = TablePointer.entryShift(pointer);
    long table = TablePointer.table(pointer);
    int granted = TablePointer.carried(pointer) & 3;
    if (check && (wanted & 3 & ~granted) != 0) {
      return Reason.PERMISSION; // of a table entry above, as a walk from the root would find
    }
    while (true) {
      int level = (shift - 3) / 9;
      long at = table + ((gpa >>> shift & 0x1ff) << 3);
      w.missShift = shift;
      w.count(s, Counters.TABLE_READS);
      if (!w.load(s, at)) {
        w.faultAddress = at;
        return Reason.PAGE_TABLE_READ;
      }
      long e = w.entry();
      if (w.traced()) {
        w.note("host page table entry, level " + level, HostPte.LAYOUT, at, e);
      }
      if ((e & PR) == 0) {
        if (caches && s.keepsAbsent) {
          w.unit.walkCaches().absent.fill(w.seenAbsent, tag, gpa, Math.min(shift, 63), 1);
        }
        return Reason.NOT_PRESENT;
      }
      int next = HostPte.NEXT_LEVEL.getInt(e);
      boolean page = next == 0 || next == HostPte.SIZE_IN_ADDRESS;
      if (!page && next >= level) {
        return Reason.PTE_LEVEL;
      }
      if ((e & (page ? HostPte.PAGE_RESERVED : HostPte.POINTER_RESERVED)) != 0) {
        return Reason.PTE_RESERVED;
      }
      // IR and IW, bits 61 and 62, are in the order of READ and WRITE.
      int now = granted & (int) (e >>> HostPte.IR.lo());
      if (check && (wanted & 3 & ~now) != 0) {
        return Reason.PERMISSION;
      }
      int size = !page ? 0 : next == 0 ? shift : HostPte.sizeShift(e);
      boolean tooLarge = page && (next == 0 ? level == 6 : size <= shift || size >= shift + 9);
      if (tooLarge) {
        return Reason.PTE_SIZE;
      }
      int nextShift = 3 + 9 * next;
      if (!page && (gpa >>> nextShift + 9 & (1L << shift - nextShift - 9) - 1) != 0) {
        w.missShift = nextShift + 9;
        return Reason.PTE_SKIPPED;
      }
      long bits = bits(d, page && check && (wanted & Access.WRITE) != 0);
      if ((e & bits) != bits) {
        Rmp rmp = s.rmp;
        Reason refused = rmp == null ? null : rmp.update(s, w, at);
        if (refused != null) {
          return refused;
        }
        EntryUpdate updated = EntryUpdate.set(s.memory, at, e, bits, w.dry());
        if (updated == EntryUpdate.CHANGED) {
          continue; // the entry is read again
        }
        if (updated == EntryUpdate.FAILED) {
          w.faultAddress = at;
          return Reason.PAGE_TABLE_READ;
        }
        e |= bits;
      }
      granted = now;
      if (page) {
        long offset = (1L << size) - 1;
        w.spa = (e & ADDRESS & ~offset) | (gpa & offset);
        w.hostShift = size;
        w.hostPermissions = granted;
        w.hostCoherent = HostPte.FC.isSet(e);
        w.hostUntranslated = HostPte.U.isSet(e);
        w.hostLeaf = e;
        w.hostLeafAt = at;
        w.mustSetDirty |= d.setsDirty && (e & D) == 0;
        return null;
      }
      table = e & ADDRESS;
      shift = nextShift;
      if (caches && (shift == 12 || s.worst)) {
        w.unit
            .walkCaches()
            .host
            .fill(w.seenHost, tag, gpa, shift + 9, TablePointer.of(table, shift, granted));
      }
    }
  }

  /** What is set in an entry that is used: A if the device table entry says so, D of a page. */
  private static long bits(DeviceEntry d, boolean written) {
    return (d.setsAccessed ? A : 0) | (d.setsDirty && written ? D : 0);
  }

  private static void identity(Workspace w, long gpa) {
    w.spa = gpa;
    w.hostShift = 30;
    w.hostPermissions = Access.READ | Access.WRITE;
    w.hostCoherent = false;
    w.hostUntranslated = false;
    w.hostLeafAt = 0;
  }
}
