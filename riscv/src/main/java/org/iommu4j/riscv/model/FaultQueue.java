package org.iommu4j.riscv.model;

import static org.iommu4j.riscv.layout.Registers.FIE;
import static org.iommu4j.riscv.layout.Registers.FIP;
import static org.iommu4j.riscv.layout.Registers.FQB;
import static org.iommu4j.riscv.layout.Registers.FQCSR;
import static org.iommu4j.riscv.layout.Registers.FQEN;
import static org.iommu4j.riscv.layout.Registers.FQH;
import static org.iommu4j.riscv.layout.Registers.FQMF;
import static org.iommu4j.riscv.layout.Registers.FQOF;
import static org.iommu4j.riscv.layout.Registers.FQON;
import static org.iommu4j.riscv.layout.Registers.FQT;

import org.iommu4j.core.bits.RegisterFile;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.riscv.layout.Cause;
import org.iommu4j.riscv.layout.FaultRecord;
import org.iommu4j.riscv.layout.TransactionType;

/** The fault queue: records in, an interrupt out. §4.2. Called with the state lock held. */
final class FaultQueue {
  private final RiscvIommu unit;

  FaultQueue(RiscvIommu unit) {
    this.unit = unit;
  }

  /** Records a fault of a request in the words of the bus. */
  void report(DmaRequest request, Cause cause, boolean dtf, long iotval, long iotval2) {
    report(
        cause,
        type(request),
        dtf,
        request.source(),
        request.hasPasid(),
        request.pasid(),
        (request.access() & Access.PRIVILEGED) != 0,
        iotval,
        iotval2);
  }

  private static TransactionType type(DmaRequest request) {
    int access = Translator.effective(request.addressType(), request.access(), request.hasPasid());
    boolean write = (access & Access.WRITE) != 0;
    boolean execute = (access & Access.EXECUTE) != 0;
    return switch (request.addressType()) {
      case TRANSLATION_REQUEST -> TransactionType.ATS_TRANSLATION_REQUEST;
      case UNTRANSLATED ->
          write
              ? TransactionType.UNTRANSLATED_WRITE
              : execute ? TransactionType.UNTRANSLATED_EXECUTE : TransactionType.UNTRANSLATED_READ;
      case TRANSLATED ->
          write
              ? TransactionType.TRANSLATED_WRITE
              : execute ? TransactionType.TRANSLATED_EXECUTE : TransactionType.TRANSLATED_READ;
    };
  }

  /**
   * Records a fault of a transaction; nothing if the queue is off or stopped, or DTF forbids it.
   */
  void report(
      Cause cause,
      TransactionType type,
      boolean dtf,
      int deviceId,
      boolean pidValid,
      int pid,
      boolean privileged,
      long iotval,
      long iotval2) {
    if (dtf && !cause.recordedDespiteDtf()) {
      return;
    }
    long first =
        FaultRecord.CAUSE.of(cause.code())
            | FaultRecord.TTYP.of(type.code())
            | FaultRecord.DID.of(deviceId);
    if (pidValid) {
      first |=
          FaultRecord.PID.of(pid)
              | FaultRecord.PV.mask()
              | (privileged ? FaultRecord.PRIV.mask() : 0);
    }
    append(first, iotval, iotval2);
  }

  /** The unit's own message, or a notice message, could not be written. §4.2, cause 273. */
  void messageFailed(long address) {
    append(FaultRecord.CAUSE.of(Cause.IOMMU_MSI_WRITE_ACCESS_FAULT.code()), address, 0);
  }

  private void append(long first, long iotval, long iotval2) {
    RegisterFile r = unit.registers();
    long csr = r.get(FQCSR);
    if (!FQEN.isSet(csr) || !FQON.isSet(csr) || FQMF.isSet(csr) || FQOF.isSet(csr)) {
      return;
    }
    Queue queue = Queue.of(r.get(FQB), FaultRecord.BYTES);
    long tail = r.get(FQT);
    long next = queue.next(tail);
    if (next == r.get(FQH)) {
      r.post(FQCSR, FQOF, 1);
    } else {
      PhysicalMemory memory = unit.host().memory();
      long at = queue.address(tail);
      boolean be = unit.setup().be;
      if ((at & unit.setup().beyond) != 0
          || memory.status(at, FaultRecord.BYTES, true) != PhysicalMemory.OK) {
        r.post(FQCSR, FQMF, 1);
      } else {
        memory.writeLong(at, be ? Long.reverseBytes(first) : first);
        memory.writeLong(at + 8, 0);
        memory.writeLong(at + 16, be ? Long.reverseBytes(iotval) : iotval);
        memory.writeLong(at + 24, be ? Long.reverseBytes(iotval2) : iotval2);
        r.post(FQT, next);
      }
    }
    if (FIE.isSet(csr)) {
      unit.interrupts().raise(FIP);
    }
  }
}
