package org.iommu4j.amdvi.model;

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
 * table, and the thread's counters. Kept with the caller's {@code Translation}, so that a walk
 * allocates nothing.
 */
final class Workspace {
  final AmdviIommu unit;

  /** What the thread got from the shared caches lately. */
  final MicroTlb recent;

  final DeviceEntry deviceScratch = new DeviceEntry();

  /** The device table entry in use: a cached one or the scratch. */
  DeviceEntry device = deviceScratch;

  // The request.
  int deviceId;

  /** PASID of the request itself, negative for none. */
  int pasid;

  long iova;

  /** READ, WRITE and EXECUTE as the request needs them. */
  int wanted;

  boolean supervisor;

  /** The request is an interrupt: for counters. */
  boolean interrupt;

  /** Translation request: missing permissions are an answer, not a fault. */
  boolean ats;

  /** vCmd or vEvent: the access is the unit's own for a guest; see {@link GuestAccess}. */
  long virtualFlags;

  /** Nothing may change: no A/D update, no counting, no caches. */
  boolean dry;

  /** The inspector's question: which permissions are there, rather than are these. */
  boolean permissive;

  /** Tables that the inspector may still read for an answer. */
  int patience;

  /** The address of a fault's record. */
  long faultAddress;

  /** A special range forwards the access unchanged. */
  boolean passes;

  /** log2 of the page that tables map the address to; 12 if no table does. */
  int pageShift;

  /** Guest tables translate the address. */
  boolean byGuest;

  /** The entry of the reverse map table, or of its segment table, that cannot be read. */
  long rmpEntry;

  // Results.
  long pa;
  int shift;
  int permissions;
  boolean coherent;

  /** Translation request: the device has to use untranslated requests. */
  boolean untranslatedOnly;

  // Guest tables.
  long gpa;
  int guestShift;
  int guestUser;
  int guestSupervisor;
  long guestLeaf;
  long guestLeafAt;

  /** Whether the host lets the guest's entry be written. */
  boolean guestUpdatable;

  // Host tables.
  long spa;
  int hostShift;
  int hostPermissions;
  boolean hostCoherent;
  boolean hostUntranslated;
  long hostLeaf;
  long hostLeafAt;

  /** Writing is granted, but a D bit is clear that has to be set. */
  boolean mustSetDirty;

  /** log2 of the range around the address for which the same entry was missing; 64: the rest. */
  int missShift;

  // Entry loads.
  MemoryRegion region = MemoryRegion.NONE;

  private int memoryVersion;

  // Generations of the caches, from before the request's first load of anything: what is read from
  // tables that an entry names is no newer than the entry.
  long seenEntries;
  long seenTranslations;
  long seenGuest;
  long seenHost;
  long seenTables;
  long seenAbsent;

  long entry;

  /** An entry of 16 bytes, or half of one of 32. */
  final EntryPair pair = new EntryPair();

  @Nullable List<Inspector.Step> trace;

  // Counters, read by others without synchronisation.
  long hits;
  long misses;
  long faults;

  Workspace(AmdviIommu unit) {
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
   * Loads the aligned doubleword at {@code at} into {@link #entry}.
   *
   * @return whether it could be read
   */
  boolean load(Setup s, long at) {
    MemoryRegion r = region(s, at);
    if (r != MemoryRegion.NONE) {
      entry = r.getLong(at);
      return true;
    }
    // Choice: registers are no place for tables. (Those of this unit could wait for this very
    // walk.)
    if ((at & Setup.BEYOND) != 0
        || s.memory.isDevice(at)
        || s.memory.status(at, 8, false) != PhysicalMemory.OK) {
      entry = 0;
      return false;
    }
    entry = s.memory.readLong(at);
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
    return (at & Setup.BEYOND) == 0
        && s.memory.status(at, EntryPair.BYTES, false) == PhysicalMemory.OK
        && s.memory.readPair(at, pair);
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
    if (r == MemoryRegion.NONE || ((r.base() | (r.base() + r.size() - 1)) & Setup.BEYOND) != 0) {
      return MemoryRegion.NONE;
    }
    region = r;
    return r;
  }

  /** To be called before a request's first load. */
  void begin(Setup s) {
    if (s.cached && !dry) {
      WalkCaches caches = unit.walkCaches();
      seenEntries = unit.entries().generation();
      seenTranslations = unit.iotlb().generation();
      seenGuest = caches.guest.generation();
      seenHost = caches.host.generation();
      seenTables = caches.tables.generation();
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

  /** Counts an event of the performance counters. */
  void count(Setup s, int source) {
    if (s.counting && !dry) {
      unit.counters().count(source, deviceId, pasid, device.domainId);
    }
  }
}
