package org.iommu4j.bench;

import java.util.Arrays;
import java.util.List;

/**
 * What {@link UncachedWalk} compares, in turn: a batch of walks, a batch of the same loads, and so
 * on. JMH measures one after the other in JVMs of their own, and where processors change their
 * speed meanwhile, or others use them, its two figures have no common measure. Two batches side by
 * side have.
 *
 * <pre>bin/java25 ... -cp bench/target/benchmarks.jar org.iommu4j.bench.InTurn</pre>
 */
public final class InTurn {
  private static final int BATCH = 8192;
  private static final int BATCHES = 600;

  /** By then everything is compiled. */
  private static final int WARM_UP = BATCHES / 3;

  private InTurn() {}

  /** Prints nanoseconds of a walk, of its loads, and how they compare; half a minute in all. */
  public static void main(String[] arguments) {
    System.out.printf("%-8s %-15s %8s %8s %8s%n", "", "", "walk", "loads", "times");
    for (String architecture : List.of("riscv", "vtd", "amdvi")) {
      for (Shape shape : List.of(Shape.THREE_LEVELS, Shape.FOUR_OVER_FOUR)) {
        compare(architecture, shape);
      }
    }
  }

  /** The medians: of each, and of the quotients of neighbours. */
  private static void compare(String architecture, Shape shape) {
    UncachedWalk benchmark = new UncachedWalk();
    benchmark.architecture = architecture;
    benchmark.shape = shape;
    benchmark.pages = Pages.SCATTERED;
    benchmark.setUp();
    double[] walks = new double[BATCHES - WARM_UP];
    double[] loads = new double[BATCHES - WARM_UP];
    double[] times = new double[BATCHES - WARM_UP];
    long sum = 0;
    for (int batch = 0; batch < BATCHES; batch++) {
      long start = System.nanoTime();
      sum += walks(benchmark);
      long between = System.nanoTime();
      sum += loads(benchmark);
      long end = System.nanoTime();
      int n = batch - WARM_UP;
      if (n >= 0) {
        walks[n] = (double) (between - start) / BATCH;
        loads[n] = (double) (end - between) / BATCH;
        times[n] = walks[n] / loads[n];
      }
    }
    benchmark.tearDown();
    if (sum == 0) {
      throw new IllegalStateException("nothing was translated");
    }
    System.out.printf(
        "%-8s %-15s %8.1f %8.1f %8.2f%n",
        architecture, shape, median(walks), median(loads), median(times));
  }

  private static long walks(UncachedWalk benchmark) {
    long sum = 0;
    for (int i = 0; i < BATCH; i++) {
      sum += benchmark.walk();
    }
    return sum;
  }

  private static long loads(UncachedWalk benchmark) {
    long sum = 0;
    for (int i = 0; i < BATCH; i++) {
      sum += benchmark.loads();
    }
    return sum;
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }
}
