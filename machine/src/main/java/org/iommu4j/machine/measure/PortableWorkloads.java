package org.iommu4j.machine.measure;

import java.util.List;
import java.util.function.Function;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaPort;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.Workload;

/** What every architecture is measured by, through the portable API. */
final class PortableWorkloads {
  /** Pages that hits go to in turn. */
  private static final int HOT = 16;

  private PortableWorkloads() {}

  private record Named(
      Architecture of, String name, String description, Function<Architecture, Workload.Run> opener)
      implements Workload {
    @Override
    public String architecture() {
      return of.id();
    }

    @Override
    public Workload.Run open() {
      return opener.apply(of);
    }
  }

  static List<Workload> of(Architecture a) {
    return List.of(
        new Named(a, "iotlb-hit", "translation, 16 pages, all in the IOTLB", Hits::new),
        new Named(a, "dma-read-8", "8-byte read of a device, 16 pages", Reads::new),
        new Named(a, "random-4096", "translation, random over 4,096 pages", RandomPages::new),
        new Named(a, "walk", "translation without caches", Walks::new),
        new Named(a, "map-4k", "map one page of 4 KiB", arch -> new Maps(arch, 1)),
        new Named(
            a, "map-256x4k", "map 256 pages of 4 KiB in one call", arch -> new Maps(arch, 256)));
  }

  private static void demand(boolean translated) {
    if (!translated) {
      throw new IllegalStateException("an access that is mapped was blocked");
    }
  }

  private static final class Hits implements Workload.Run {
    private final TestBed bed;
    private final Iommu iommu;
    private final DmaRequest request = new DmaRequest().source(TestBed.SOURCE);
    private final Translation out = new Translation();

    Hits(Architecture a) {
      bed = new TestBed(a, "normal").filled();
      iommu = bed.iommu;
    }

    @Override
    public void run(int operations, Workload.Clock clock) {
      long sum = 0;
      clock.start();
      for (int i = 0; i < operations; i++) {
        request.iova(TestBed.iova(i & (HOT - 1)));
        demand(iommu.translate(request, out));
        sum += out.pa();
      }
      clock.stop();
      demand(sum != 0);
    }

    @Override
    public void close() {
      bed.close();
    }
  }

  private static final class Reads implements Workload.Run {
    private final TestBed bed;
    private final DmaPort port;

    Reads(Architecture a) {
      bed = new TestBed(a, "normal").filled();
      port = new DmaPort(bed.iommu, bed.memory, TestBed.SOURCE);
    }

    @Override
    public void run(int operations, Workload.Clock clock) {
      long sum = 0;
      clock.start();
      for (int i = 0; i < operations; i++) {
        demand(port.readLong(TestBed.iova(i & (HOT - 1))));
        sum += port.value();
      }
      clock.stop();
      demand(sum == 0);
    }

    @Override
    public void close() {
      port.close();
      bed.close();
    }
  }

  private static final class RandomPages implements Workload.Run {
    private final TestBed bed;
    private final Iommu iommu;
    private final DmaRequest request = new DmaRequest().source(TestBed.SOURCE);
    private final Translation out = new Translation();

    RandomPages(Architecture a) {
      bed = new TestBed(a, "normal").filled();
      iommu = bed.iommu;
    }

    @Override
    public void run(int operations, Workload.Clock clock) {
      long sum = 0;
      int x = 1;
      clock.start();
      for (int i = 0; i < operations; i++) {
        x = next(x);
        request.iova(TestBed.iova(x >>> 20));
        demand(iommu.translate(request, out));
        sum += out.pa();
      }
      clock.stop();
      demand(sum != 0);
    }

    /** The upper 12 bits are as good as random. */
    static int next(int x) {
      return x * 0x343F_D5 + 0x26_9EC3;
    }

    @Override
    public void close() {
      bed.close();
    }
  }

  /**
   * Walks of which each waits for the result of the one before: how long one takes, not how many
   * fit side by side.
   */
  private static final class Walks implements Workload.Run {
    private final TestBed bed;
    private final Iommu iommu;
    private final DmaRequest request = new DmaRequest().source(TestBed.SOURCE);
    private final Translation out = new Translation();

    /** Always 0, which the compiler does not know. */
    private long zero;

    Walks(Architecture a) {
      bed = new TestBed(a, "off").filled();
      iommu = bed.iommu;
    }

    @Override
    public void run(int operations, Workload.Clock clock) {
      long none = zero;
      long before = 0;
      int x = 1;
      clock.start();
      for (int i = 0; i < operations; i++) {
        x = RandomPages.next(x);
        request.iova(TestBed.iova(x >>> 20) + (before & none));
        demand(iommu.translate(request, out));
        before = out.pa();
      }
      clock.stop();
      demand(before != 0);
      zero = none;
    }

    @Override
    public Workload.Run bare() {
      return new BareLoads(bed);
    }

    @Override
    public void close() {
      bed.close();
    }
  }

  /**
   * Mapping, each time into tables that are there: one page of every 2 MiB stays mapped, so that
   * unmapping, which is not measured, does not take the tables away.
   */
  private static final class Maps implements Workload.Run {
    private static final int CHUNK = 256;
    private static final long TABLE = 2L << 20;
    private static final long ANCHOR = 1L << 20;
    private static final long BASE = 0x4000_0000L;

    private final TestBed bed;
    private final Domain domain;
    private final long size;
    private final long stride;

    /** One page off against the device address, so that only the smallest pages fit. */
    private final long pa;

    Maps(Architecture a, int pages) {
      bed = new TestBed(a, "normal");
      domain = bed.domain;
      size = pages * TestBed.PAGE;
      stride = pages == 1 ? size : TABLE;
      pa = (bed.spare() + TABLE - 1 & -TABLE) + TestBed.PAGE;
      for (long at = 0; at < CHUNK * stride; at += TABLE) {
        domain.map(BASE + at + ANCHOR, pa, TestBed.PAGE, Access.READ);
      }
    }

    @Override
    public void run(int operations, Workload.Clock clock) {
      for (int done = 0; done < operations; done += CHUNK) {
        int n = Math.min(CHUNK, operations - done);
        clock.start();
        for (int i = 0; i < n; i++) {
          domain.map(BASE + i * stride, pa, size, Access.READ | Access.WRITE);
        }
        clock.stop();
        try (Domain.Batch batch = domain.batch()) {
          for (int i = 0; i < n; i++) {
            batch.unmap(BASE + i * stride, size);
          }
        }
      }
    }

    @Override
    public void close() {
      bed.close();
    }
  }
}
