package org.iommu4j.riscv.workload;

import org.iommu4j.core.Options;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.driver.Workload;
import org.iommu4j.riscv.RiscvArchitecture;
import org.iommu4j.riscv.layout.DeviceContext;
import org.iommu4j.riscv.layout.Pte;
import org.iommu4j.riscv.layout.Registers;

/** Translations at random over 4,096 pages, Sv48 over Sv48x4: what a nested guest costs. */
public final class NestedRandomPages implements Workload {
  private static final int PAGES = 4096;
  private static final long PAGE = 4096;
  private static final int SOURCE = 0x08;
  private static final long IOVA = 0x1000_0000L;

  // Where what lies; guest-physical addresses are the physical ones.
  private static final long RAM = 0x8000_0000L;
  private static final long DIRECTORY = RAM;
  private static final long SECOND_ROOT = RAM + 0x4000; // 16 KiB, aligned to its size
  private static final long FIRST_ROOT = RAM + 0x8000;
  private static final long FREE = RAM + 0x9000;
  private static final long DATA = RAM + (1 << 20);

  /** Every second page is one of the device's, so that no two could share a larger entry. */
  private static final long SIZE = (1 << 20) + 2 * PAGES * PAGE;

  private static final int LEVELS = 4;

  @Override
  public String architecture() {
    return "riscv";
  }

  @Override
  public String name() {
    return "nested-random-4096";
  }

  @Override
  public String description() {
    return "random, 4,096 pages, Sv48 over Sv48x4";
  }

  @Override
  public Run open() {
    return new Guest();
  }

  private static final class Guest implements Run {
    private final PhysicalMemory memory = new PhysicalMemory();
    private final Iommu iommu;
    private final DmaRequest request = new DmaRequest().source(SOURCE);
    private final Translation out = new Translation();
    private long free = FREE;

    Guest() {
      memory.addAnonymous(RAM, SIZE);
      for (long pa = RAM; pa < RAM + SIZE; pa += PAGE) {
        map(SECOND_ROOT, pa, pa);
      }
      for (int i = 0; i < PAGES; i++) {
        map(FIRST_ROOT, IOVA + i * PAGE, DATA + 2L * i * PAGE);
      }
      long context = DIRECTORY + SOURCE * DeviceContext.EXTENDED_WORDS * 8L;
      put(context, DeviceContext.TC, DeviceContext.V.of(1));
      put(
          context,
          DeviceContext.IOHGATP,
          DeviceContext.PPN.of(SECOND_ROOT >>> 12)
              | DeviceContext.GSCID.of(1)
              | DeviceContext.MODE.of(DeviceContext.IOHGATP_SV48X4));
      put(context, DeviceContext.TA, DeviceContext.PSCID.of(1));
      put(
          context,
          DeviceContext.FSC,
          DeviceContext.PPN.of(FIRST_ROOT >>> 12)
              | DeviceContext.MODE.of(DeviceContext.IOSATP_SV48));
      iommu = new RiscvArchitecture().create(Options.none(), Host.of(memory));
      iommu.write(
          Registers.DDTP.offset(),
          8,
          Registers.IOMMU_MODE.of(Registers.MODE_1LVL) | Registers.DDTP_PPN.of(DIRECTORY >>> 12));
    }

    private void put(long context, int word, long value) {
      memory.writeLong(context + 8L * word, value);
    }

    /** Both stages look alike; only the root of the second has two more bits of index. */
    private void map(long root, long from, long to) {
      long table = root;
      for (int level = LEVELS - 1; level > 0; level--) {
        long at = table + (from >>> (12 + 9 * level) & 511) * 8;
        long entry = memory.readLong(at);
        if (entry == 0) {
          entry = Pte.V.of(1) | Pte.PPN.of(free >>> 12);
          memory.writeLong(at, entry);
          free += PAGE;
        }
        table = Pte.PPN.get(entry) << 12;
      }
      memory.writeLong(
          table + (from >>> 12 & 511) * 8,
          Pte.V.of(1)
              | Pte.R.of(1)
              | Pte.W.of(1)
              | Pte.U.of(1)
              | Pte.A.of(1)
              | Pte.D.of(1)
              | Pte.PPN.of(to >>> 12));
    }

    @Override
    public void run(int operations, Clock clock) {
      long sum = 0;
      int x = 1;
      clock.start();
      for (int i = 0; i < operations; i++) {
        x = x * 0x343F_D5 + 0x26_9EC3; // the upper 12 bits are as good as random
        request.iova(IOVA + (x >>> 20) * PAGE);
        if (!iommu.translate(request, out)) {
          throw new IllegalStateException("blocked: " + out.reason());
        }
        sum += out.pa();
      }
      clock.stop();
      if (sum == 0) {
        throw new IllegalStateException("every page leads to 0");
      }
    }

    @Override
    public void close() {
      memory.close();
    }
  }
}
