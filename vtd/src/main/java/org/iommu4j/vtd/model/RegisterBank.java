package org.iommu4j.vtd.model;

import static org.iommu4j.vtd.layout.Registers.*;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.bits.RegisterFile;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.ExtendedCapability;
import org.iommu4j.vtd.layout.FaultRecord;

/**
 * The registers that a unit has, given its capabilities, with what a write to each makes stick and
 * causes. §11.4. Effects run with the command lock and the state lock held; what needs to run
 * without the state lock is left to {@link VtdIommu} as a pending action.
 */
final class RegisterBank {
  /** IM set, IP clear. */
  private static final long MASKED = IM.mask();

  /** Where the performance counters' blocks are, behind everything at fixed offsets. */
  static final int COUNTER_BLOCKS = 0x1000;

  private final VtdIommu unit;
  private final UnitConfig config;
  private final RegisterFile file;
  private final long addressMask;

  private RegisterBank(VtdIommu unit) {
    this.unit = unit;
    this.config = unit.config();
    this.file = new RegisterFile(bytes(config));
    this.addressMask = ~config.beyond();
  }

  /** Bytes of the register page: a power of two. */
  static int bytes(UnitConfig c) {
    int end = FaultRecord.low(c.cap(), c.faultRecords() - 1).offset() + FaultRecord.BYTES;
    end = Math.max(end, iotlb(c.ecap()).offset() + 8);
    if (c.has(ExtendedCapability.PMS)) {
      end = Math.max(end, PerformanceMonitor.end(c));
    }
    int bytes = 4096;
    while (bytes < end) {
      bytes <<= 1;
    }
    return bytes;
  }

  static RegisterFile create(VtdIommu unit) {
    RegisterBank bank = new RegisterBank(unit);
    bank.identification();
    bank.global();
    bank.invalidationRegisters();
    bank.faults();
    bank.protectedMemory();
    if (bank.has(ExtendedCapability.QI)) {
      bank.invalidationQueue();
    }
    if (bank.has(ExtendedCapability.IR)) {
      long eime = bank.has(ExtendedCapability.EIM) ? EIME.mask() : 0;
      bank.file.add(
          IRTA,
          0,
          (b, w) -> w & (IRTA_BASE.in(bank.addressMask) | eime | IRTA_S.mask()),
          null,
          null);
    }
    if (bank.has(ExtendedCapability.PRS)) {
      bank.pageRequests();
    }
    if (bank.has(ExtendedCapability.MTS)) {
      bank.memoryTypes();
    }
    if (bank.has(ExtendedCapability.RDTS)) {
      bank.file.add(RDTC, 0);
    }
    unit.monitor().addTo(bank.file);
    return bank.file;
  }

  private boolean has(Field capability) {
    return config.has(capability);
  }

  private void identification() {
    file.add(VER, config.version());
    file.add(Capability.REGISTER, config.cap());
    file.add(ExtendedCapability.REGISTER, config.ecap());
  }

  private void global() {
    file.add(GCMD, 0, null, (b, a, w) -> unit.commands().written(w), null);
    file.add(GSTS, 0);
    long ssirwe = has(ExtendedCapability.SSIRWS) ? SSIRWE.mask() : 0;
    file.add(RTADDR, 0, (b, w) -> w & (RTA.in(addressMask) | TTM.mask() | ssirwe), null, null);
  }

  private void invalidationRegisters() {
    file.add(
        CCMD,
        0,
        null,
        (b, a, w) -> {
          if (ICC.isSet(a)) {
            unit.page().contextLater();
          }
        },
        null);
    file.add(unit.registerInvalidation().iva, 0);
    file.add(
        unit.registerInvalidation().iotlb,
        0,
        null,
        (b, a, w) -> {
          if (IVT.isSet(a)) {
            unit.page().translationLater();
          }
        },
        null);
  }

  private void faults() {
    file.add(
        FSTS,
        0,
        null,
        (b, a, w) -> {
          unit.faultEvent().serviced();
          unit.page().runLater(); // without IQE and ITE the invalidation queue goes on
        },
        null);
    // Of this event alone the data register has 16 bits; the others have 32.
    event(FECTL, FEDATA, FEADDR, FEUADDR, unit.faultEvent(), 0xffff, MASKED);
    unit.faultLog().addTo(file);
  }

  private void event(
      Register control,
      Register data,
      Register address,
      Register upper,
      Event event,
      long dataMask,
      long reset) {
    file.add(control, reset, null, (b, a, w) -> event.controlWritten(), null);
    file.add(data, 0, (b, w) -> w & dataMask, null, null);
    file.add(address, 0);
    // Without extended interrupt mode there are no upper bits of an APIC id.
    long bits = has(ExtendedCapability.EIM) ? -1L : 0;
    file.add(upper, 0, (b, w) -> w & bits, null, null);
  }

  private void protectedMemory() {
    boolean low = Capability.PLMR.isSet(config.cap());
    boolean high = Capability.PHMR.isSet(config.cap());
    if (low || high) {
      file.add(PMEN, 0, null, (b, a, w) -> unit.commands().protectionChanged(), null);
    }
    if (low) {
      region(PLMBASE, 0xffff_ffffL);
      region(PLMLIMIT, 0xffff_ffffL);
    }
    if (high) {
      region(PHMBASE, addressMask);
      region(PHMLIMIT, addressMask);
    }
  }

  private void region(Register register, long mask) {
    long granularity = -1L << ProtectedMemory.GRANULARITY;
    file.add(
        register,
        0,
        (b, w) -> w & mask & granularity,
        (b, a, w) -> unit.commands().protectionChanged(),
        null);
  }

  private void invalidationQueue() {
    file.add(IQH, 0);
    file.add(
        IQT,
        0,
        null,
        (b, a, w) -> {
          unit.queue().tailWritten();
          unit.page().runLater();
        },
        null);
    file.add(IQA, 0, (b, w) -> w & (IQA_BASE.in(addressMask) | DW.mask() | QS.mask()), null, null);
    file.add(ICS, 0, null, (b, a, w) -> unit.invalidationEvent().serviced(), null);
    event(IECTL, IEDATA, IEADDR, IEUADDR, unit.invalidationEvent(), 0xffff_ffffL, MASKED);
    file.add(IQERCD, 0);
  }

  private void pageRequests() {
    file.add(PQH, 0);
    file.add(PQT, 0);
    file.add(PQA, 0, (b, w) -> w & (PQA_BASE.in(addressMask) | PQS.mask()), null, null);
    file.add(PRS, 0, null, (b, a, w) -> unit.pageEvent().serviced(), null);
    long reset = config.quirks().pageEventUnmasked() ? 0 : MASKED;
    event(PECTL, PEDATA, PEADDR, PEUADDR, unit.pageEvent(), 0xffff_ffffL, reset);
  }

  /** Kept for software to read back: addresses of this model have no memory types. */
  private void memoryTypes() {
    file.add(MTRRCAP, VCNT.of(VARIABLE_RANGES) | FIX.mask() | WC.mask());
    file.add(MTRRDEF, 0);
    for (Register r : MTRR_FIX) {
      file.add(r, 0);
    }
    for (int n = 0; n < VARIABLE_RANGES; n++) {
      file.add(
          MTRR_PHYSBASE.get(n),
          0,
          (b, w) -> w & (MTRR_BASE.in(addressMask) | MTRR_TYPE.mask()),
          null,
          null);
      file.add(
          MTRR_PHYSMASK.get(n),
          0,
          (b, w) -> w & (MTRR_MASK.in(addressMask) | MTRR_VALID.mask()),
          null,
          null);
    }
  }
}
