package org.iommu4j.driver.testing;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.Options;
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
import org.iommu4j.core.memory.Mmio;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.driver.DriverHost;
import org.iommu4j.driver.DriverProvider;
import org.iommu4j.driver.FrameAllocator;
import org.iommu4j.driver.Interrupt;
import org.iommu4j.driver.IommuDriver;

/**
 * A unit, memory, and the driver: what tests of a driver stand on. An architecture's own rig adds
 * how its unit's features are named.
 */
public abstract class DriverRig implements AutoCloseable {
  /** Bytes of memory. */
  public static final long RAM_BYTES = 1L << 32;

  /** Bytes for tables and queues; what devices reach lies above. */
  public static final long FRAME_BYTES = 64 << 20;

  /** A message, of the unit or of a device, that arrived. */
  public record Message(long address, int data) {}

  public final PhysicalMemory memory = new PhysicalMemory();
  public final Iommu unit;
  public final IommuDriver driver;
  public final FrameAllocator frames;
  public final List<Fault> faults = new ArrayList<>();
  public final List<PageRequest> requests = new ArrayList<>();
  public final List<Message> messages = new ArrayList<>();
  public final List<Interrupt> posted = new ArrayList<>();
  public final DmaRequest request = new DmaRequest();
  public final Translation translation = new Translation();

  /**
   * How a rig is put together.
   *
   * @param <B> the architecture's own builder
   */
  public abstract static class Builder<B extends Builder<B>> {
    private final String architecture;
    private final long ram;
    private final long doorbell;
    private final Map<String, String> unitOptions = new LinkedHashMap<>();
    private final Map<String, String> driverOptions = new LinkedHashMap<>();
    private AtsFabric fabric = AtsFabric.NONE;
    private InterruptLines lines = InterruptLines.NONE;
    private boolean messages;
    private long frames;
    private boolean start = true;
    private BiFunction<Mmio, PhysicalMemory, Mmio> wrapper = (unit, memory) -> unit;

    /**
     * A rig with all standards.
     *
     * @param architecture its name
     * @param ram where memory lies
     * @param doorbell where the unit's own messages go, if they are wanted
     */
    protected Builder(String architecture, long ram, long doorbell) {
      this.architecture = architecture;
      this.ram = ram;
      this.doorbell = doorbell;
      frames = ram;
    }

    /** Builds and, as a rule, starts it. */
    public abstract DriverRig build();

    @SuppressWarnings("unchecked")
    private B self() {
      return (B) this;
    }

    /** An option of the unit. */
    public B unit(String name, Object value) {
      unitOptions.put(name, value.toString());
      return self();
    }

    /** An option of the unit that is a register. */
    protected B register(String name, long value) {
      return unit(name, "0x" + Long.toHexString(value));
    }

    /** An option of the driver. */
    public B driver(String name, Object value) {
      driverOptions.put(name, value.toString());
      return self();
    }

    public B fabric(AtsFabric f) {
      fabric = f;
      return self();
    }

    public B lines(InterruptLines l) {
      lines = l;
      return self();
    }

    /** The unit's own interrupts are messages. */
    public B messages() {
      messages = true;
      return self();
    }

    /** Puts something between driver and unit. */
    public B wrap(BiFunction<Mmio, PhysicalMemory, Mmio> w) {
      wrapper = w;
      return self();
    }

    /** Where tables and queues lie, if not at the start of memory. */
    public B frames(long at) {
      frames = at;
      return self();
    }

    /** The driver is not started. */
    public B stopped() {
      start = false;
      return self();
    }

    @Override
    public String toString() {
      return unitOptions + " " + driverOptions;
    }
  }

  /** What an option of a unit is if nothing is said. */
  protected static long standard(String architecture, String option) {
    return Architecture.named(architecture).options().stream()
        .filter(o -> o.name().equals(option))
        .mapToLong(o -> Options.parse(o.standard()))
        .findFirst()
        .orElseThrow();
  }

  protected DriverRig(Builder<?> b) {
    memory.addAnonymous(b.ram, RAM_BYTES);
    frames = new FrameAllocator(memory, b.frames, FRAME_BYTES);
    unit =
        Architecture.named(b.architecture)
            .create(
                Options.of(b.unitOptions),
                new Host(
                    memory,
                    b.fabric,
                    b.lines,
                    (address, data) -> {
                      messages.add(new Message(address, data));
                      return PhysicalMemory.OK;
                    }));
    driver =
        DriverProvider.forArchitecture(b.architecture)
            .probe(
                new DriverHost(
                    b.wrapper.apply(unit, memory),
                    memory,
                    frames,
                    b.messages ? b.doorbell : 0,
                    0x40),
                Options.of(b.driverOptions));
    driver.onFault(faults::add);
    driver.onPageRequest(requests::add);
    driver.onPosted(posted::add);
    if (b.start) {
      driver.start();
    }
  }

  public DmaPort port(int source) {
    return new DmaPort(unit, memory, source);
  }

  /** Asks for one translation; true if it is granted, see {@link #translation}. */
  public boolean translate(int source, int pasid, long iova, int access) {
    request.source(source).pasid(pasid).iova(iova).access(access);
    return unit.translate(request, translation);
  }

  public boolean translate(int source, long iova, int access) {
    return translate(source, DmaRequest.NO_PASID, iova, access);
  }

  /** Sends an interrupt message; whether it was accepted. */
  public boolean interrupt(int source, long address, int data) {
    return unit.remap(new InterruptRequest().set(source, address, data), new InterruptDelivery());
  }

  /** Takes the faults that were reported since the last call. */
  public List<Fault> newFaults() {
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
