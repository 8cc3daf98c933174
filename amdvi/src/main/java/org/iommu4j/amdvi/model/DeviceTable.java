package org.iommu4j.amdvi.model;

import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.core.memory.EntryPair;
import org.iommu4j.core.memory.MemoryRegion;
import org.jspecify.annotations.Nullable;

/** From a DeviceID to its entry, which is checked as a whole. 48882, "Device Table". */
final class DeviceTable {
  private static final int RESERVED_MODE = 7;

  private DeviceTable() {}

  /**
   * The entry of the workspace's device, in {@code w.device}.
   *
   * @return why there is none; what is wrong with one that is there, the entry says
   */
  static @Nullable Reason locate(Setup s, Workspace w) {
    boolean caches = s.cached && !w.dry();
    if (caches) {
      DeviceEntry kept = w.unit.entries().lookup(w.deviceId);
      if (kept != null) {
        w.count(s, w.interrupt ? Counters.DTE_HIT_INTERRUPT : Counters.DTE_HIT);
        w.device = kept;
        return null;
      }
      w.count(s, w.interrupt ? Counters.DTE_MISS_INTERRUPT : Counters.DTE_MISS);
    }
    DeviceEntry d = w.deviceScratch;
    w.device = d;
    Reason fault = read(s, w, d);
    if (fault == null && caches) {
      w.unit.entries().fill(w.seenEntries, d);
    }
    return fault;
  }

  /**
   * The entry of the workspace's device without a cache; null if there is none. One that was
   * decoded before is taken as it is if memory holds not a bit that differs from what was decoded.
   *
   * <p>Every word is loaded. What is saved is checking and decoding, which depend on nothing but
   * these words and the setup.
   *
   * <p>The words are loaded one by one, not as {@link EntryPair} does, and still nothing is used
   * that software did not store as one: what the request goes by is what was decoded, and that was
   * loaded in pairs. Words of two stores differ from it, in all cases but one: (a, x) was decoded,
   * memory holds (a, y), and becomes (b, x) between these loads. Then the request goes by (a, x),
   * an entry of before. Choice: that one request is not worth two more loads in every other.
   */
  static @Nullable DeviceEntry again(Setup s, Workspace w) {
    DeviceEntry d = w.deviceScratch;
    if (d.setup == s && d.deviceId == w.deviceId) {
      long at = d.address;
      MemoryRegion r = w.region(s, at);
      if (r != MemoryRegion.NONE && r.holds(at + 24)) {
        long different =
            r.getLong(at) ^ d.word0
                | r.getLong(at + 8) ^ d.word1
                | r.getLong(at + 16) ^ d.word2
                | r.getLong(at + 24) ^ d.word3;
        if (different == 0) {
          return d;
        }
      }
    }
    return locate(s, w) == null ? d : null;
  }

  private static @Nullable Reason read(Setup s, Workspace w, DeviceEntry d) {
    long at = s.entryAddress(w.deviceId);
    if (at < 0) {
      d.deviceId = -1;
      return Reason.DEVICE_OUT_OF_TABLE;
    }
    w.faultAddress = at;
    // Software stores each half with one access, the upper one of a new entry first.
    boolean read = w.loadPair(s, at);
    long first = w.pair().first();
    long second = w.pair().second();
    if (!read || !w.loadPair(s, at + EntryPair.BYTES)) {
      d.deviceId = -1;
      return Reason.DEVICE_TABLE_READ;
    }
    long third = w.pair().first();
    long fourth = w.pair().second();
    if (w.traced()) {
      w.note("device table entry", DeviceTableEntry.LAYOUT, at, first, second, third, fourth);
    }
    w.faultAddress = w.iova;
    d.deviceId = w.deviceId;
    d.setup = s;
    d.address = at;
    d.decode(first, second, third, fourth);
    check(s, d);
    return null;
  }

  private static void check(Setup s, DeviceEntry d) {
    d.guest = DeviceTableEntry.GV.isSet(d.word0) && s.guest;
    d.guestWithoutPasid = d.guest && DeviceTableEntry.GIOV.isSet(d.word0);
    d.memoryFault = d.valid ? memory(s, d) : null;
    d.interruptFault = DeviceTableEntry.IV.isSet(d.word2) ? interrupt(s, d) : null;
    d.tag = d.tag(-1);
    boolean plain = d.valid && d.translates && d.memoryFault == null && d.mode <= s.hostLevels;
    d.plain = plain && (d.mode != 0 || d.guestWithoutPasid);
    d.plainWithPasid = plain && d.guest;
  }

  private static @Nullable Reason memory(Setup s, DeviceEntry d) {
    boolean tooDeep =
        d.guest
            && (DeviceTableEntry.GLX.get(d.word0) > s.config.glx()
                || d.guestLevels > s.guestLevels);
    if ((d.word0 & s.reserved0) != 0
        || (d.word1 & s.reserved1) != 0
        || DeviceTableEntry.HAD.get(d.word0) == 2
        || tooDeep) {
      return Reason.DTE_RESERVED;
    }
    if (DeviceTableEntry.IO_CTL.get(d.word1) == 3) {
      return Reason.DTE_IO_CONTROL;
    }
    if (d.mode == RESERVED_MODE || (s.hostLevels == 0 && (d.mode != 0 || d.root != 0))) {
      return Reason.DTE_MODE;
    }
    return passesUnderSnp(s, d) ? Reason.DTE_MODE : null;
  }

  /**
   * With SNP there is no passing through, and interrupts fail with it (48882 revision 3.06, as AMD
   * told Linux's developers, with the log of an IOAPIC's interrupt: "iommu/amd: Set translation
   * valid bit only when IO page tables are in use").
   */
  private static boolean passesUnderSnp(Setup s, DeviceEntry d) {
    return s.rmp != null && d.valid && d.translates && d.mode == 0;
  }

  private static @Nullable Reason interrupt(Setup s, DeviceEntry d) {
    if ((d.word2 & s.reserved2) != 0 || (d.word3 & s.reserved3) != 0) {
      return Reason.DTE_INT_RESERVED;
    }
    return passesUnderSnp(s, d) ? Reason.DTE_INT_MODE : null;
  }
}
