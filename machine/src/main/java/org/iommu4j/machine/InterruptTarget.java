package org.iommu4j.machine;

import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntUnaryOperator;
import org.iommu4j.core.memory.Mmio;

/**
 * What takes interrupt messages of one CPU or guest: a page at whose first word a 4-byte write
 * latches the identity written. It only latches, so a device's access never runs a handler.
 *
 * <p>Choice: any other access is ignored and reads 0, as RISC-V's interrupt files do.
 */
public final class InterruptTarget implements Mmio {
  /** Bytes of the page. */
  public static final long BYTES = 4096;

  private final String name;
  private final long base;
  private final IntUnaryOperator identity;
  private final Map<Integer, Long> latched = new TreeMap<>();
  private long stray;

  /**
   * A target whose page is at {@code base}.
   *
   * @param identity makes the identity of a message's data
   */
  public InterruptTarget(String name, long base, IntUnaryOperator identity) {
    this.name = name;
    this.base = base;
    this.identity = identity;
  }

  /** Its name. */
  public String name() {
    return name;
  }

  /** The physical address of its page. */
  public long base() {
    return base;
  }

  @Override
  public long read(long offset, int size) {
    return 0;
  }

  @Override
  public synchronized void write(long offset, int size, long value) {
    if (offset == 0 && size == 4) {
      latched.merge(identity.applyAsInt((int) value), 1L, Long::sum);
    } else {
      stray++;
    }
  }

  /** How often each identity was latched. */
  public synchronized Map<Integer, Long> latched() {
    return new TreeMap<>(latched);
  }

  /** How often this identity was latched. */
  public synchronized long count(int identity) {
    return latched.getOrDefault(identity, 0L);
  }

  /** Writes that were no message. */
  public synchronized long stray() {
    return stray;
  }
}
