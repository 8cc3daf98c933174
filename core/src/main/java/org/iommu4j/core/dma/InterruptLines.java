package org.iommu4j.core.dma;

/**
 * The wires through which a unit signals its own interrupts when it does not send messages. Called
 * from within the unit: implementations only latch, and never call back into it.
 */
@FunctionalInterface
public interface InterruptLines {
  /** Wires that lead nowhere. */
  InterruptLines NONE = (line, level) -> {};

  /** Drives wire {@code line}. */
  void set(int line, boolean level);
}
