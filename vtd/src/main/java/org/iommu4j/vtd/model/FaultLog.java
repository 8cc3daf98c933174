package org.iommu4j.vtd.model;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.bits.RegisterFile;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.vtd.layout.FaultRecord;
import org.iommu4j.vtd.layout.Reason;
import org.iommu4j.vtd.layout.Registers;

/** Primary fault logging: the fault recording registers. §7.2. Called with the state lock held. */
final class FaultLog {
  private final VtdIommu unit;
  private final List<Register> low = new ArrayList<>();
  private final List<Register> high = new ArrayList<>();

  /** The record that the next fault goes to. */
  private int next;

  FaultLog(VtdIommu unit) {
    this.unit = unit;
    long cap = unit.config().cap();
    for (int i = 0; i < unit.config().faultRecords(); i++) {
      low.add(FaultRecord.low(cap, i));
      high.add(FaultRecord.high(cap, i));
    }
  }

  /** Adds the records to the register file. */
  void addTo(RegisterFile file) {
    for (int i = 0; i < low.size(); i++) {
      file.add(low.get(i), 0);
      file.add(high.get(i), 0, null, (b, a, w) -> released(), null);
    }
  }

  List<Register> registers() {
    List<Register> all = new ArrayList<>(low);
    all.addAll(high);
    return all;
  }

  /** A fault of a DMA request. */
  void record(Reason reason, DmaRequest request, boolean pageRequest) {
    int access = request.access();
    boolean atomic = (access & Access.ATOMIC) != 0;
    boolean write = (access & Access.WRITE) != 0;
    // A translation request is a read, whatever it asks for.
    boolean read = request.addressType() == AddressType.TRANSLATION_REQUEST || !write;
    long type =
        pageRequest
            ? FaultRecord.T2.mask()
            : read
                ? FaultRecord.T1.mask()
                : atomic ? FaultRecord.T1.mask() | FaultRecord.T2.mask() : 0;
    long pasid = 0;
    if (request.hasPasid()) {
      pasid =
          FaultRecord.PP.mask()
              | FaultRecord.PV.of(request.pasid())
              | ((access & Access.PRIVILEGED) != 0 ? FaultRecord.PRIV.mask() : 0)
              | ((access & Access.EXECUTE) != 0 ? FaultRecord.EXE.mask() : 0);
    }
    long at = FaultRecord.AT.of(pageRequest ? 0 : request.addressType().ordinal());
    append(code(reason), request.source(), FaultRecord.FI.in(request.iova()), type | pasid | at);
  }

  /**
   * A fault of an interrupt request.
   *
   * @param information the index, in bits 63:48, or an address
   */
  void recordInterrupt(Reason reason, int source, long information) {
    append(reason.code(), source, FaultRecord.FI.in(information), 0);
  }

  private int code(Reason reason) {
    return unit.config().quirks().legacyCodes() ? LegacyCodes.of(reason) : reason.code();
  }

  private void append(int code, int source, long information, long rest) {
    RegisterFile r = unit.registers();
    if (r.get(Registers.FSTS, Registers.PFO) != 0 || collapses(r, source)) {
      return;
    }
    if (r.get(high.get(next), FaultRecord.F) != 0) {
      unit.faultEvent().raise(Registers.PFO.mask());
      return;
    }
    r.post(low.get(next), information);
    r.post(
        high.get(next),
        FaultRecord.SID.of(source) | FaultRecord.FR.of(code) | rest | FaultRecord.F.mask());
    if (r.get(Registers.FSTS, Registers.PPF) == 0) {
      r.post(Registers.FSTS, Registers.FRI, next);
    }
    unit.faultEvent().raise(Registers.PPF.mask());
    next = (next + 1) % high.size();
  }

  private boolean collapses(RegisterFile r, int source) {
    if (!unit.config().quirks().collapseFaults()) {
      return false;
    }
    for (Register h : high) {
      long record = r.get(h);
      if (FaultRecord.F.isSet(record) && FaultRecord.SID.get(record) == (source & 0xffff)) {
        return true;
      }
    }
    return false;
  }

  /** Software released a record: PPF and FRI follow. */
  private void released() {
    RegisterFile r = unit.registers();
    int first = (int) r.get(Registers.FSTS, Registers.FRI);
    for (int i = 0; i < high.size(); i++) {
      int at = (first + i) % high.size();
      if (r.get(high.get(at), FaultRecord.F) != 0) {
        r.post(Registers.FSTS, Registers.FRI, at);
        return;
      }
    }
    r.post(Registers.FSTS, Registers.PPF, 0);
    r.post(Registers.FSTS, Registers.FRI, 0);
    unit.faultEvent().serviced();
  }

  /** Nothing is remapped any more: the first record is the next again. */
  void reset() {
    next = 0;
  }
}
