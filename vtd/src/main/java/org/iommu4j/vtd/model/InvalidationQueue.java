package org.iommu4j.vtd.model;

import static org.iommu4j.vtd.layout.Registers.IQE;
import static org.iommu4j.vtd.layout.Registers.ITE;

import org.iommu4j.core.bits.Layout;
import org.iommu4j.core.bits.RegisterFile;
import org.iommu4j.core.dma.AtsInvalidation;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.PageResponse;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.core.unit.InvalidationTags;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.Descriptor;
import org.iommu4j.vtd.layout.ExtendedCapability;
import org.iommu4j.vtd.layout.Registers;

/**
 * Queued invalidation. §6.5.2. Everything here runs with the command lock held and takes the state
 * lock only for moments: a wait descriptor waits for devices' accesses, and those may report faults
 * meanwhile.
 *
 * <p>Choice: descriptors are executed in order, one after the other, so a wait descriptor stays at
 * the head until the device-TLBs before it have answered.
 */
final class InvalidationQueue {
  /** What execution of a descriptor came to: 0 done, 1..7 an IQEI code, or this. */
  private static final int STAYS = -1;

  private static final int DONE = 0;
  private static final int BAD_TAIL = 1;
  private static final int FETCH_ERROR = 2;
  private static final int BAD_TYPE = 3;
  private static final int RESERVED = 4;
  private static final int BAD_WIDTH = 5;
  private static final int MISALIGNED_TAIL = 6;
  private static final int BAD_MODE = 7;

  /**
   * Descriptors executed per register access, at most: a queue has 32,768, and a guest must not
   * stop its host for longer. The rest follows with the next access.
   */
  private static final int BATCH = 1 << 15;

  private final VtdIommu unit;
  private final InvalidationTags tags;
  private final Invalidation invalidation;

  /** IQA_REG as QIE latched it. */
  private long base;

  /** A wait descriptor waits at the head. It was fetched once. */
  private boolean waits;

  private long waitFirst;
  private long waitSecond;

  /** After an error: with a quirk only the next tail resumes. */
  private boolean needsTail;

  private boolean running;

  InvalidationQueue(VtdIommu unit, Invalidation invalidation) {
    this.unit = unit;
    this.tags = new InvalidationTags(unit.config().itags());
    this.invalidation = invalidation;
  }

  /** QIES goes to 1: the head starts at 0. Called with the state lock held. */
  void start(long iqa) {
    base = iqa;
    unit.registers().post(Registers.IQH, 0);
    needsTail = false;
  }

  /** QIES goes to 0. Called with the state lock held. */
  void stop() {
    unit.registers().post(Registers.IQH, 0);
    waits = false;
    tags.clear();
  }

  /** IQT_REG was written. */
  void tailWritten() {
    needsTail = false;
  }

  /** Executes what is queued. */
  void run() {
    if (running) {
      return; // a device answered at once, from inside a descriptor: the loop goes on anyway
    }
    running = true;
    try {
      for (int i = 0; i < BATCH && step(); i++) {
        // one descriptor after the other
      }
    } finally {
      running = false;
    }
  }

  private boolean step() {
    RegisterFile r = unit.registers();
    long head;
    boolean wide = Registers.DW.isSet(base);
    int bytes = wide ? 32 : 16;
    int size = 1 << (12 + Registers.QS.getInt(base));
    synchronized (unit.state()) {
      long fsts = r.get(Registers.FSTS);
      if (r.get(Registers.GSTS, Registers.QIES) == 0
          || IQE.isSet(fsts)
          || ITE.isSet(fsts)
          || needsTail) {
        return false;
      }
      head = Registers.QH.in(r.get(Registers.IQH));
      long tail = Registers.QT.in(r.get(Registers.IQT));
      if (!waits && head == tail) {
        return false;
      }
      int error = wellFormed(tail, size, wide);
      if (error != DONE) {
        fail(r, error);
        return false;
      }
    }
    int result = waits ? wait(waitFirst, waitSecond) : fetch(head, wide);
    if (result == STAYS) {
      return false;
    }
    synchronized (unit.state()) {
      if (result != DONE) {
        fail(r, result);
        return false;
      }
      r.post(Registers.IQH, (head + bytes) & (size - 1));
    }
    return true;
  }

  private int wellFormed(long tail, int size, boolean wide) {
    Setup s = unit.setup();
    boolean wideOffered = s.smts || s.adms;
    if (s.ttm == 2) {
      return BAD_MODE;
    }
    if (wide ? !wideOffered : s.ttm != Registers.TTM_LEGACY) {
      return BAD_WIDTH;
    }
    if (wide && (tail & 16) != 0) {
      return MISALIGNED_TAIL;
    }
    return tail >= size ? BAD_TAIL : DONE;
  }

  private void fail(RegisterFile r, int code) {
    r.post(Registers.IQERCD, Registers.IQEI, code);
    needsTail = unit.config().quirks().queueWaitsForTail();
    unit.faultEvent().raise(IQE.mask());
  }

