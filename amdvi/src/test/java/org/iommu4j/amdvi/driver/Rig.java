package org.iommu4j.amdvi.driver;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.Options;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.dma.AtsFabric;
import org.iommu4j.core.dma.DmaPort;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Fault;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.dma.InterruptLines;
import org.iommu4j.core.dma.InterruptRequest;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.driver.DriverHost;
import org.iommu4j.driver.DriverProvider;
import org.iommu4j.driver.FrameAllocator;
import org.iommu4j.driver.IommuDriver;

/** A unit, memory, and the driver: what tests of the driver stand on. */
final class Rig implements AutoCloseable {
  static final long RAM = 0x1_0000_0000L;
  static final long RAM_BYTES = 1L << 32;

  /** Tables and queues; what devices reach lies above. */
  static final long FRAME_BYTES = 64 << 20;

  static final long DATA = RAM + FRAME_BYTES;

  /** What a unit has if nothing else is said. */
  static final long EFR = standard("efr");

  /** An interrupt that arrived. */
  record Message(long address, int data) {}

  final PhysicalMemory memory = new PhysicalMemory();
  final Iommu unit;
  final IommuDriver driver;
  final FrameAllocator frames;
  final List<Fault> faults = new ArrayList<>();
  final List<PageRequest> requests = new ArrayList<>();
  final List<Message> messages = new ArrayList<>();
  final DmaRequest request = new DmaRequest();
  final Translation translation = new Translation();

  private static long standard(String option) {
    return Architecture.named("amdvi").options().stream()
        .filter(o -> o.name().equals(option))
        .mapToLong(o -> Options.parse(o.standard()))
        .findFirst()
        .orElseThrow();
  }

  /** How a rig is put together. */
  static final class Builder {
    private final Map<String, String> unitOptions = new LinkedHashMap<>();
    private final Map<String, String> driverOptions = new LinkedHashMap<>();
    private long efr = EFR;
    private AtsFabric fabric = AtsFabric.NONE;

    Builder unit(String name, Object value) {
      unitOptions.put(name, value.toString());
      return this;
    }

    /** Changes a feature of the unit. */
    Builder efr(Field field, long value) {
      efr = field.set(efr, value);
      return this;
    }

    Builder driver(String name, Object value) {
      driverOptions.put(name, value.toString());
      return this;
    }

    Builder fabric(AtsFabric f) {
      fabric = f;
      return this;
    }

    Rig build() {
      return new Rig(this);
    }

    @Override
    public String toString() {
      return "efr 0x%x %s %s".formatted(efr, unitOptions, driverOptions);
    }
  }

  static Builder with() {
    return new Builder();
  }

  private Rig(Builder b) {
    memory.addAnonymous(RAM, RAM_BYTES);
    frames = new FrameAllocator(memory, RAM, FRAME_BYTES);
    b.unit("efr", "0x" + Long.toHexString(b.efr));
    unit =
        Architecture.named("amdvi")
            .create(
                Options.of(b.unitOptions),
                new Host(
                    memory,
                    b.fabric,
                    InterruptLines.NONE,
                    (address, data) -> {
                      messages.add(new Message(address, data));
                      return PhysicalMemory.OK;
                    }));
    driver =
        DriverProvider.forArchitecture("amdvi")
            .probe(new DriverHost(unit, memory, frames, 0, 0x40), Options.of(b.driverOptions));
    driver.onFault(faults::add);
    driver.onPageRequest(requests::add);
    driver.start();
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

  /** Sends an interrupt message; whether it was accepted. */
  boolean interrupt(int source, long address, int data) {
    return unit.remap(new InterruptRequest().set(source, address, data), new InterruptDelivery());
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
