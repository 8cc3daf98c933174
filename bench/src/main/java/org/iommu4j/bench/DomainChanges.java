package org.iommu4j.bench;

import java.util.concurrent.TimeUnit;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.Options;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.DomainType;
import org.iommu4j.driver.DriverHost;
import org.iommu4j.driver.DriverProvider;
import org.iommu4j.driver.FrameAllocator;
import org.iommu4j.driver.IommuDriver;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Mapping and unmapping through the portable API, a device attached, its caches normal. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 6, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Fork(3)
public class DomainChanges {
  private static final long RAM = 0x8000_0000L;
  private static final long TABLE = 2L << 20;
  private static final int N = 256;
  private static final int RW = Access.READ | Access.WRITE;

  /** A driver, and a domain with one page at the end of each of 256 lowest tables. */
  @State(Scope.Thread)
  public static class Prepared {
    /** Architectures. */
    @Param({"riscv", "vtd", "amdvi"})
    public String architecture;

    PhysicalMemory memory;
    IommuDriver driver;
    Domain domain;

    /** One page off against the device address: only the smallest pages fit. */
    final long pa = RAM + (256L << 20) + 4096;

    /** Unit, driver, tables. */
    @Setup
    public void setUp() {
      memory = new PhysicalMemory();
      memory.addAnonymous(RAM, 512L << 20);
      Iommu unit = Architecture.named(architecture).create(Options.none(), Host.of(memory));
      FrameAllocator frames = new FrameAllocator(memory, RAM, 128L << 20);
      driver =
          DriverProvider.forArchitecture(architecture)
              .probe(DriverHost.polling(unit, memory, frames), Options.none());
      driver.start();
      domain = driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(8);
      for (int i = 0; i < N; i++) {
        domain.map((i + 1) * TABLE - 4096, pa, 4096, RW);
      }
    }

    /** As it was before the benchmark's method. */
    @Setup(Level.Invocation)
    public void unmap() {
      try (Domain.Batch batch = domain.batch()) {
        for (int i = 0; i < N; i++) {
          batch.unmap(i * TABLE, TABLE / 2);
        }
      }
    }

    /** Frees the memory. */
    @TearDown
    public void tearDown() {
      driver.close();
      memory.close();
    }
  }

  /** One page after another, all in one table. */
  @Benchmark
  @OperationsPerInvocation(N)
  public void mapPage(Prepared p) {
    for (int i = 0; i < N; i++) {
      p.domain.map((long) i << 12, p.pa, 4096, RW);
    }
  }

  /** One page in each table. */
  @Benchmark
  @OperationsPerInvocation(N)
  public void mapScatteredPage(Prepared p) {
    for (int i = 0; i < N; i++) {
      p.domain.map(i * TABLE, p.pa, 4096, RW);
    }
  }

  /** 256 consecutive pages, in each table. */
  @Benchmark
  @OperationsPerInvocation(N)
  public void map256Pages(Prepared p) {
    for (int i = 0; i < N; i++) {
      p.domain.map(i * TABLE, p.pa, 1 << 20, RW);
    }
  }

  /** 256 consecutive pages that fit larger ones, in each table. */
  @Benchmark
  @OperationsPerInvocation(N)
  public void map256AlignedPages(Prepared p) {
    for (int i = 0; i < N; i++) {
      p.domain.map(i * TABLE, p.pa - 4096, 1 << 20, RW);
    }
  }

  /** A page, mapped and unmapped with its invalidation waited for. */
  @Benchmark
  @OperationsPerInvocation(N)
  public void mapAndUnmapPage(Prepared p) {
    for (int i = 0; i < N; i++) {
      p.domain.map((long) i << 12, p.pa, 4096, RW);
      p.domain.unmap((long) i << 12, 4096);
    }
  }

  /** The same with one wait for 64 pages. */
  @Benchmark
  @OperationsPerInvocation(N)
  public void mapAndUnmapPageInBatches(Prepared p) {
    for (int i = 0; i < N; i += 64) {
      try (Domain.Batch batch = p.domain.batch()) {
        for (int k = i; k < i + 64; k++) {
          p.domain.map((long) k << 12, p.pa, 4096, RW);
          batch.unmap((long) k << 12, 4096);
        }
      }
    }
  }
}
