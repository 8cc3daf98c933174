package org.iommu4j.vtd.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.iommu4j.core.Options;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.testing.UnitRig;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.Descriptor;
import org.iommu4j.vtd.layout.ExtendedCapability;
import org.iommu4j.vtd.layout.FaultRecord;
import org.iommu4j.vtd.layout.Reason;
import org.iommu4j.vtd.layout.Registers;

/**
 * A unit with memory, a queue and devices around it, driven from outside: through registers, memory
 * and requests, as hardware would be.
 */
final class Rig extends UnitRig {
  static final int HAW = 46;

  /** Everything that can be had together, version 5. */
  static final long CAP =
      Capability.ND.of(6)
          | Capability.PLMR.of(1)
          | Capability.PHMR.of(1)
          | Capability.SAGAW.of(0xe)
          | Capability.MGAW.of(56)
          | Capability.ZLR.of(1)
          | Capability.FRO.of(0x22)
          | Capability.SSLPS.of(3)
          | Capability.PSI.of(1)
          | Capability.NFR.of(7)
          | Capability.MAMV.of(18)
          | Capability.DWD.of(1)
          | Capability.DRD.of(1)
          | Capability.FS1GP.of(1)
          | Capability.PI.of(1)
          | Capability.FS5LP.of(1);

  static final long ECAP =
      ExtendedCapability.C.of(1)
          | ExtendedCapability.QI.of(1)
          | ExtendedCapability.DT.of(1)
          | ExtendedCapability.IR.of(1)
          | ExtendedCapability.EIM.of(1)
          | ExtendedCapability.PT.of(1)
          | ExtendedCapability.SC.of(1)
          | ExtendedCapability.IRO.of(0xf)
          | ExtendedCapability.MHMV.of(0xf)
          | ExtendedCapability.MTS.of(1)
          | ExtendedCapability.NEST.of(1)
          | ExtendedCapability.PRS.of(1)
          | ExtendedCapability.SRS.of(1)
          | ExtendedCapability.NWFS.of(1)
          | ExtendedCapability.EAFS.of(1)
          | ExtendedCapability.PSS.of(19)
          | ExtendedCapability.PASID.of(1)
          | ExtendedCapability.DIT.of(1)
          | ExtendedCapability.PDS.of(1)
          | ExtendedCapability.SMTS.of(1)
          | ExtendedCapability.SSADS.of(1)
          | ExtendedCapability.SSTS.of(1)
          | ExtendedCapability.FSTS.of(1)
          | ExtendedCapability.SMPWCS.of(1)
          | ExtendedCapability.RPS.of(1)
          | ExtendedCapability.ADMS.of(1)
          | ExtendedCapability.RPRIVS.of(1)
          | ExtendedCapability.HPTS.of(1)
          | ExtendedCapability.PTRS.of(1)
          | ExtendedCapability.SSIRWS.of(1)
          | ExtendedCapability.SMS.of(1)
          | ExtendedCapability.HPT1GPS.of(1);

  /** A fault recording register, both halves; FI without its low bits. */
  record Fault(long fi, long high) {
    int code() {
      return FaultRecord.FR.getInt(high);
    }

    int sid() {
      return FaultRecord.SID.getInt(high);
    }
  }

  /** Settings that differ from {@link #CAP} and {@link #ECAP}, then {@link #build}. */
  static final class Builder {
    private final Map<String, String> options = new LinkedHashMap<>();
    private long cap = CAP;
    private long ecap = ECAP;
    private int version = 0x50;

    Builder cap(Field field, long value) {
      cap = field.set(cap, value);
      return this;
    }

    Builder ecap(Field field, long value) {
      ecap = field.set(ecap, value);
      return this;
    }

    Builder version(int value) {
      version = value;
      return this;
    }

    Builder option(String name, Object value) {
      options.put(name, value.toString());
      return this;
    }

    Rig build() {
      options.put("ver", "0x" + Integer.toHexString(version));
      options.put("cap", "0x" + Long.toHexString(cap));
      options.put("ecap", "0x" + Long.toHexString(ecap));
      options.putIfAbsent("haw", "" + HAW);
      return new Rig(Options.of(options));
    }
  }

  private long queue;
  private boolean wide;
  private int tail;
  private long pageRequests;

  private Rig(Options options) {
    super("vtd", options);
  }

  static Builder with() {
    return new Builder();
  }

  static Rig standard(String cache) {
    return with().option("cache", cache).build();
  }

  static Rig standard() {
    return standard("normal");
  }

  // ---- registers

  long cap() {
    return read(Capability.REGISTER);
  }

  long ecap() {
    return read(ExtendedCapability.REGISTER);
  }

  /** What software does to give one command: the level bits as they are, one bit changed. */
  void command(Field bit, boolean on) {
    long status = read(Registers.GSTS) & 0x96ff_ffffL;
    write(Registers.GCMD, on ? status | bit.mask() : status & ~bit.mask());
  }

  boolean status(Field bit) {
    return read(Registers.GSTS, bit) != 0;
  }

  // ---- root table

  /** Latches the root table. */
  Rig root(long root, int ttm) {
    write(Registers.RTADDR, root | Registers.TTM.of(ttm));
    command(Registers.SRTP, true);
    assertThat(status(Registers.RTPS)).isTrue();
    return this;
  }

  Rig enable() {
    command(Registers.TE, true);
    assertThat(status(Registers.TES)).isTrue();
    return this;
  }

  // ---- invalidation queue

  /** A queue of one page. */
  Rig queue(boolean width256) {
    queue = frame();
    wide = width256;
    tail = 0;
    write(Registers.IQT, 0);
    write(Registers.IQA, queue | Registers.DW.of(wide ? 1 : 0));
    command(Registers.QIE, true);
    assertThat(status(Registers.QIES)).isTrue();
    return this;
  }

