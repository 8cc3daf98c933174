package org.iommu4j.riscv.model;

import org.iommu4j.core.unit.BaseWorkspace;

/**
 * One thread's scratch memory: the request in the terms of the specification, the results of each
 * stage, and the thread's counters. Kept with the caller's {@code Translation}, so that a walk
 * allocates nothing.
 */
final class Workspace extends BaseWorkspace {
  final RiscvIommu unit;

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

  // Generations of the caches, from before the request's first load of anything: what is read from
  // tables that a context names is no newer than the context.
  long seenContexts;
  long seenTranslations;
  long seenPointers;
  long seenLeaves;
  long seenDenials;

  Workspace(RiscvIommu unit) {
    super(unit.config().caches());
    this.unit = unit;
  }

  /** Loads the aligned entry of 4 bytes at {@code at}, as {@link #fetch} does. */
  int fetchWord(Setup s, long at) {
    return fetch(s, at, Integer.BYTES);
  }

  /** To be called before a request's first load. */
  void begin(Setup s) {
    if (s.cached && !dry()) {
      seenContexts = unit.contexts().generation();
      seenTranslations = unit.iotlb().generation();
      seenPointers = unit.pagingCaches().firstStage.generation();
      seenLeaves = unit.pagingCaches().secondStage.generation();
      seenDenials = unit.denials().entries.generation();
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
    seenPointers = NEVER;
    seenLeaves = NEVER;
    seenDenials = NEVER;
  }

  /** Counts an event of the performance monitor. */
  void count(Setup s, int event) {
    if (s.counting && !dry()) {
      unit.monitor().count(event, this);
    }
  }
}
