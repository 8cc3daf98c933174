package org.iommu4j.riscv.model;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.memory.MemoryRegion;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.riscv.layout.Cause;
import org.iommu4j.riscv.layout.DeviceContext;
import org.iommu4j.riscv.layout.DirectoryEntry;
import org.iommu4j.riscv.layout.FaultRecord;
import org.iommu4j.riscv.layout.ProcessContext;
import org.jspecify.annotations.Nullable;

/** Locates the device context (§2.3.1) and the process context (§2.3.2). */
final class DirectoryWalker {
  private static final int DDT_EVENT = 5;
  private static final int PDT_EVENT = 6;

  private DirectoryWalker() {}

  /** Reads and checks the context of a device into {@code dc}; 0 or the cause. */
  static int device(Setup s, Workspace w, int deviceId, DcEntry dc) {
    dc.decodedFor = null;
    long table = s.ddt;
    for (int level = s.levels() - 1; level > 0; level--) {
      w.count(s, DDT_EVENT);
      long at = table + ((long) s.ddi(deviceId, level) << 3);
      int status = w.fetch(s, at);
      if (status != PhysicalMemory.OK) {
        return ddtLoad(status);
      }
      long e = s.be ? Long.reverseBytes(w.entry()) : w.entry();
      if (w.traced()) {
        w.note("DDT entry, level " + level, DirectoryEntry.LAYOUT, at, e);
      }
      if (!DirectoryEntry.V.isSet(e)) {
        return Cause.DDT_ENTRY_NOT_VALID.code();
      }
      if ((e & s.directoryReserved) != 0) {
        return Cause.DDT_ENTRY_MISCONFIGURED.code();
      }
      table = DirectoryEntry.PPN.get(e) << 12;
    }
    w.count(s, DDT_EVENT);
    int words = s.extended ? DeviceContext.EXTENDED_WORDS : DeviceContext.BASE_WORDS;
    long at = table + (long) s.ddi(deviceId, 0) * words * 8;
    // V is in the first piece.
    int status = w.fetchPair(s, at);
    long tc = first(s, w);
    long iohgatp = second(s, w);
    status = worse(status, w.fetchPair(s, at + 16));
    long ta = first(s, w);
    long fsc = second(s, w);
    long msiptp = 0;
    long mask = 0;
    long pattern = 0;
    long last = 0;
    if (s.extended) {
      status = worse(status, w.fetchPair(s, at + 32));
      msiptp = first(s, w);
      mask = second(s, w);
      status = worse(status, w.fetchPair(s, at + 48));
      pattern = first(s, w);
      last = second(s, w);
    }
    if (status != PhysicalMemory.OK) {
      return ddtLoad(status);
    }
    if (w.traced()) {
      if (s.extended) {
        w.note(
            "device context",
            DeviceContext.EXTENDED,
            at,
            tc,
            iohgatp,
            ta,
            fsc,
            msiptp,
            mask,
            pattern,
            last);
      } else {
        w.note("device context", DeviceContext.BASE, at, tc, iohgatp, ta, fsc);
      }
    }
    if (!DeviceContext.V.isSet(tc)) {
      return Cause.DDT_ENTRY_NOT_VALID.code();
    }
    if (ContextChecks.misconfigured(s, tc, iohgatp, ta, fsc, msiptp, mask, pattern, last)) {
      dc.deviceId = deviceId;
      return Cause.DDT_ENTRY_MISCONFIGURED.code();
    }
    dc.msiMask = mask;
    dc.msiPattern = pattern;
    dc.offset = at - table;
    dc.decode(s, deviceId, tc, iohgatp, ta, fsc, msiptp);
    return 0;
  }

  /**
   * Reads the context of a device again: the workspace's decoded one, if memory holds not a bit
   * that differs from what was decoded; or null. Little-endian only.
   *
   * <p>No cache: every word is loaded. What is saved is checking and decoding, which depend on
   * nothing but these words, the device and the setup. Words of two contexts, loaded while software
   * replaces one by the other, differ from what was decoded, or are what was decoded: then the
   * request goes by a context of before, never by one that software did not make.
   *
   * <p>One method, longer than the 325 bytes of bytecode up to which the compiler inlines: inlined
   * it leaves the walk behind it too few registers (25.4 ns against 21.7, Sv39).
   */
  static @Nullable DcEntry again(Setup s, Workspace w, int deviceId) {
    DcEntry dc = w.dcScratch;
    if (dc.decodedFor != s || dc.deviceId != deviceId) {
      return null;
    }
    long table = s.ddt;
    for (int level = s.levels() - 1; level > 0; level--) {
      long at = table + ((long) s.ddi(deviceId, level) << 3);
      MemoryRegion r = w.region(s, at);
      long e = r == MemoryRegion.NONE ? 0 : r.getLong(at);
      if (!DirectoryEntry.V.isSet(e) || (e & s.directoryReserved) != 0) {
        return null;
      }
      table = DirectoryEntry.PPN.get(e) << 12;
    }
    long at = table + dc.offset;
    MemoryRegion r = w.region(s, at);
    if (r == MemoryRegion.NONE || !r.holds(at + (s.extended ? 56 : 24))) {
      return null;
    }
    long different =
        r.getLong(at) ^ dc.tc
            | r.getLong(at + 8) ^ dc.iohgatp
            | r.getLong(at + 16) ^ dc.ta
            | r.getLong(at + 24) ^ dc.fsc;
    if (s.extended) {
      different |=
          r.getLong(at + 32) ^ dc.msiptp
              | r.getLong(at + 40) ^ dc.msiMask
              | r.getLong(at + 48) ^ dc.msiPattern
              | r.getLong(at + 56);
    }
    return different == 0 ? dc : null;
  }

