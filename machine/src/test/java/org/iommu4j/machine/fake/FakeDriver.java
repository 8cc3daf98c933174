package org.iommu4j.machine.fake;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.Options;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Fault;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.driver.Capabilities;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.DomainType;
import org.iommu4j.driver.DriverHost;
import org.iommu4j.driver.DriverProvider;
import org.iommu4j.driver.GuestTable;
import org.iommu4j.driver.Interrupt;
import org.iommu4j.driver.IommuDriver;
import org.iommu4j.driver.ReservedRegion;

/** The fake's software. */
public final class FakeDriver implements IommuDriver {
  /** Provides it. */
  public static final class Provider implements DriverProvider {
    @Override
    public String architecture() {
      return "fake";
    }

    @Override
    public List<Architecture.Option> options() {
      return List.of();
    }

    @Override
    public IommuDriver probe(DriverHost host, Options options) {
      options.finish(List.of());
      return new FakeDriver(host);
    }
  }

  /** Where messages are mapped. */
  private static final long MESSAGES = 0x800_0000;

  private final DriverHost host;
  private final long table;
  private final Map<Integer, FakeDomain> attached = new HashMap<>();
  private Consumer<Fault> handler = f -> {};

  private FakeDriver(DriverHost host) {
    this.host = host;
    this.table = host.frames().allocate(4096);
  }

  @Override
  public Capabilities capabilities() {
    return new Capabilities(
        EnumSet.allOf(DomainType.class),
        1 << 12,
        48,
        48,
        9,
        0,
        0,
        true,
        true,
        false,
        false,
        false,
        false);
  }

  @Override
  public void start() {
    host.registers().write(FakeIommu.TABLE, 8, table);
  }

  @Override
  public Domain createDomain(DomainType type) {
    return new FakeDomain(type);
  }

  @Override
  public Domain createNestedDomain(Domain parent, GuestTable guest) {
    throw new IllegalArgumentException("the fake has no nested domains");
  }

  @Override
  public Domain domainOf(int source) {
    return attached.getOrDefault(source, new FakeDomain(DomainType.BLOCKED));
  }

  @Override
  public Interrupt interrupt(int source, long targetAddress, int targetData) {
    FakeDomain domain = attached.get(source);
    if (domain == null) {
      throw new IllegalStateException("source 0x%x has no domain".formatted(source));
    }
    long page = targetAddress & -4096;
    long iova = MESSAGES + (page & 0xff000);
    domain.map(iova, page, 4096, Access.WRITE);
    return new FakeInterrupt(source, iova | (targetAddress & 4095), targetData);
  }

  @Override
  public List<ReservedRegion> reservedRegions(int source) {
    return List.of();
  }

  @Override
  public void onFault(Consumer<Fault> consumer) {
    handler = consumer;
  }

  @Override
  public void onPageRequest(Consumer<PageRequest> consumer) {}

  @Override
  public void onPosted(Consumer<Interrupt> consumer) {}

  @Override
  public void respond(PageRequest request, int code) {}

  @Override
  public List<String> service() {
    while (true) {
      long kind = host.registers().read(FakeIommu.FAULT_KIND, 8);
      if (kind >= 0) {
        return List.of();
      }
      int access = (int) (kind & 0xff);
      handler.accept(
          new Fault(
              FakeArchitecture.Reason.values()[(int) (kind >>> 8 & 0xff) - 1],
              (int) host.registers().read(FakeIommu.FAULT_SOURCE, 8),
              DmaRequest.NO_PASID,
              "untranslated " + Access.describe(access),
              access,
              host.registers().read(FakeIommu.FAULT_ADDRESS, 8),
              0));
      host.registers().write(FakeIommu.FAULT_KIND, 8, 0);
    }
  }

  @Override
  public List<Integer> attached() {
    return attached.keySet().stream().sorted().toList();
  }

  @Override
  public void close() {
    host.registers().write(FakeIommu.TABLE, 8, 0);
  }

