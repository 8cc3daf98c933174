package org.iommu4j.conformance.riscvref;

import java.util.List;
import org.iommu4j.conformance.Difference;
import org.iommu4j.conformance.Differences;
import org.iommu4j.conformance.Step;
import org.iommu4j.machine.capture.StrictObject;

/**
 * {@code tr-response}: the answer of the debug interface.
 *
 * @param maxSize bytes; the range that the unit tells may be smaller
 */
record DebugStep(
    boolean fault, long iova, int pbmt, long pa, long maxSize, FaultQueue.Expected faults)
    implements Step<RiscvRefBench> {
  private static final int TR_RESPONSE = 0x268;
  private static final int PAGE_SHIFT = 12;

  static DebugStep read(StrictObject fields) {
    boolean fault = fields.flag("fault");
    long iova = fields.number("iova");
    fields.has("raw"); // what the oracle had in its register
    List<FaultRecord> records =
        fields.has("fault_record")
            ? List.of(FaultRecord.read(fields.object("fault_record")))
            : List.of();
    FaultQueue.Expected faults = new FaultQueue.Expected(true, records);
    if (fault) {
      return new DebugStep(true, iova, 0, 0, 0, faults);
    }
    return new DebugStep(
        false,
        iova,
        fields.integer("pbmt", 0, 3),
        fields.number("pa"),
        fields.number("max_size"),
        faults);
  }

  @Override
  public List<Difference> run(RiscvRefBench bench) {
    long response = bench.unit().read(TR_RESPONSE, 8);
    Differences found = new Differences().same("tr_response.fault", fault, (response & 1) != 0);
    if (!fault && found.list().isEmpty()) {
      found.decimal("tr_response.PBMT", pbmt, response >>> 7 & 3);
      int shift = rangeShift(response);
      long offset = (1L << shift) - 1;
      long page = (ppn(response) << PAGE_SHIFT & ~offset) | (iova & offset & -(1L << PAGE_SHIFT));
      found.hex("page that iova translates to", pa, page);
      if (Long.compareUnsigned(offset, maxSize - 1) > 0) {
        found.add(
            "size that tr_response tells",
            "at most " + Differences.hex(maxSize),
            Differences.hex(offset + 1));
      }
    }
    return found.all(bench.faults().check(bench.tailBeforeDebugRequest(), faults)).list();
  }

  private static long ppn(long response) {
    return response >>> 10 & 0xfff_ffff_ffffL;
  }

  /**
   * S (bit 9) says that the lowest 0 of the PPN tells the size: 8 KiB if it is bit 0, and so on.
   */
  private static int rangeShift(long response) {
    boolean superpage = (response & 1 << 9) != 0;
    return superpage
        ? Math.min(63, PAGE_SHIFT + 1 + Long.numberOfTrailingZeros(~ppn(response)))
        : PAGE_SHIFT;
  }
}
