package org.iommu4j.vtd.driver;

import java.util.List;
import java.util.function.Consumer;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Fault;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.core.dma.UnknownReason;
import org.iommu4j.driver.support.Unit;
import org.iommu4j.vtd.layout.FaultRecord;
import org.iommu4j.vtd.layout.Reason;
import org.iommu4j.vtd.layout.Registers;

/** The fault recording registers. §7.2, §11.4. */
final class Faults {
  private static final int FIRST_INTERRUPT_REASON = 0x20;
  private static final int LAST_INTERRUPT_REASON = 0x2f;

  /** Interrupt faults that tell the address of the message instead of an index. */
  private static final List<Integer> WITHOUT_INDEX = List.of(0x20, 0x25, 0x29, 0x2a, 0x2b);

  private static final String[] ADDRESS_TYPES = {
    "untranslated ", "translation request for ", "translated ", "reserved "
  };

  private final Unit unit;
  private final long cap;

  Faults(Unit unit, Plan plan) {
    this.unit = unit;
    this.cap = plan.cap();
  }

  /** Forgets what was recorded before our time. */
  void start() {
    for (int i = 0; i < FaultRecord.count(cap); i++) {
      unit.write(FaultRecord.high(cap, i), FaultRecord.F.mask());
    }
    unit.write(
        Registers.FSTS,
        Registers.PFO.mask() | Registers.IQE.mask() | Registers.ICE.mask() | Registers.ITE.mask());
  }

  /**
   * Takes all records. A record that is not cleared keeps the unit from calling again, so they are
   * taken once more after the overflow was cleared.
   */
  void serve(Consumer<Fault> to, List<String> conditions) {
    take(to);
    if (Registers.PFO.isSet(unit.read(Registers.FSTS))) {
      unit.write(Registers.FSTS, Registers.PFO.mask());
      conditions.add("fault log: overflow, faults were lost (FSTS.PFO)");
    }
    take(to);
  }

  /**
   * From the first pending one on. At most twice round: a device that faults faster than we read
   * must not keep us here.
   */
  private void take(Consumer<Fault> to) {
    int count = FaultRecord.count(cap);
    long fsts = unit.read(Registers.FSTS);
    if (!Registers.PPF.isSet(fsts)) {
      return;
    }
    int index = Registers.FRI.getInt(fsts);
    for (int left = 2 * count; left > 0; left--) {
      long high = unit.read(FaultRecord.high(cap, index));
      if (!FaultRecord.F.isSet(high)) {
        return;
      }
      to.accept(decode(unit.read(FaultRecord.low(cap, index)), high));
      unit.write(FaultRecord.high(cap, index), FaultRecord.F.mask());
      index = (index + 1) % count;
    }
  }

  static Fault decode(long low, long high) {
    int code = FaultRecord.FR.getInt(high);
    List<Reason> reasons = Reason.of(code);
    FaultReason reason = reasons.isEmpty() ? new UnknownReason(code) : reasons.getFirst();
    boolean pasid = FaultRecord.PP.isSet(high);
    int access = access(high, pasid);
    String transaction;
    if (code >= FIRST_INTERRUPT_REASON && code <= LAST_INTERRUPT_REASON) {
      access = Access.WRITE;
      transaction =
          WITHOUT_INDEX.contains(code)
              ? "interrupt request"
              : "interrupt request through entry %d,".formatted(FaultRecord.INDEX.get(low));
    } else if (!FaultRecord.T1.isSet(high) && FaultRecord.T2.isSet(high)) {
      transaction = "page request";
    } else {
      transaction = ADDRESS_TYPES[FaultRecord.AT.getInt(high)] + Access.describe(access);
    }
    return new Fault(
        reason,
        FaultRecord.SID.getInt(high),
        pasid ? FaultRecord.PV.getInt(high) : DmaRequest.NO_PASID,
        transaction,
        access,
        FaultRecord.FI.in(low),
        0);
  }

  private static int access(long high, boolean pasid) {
    boolean read = FaultRecord.T1.isSet(high);
    boolean other = FaultRecord.T2.isSet(high);
    int access =
        read
            ? other ? Access.WRITE | Access.ATOMIC : Access.READ
            : other ? Access.READ : Access.WRITE;
    if (pasid && FaultRecord.PRIV.isSet(high)) {
      access |= Access.PRIVILEGED;
    }
    return FaultRecord.EXE.isSet(high) ? access | Access.EXECUTE : access;
  }
}