  /** A page of the domain, as long as the driver lives. */
  private record FakeInterrupt(int source, long address, int data) implements Interrupt {
    @Override
    public void retarget(long targetAddress, int targetData) {
      throw new UnsupportedOperationException("the fake's messages stay where they are");
    }

    @Override
    public void post(long descriptor, int vector, boolean urgent) {
      throw new UnsupportedOperationException("the fake posts nothing");
    }

    @Override
    public void close() {}
  }

  private final class FakeDomain implements Domain {
    private record Range(long pa, long size, int permissions) {}

    private final DomainType type;
    private final long list;
    private final TreeMap<Long, Range> ranges = new TreeMap<>();

    FakeDomain(DomainType type) {
      this.type = type;
      this.list = type == DomainType.DMA_STRICT ? host.frames().allocate(4096) : 0;
    }

    @Override
    public DomainType type() {
      return type;
    }

    @Override
    public void attach(int source) {
      attached.put(source, this);
      host.memory()
          .writeLong(table + source * 8L, type == DomainType.IDENTITY ? FakeIommu.IDENTITY : list);
    }

    @Override
    public void attach(int source, int pasid) {
      throw new IllegalArgumentException("the fake has no PASIDs");
    }

    @Override
    public void detach(int source) {
      attached.remove(source);
      host.memory().writeLong(table + source * 8L, 0);
    }

    @Override
    public void detach(int source, int pasid) {
      throw new IllegalArgumentException("the fake has no PASIDs");
    }

    @Override
    public void map(long iova, long pa, long size, int permissions) {
      if (list == 0) {
        throw new IllegalStateException("the domain does not translate");
      }
      var before = ranges.lowerEntry(iova + size);
      if (before != null && before.getKey() + before.getValue().size > iova) {
        throw new IllegalStateException("0x%x is mapped already".formatted(iova));
      }
      ranges.put(iova, new Range(pa, size, permissions));
      store();
    }

    @Override
    public long unmap(long iova, long size) {
      long bytes = 0;
      for (var e : new ArrayList<>(ranges.entrySet())) {
        long first = e.getKey();
        Range r = e.getValue();
        long from = Math.max(first, iova);
        long to = Math.min(first + r.size, iova + size);
        if (from >= to) {
          continue;
        }
        bytes += to - from;
        ranges.remove(first);
        if (first < from) {
          ranges.put(first, new Range(r.pa, from - first, r.permissions));
        }
        if (to < first + r.size) {
          ranges.put(to, new Range(r.pa + to - first, first + r.size - to, r.permissions));
        }
      }
      store();
      return bytes;
    }

    private void store() {
      for (int i = 0; i < FakeIommu.ENTRIES; i++) {
        host.memory().writeLong(list + (long) i * FakeIommu.ENTRY_BYTES + 16, 0);
      }
      int i = 0;
      for (var e : ranges.entrySet()) {
        long at = list + (long) i++ * FakeIommu.ENTRY_BYTES;
        host.memory().writeLong(at, e.getKey());
        host.memory().writeLong(at + 8, e.getValue().pa);
        host.memory().writeLong(at + 16, e.getValue().size);
        host.memory().writeLong(at + 24, e.getValue().permissions);
      }
    }

    @Override
    public Batch batch() {
      return new Batch() {
        @Override
        public long unmap(long iova, long size) {
          return FakeDomain.this.unmap(iova, size);
        }

        @Override
        public void close() {}
      };
    }

    @Override
    public void invalidate(long iova, long size, boolean leafOnly) {
      throw new IllegalStateException("the fake has no nested domains");
    }

    @Override
    public void invalidate(int pasid, long iova, long size, boolean leafOnly) {
      throw new IllegalStateException("the fake has no nested domains");
    }

    @Override
    public long iovaToPhys(long iova) {
      var e = ranges.floorEntry(iova);
      return e == null || iova - e.getKey() >= e.getValue().size
          ? UNMAPPED
          : e.getValue().pa + iova - e.getKey();
    }

    @Override
    public long mapped() {
      return ranges.values().stream().mapToLong(Range::size).sum();
    }

    @Override
    public void close() {
      ranges.clear();
    }
  }
}
