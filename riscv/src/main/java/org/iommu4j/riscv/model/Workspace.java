package org.iommu4j.riscv.model;

import java.util.List;
import org.iommu4j.core.bits.Layout;
import org.iommu4j.core.dma.Inspector;
import org.iommu4j.core.iotlb.MicroTlb;
import org.iommu4j.core.memory.EntryPair;
import org.iommu4j.core.memory.MemoryRegion;
import org.iommu4j.core.memory.PhysicalMemory;
import org.jspecify.annotations.Nullable;

/**
 * One thread's scratch memory: the request in the terms of the specification, the results of each
 * stage, and the thread's counters. Kept with the caller's {@code Translation}, so that a walk
 * allocates nothing.
 */
final class Workspace {
  final RiscvIommu unit;

  /** What the thread got from the shared caches lately. */
  final MicroTlb recent;

  final DcEntry dcScratch = new DcEntry();
  final PcEntry pcScratch = new PcEntry();

  /** The contexts in use: cached ones or the scratch. */
  DcEntry dc = dcScratch;

  PcEntry pc = pcScratch;

  /** Of the device context that was found; false before. */
  boolean dtf;

  boolean t2gpa;

  // The request.
  int deviceId;
  boolean pidValid;
  int pid;

  /** READ, WRITE and EXECUTE as the request classifies: what faults are named after. */
  int access;

  boolean supervisor;
  boolean sum;

  /** ATS translation request: missing permissions are an answer, not a fault. */
  boolean ats;

  /** tr_req_*: MRIF pages are refused. */
  boolean debug;

  /** Nothing may change: no A/D update, no counting, no caches. */
  boolean dry;

  /** A walk nobody asked for: may fill caches, must not be seen otherwise. */
  boolean speculative;

  /** Walks that the inspector may still make for an answer. */
  int patience;

  /** The inspector's question: which permissions are there, rather than are these. */
  boolean permissive;

  // Identity of the address space, for counters.
  boolean pscv;
  int pscid;
  boolean gv;
  int gscid;

  // First stage.
  long pte;
  long gpa;
  int shift;
  boolean global;

  /** The permissions of both stages, R, W and X where entries have them. */
  long flags;

  /** log2 of the first stage's leaf, where the second stage made it smaller. */
  int firstLeaf;

  // Second stage.
  long gpte;
  long spa;
  int gShift;

  /** iotval2 of the fault. */
  long iotval2;

  /** log2 of the range around the address for which the same entry was missing; 64: the rest. */
  int missShift;

  /** Whether the entry that stopped the walk was valid (may be cached by hardware). */
  boolean stoppedAtValid;

  /** The IOTLB answered, with this data: the stages' entries are not known. */
  boolean hit;

  long hitData;

  // MSI.
  boolean msi;
  boolean mrif;
  long mrifAddress;
  long noticeAddress;
  int nid;

  // Entry loads.
  MemoryRegion region = MemoryRegion.NONE;

  private int memoryVersion;

  // Generations of the caches, from before the request's first load of anything: what is read from
  // tables that a context names is no newer than the context.
  long seenContexts;
  long seenTranslations;
  long seenPointers;
  long seenLeaves;
  long seenDenials;

  long entry;

  /** An entry of 16 bytes, or a piece of a context. */
  final EntryPair pair = new EntryPair();

  @Nullable List<Inspector.Step> trace;

  // Counters, read by others without synchronisation.
  long hits;
  long misses;
  long identities;
  long faults;
  long tableReads;

  Workspace(RiscvIommu unit) {
    this.unit = unit;
    this.recent = new MicroTlb(unit.config().caches().microTlb());
  }

  /**
   * Loads the aligned doubleword at {@code at} into {@link #entry}, little-endian, when the last
   * region does not hold it. Only regions that lie wholly within the physical address size become
   * the last region: so a hit there needs no check of the address.
   *
   * @return a {@link PhysicalMemory} status
   */
  int fetch(Setup s, long at) {
    if ((at & s.beyondPas) != 0) {
      return PhysicalMemory.VIOLATION;
    }
    MemoryRegion r = s.memory.region(at);
    if (r != MemoryRegion.NONE) {
      if (((r.base() + r.size() - 1) & s.beyondPas) == 0) {
        region = r;
      }
      entry = r.getLong(at);
      return PhysicalMemory.OK;
    }
    return slow(s, at, 8);
  }

  /**
   * The region of an aligned doubleword that may be loaded without more ado, or {@link
   * MemoryRegion#NONE}.
   */
  MemoryRegion region(Setup s, long at) {
    MemoryRegion r = region;
    return r.holds(at) ? r : otherRegion(s, at);
  }

  private MemoryRegion otherRegion(Setup s, long at) {
    MemoryRegion r = s.memory.region(at);
    if (r == MemoryRegion.NONE || ((r.base() | (r.base() + r.size() - 1)) & s.beyondPas) != 0) {
      return MemoryRegion.NONE;
    }
    region = r;
    return r;
  }

  /**
   * Loads the aligned 16 bytes at {@code at} into {@link #pair}, little-endian.
   *
   * <p>Choice: RISC-V asks for 8 bytes at a time only; software that changes several has V cleared,
   * and sets it last, without a command. So the first half, which holds V, comes first. That pairs
   * are read as one besides is as on the other architectures, for software that stores them so.
   *
   * @return a {@link PhysicalMemory} status; of halves that do not belong together a violation
   */
  int fetchPair(Setup s, long at) {
    MemoryRegion r = region(s, at);
    if (r.holds(at, EntryPair.BYTES)) {
      return pair.load(r, at) ? PhysicalMemory.OK : PhysicalMemory.VIOLATION;
    }
    if ((at & s.beyondPas) != 0) {
      return PhysicalMemory.VIOLATION;
    }
    int status = s.memory.status(at, EntryPair.BYTES, false);
    return status != PhysicalMemory.OK || s.memory.readPair(at, pair)
        ? status
        : PhysicalMemory.VIOLATION;
  }

  /** The same for a word of 4 bytes, zero-extended. */
  int fetch4(Setup s, long at) {
    if ((at & s.beyondPas) != 0) {
      return PhysicalMemory.VIOLATION;
    }
    return slow(s, at, 4);
  }

  private int slow(Setup s, long at, int length) {
    // Choice: registers are no place for tables. (Those of this unit could wait for this very
    // walk.)
    int status =
        s.memory.isDevice(at) ? PhysicalMemory.VIOLATION : s.memory.status(at, length, false);
    entry = status == PhysicalMemory.OK ? s.memory.readBytes(at, length) : 0;
    return status;
  }

  /** To be called before a request's first load. */
  void begin(Setup s) {
    if (s.cached && !dry) {
      seenContexts = unit.contexts().generation();
      seenTranslations = unit.iotlb().generation();
      seenPointers = unit.pagingCaches().firstStage.generation();
      seenLeaves = unit.pagingCaches().secondStage.generation();
      seenDenials = unit.denials().entries.generation();
    }
    // The last region is of the memory as it was then.
    int version = s.memory.version();
    if (version != memoryVersion) {
      memoryVersion = version;
      region = MemoryRegion.NONE;
    }
  }

  /** Notes an entry for the walk that a person looks at. */
  void note(String what, Layout layout, long at, long... raw) {
    List<Inspector.Step> t = trace;
    if (t != null) {
      t.add(Inspector.Step.of(what, layout, at, raw));
    }
  }

  /** Counts an event of the performance monitor. */
  void count(Setup s, int event) {
    if (s.counting && !dry) {
      unit.monitor().count(event, this);
    }
  }
}
