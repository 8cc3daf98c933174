package org.iommu4j.riscv.driver;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Fault;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.core.dma.UnknownReason;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.riscv.layout.Cause;
import org.iommu4j.riscv.layout.FaultRecord;
import org.iommu4j.riscv.layout.PageRequestRecord;
import org.iommu4j.riscv.layout.TransactionType;
import org.jspecify.annotations.Nullable;

/** The records of the fault queue and the page-request queue, decoded. §4.2, §4.3. */
final class Records {
  private static final int IOTVAL = 16;
  private static final int IOTVAL2 = 24;
  private static final int PAYLOAD = 8;
  private static final int SEGMENT_SHIFT = 16;

  private Records() {}

  /** The fault that lies in memory at an address. */
  static Fault fault(PhysicalMemory memory, long at) {
    long head = memory.readLong(at);
    long iotval2 = memory.readLong(at + IOTVAL2);
    int code = FaultRecord.CAUSE.getInt(head);
    Cause cause = Cause.of(code);
    FaultReason reason = cause == null ? new UnknownReason(code) : cause;
    TransactionType type = TransactionType.of(FaultRecord.TTYP.getInt(head));
    boolean pasid = FaultRecord.PV.isSet(head);
    int access = type.access() | (pasid && FaultRecord.PRIV.isSet(head) ? Access.PRIVILEGED : 0);
    String words = type.words();
    if (guestFault(cause)) {
      words +=
          FaultRecord.IMPLICIT_WRITE.isSet(iotval2)
              ? " (in an update of a table entry)"
              : FaultRecord.IMPLICIT.isSet(iotval2) ? " (in a read of a table entry)" : "";
      iotval2 &= ~(FaultRecord.IMPLICIT.mask() | FaultRecord.IMPLICIT_WRITE.mask());
    }
    return new Fault(
        reason,
        FaultRecord.DID.getInt(head),
        pasid ? FaultRecord.PID.getInt(head) : DmaRequest.NO_PASID,
        words,
        access,
        memory.readLong(at + IOTVAL),
        iotval2);
  }

  private static boolean guestFault(@Nullable Cause cause) {
    return cause == Cause.INSTRUCTION_GUEST_PAGE_FAULT
        || cause == Cause.READ_GUEST_PAGE_FAULT
        || cause == Cause.WRITE_GUEST_PAGE_FAULT;
  }

  /** The page request that lies in memory at an address. */
  static PageRequest pageRequest(PhysicalMemory memory, long at) {
    long head = memory.readLong(at);
    int source = PageRequestRecord.DID.getInt(head);
    boolean pasid = PageRequestRecord.PV.isSet(head);
    int access =
        (pasid && PageRequestRecord.PRIV.isSet(head) ? Access.PRIVILEGED : 0)
            | (pasid && PageRequestRecord.EXEC.isSet(head) ? Access.EXECUTE : 0);
    return new PageRequest(
        source,
        source >>> SEGMENT_SHIFT != 0,
        pasid ? PageRequestRecord.PID.getInt(head) : DmaRequest.NO_PASID,
        access,
        memory.readLong(at + PAYLOAD));
  }
}