  private int fetch(long head, boolean wide) {
    PhysicalMemory memory = unit.host().memory();
    long at = Registers.IQA_BASE.in(base) + head;
    if ((at & unit.setup().beyond) != 0
        || memory.isDevice(at)
        || memory.status(at, wide ? 32 : 16, false) != PhysicalMemory.OK) {
      return FETCH_ERROR;
    }
    long first = memory.readLong(at);
    long second = memory.readLong(at + 8);
    long upper = wide ? memory.readLong(at + 16) | memory.readLong(at + 24) : 0;
    int type = Descriptor.type(first);
    Layout layout = Descriptor.layout(type);
    if (layout == null || !offered(type)) {
      return BAD_TYPE;
    }
    if ((first & layout.reservedMask(0)) != 0
        || (second & layout.reservedMask(1)) != 0
        || upper != 0) {
      return RESERVED;
    }
    return execute(type, first, second);
  }

  private boolean offered(int type) {
    UnitConfig c = unit.config();
    boolean scalable = unit.setup().ttm != Registers.TTM_LEGACY;
    return switch (type) {
      case Descriptor.CONTEXT_CACHE, Descriptor.IOTLB, Descriptor.WAIT -> true;
      case Descriptor.DEVICE_TLB -> c.has(ExtendedCapability.DT);
      case Descriptor.INTERRUPT_ENTRY_CACHE -> c.has(ExtendedCapability.IR);
      case Descriptor.PASID_IOTLB, Descriptor.PASID_CACHE -> scalable;
      case Descriptor.PASID_DEVICE_TLB -> scalable && c.has(ExtendedCapability.DT);
      case Descriptor.PAGE_GROUP_RESPONSE -> scalable && c.has(ExtendedCapability.PRS);
      case Descriptor.HOST_PERMISSION_TABLE -> scalable && c.has(ExtendedCapability.HPTS);
      default -> false;
    };
  }

  private int execute(int type, long first, long second) {
    return switch (type) {
      case Descriptor.CONTEXT_CACHE -> contextCache(first);
      case Descriptor.IOTLB -> iotlb(first, second);
      case Descriptor.DEVICE_TLB -> deviceTlb(first, second);
      case Descriptor.INTERRUPT_ENTRY_CACHE -> interruptEntryCache(first);
      case Descriptor.WAIT -> wait(first, second);
      case Descriptor.PASID_IOTLB -> pasidIotlb(first, second);
      case Descriptor.PASID_CACHE -> pasidCache(first);
      case Descriptor.PASID_DEVICE_TLB -> pasidDeviceTlb(first, second);
      case Descriptor.PAGE_GROUP_RESPONSE -> respond(first, second);
      default -> hostPermissionTable(first);
    };
  }

  private int contextCache(long first) {
    int did = Descriptor.DID.getInt(first);
    switch (Descriptor.G.getInt(first)) {
      case Registers.GLOBAL -> invalidation.contextGlobal();
      case Registers.DOMAIN -> invalidation.contextDomain(did);
      case Registers.SELECTIVE ->
          invalidation.contextDevice(
              Descriptor.SID.getInt(first), Descriptor.FM.getInt(first), did);
      default -> {
        return RESERVED;
      }
    }
    return DONE;
  }

  private int iotlb(long first, long second) {
    int did = Descriptor.DID.getInt(first);
    switch (Descriptor.G.getInt(first)) {
      case Registers.GLOBAL -> invalidation.translationsGlobal();
      case Registers.DOMAIN -> invalidation.translationsDomain(did);
      case Registers.SELECTIVE -> {
        int am = Descriptor.AM.getInt(second);
        if (!Capability.PSI.isSet(unit.config().cap()) || am > maximumMask()) {
          return RESERVED;
        }
        invalidation.translationsPage(
            did, Descriptor.ADDR.in(second), am, Descriptor.IH.isSet(second));
      }
      default -> {
        return RESERVED;
      }
    }
    return DONE;
  }

  private int maximumMask() {
    return Capability.MAMV.getInt(unit.config().cap());
  }

  private int pasidIotlb(long first, long second) {
    int did = Descriptor.DID.getInt(first);
    int pasid = Descriptor.PASID.getInt(first);
    switch (Descriptor.G.getInt(first)) {
      case Descriptor.PASID_SELECTIVE -> invalidation.pasidTranslations(did, pasid);
      case Descriptor.PAGE_IN_PASID -> {
        int am = Descriptor.AM.getInt(second);
        if (am > maximumMask()) {
          return RESERVED;
        }
        invalidation.pasidPages(
            did, pasid, Descriptor.ADDR.in(second), am, Descriptor.IH.isSet(second));
      }
      default -> {
        return RESERVED;
      }
    }
    return DONE;
  }

  private int pasidCache(long first) {
    int did = Descriptor.DID.getInt(first);
    switch (Descriptor.G.getInt(first)) {
      case Descriptor.PC_GLOBAL -> invalidation.pasidCache(-1, -1);
      case Descriptor.PC_DOMAIN -> invalidation.pasidCache(did, -1);
      case Descriptor.PC_PASID -> invalidation.pasidCache(did, Descriptor.PASID.getInt(first));
      default -> {
        return RESERVED;
      }
    }
    return DONE;
  }

