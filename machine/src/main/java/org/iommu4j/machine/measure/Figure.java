package org.iommu4j.machine.measure;

/**
 * One measured figure.
 *
 * @param name {@code architecture.workload}
 * @param description what one operation is
 * @param nanos median nanoseconds of one operation
 * @param bytesPerOp bytes allocated by one operation
 * @param bareNanos nanoseconds of what the operation cannot do without; 0 if there is no such thing
 */
public record Figure(
    String name, String description, double nanos, double bytesPerOp, double bareNanos) {
  /** How many times the bare time the operation takes; 0 if there is no bare time. */
  public double ratio() {
    return bareNanos == 0 ? 0 : nanos / bareNanos;
  }
}
