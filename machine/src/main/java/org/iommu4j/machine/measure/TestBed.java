package org.iommu4j.machine.measure;

import java.util.Map;
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

/** One unit with its driver, one device, one domain: where portable workloads take place. */
final class TestBed implements AutoCloseable {
  static final int SOURCE = 0x08;
  static final int PAGES = 4096;
  static final long PAGE = 4096;

  /** Device addresses of the pages. */
  static final long IOVA = 0x1000_0000;

  private static final long RAM = 0x8000_0000L;
  private static final long FRAMES = 64L << 20;

  /** Every second page of memory, so that no two can share a larger entry. */
  private static final long DATA = RAM + FRAMES;

  final PhysicalMemory memory = new PhysicalMemory();
  final Iommu iommu;
  final IommuDriver driver;
  final Domain domain;

  TestBed(Architecture architecture, String cache) {
    memory.addAnonymous(RAM, FRAMES + 2 * PAGES * PAGE + (64L << 20));
    iommu = architecture.create(Options.of(Map.of("cache", cache)), Host.of(memory));
    driver =
        DriverProvider.forArchitecture(architecture.id())
            .probe(
                DriverHost.polling(iommu, memory, new FrameAllocator(memory, RAM, FRAMES)),
                Options.none());
    driver.start();
    domain = driver.createDomain(DomainType.DMA_STRICT);
    domain.attach(SOURCE);
  }

  /** Maps all pages. */
  TestBed filled() {
    for (int i = 0; i < PAGES; i++) {
      domain.map(iova(i), DATA + 2L * i * PAGE, PAGE, Access.READ | Access.WRITE);
    }
    return this;
  }

  static long iova(int page) {
    return IOVA + page * PAGE;
  }

  /** Memory beyond that of the pages. */
  long spare() {
    return DATA + 2 * PAGES * PAGE;
  }

  @Override
  public void close() {
    domain.close();
    driver.close();
    memory.close();
  }
}
