package org.iommu4j.conformance.riscvref;

import java.util.List;
import org.iommu4j.conformance.Difference;
import org.iommu4j.conformance.Differences;
import org.iommu4j.conformance.Step;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.machine.capture.StrictObject;

/** {@code dma}: an inbound transaction; a question to the unit, no data moves. */
record DmaStep(DmaRequest request, Outcome outcome, FaultQueue.Expected faults)
    implements Step<RiscvRefBench> {

  static DmaStep read(StrictObject fields) {
    AddressType type =
        switch (fields.choice("at", "untranslated", "translated", "ats-request")) {
          case "untranslated" -> AddressType.UNTRANSLATED;
          case "translated" -> AddressType.TRANSLATED;
          default -> AddressType.TRANSLATION_REQUEST;
        };
    int pasid = Device.pasid(fields);
    fields.integer("len", 1, 4096); // the answer does not depend on it
    DmaRequest request =
        new DmaRequest()
            .source(fields.integer("devid", 0, 0xffffff))
            .pasid(pasid)
            .iova(fields.number("iova"))
            .addressType(type)
            .access(access(fields, type, pasid != DmaRequest.NO_PASID));
    StrictObject expect = fields.object("expect");
    Outcome outcome = Outcome.read(expect, type);
    FaultQueue.Expected faults = FaultQueue.Expected.read(expect);
    expect.finish();
    return new DmaStep(request, outcome, faults);
  }

  /** What the host bridge makes of the transaction's attributes. FORMAT §4. */
  private static int access(StrictObject fields, AddressType type, boolean hasPasid) {
    String op = fields.choice("op", "read", "write", "amo");
    boolean execute = fields.flag("exec");
    boolean noWrite = fields.flag("no_write", false);
    int access =
        switch (op) {
          case "read" -> Access.READ;
          case "write" -> Access.WRITE;
          default -> Access.WRITE | Access.ATOMIC;
        };
    if (type == AddressType.TRANSLATION_REQUEST && !noWrite) {
      access |= Access.WRITE;
    }
    if (execute && op.equals("read") && (hasPasid || type == AddressType.UNTRANSLATED)) {
      access |= Access.EXECUTE;
    }
    if (fields.flag("priv") && hasPasid) {
      access |= Access.PRIVILEGED;
    }
    if (fields.flag("cxl", false)) {
      access |= Access.CXL;
    }
    return access;
  }

  @Override
  public List<Difference> run(RiscvRefBench bench) {
    int tail = bench.faults().tail();
    boolean passed = bench.unit().translate(bench.request().copyFrom(request), bench.translation());
    return new Differences()
        .all(outcome.compare(passed, bench.translation()))
        .all(bench.faults().check(tail, faults))
        .list();
  }
}