  private int interruptEntryCache(long first) {
    if (!Descriptor.INDEX_SELECTIVE.isSet(first)) {
      unit.interrupts().invalidate(0, 16);
      return DONE;
    }
    int mask = Descriptor.IM.getInt(first);
    if (mask > ExtendedCapability.MHMV.getInt(unit.config().ecap())) {
      return RESERVED;
    }
    unit.interrupts().invalidate(Descriptor.IIDX.getInt(first), mask);
    return DONE;
  }

  private int hostPermissionTable(long first) {
    // Nothing of the table is cached; the descriptor has to be a legal one all the same.
    return Descriptor.G.getInt(first) == 0 ? RESERVED : DONE;
  }

  /** The physical function's source id is there for throttling, which ECAP.DIT announces. */
  private boolean throttlesWithout(long first) {
    return !unit.config().has(ExtendedCapability.DIT)
        && (Descriptor.PFSID_LOW.isSet(first) || Descriptor.PFSID_HIGH.isSet(first));
  }

  private int deviceTlb(long first, long second) {
    if (throttlesWithout(first)) {
      return RESERVED;
    }
    // The message has S at bit 11.
    long payload = Descriptor.ADDR.in(second) | (Descriptor.S.isSet(second) ? 1L << 11 : 0);
    return send(Descriptor.SID.getInt(first), DmaRequest.NO_PASID, payload);
  }

  private int pasidDeviceTlb(long first, long second) {
    if (throttlesWithout(first)) {
      return RESERVED;
    }
    return send(Descriptor.PASID_SID.getInt(first), Descriptor.PASID.getInt(first), second);
  }

  private int send(int source, int pasid, long payload) {
    int tag = tags.free();
    if (tag < 0) {
      return STAYS; // until a completion or a timeout frees one
    }
    AtsInvalidation request = new AtsInvalidation(source, false, pasid, tag, payload);
    tags.start(request);
    unit.host().ats().invalidate(request);
    return DONE;
  }

  private int respond(long first, long second) {
    int code = Descriptor.RC.getInt(first);
    if (code != 0 && code != 1 && code != 15) {
      return RESERVED;
    }
    int pasid = Descriptor.PP.isSet(first) ? Descriptor.PASID.getInt(first) : DmaRequest.NO_PASID;
    int group = Descriptor.PRGI.getInt(second);
    // Nothing that was cached of the page before is used once the device has its answer.
    invalidation.responded(Descriptor.RID.getInt(first), pasid);
    unit.host()
        .ats()
        .respond(new PageResponse(Descriptor.RID.getInt(first), false, pasid, group, code, second));
    return DONE;
  }

  private int wait(long first, long second) {
    if (Descriptor.PD.isSet(first) && !unit.config().has(ExtendedCapability.PDS)) {
      return RESERVED;
    }
    // 1. Device-TLBs have answered. Page requests are queued when they arrive: nothing to drain.
    waits = tags.anyBusy();
    if (waits) {
      waitFirst = first;
      waitSecond = second;
      return STAYS;
    }
    // 2. No access that used what was invalidated is in flight.
    unit.windows().drain();
    // 3. Completion is reported; a status that cannot be written is lost.
    if (Descriptor.SW.isSet(first)) {
      long address = Descriptor.STADDR.in(second);
      if ((address & unit.setup().beyond) == 0) {
        unit.host().memory().postInt(address, Descriptor.STDATA.getInt(first));
      }
    }
    if (Descriptor.IF.isSet(first)) {
      synchronized (unit.state()) {
        unit.invalidationEvent().raise(Registers.IWC.mask());
      }
    }
    return DONE;
  }

  boolean completed(int source, boolean segmented, int tagVector, int count) {
    boolean expected = tags.complete(source, segmented, tagVector, count);
    if (!expected) {
      synchronized (unit.state()) {
        unit.registers().post(Registers.IQERCD, Registers.ICESID, source & 0xffff);
        unit.faultEvent().raise(Registers.ICE.mask());
      }
    }
    run();
    return expected;
  }

  /**
   * The time of requests is over: a wait descriptor that waits is dropped, its status is never
   * written. The queue stands still until software clears ITE.
   */
  void timedOut(int tagVector) {
    tags.timeOut(tagVector);
    AtsInvalidation late = tags.takeTimeout();
    if (late == null) {
      return;
    }
    synchronized (unit.state()) {
      RegisterFile r = unit.registers();
      r.post(Registers.IQERCD, Registers.ITESID, late.source() & 0xffff);
      if (waits) {
        waits = false;
        int bytes = Registers.DW.isSet(base) ? 32 : 16;
        int size = 1 << (12 + Registers.QS.getInt(base));
        r.post(Registers.IQH, (Registers.QH.in(r.get(Registers.IQH)) + bytes) & (size - 1));
      }
      unit.faultEvent().raise(ITE.mask());
    }
    // Choice: what else is outstanding is given up with it, as the specification has it.
    tags.clear();
    run();
  }
}
