package org.iommu4j.machine.measure;

import java.util.List;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Inspector;
import org.iommu4j.core.memory.MemoryRegion;
import org.iommu4j.driver.Workload;

/**
 * Nothing but the loads of the entries that a walk reads, each entry waiting for the one before,
 * the words of one entry not for each other: what no walker can do without. The pages and their
 * order are those of the random workloads.
 */
final class BareLoads implements Workload.Run {
  private final MemoryRegion region;

  /** For each page the addresses of its entries' words, one after the other. */
  private final long[] words;

  private final int wordsPerPage;

  /** Where in a page's words each entry begins; the end after the last. */
  private final int[] starts;

  /** Always 0, which the compiler does not know: it ties each load to the one before. */
  private long zero;

  private long sum;

  BareLoads(TestBed bed) {
    region = bed.memory.regions().getFirst();
    Inspector inspector = bed.iommu.inspector();
    List<Inspector.Step> shape = steps(inspector, 0);
    starts = new int[shape.size() + 1];
    for (int i = 0; i < shape.size(); i++) {
      starts[i + 1] = starts[i] + shape.get(i).raw().size();
    }
    wordsPerPage = starts[shape.size()];
    words = new long[TestBed.PAGES * wordsPerPage];
    int at = 0;
    for (int page = 0; page < TestBed.PAGES; page++) {
      for (Inspector.Step s : steps(inspector, page)) {
        for (int w = 0; w < s.raw().size(); w++) {
          words[at++] = s.address() + 8L * w;
        }
      }
    }
  }

  private static List<Inspector.Step> steps(Inspector inspector, int page) {
    DmaRequest request =
        new DmaRequest().source(TestBed.SOURCE).iova(TestBed.iova(page)).access(Access.READ);
    return inspector.walk(request).steps();
  }

  @Override
  public void run(int operations, Workload.Clock clock) {
    long[] w = words;
    MemoryRegion r = region;
    int n = wordsPerPage;
    int[] entry = starts;
    long none = zero;
    long last = 0;
    long total = 0;
    int x = 1;
    clock.start();
    for (int i = 0; i < operations; i++) {
      x = x * 0x343F_D5 + 0x26_9EC3;
      int at = (x >>> 20) * n;
      for (int e = 0; e + 1 < entry.length; e++) {
        long wait = last & none;
        last = r.getLong(w[at + entry[e]] + wait);
        for (int k = entry[e] + 1; k < entry[e + 1]; k++) {
          last ^= r.getLong(w[at + k] + wait);
        }
      }
      total += last;
    }
    clock.stop();
    sum += total;
    if (sum == 0) {
      zero = 0;
      throw new IllegalStateException("every entry that was loaded is 0");
    }
  }

  @Override
  public void close() {}
}
