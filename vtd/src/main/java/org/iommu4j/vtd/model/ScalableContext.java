package org.iommu4j.vtd.model;

import org.iommu4j.vtd.layout.Reason;
import org.jspecify.annotations.Nullable;

/** A context entry of scalable mode, decoded. Immutable once it is in a cache. */
final class ScalableContext {
  int source;
  boolean fpd;
  boolean dte;
  boolean paside;
  boolean pre;
  boolean hpte;
  boolean eptr;

  /** PASIDs from here on are beyond the directory. */
  int reach;

  long directory;
  int ridPasid;
  boolean ridPrivileged;

  /** Caching mode: the entry that was found is faulty, and kept. */
  @Nullable Reason fault;

  ScalableContext copyFrom(ScalableContext o) {
    source = o.source;
    fpd = o.fpd;
    dte = o.dte;
    paside = o.paside;
    pre = o.pre;
    hpte = o.hpte;
    eptr = o.eptr;
    reach = o.reach;
    directory = o.directory;
    ridPasid = o.ridPasid;
    ridPrivileged = o.ridPrivileged;
    fault = o.fault;
    return this;
  }
}
