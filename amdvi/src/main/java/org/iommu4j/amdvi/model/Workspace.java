package org.iommu4j.amdvi.model;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.unit.BaseWorkspace;

/**
 * One thread's scratch memory: the request in the terms of the specification, the results of each
 * table, and the thread's counters. Kept with the caller's {@code Translation}, so that a walk
 * allocates nothing.
 */
final class Workspace extends BaseWorkspace {
  final AmdviIommu unit;

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

  // Generations of the caches, from before the request's first load of anything: what is read from
  // tables that an entry names is no newer than the entry.
  long seenEntries;
  long seenTranslations;
  long seenGuest;
  long seenHost;
  long seenTables;
  long seenAbsent;

  Workspace(AmdviIommu unit) {
    super(unit.config().caches());
    this.unit = unit;
  }

  /** Whether permissions that are missing end the walk. */
  boolean checks() {
    return !ats && !permissive;
  }

  boolean writes() {
    return (wanted & Access.WRITE) != 0;
  }

  /** To be called before a request's first load. */
  void begin(Setup s) {
    if (s.cached && !dry()) {
      WalkCaches caches = unit.walkCaches();
      seenEntries = unit.entries().generation();
      seenTranslations = unit.iotlb().generation();
      seenGuest = caches.guest.generation();
      seenHost = caches.host.generation();
      seenTables = caches.tables.generation();
      seenAbsent = caches.absent.generation();
      if (unit.setup() != s) {
        keepNothing();
      }
    }
    begin(s.memory);
  }

  /** See {@link #NEVER}. */
  private void keepNothing() {
    seenEntries = NEVER;
    seenTranslations = NEVER;
    seenGuest = NEVER;
    seenHost = NEVER;
    seenTables = NEVER;
    seenAbsent = NEVER;
  }

  /** Counts an event of the performance counters. */
  void count(Setup s, int source) {
    if (s.counting && !dry()) {
      unit.counters().count(source, deviceId, pasid, device.domainId);
    }
  }
}
