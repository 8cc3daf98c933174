package org.iommu4j.riscv.driver;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.Options;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.dma.AtsFabric;
import org.iommu4j.core.dma.DmaPort;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Fault;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.InterruptLines;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.memory.Mmio;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.driver.DriverHost;
import org.iommu4j.driver.DriverProvider;
import org.iommu4j.driver.FrameAllocator;
import org.iommu4j.driver.IommuDriver;
import org.iommu4j.riscv.layout.Capabilities;

/** A unit, memory, and the driver: what tests of the driver stand on. */
final class Rig implements AutoCloseable {
  static final long RAM = 0x8000_0000L;
  static final long RAM_BYTES = 1L << 32;

  /** Tables and queues; what devices reach lies above. */
  static final long FRAME_BYTES = 64 << 20;

  static final long DATA = RAM + FRAME_BYTES;

  /** Where the unit's own messages arrive. */
  static final long DOORBELL = 0x2800_0000L;

  /** Everything that a driver could want, version 1.0, PAS 56, messages and wires. */
  static final long BASE =
      Capabilities.VERSION.of(0x10)
          | Capabilities.PAS.of(56)
          | Capabilities.IGS.of(Capabilities.IGS_BOTH);

  final PhysicalMemory memory = new PhysicalMemory();
  final Iommu unit;
  final IommuDriver driver;
  final FrameAllocator frames;
  final List<Fault> faults = new ArrayList<>();
  final List<PageRequest> requests = new ArrayList<>();
  final List<Long> messages = new ArrayList<>();
  final DmaRequest request = new DmaRequest();
  final Translation translation = new Translation();

  /** How a rig is put together. */
  static final class Builder {
    private final Map<String, String> unitOptions = new LinkedHashMap<>();
    private final Map<String, String> driverOptions = new LinkedHashMap<>();
    private AtsFabric fabric = AtsFabric.NONE;
    private InterruptLines lines = InterruptLines.NONE;
    private boolean messages;
    private long frames = RAM;
    private boolean start = true;
    private BiFunction<Mmio, PhysicalMemory, Mmio> wrapper = (unit, memory) -> unit;

    Builder unit(String name, Object value) {
      unitOptions.put(name, value.toString());
      return this;
    }

    Builder capabilities(long base, Field... more) {
      long all = base;
      for (Field f : more) {
        all |= f.mask();
      }
      return unit("capabilities", "0x" + Long.toHexString(all));
    }

    Builder driver(String name, Object value) {
      driverOptions.put(name, value.toString());
      return this;
    }

    Builder fabric(AtsFabric f) {
      fabric = f;
      return this;
    }

    Builder lines(InterruptLines l) {
      lines = l;
      return this;
    }

    Builder messages() {
      messages = true;
      return this;
    }

    /** Puts something between driver and unit. */
    Builder wrap(BiFunction<Mmio, PhysicalMemory, Mmio> w) {
      wrapper = w;
      return this;
    }

    Builder frames(long at) {
      frames = at;
      return this;
    }

    Builder stopped() {
      start = false;
      return this;
    }

    Rig build() {
      return new Rig(this);
    }

    @Override
    public String toString() {
      return unitOptions + " " + driverOptions;
    }
  }

  static Builder with() {
    return new Builder();
  }

  private Rig(Builder b) {
    memory.addAnonymous(RAM, RAM_BYTES);
    frames = new FrameAllocator(memory, b.frames, FRAME_BYTES);
    memory.addDevice(
        DOORBELL,
        4096,
        new Mmio() {
          @Override
          public long read(long offset, int size) {
            return 0;
          }

          @Override
          public void write(long offset, int size, long value) {
            messages.add(value);
          }
        });
    unit =
        Architecture.named("riscv")
            .create(Options.of(b.unitOptions), new Host(memory, b.fabric, b.lines));
    driver =
        DriverProvider.forArchitecture("riscv")
            .probe(
                new DriverHost(
                    b.wrapper.apply(unit, memory), memory, frames, b.messages ? DOORBELL : 0, 0x40),
                Options.of(b.driverOptions));
    driver.onFault(faults::add);
    driver.onPageRequest(requests::add);
    if (b.start) {
      driver.start();
    }
  }

  DmaPort port(int source) {
    return new DmaPort(unit, memory, source);
  }

  /** Asks for one translation; true if it is granted, see {@link #translation}. */
  boolean translate(int source, int pasid, long iova, int access) {
    request.source(source).pasid(pasid).iova(iova).access(access);
    return unit.translate(request, translation);
  }

  boolean translate(int source, long iova, int access) {
    return translate(source, DmaRequest.NO_PASID, iova, access);
  }

  /** Takes the faults that were reported since the last call. */
  List<Fault> newFaults() {
    driver.service();
    List<Fault> all = List.copyOf(faults);
    faults.clear();
    return all;
  }

  @Override
  public void close() {
    driver.close();
    memory.close();
  }
}
