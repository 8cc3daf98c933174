package org.iommu4j.vtd.model;

import org.iommu4j.core.unit.TablePointer;
import org.iommu4j.vtd.layout.Reason;
import org.jspecify.annotations.Nullable;

/**
 * What requests of one source, and of one PASID, are translated by: a context entry of legacy mode
 * or a PASID entry, decoded. Immutable once it is in a cache.
 */
final class Space {
  /** PASID of a space of legacy mode. */
  static final int NO_PASID = -1;

  static final int PASS_THROUGH = 0;
  static final int FIRST = 1;
  static final int SECOND = 2;
  static final int NESTED = 3;

  int source;
  int pasid = NO_PASID;
  boolean legacy;
  int kind;
  int did;

  /** FPD of the entry, and of the PASID directory entry. */
  boolean fpd;

  /** Legacy: translation and translated requests are allowed (TT = 01b). */
  boolean ats;

  // Second stage.
  long ssRoot;
  int ssLevels;

  /** min(MGAW, AW) in bits. */
  int ssBits;

  boolean ssade;
  boolean emte;

  // First stage.
  long fsRoot;
  int fsLevels;
  boolean sre;
  boolean wpe;
  boolean eafe;

  /** A and D can be set: the tables are snooped, or the unit knows no such thing. */
  boolean pwsnp;

  boolean pgsnp;

  // Host permission table.
  long hptRoot;

  /** HPTPFD: faults of the host permission table are not recorded. */
  boolean hptFaultDisable;

  int hptBits;

  /** Tag of its translations in the IOTLB. */
  long tag;

  /** A pointer to its root, where a walk starts that no walk cache shortens. */
  long start;

  /** The same of the second stage. */
  long secondStart;

  /** {@link PlainWalk} knows it: requests are user requests. */
  boolean plain;

  /** Caching mode: the entry that was found is faulty, and kept. Its domain id is 0 then. */
  @Nullable Reason fault;

  Space copyFrom(Space o) {
    source = o.source;
    pasid = o.pasid;
    legacy = o.legacy;
    kind = o.kind;
    did = o.did;
    fpd = o.fpd;
    ats = o.ats;
    ssRoot = o.ssRoot;
    ssLevels = o.ssLevels;
    ssBits = o.ssBits;
    ssade = o.ssade;
    emte = o.emte;
    fsRoot = o.fsRoot;
    fsLevels = o.fsLevels;
    sre = o.sre;
    wpe = o.wpe;
    eafe = o.eafe;
    pwsnp = o.pwsnp;
    pgsnp = o.pgsnp;
    hptRoot = o.hptRoot;
    hptFaultDisable = o.hptFaultDisable;
    hptBits = o.hptBits;
    tag = o.tag;
    start = o.start;
    secondStart = o.secondStart;
    plain = o.plain;
    fault = o.fault;
    return this;
  }

  boolean hasFirstStage() {
    return (kind & FIRST) != 0;
  }

  /** Derives what walks need from the fields that the tables gave. */
  void finish(Setup s) {
    boolean first = hasFirstStage();
    tag =
        first
            ? Tags.first(did, pasid)
            : s.worst && !legacy ? Tags.exact(did, pasid) : Tags.second(did);
    secondStart = TablePointer.of(ssRoot, 3 + 9 * ssLevels, WalkCaches.ALL);
    start = first ? TablePointer.of(fsRoot, 3 + 9 * fsLevels, WalkCaches.ALL) : secondStart;
    plain = kind != PASS_THROUGH && !s.ssirwe && !emte;
  }
}
