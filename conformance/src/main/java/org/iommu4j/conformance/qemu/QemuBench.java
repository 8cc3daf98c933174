package org.iommu4j.conformance.qemu;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.iommu4j.conformance.Bench;
import org.iommu4j.conformance.Interrupt;
import org.iommu4j.conformance.qemu.QemuMachine.Range;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.Options;
import org.iommu4j.core.dma.AtsFabric;
import org.iommu4j.core.dma.AtsInvalidation;
import org.iommu4j.core.dma.DmaPort;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.dma.PageResponse;
import org.iommu4j.core.memory.Failure;
import org.iommu4j.core.memory.Mmio;
import org.iommu4j.core.memory.PhysicalMemory;
import org.jspecify.annotations.Nullable;

/** What a case of this format runs on: the machine's memory, and its devices' ports. */
final class QemuBench extends Bench {
  private final InterruptTarget interrupts;
  private final Map<Integer, DmaPort> ports = new HashMap<>(4);

  QemuBench(Architecture architecture, Options options, QemuMachine machine) {
    this(architecture, options, machine, new InterruptTarget(), new PromptDevices());
  }

  private QemuBench(
      Architecture architecture,
      Options options,
      QemuMachine machine,
      InterruptTarget target,
      PromptDevices devices) {
    super(architecture, options, memory(machine, target), devices);
    this.interrupts = target;
    devices.unit = unit();
  }

  /**
   * Gigabytes of which a case touches some pages: everything exists page by page, and what lies
   * between the machine's memory is made to fail. Mapping the ranges as they are would cost 2 MiB
   * of zeroing for every page touched.
   */
  private static PhysicalMemory memory(QemuMachine machine, InterruptTarget target) {
    PhysicalMemory memory = PhysicalMemory.sparse(64);
    long next = 0;
    for (Range r : machine.occupied()) {
      if (r.first() != next) {
        memory.inject(next, r.first() - next, Failure.ACCESS);
      }
      next = r.last() + 1;
    }
    memory.inject(next, -next, Failure.ACCESS);
    Range window = machine.interrupts();
    if (window != null) {
      memory.addDevice(window.first(), window.last() - window.first() + 1, target);
    }
    return memory;
  }

  /** The port of a device. */
  DmaPort port(int source) {
    return ports.computeIfAbsent(source, s -> new DmaPort(unit(), memory(), s));
  }

  /** Takes the interrupt messages that arrived since this was last asked. */
  List<Interrupt> takeInterrupts() {
    List<Interrupt> taken = List.copyOf(interrupts.arrived);
    interrupts.arrived.clear();
    return taken;
  }

  /** Puts back what a step found that belongs to a later one. */
  void putBack(List<Interrupt> earlier) {
    interrupts.arrived.addAll(0, earlier);
  }

  @Override
  public void close() {
    ports.values().forEach(DmaPort::close);
    super.close();
  }

  /** The local APICs: whoever writes there sends an interrupt. */
  private static final class InterruptTarget implements Mmio {
    private final List<Interrupt> arrived = new ArrayList<>();

    @Override
    public long read(long offset, int size) {
      return 0;
    }

    @Override
    public void write(long offset, int size, long value) {
      arrived.add(Interrupt.of(offset, value));
    }
  }

  /** QEMU's devices keep no translations, so invalidations of them are complete at once. */
  private static final class PromptDevices implements AtsFabric {
    private @Nullable Iommu unit;

    @Override
    public void invalidate(AtsInvalidation request) {
      Iommu u = unit;
      if (u != null) {
        u.invalidationCompleted(request.source(), request.segmented(), 1 << request.tag(), 1);
      }
    }

    @Override
    public void respond(PageResponse response) {}
  }
}