  int slotBytes() {
    return wide ? 32 : 16;
  }

  long queueSlot() {
    return queue + (long) tail * slotBytes();
  }

  /** Puts a descriptor into the queue without telling the unit. */
  Rig append(long first, long second) {
    store(queueSlot(), first, second);
    if (wide) {
      store(queueSlot() + 16, 0, 0);
    }
    tail = (tail + 1) % (4096 / slotBytes());
    return this;
  }

  /** Tells the unit how far the queue reaches. */
  void ring() {
    write(Registers.IQT, (long) tail * slotBytes());
  }

  /** Whether everything in the queue was carried out. */
  boolean idle() {
    return read(Registers.IQH) == (long) tail * slotBytes();
  }

  /** One descriptor, carried out. */
  Rig submit(long first, long second) {
    append(first, second).ring();
    assertThat(idle()).as("IQE %x, %d", read(Registers.FSTS), read(Registers.IQERCD)).isTrue();
    return this;
  }

  Rig submit(long first) {
    return submit(first, 0);
  }

  /** Context cache, PASID cache and IOTLB, all of them. */
  Rig invalidateAll() {
    submit(contextGlobal());
    if (wide) {
      submit(pasidGlobal());
    }
    return submit(iotlbGlobal());
  }

  static long contextGlobal() {
    return Descriptor.CONTEXT_CACHE | Descriptor.G.of(1);
  }

  static long contextDomain(int did) {
    return Descriptor.CONTEXT_CACHE | Descriptor.G.of(2) | Descriptor.DID.of(did);
  }

  static long contextDevice(int sid, int did, int fm) {
    return Descriptor.CONTEXT_CACHE
        | Descriptor.G.of(3)
        | Descriptor.DID.of(did)
        | Descriptor.SID.of(sid)
        | Descriptor.FM.of(fm);
  }

  static long pasidGlobal() {
    return Descriptor.PASID_CACHE | Descriptor.G.of(Descriptor.PC_GLOBAL);
  }

  static long pasidDomain(int did) {
    return Descriptor.PASID_CACHE | Descriptor.G.of(Descriptor.PC_DOMAIN) | Descriptor.DID.of(did);
  }

  static long pasidOne(int did, int pasid) {
    return Descriptor.PASID_CACHE
        | Descriptor.G.of(Descriptor.PC_PASID)
        | Descriptor.DID.of(did)
        | Descriptor.PASID.of(pasid);
  }

  static long iotlbGlobal() {
    return Descriptor.IOTLB | Descriptor.G.of(1);
  }

  static long iotlbDomain(int did) {
    return Descriptor.IOTLB | Descriptor.G.of(2) | Descriptor.DID.of(did);
  }

  static long iotlbPage(int did) {
    return Descriptor.IOTLB | Descriptor.G.of(3) | Descriptor.DID.of(did);
  }

  static long pasidIotlb(int did, int pasid) {
    return Descriptor.PASID_IOTLB
        | Descriptor.G.of(Descriptor.PASID_SELECTIVE)
        | Descriptor.DID.of(did)
        | Descriptor.PASID.of(pasid);
  }

  static long pasidIotlbPage(int did, int pasid) {
    return Descriptor.PASID_IOTLB
        | Descriptor.G.of(Descriptor.PAGE_IN_PASID)
        | Descriptor.DID.of(did)
        | Descriptor.PASID.of(pasid);
  }

  static long interruptsGlobal() {
    return Descriptor.INTERRUPT_ENTRY_CACHE;
  }

  static long interruptIndex(int index, int mask) {
    return Descriptor.INTERRUPT_ENTRY_CACHE
        | Descriptor.INDEX_SELECTIVE.of(1)
        | Descriptor.IM.of(mask)
        | Descriptor.IIDX.of(index);
  }

  // ---- requests

  Reason reason() {
    assertThat(translation.reason()).isInstanceOf(Reason.class);
    return (Reason) translation.reason();
  }

  /** A remappable message of this index. */
  boolean interrupt(int sid, int index) {
    return remap(sid, messageAddress(index), 0);
  }

  static long messageAddress(int index) {
    return 0xfee0_0010L | (long) (index & 0x7fff) << 5 | (long) (index >>> 15) << 2;
  }

  // ---- faults

  /** Whether there is a pending record. */
  boolean pending() {
    return read(Registers.FSTS, Registers.PPF) != 0;
  }

  Fault fault(int n) {
    return new Fault(read(FaultRecord.low(cap(), n)), read(FaultRecord.high(cap(), n)));
  }

  void clearFault(int n) {
    write(FaultRecord.high(cap(), n), FaultRecord.F.of(1));
  }

  /** All pending records, from the first on; they are cleared. */
  List<Fault> faults() {
    List<Fault> all = new ArrayList<>();
    if (!pending()) {
      return all;
    }
    int count = FaultRecord.count(cap());
    int n = (int) read(Registers.FSTS, Registers.FRI);
    while (all.size() < count && FaultRecord.F.isSet(fault(n).high())) {
      all.add(fault(n));
      clearFault(n);
      n = (n + 1) % count;
    }
    write(Registers.FSTS, Registers.PFO.of(1));
    return all;
  }

  List<Integer> codes() {
    return faults().stream().map(Fault::code).toList();
  }

  // ---- page requests

  /** A queue of one page. */
  Rig pageRequests() {
    pageRequests = frame();
    write(Registers.PQH, 0);
    write(Registers.PQT, 0);
    write(Registers.PQA, pageRequests);
    return this;
  }

  long pageRequestQueue() {
    return pageRequests;
  }
}
