package org.iommu4j.conformance.qemu;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.iommu4j.conformance.CommonSteps;
import org.iommu4j.conformance.Difference;
import org.iommu4j.conformance.Differences;
import org.iommu4j.conformance.Format;
import org.iommu4j.conformance.Interrupt;
import org.iommu4j.conformance.Step;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.Options;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.dma.InterruptRequest;
import org.iommu4j.machine.capture.StrictObject;
import org.jspecify.annotations.Nullable;

/**
 * The format of the vectors that QEMU's devices were driven with. Cases whose ids begin with {@code
 * qemu-} expect what QEMU does; those with {@code spec-} what the specification says, and run on
 * units without QEMU's quirks.
 */
public final class QemuFormat extends Format<QemuBench> {
  private final String prefix;
  private final List<QemuMachine> machines;

  private QemuFormat(String prefix, List<QemuMachine> machines) {
    this.prefix = prefix;
    this.machines = List.copyOf(machines);
  }

  /** The cases that expect what QEMU does, with the given machines. */
  public static QemuFormat ofQemu(List<QemuMachine> machines) {
    return new QemuFormat("qemu-", machines);
  }

  /** The cases that expect what the specifications say, with the given machines. */
  public static QemuFormat ofSpecifications(List<QemuMachine> machines) {
    return new QemuFormat("spec-", machines.stream().map(QemuMachine::specified).toList());
  }

  @Override
  public boolean owns(String id) {
    return id.startsWith(prefix);
  }

  private QemuMachine machine(String arch) {
    for (QemuMachine m : machines) {
      if (m.arch().equals(arch)) {
        return m;
      }
    }
    throw new StrictObject.Malformed(
        "field 'arch': QEMU's machine for '%s' is not known; known are %s"
            .formatted(arch, String.join(", ", machines.stream().map(QemuMachine::arch).toList())));
  }

  @Override
  protected Map<String, String> options(String arch, StrictObject setup) {
    QemuMachine machine = machine(arch);
    Map<String, String> options = new LinkedHashMap<>(machine.fixed());
    options.putAll(machine.quirks());
    machine
        .settings()
        .forEach(
            (name, option) -> {
              setup.number(name);
              options.put(option, setup.scalar(name));
            });
    machine.notes().forEach(setup::has);
    return options;
  }

  @Override
  protected @Nullable Step<? super QemuBench> step(
      String action, StrictObject fields, String arch) {
    return switch (action) {
      case "dma" -> DmaStep.read(fields);
      case "msi" -> msi(fields);
      case "irq" -> irq(fields);
      case "mem", "peek" -> inMemory(action, fields, machine(arch));
      default -> CommonSteps.read(action, fields);
    };
  }

  /** Software only touches memory that is there. */
  private static @Nullable Step<? super QemuBench> inMemory(
      String action, StrictObject fields, QemuMachine machine) {
    long pa = fields.number("pa");
    if (!machine.hasMemory(pa, fields.bytes("hex").length)) {
      throw new StrictObject.Malformed(
          "%s: there is no memory at 0x%x in this machine".formatted(fields.what(), pa));
    }
    return CommonSteps.read(action, fields);
  }

  /** A device signals an interrupt: what arrives at the processors counts. */
  private static Step<QemuBench> msi(StrictObject fields) {
    int source = fields.integer("rid", 0, 0xffff);
    long address = fields.number("addr");
    int data = (int) fields.number("data");
    StrictObject expect = fields.object("expect");
    boolean delivered = expect.choice("status", "delivered", "none").equals("delivered");
    List<Interrupt> to = delivered ? Interrupt.read(expect.objects("to")) : List.of();
    expect.finish();
    return bench -> {
      List<Interrupt> earlier = bench.takeInterrupts();
      InterruptDelivery delivery = new InterruptDelivery();
      boolean accepted =
          bench.unit().remap(new InterruptRequest().set(source, address, data), delivery);
      List<Interrupt> arrived = bench.takeInterrupts();
      bench.putBack(earlier);
      Differences found = new Differences();
      if (accepted != delivered) {
        found.add(
            "status",
            delivered ? "delivered" : "none",
            delivery.kind() + (delivery.reason() == null ? "" : ": " + delivery.reason()));
      }
      return found.all(Interrupt.compare(to, arrived)).list();
    };
  }

  /** The interrupts that the unit itself sent since it was last asked. */
  private static Step<QemuBench> irq(StrictObject fields) {
    List<Interrupt> expected = Interrupt.read(fields.objects("expect"));
    return bench -> {
      List<Difference> found = Interrupt.compare(expected, bench.takeInterrupts());
      return found;
    };
  }

  @Override
  protected QemuBench bench(Architecture architecture, Options options, String arch) {
    return new QemuBench(architecture, options, machine(arch));
  }
}
