package org.iommu4j.bench.stress;

import java.util.concurrent.atomic.AtomicInteger;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.Options;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaPort;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.DomainType;
import org.iommu4j.driver.DriverHost;
import org.iommu4j.driver.DriverProvider;
import org.iommu4j.driver.FrameAllocator;
import org.iommu4j.driver.IommuDriver;

/** One machine for all states of a test: each state has a page of its own, each thread a port. */
final class StressMachine {
  static final long OLD = 1;
  static final long REUSED = 2;
  static final long DIRTY = 3;

  private static final int SOURCE = 8;
  private static final long TABLES = 0x8000_0000L;
  private static final long DATA = 0x9000_0000L;
  private static final long IOVA = 0x1_0000_0000L;

  /** More than the states that are alive at a time. */
  private static final int PAGES = 1 << 16;

  private static final PhysicalMemory MEMORY = new PhysicalMemory();
  private static final Iommu IOMMU;
  private static final Domain DOMAIN;
  private static final AtomicInteger NEXT = new AtomicInteger();
  private static final ThreadLocal<DmaPort> PORT = ThreadLocal.withInitial(StressMachine::newPort);

  static {
    MEMORY.addAnonymous(TABLES, 64 << 20);
    MEMORY.addAnonymous(DATA, 4096L * PAGES);
    IOMMU = Architecture.named("riscv").create(Options.none(), Host.of(MEMORY));
    FrameAllocator frames = new FrameAllocator(MEMORY, TABLES, 64 << 20);
    IommuDriver driver =
        DriverProvider.forArchitecture("riscv")
            .probe(DriverHost.polling(IOMMU, MEMORY, frames), Options.none());
    driver.start();
    DOMAIN = driver.createDomain(DomainType.DMA_STRICT);
    DOMAIN.attach(SOURCE);
  }

  private StressMachine() {}

  private static DmaPort newPort() {
    return new DmaPort(IOMMU, MEMORY, SOURCE);
  }

  /** Maps a page that holds {@link #OLD}, and returns its number. */
  static int mapPage() {
    int page = NEXT.getAndIncrement() & PAGES - 1;
    MEMORY.writeLong(pa(page), OLD);
    DOMAIN.map(iova(page), pa(page), 4096, Access.READ | Access.WRITE);
    return page;
  }

  /** What a kernel does: takes the page away from the device, then gives it to somebody else. */
  static void unmapAndReuse(int page) {
    DOMAIN.unmap(iova(page), 4096);
    MEMORY.writeLong(pa(page), REUSED);
  }

  /** A read by the device: the data, or 0 if it was blocked. */
  static long read(int page) {
    DmaPort port = PORT.get();
    return port.readLong(iova(page)) ? port.value() : 0;
  }

  /** A write by the device; whether it was carried out. */
  static boolean write(int page, long value) {
    return PORT.get().writeLong(iova(page), value);
  }

  /** What the page holds now. */
  static long content(int page) {
    return MEMORY.readLong(pa(page));
  }

  private static long pa(int page) {
    return DATA + 4096L * page;
  }

  private static long iova(int page) {
    return IOVA + 4096L * page;
  }
}
