package org.iommu4j.vtd.driver;

import java.util.List;
import org.iommu4j.core.bits.Register;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.support.Unit;
import org.iommu4j.vtd.layout.Descriptor;
import org.iommu4j.vtd.layout.Registers;

/**
 * Invalidation through CCMD_REG and IOTLB_REG, for units without a queue. §6.5.1: one at a time,
 * each waited for. There are no device-TLBs, PASIDs or remapped interrupts without a queue.
 */
final class RegisterInvalidation implements InvalidationPort {
  private final Unit unit;
  private final Register iva;
  private final Register iotlb;

  RegisterInvalidation(Unit unit, Plan plan) {
    this.unit = unit;
    this.iva = Registers.iva(plan.ecap());
    this.iotlb = Registers.iotlb(plan.ecap());
  }

  @Override
  public void start() {}

  @Override
  public void stop() {}

  @Override
  public synchronized void run(Descriptors batch) {
    for (int i = 0; i < batch.size(); i++) {
      long first = batch.first(i);
      switch (Descriptor.type(first)) {
        case Descriptor.CONTEXT_CACHE -> contexts(first);
        case Descriptor.IOTLB -> translations(first, batch.second(i));
        default ->
            throw new IllegalStateException(
                "descriptor 0x%x has no register that stands for it".formatted(first));
      }
    }
  }

  @Override
  public boolean ask(Descriptors batch) {
    run(batch);
    return true;
  }

  private void contexts(long first) {
    long granularity = Descriptor.G.get(first);
    unit.awaitClear(Registers.CCMD, Registers.ICC); // what an earlier wait gave up on
    unit.write(
        Registers.CCMD,
        Registers.ICC.mask()
            | Registers.CIRG.of(granularity)
            | Registers.CCMD_SID.of(Descriptor.SID.get(first))
            | Registers.CCMD_DID.of(Descriptor.DID.get(first)));
    long done = unit.awaitClear(Registers.CCMD, Registers.ICC);
    check(Registers.CCMD, Registers.CAIG.get(done), granularity, done);
  }

  private void translations(long first, long second) {
    long granularity = Descriptor.G.get(first);
    unit.awaitClear(iotlb, Registers.IVT); // what an earlier wait gave up on
    if (granularity == Registers.SELECTIVE) {
      unit.write(
          iva,
          Registers.IVA_ADDR.in(second)
              | Registers.IVA_AM.of(Descriptor.AM.get(second))
              | Registers.IVA_IH.of(Descriptor.IH.get(second)));
    }
    unit.write(
        iotlb,
        Registers.IVT.mask()
            | Registers.IIRG.of(granularity)
            | Registers.IOTLB_DID.of(Descriptor.DID.get(first))
            | Registers.IOTLB_DW.of(Descriptor.DRAIN_WRITES.get(first))
            | Registers.IOTLB_DR.of(Descriptor.DRAIN_READS.get(first)));
    long done = unit.awaitClear(iotlb, Registers.IVT);
    check(iotlb, Registers.IAIG.get(done), granularity, done);
  }

  /** The unit may do more than it was asked for (a smaller number), never less; 0 is an error. */
  private static void check(Register r, long actual, long asked, long value) {
    if (actual == 0 || actual > asked) {
      throw new DriverException(
          "%s reads 0x%x: granularity %d was asked for, %d carried out"
              .formatted(r.name(), value, asked, actual));
    }
  }

  @Override
  public List<String> conditions() {
    return List.of();
  }
}
