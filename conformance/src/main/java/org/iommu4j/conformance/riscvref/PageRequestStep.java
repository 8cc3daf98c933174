package org.iommu4j.conformance.riscvref;

import java.util.List;
import org.iommu4j.conformance.Difference;
import org.iommu4j.conformance.Differences;
import org.iommu4j.conformance.Step;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.machine.capture.StrictObject;

/** {@code page-request}: a Page Request or Stop Marker of a device. */
record PageRequestStep(PageRequest request, boolean queued, FaultQueue.Expected faults)
    implements Step<RiscvRefBench> {
  private static final int PQT = 0x44;

  static PageRequestStep read(StrictObject fields) {
    Device device = Device.read(fields);
    int pasid = Device.pasid(fields);
    boolean privileged = fields.flag("priv");
    boolean execute = fields.flag("exec");
    // Both are bits of the PASID prefix: without one they do not exist.
    int access =
        pasid == DmaRequest.NO_PASID
            ? 0
            : (privileged ? Access.PRIVILEGED : 0) | (execute ? Access.EXECUTE : 0);
    StrictObject expect = fields.object("expect");
    PageRequestStep step =
        new PageRequestStep(
            new PageRequest(
                device.source(), device.segmented(), pasid, access, fields.number("payload")),
            expect.flag("queued"),
            FaultQueue.Expected.read(expect));
    expect.finish();
    return step;
  }

  @Override
  public List<Difference> run(RiscvRefBench bench) {
    int faultTail = bench.faults().tail();
    long tail = bench.unit().read(PQT, 4);
    bench.unit().pageRequest(request);
    return new Differences()
        .same("queued", queued, bench.unit().read(PQT, 4) != tail)
        .all(bench.faults().check(faultTail, faults))
        .list();
  }
}
