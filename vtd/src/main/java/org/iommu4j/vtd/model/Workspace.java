package org.iommu4j.vtd.model;

import java.util.List;
import org.iommu4j.core.bits.Layout;
import org.iommu4j.core.dma.Access;
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
  final VtdIommu unit;

  /** What the thread got from the shared caches lately. */
  final MicroTlb recent;

  final Space spaceScratch = new Space();
  final Decoded decoded = new Decoded();
  final ScalableContext contextScratch = new ScalableContext();

  /** The space in use: a cached one or the scratch. */
  Space space = spaceScratch;

  /** FPD of any entry that was met. */
  boolean fpd;

  // The request.
  int source;

  /** PASID of the request itself, negative for none. */
  int pasid;

  /** 0 untranslated, 1 translation request, 2 translated. */
  int addressType;

  /** READ and WRITE as the request needs them; none for a zero-length read that ZLR lets pass. */
  int wanted;

  boolean supervisor;

  /** Translation request: missing permissions are an answer, not a fault. */
  boolean ats;

  /** Translation request that asks for no write permission, and is heard (NW). */
  boolean noWrite;

  /** Nothing may change: no A/D update, no counting, no caches. */
  boolean dry;

  /** Tables that the inspector may still read for an answer. */
  int patience;

  /** The inspector's question: which permissions are there, rather than are these. */
  boolean permissive;

  // Results.
  long pa;
  int shift;
  int permissions;
  boolean snoop;
  int memoryType;

  /** Translation request: untranslated only. */
  boolean untranslatedOnly;

  // First stage.
  long gpa;
  int fsShift;
  boolean fsWritable;
  boolean fsUser;
  long fsLeaf;
  long fsLeafAt;

  /** Whether the second stage lets it be updated. */
  boolean fsLeafWritable;

  // Second stage.
  long spa;
  int ssShift;
  int ssPermissions;
  boolean ssSnoop;
  int ssType;
  long ssLeaf;
  long ssLeafAt;

  /** Writing is granted by a stage, but its D bit is clear. */
  boolean mustSetDirty;

  /** log2 of the range around the address for which the same entry was missing; 64: the rest. */
  int missShift;

  // Entry loads.
  MemoryRegion region = MemoryRegion.NONE;

  private int memoryVersion;

  // Generations of the caches, from before the request's first load of anything: what is read from
  // tables that a context names is no newer than the context.
  long seenContexts;
  long seenTranslations;
  long seenFirst;
  long seenSecond;
  long seenGuest;
  long seenAbsent;

  long entry;

  /** An entry of 16 bytes, or a piece of a larger one. */
  final EntryPair pair = new EntryPair();

  @Nullable List<Inspector.Step> trace;

  // Counters, read by others without synchronisation.
  long hits;
  long misses;
  long faults;
  long interrupts;

  Workspace(VtdIommu unit) {
    this.unit = unit;
    this.recent = new MicroTlb(unit.config().caches().microTlb());
  }

  /** Whether permissions that are missing end the walk. */
  boolean checks() {
    return !ats && !permissive;
  }

  boolean writes() {
    return (wanted & Access.WRITE) != 0;
  }

  /**
   * Loads the aligned doubleword at {@code at} into {@link #entry}. Only regions that lie wholly
   * within the host address width become the last region: so a hit there needs no check of the
   * address.
   *
   * @return whether it could be read
   */
  boolean load(Setup s, long at) {
    MemoryRegion r = region;
    if (r.holds(at)) {
      entry = r.getLong(at);
      return true;
    }
    return fetch(s, at);
  }

  /**
   * Loads {@code count} doublewords from {@code at} on: one, or pieces of 16 bytes, each as a whole
   * and in their order.
   *
   * @return whether all could be read
   */
  boolean load(Setup s, long at, long[] into, int count) {
    if (count == 1) {
      boolean loaded = load(s, at);
      into[0] = entry;
      return loaded;
    }
    for (int n = 0; n < count; n += 2) {
      if (!loadPair(s, at + (long) n * Long.BYTES)) {
        return false;
      }
      into[n] = pair.first();
      into[n + 1] = pair.second();
    }
    return true;
  }

  /**
   * Loads the aligned 16 bytes at {@code at} into {@link #pair}.
   *
   * @return whether they could be read, and belong together
   */
  boolean loadPair(Setup s, long at) {
    MemoryRegion r = region(s, at);
    if (r.holds(at, EntryPair.BYTES)) {
      return pair.load(r, at);
    }
    return (at & s.beyond) == 0
        && s.memory.status(at, EntryPair.BYTES, false) == PhysicalMemory.OK
        && s.memory.readPair(at, pair);
  }

  private boolean fetch(Setup s, long at) {
    MemoryRegion r = region(s, at);
    if (r != MemoryRegion.NONE) {
      entry = r.getLong(at);
      return true;
    }
    // Choice: registers are no place for tables. (Those of this unit could wait for this very
    // walk.)
    if ((at & s.beyond) != 0
        || s.memory.isDevice(at)
        || s.memory.status(at, 8, false) != PhysicalMemory.OK) {
      entry = 0;
      return false;
    }
    entry = s.memory.readLong(at);
    return true;
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
    if (r == MemoryRegion.NONE || ((r.base() | (r.base() + r.size() - 1)) & s.beyond) != 0) {
      return MemoryRegion.NONE;
    }
    region = r;
    return r;
  }

  /** To be called before a request's first load. */
  void begin(Setup s) {
    if (s.cached && !dry) {
      WalkCaches caches = unit.walkCaches();
      seenContexts = unit.contexts().generation();
      seenTranslations = unit.iotlb().generation();
      seenFirst = caches.firstStage.generation();
      seenSecond = caches.secondStage.generation();
      seenGuest = caches.guest.generation();
      seenAbsent = caches.absent.generation();
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
  void count(Setup s, int group, int event, int level) {
    if (s.counting && !dry) {
      unit.monitor().count(source, pasid, space.did, addressType, group, event, level);
    }
  }
}
