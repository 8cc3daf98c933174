package org.iommu4j.vtd.model;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.unit.BaseWorkspace;

/**
 * One thread's scratch memory: the request in the terms of the specification, the results of each
 * stage, and the thread's counters. Kept with the caller's {@code Translation}, so that a walk
 * allocates nothing.
 */
final class Workspace extends BaseWorkspace {
  final VtdIommu unit;

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

  // Generations of the caches, from before the request's first load of anything: what is read from
  // tables that a context names is no newer than the context.
  long seenContexts;
  long seenTranslations;
  long seenFirst;
  long seenSecond;
  long seenGuest;
  long seenAbsent;

  Workspace(VtdIommu unit) {
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

  /**
   * Loads {@code count} doublewords from {@code at} on: one, or pieces of 16 bytes, each as a whole
   * and in their order.
   *
   * @return whether all could be read
   */
  boolean load(Setup s, long at, long[] into, int count) {
    if (count == 1) {
      boolean loaded = load(s, at);
      into[0] = entry();
      return loaded;
    }
    for (int n = 0; n < count; n += 2) {
      if (!loadPair(s, at + (long) n * Long.BYTES)) {
        return false;
      }
      into[n] = pair().first();
      into[n + 1] = pair().second();
    }
    return true;
  }

  /** To be called before a request's first load. */
  void begin(Setup s) {
    if (s.cached && !dry()) {
      WalkCaches caches = unit.walkCaches();
      seenContexts = unit.contexts().generation();
      seenTranslations = unit.iotlb().generation();
      seenFirst = caches.firstStage.generation();
      seenSecond = caches.secondStage.generation();
      seenGuest = caches.guest.generation();
      seenAbsent = caches.absent.generation();
      if (unit.setup() != s) {
        keepNothing();
      }
    }
    begin(s.memory);
  }

  /** See {@link #NEVER}. */
  private void keepNothing() {
    seenContexts = NEVER;
    seenTranslations = NEVER;
    seenFirst = NEVER;
    seenSecond = NEVER;
    seenGuest = NEVER;
    seenAbsent = NEVER;
  }

  /** Counts an event of the performance monitor. */
  void count(Setup s, int group, int event, int level) {
    if (s.counting && !dry()) {
      unit.monitor().count(source, pasid, space.did, addressType, group, event, level);
    }
  }
}