  private static long first(Setup s, Workspace w) {
    return s.be ? Long.reverseBytes(w.pair().first()) : w.pair().first();
  }

  private static long second(Setup s, Workspace w) {
    return s.be ? Long.reverseBytes(w.pair().second()) : w.pair().second();
  }

  /** A violation anywhere in a structure counts before poison anywhere in it. */
  private static int worse(int a, int b) {
    return a == PhysicalMemory.VIOLATION || b == PhysicalMemory.VIOLATION
        ? PhysicalMemory.VIOLATION
        : Math.max(a, b);
  }

  private static int ddtLoad(int status) {
    return status == PhysicalMemory.POISONED
        ? Cause.DDT_DATA_CORRUPTION.code()
        : Cause.DDT_ENTRY_LOAD_ACCESS_FAULT.code();
  }

  /** Reads and checks the context of a process into {@code pc}; 0 or the cause. */
  static int process(Setup s, Workspace w, DcEntry dc, int processId, PcEntry pc) {
    long at = dc.fscRoot;
    for (int level = dc.fscMode - 1; ; level--) {
      at += level > 0 ? (long) pdi(processId, level) << 3 : (long) pdi(processId, 0) << 4;
      if (dc.gLevels != 0) {
        int fault = SecondStageWalker.translate(s, dc, w, at, Access.READ, true, false);
        if (fault == SecondStageWalker.PAGE_FAULT) {
          // Named after the device's access, although the entry is only read.
          w.iotval2 = at & ~3L | FaultRecord.IMPLICIT.mask();
          return Faults.guestPage(w.access);
        }
        if (fault != 0) {
          return fault == SecondStageWalker.CORRUPTION
              ? Cause.PDT_DATA_CORRUPTION.code()
              : Cause.PDT_ENTRY_LOAD_ACCESS_FAULT.code();
        }
        at = w.spa;
      }
      w.count(s, PDT_EVENT);
      int status = level > 0 ? w.fetch(s, at) : w.fetchPair(s, at);
      long first = level > 0 ? w.entry() : w.pair().first();
      long second = level > 0 ? 0 : w.pair().second();
      if (status != PhysicalMemory.OK) {
        return status == PhysicalMemory.POISONED
            ? Cause.PDT_DATA_CORRUPTION.code()
            : Cause.PDT_ENTRY_LOAD_ACCESS_FAULT.code();
      }
      if (dc.sbe) {
        first = Long.reverseBytes(first);
        second = Long.reverseBytes(second);
      }
      if (level > 0) {
        if (w.traced()) {
          w.note("PDT entry, level " + level, DirectoryEntry.LAYOUT, at, first);
        }
        if (!DirectoryEntry.V.isSet(first)) {
          return Cause.PDT_ENTRY_NOT_VALID.code();
        }
        if ((first & s.directoryReserved) != 0) {
          return Cause.PDT_ENTRY_MISCONFIGURED.code();
        }
        at = DirectoryEntry.PPN.get(first) << 12;
        continue;
      }
      if (w.traced()) {
        w.note("process context", ProcessContext.LAYOUT, at, first, second);
      }
      if (!ProcessContext.V.isSet(first)) {
        return Cause.PDT_ENTRY_NOT_VALID.code();
      }
      if (ContextChecks.misconfigured(s, dc, first, second)) {
        return Cause.PDT_ENTRY_MISCONFIGURED.code();
      }
      pc.deviceId = dc.deviceId;
      pc.processId = processId;
      pc.ens = ProcessContext.ENS.isSet(first);
      pc.sum = ProcessContext.SUM.isSet(first);
      pc.pscid = ProcessContext.PSCID.getInt(first);
      pc.mode = ProcessContext.MODE.getInt(second);
      pc.root = ProcessContext.PPN.get(second) << 12;
      pc.tag = Tags.of(pc.mode != DeviceContext.IOSATP_BARE, pc.pscid, dc.gLevels != 0, dc.gscid);
      return 0;
    }
  }

  /** Index of a process id at a level of the directory, 0 being the leaf. §3.3. */
  private static int pdi(int processId, int level) {
    return switch (level) {
      case 0 -> processId & 0xff;
      case 1 -> processId >>> 8 & 0x1ff;
      default -> processId >>> 17 & 7;
    };
  }

  /** Bits of a process id that a pdtp.MODE can index. */
  static int processBits(int pdtpMode) {
    return switch (pdtpMode) {
      case DeviceContext.PDTP_PD8 -> 8;
      case DeviceContext.PDTP_PD17 -> 17;
      default -> 20;
    };
  }
}
