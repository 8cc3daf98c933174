package org.iommu4j.bench;

import java.util.Map;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.memory.PhysicalMemory;

/**
 * One unit with one device, whose tables are built in memory as software would build them: what
 * benchmarks and stress tests work on, whatever the architecture.
 *
 * <p>Table pages are scattered over memory, as on a system that has been up for a while.
 */
public interface Machine extends AutoCloseable {
  /**
   * A machine.
   *
   * @param architecture id of the architecture, for example {@code riscv}
   * @param count pages mapped
   * @param options settings of the unit
   */
  static Machine create(
      String architecture, Shape shape, Pages pages, int count, Map<String, String> options) {
    return switch (architecture) {
      case "riscv" -> new RiscvMachine(shape, pages, count, options);
      case "amdvi" -> new AmdviMachine(shape, pages, count, options);
      case "vtd" -> new VtdMachine(shape, pages, count, options);
      default ->
          throw new IllegalArgumentException("no machine for architecture '" + architecture + "'");
    };
  }

  /** The physical address space. */
  PhysicalMemory memory();

  /** The unit. */
  Iommu iommu();

  /** Requester id of the device. */
  int source();

  /** First device address of page {@code n}. */
  long iova(int n);

  /** Where page {@code n} leads. */
  long pa(int n);

  /** Takes page {@code n} out of the tables. Caches may still know it. */
  void clear(int n);

  /** Maps page {@code n} again. */
  void restore(int n);

  /**
   * Has the unit forget what it cached about page {@code n}, and returns when the unit reports that
   * as complete.
   */
  void invalidate(int n);

  @Override
  void close();
}
