package org.iommu4j.machine.measure;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.ServiceLoader;
import java.util.function.Consumer;
import org.iommu4j.core.Architecture;
import org.iommu4j.driver.Workload;
import org.jspecify.annotations.Nullable;

/**
 * Measures all workloads that are there: warm-up, then the median of several rounds.
 *
 * <p>A figure from one short run in a JVM that also runs other things: good to see whether a
 * machine or a build is slow, no replacement for JMH.
 */
public final class Measurement {
  private static final int ROUNDS = 15;
  private static final double WARM_UP = 0.4;
  private static final double LONGEST = 3;
  private static final int FIRST = 1000;

  private Measurement() {}

  /** The workloads of every architecture that is present, the portable ones first. */
  public static List<Workload> workloads() {
    List<Workload> all = new ArrayList<>();
    List<Workload> own =
        ServiceLoader.load(Workload.class).stream().map(ServiceLoader.Provider::get).toList();
    for (Architecture a : Architecture.all()) {
      all.addAll(PortableWorkloads.of(a));
      own.stream().filter(w -> w.architecture().equals(a.id())).forEach(all::add);
    }
    return all;
  }

  /**
   * Measures workloads.
   *
   * @param seconds how long in all, at most
   * @param next told which workload is measured now
   */
  public static List<Figure> measure(
      List<Workload> workloads, double seconds, Consumer<Workload> next) {
    double each = Math.min(LONGEST, seconds / Math.max(1, workloads.size()));
    List<Figure> figures = new ArrayList<>();
    for (Workload w : workloads) {
      next.accept(w);
      figures.add(measure(w, each));
    }
    return figures;
  }

  private static Figure measure(Workload w, double seconds) {
    try (Workload.Run run = w.open()) {
      Workload.@Nullable Run bare = run.bare();
      double share = bare == null ? seconds : seconds / 2;
      double[] own = rounds(run, share);
      double unavoidable = bare == null ? 0 : rounds(bare, share)[0];
      return new Figure(
          w.architecture() + "." + w.name(), w.description(), own[0], own[1], unavoidable);
    }
  }

  /** Nanoseconds and bytes of one operation. */
  private static double[] rounds(Workload.Run run, double seconds) {
    Stopwatch clock = new Stopwatch();
    // How many operations fill a round is found while warming up.
    long round = (long) (seconds * (1 - WARM_UP) / ROUNDS * 1e9);
    long end = System.nanoTime() + (long) (seconds * WARM_UP * 1e9);
    int operations = FIRST;
    do {
      clock.reset();
      long start = System.nanoTime();
      run.run(operations, clock);
      long taken = Math.max(1, System.nanoTime() - start);
      double fitting = (double) operations * round / taken;
      operations = (int) Math.clamp(fitting, FIRST, 4.0 * operations);
    } while (System.nanoTime() < end);
    double[] nanos = new double[ROUNDS];
    double[] bytes = new double[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
      clock.reset();
      run.run(operations, clock);
      nanos[i] = (double) clock.nanos() / operations;
      bytes[i] = (double) clock.bytes() / operations;
    }
    Arrays.sort(nanos);
    Arrays.sort(bytes);
    return new double[] {nanos[ROUNDS / 2], bytes[ROUNDS / 2]};
  }
}
