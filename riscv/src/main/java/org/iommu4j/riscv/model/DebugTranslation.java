package org.iommu4j.riscv.model;

import org.iommu4j.core.bits.RegisterFile;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.riscv.layout.Registers;

/** Translation through tr_req_iova, tr_req_ctl and tr_response. §5. Command lock held. */
final class DebugTranslation {
  private final RiscvIommu unit;
  private final Translation translation = new Translation();

  DebugTranslation(RiscvIommu unit) {
    this.unit = unit;
  }

  /** Carries out the request that the registers hold, and posts the response. */
  void run() {
    RegisterFile registers = unit.registers();
    long ctl = registers.get(Registers.TR_REQ_CTL);
    boolean write = !Registers.TR_NW.isSet(ctl);
    DmaRequest request =
        new DmaRequest()
            .source(Registers.TR_DID.getInt(ctl))
            .iova(registers.get(Registers.TR_REQ_IOVA))
            .pasid(Registers.TR_PV.isSet(ctl) ? Registers.TR_PID.getInt(ctl) : DmaRequest.NO_PASID)
            .access(
                (write ? Access.WRITE : Access.READ)
                    | (Registers.TR_EXE.isSet(ctl) ? Access.EXECUTE : 0)
                    | (Registers.TR_PRIV.isSet(ctl) ? Access.PRIVILEGED : 0));
    Workspace w = unit.attached(translation);
    w.debug = true;
    boolean passed = Answer.complete(unit.setup(), w, request, translation);
    long response = Registers.TR_FAULT.of(1);
    if (passed) {
      int shift = translation.rangeShift();
      long page = translation.pa() >>> 12;
      long pages = 1L << (shift - 12);
      response =
          Registers.TR_PBMT.of(translation.memoryType())
              | Registers.TR_S.of(shift > 12 ? 1 : 0)
              // The lowest 0 bit of PPN tells the size.
              | Registers.TR_PPN.of((page & -pages) | (pages >>> 1) - (pages > 1 ? 1 : 0));
    }
    synchronized (unit.state()) {
      registers.post(Registers.TR_RESPONSE, response);
      registers.post(Registers.TR_REQ_CTL, Registers.GO_BUSY, 0);
    }
  }
}
