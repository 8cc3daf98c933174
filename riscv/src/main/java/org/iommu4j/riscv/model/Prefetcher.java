package org.iommu4j.riscv.model;

import org.iommu4j.core.dma.DmaRequest;

/**
 * Worst-case behaviour: the pages next to the one that was walked are cached, too. The
 * specification lets a unit walk for addresses that nobody asked for, as long as nothing is
 * reported and only valid entries are kept. §3.8.2.
 */
final class Prefetcher {
  private Prefetcher() {}

  static void neighbours(Setup s, RiscvIommu unit, DmaRequest request) {
    Workspace w = new Workspace(unit);
    DmaRequest guess = new DmaRequest().copyFrom(request);
    speculate(s, w, guess, request.iova() + 4096);
    speculate(s, w, guess, request.iova() - 4096);
  }

  private static void speculate(Setup s, Workspace w, DmaRequest guess, long iova) {
    // Only what needs no A/D update, and with the counters off: neither may be seen.
    if (!s.counting) {
      w.speculative = true;
      int ignored = Translator.translate(s, w, guess.iova(iova));
    }
  }
}
