package org.iommu4j.core.testing;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * Random tests that can be repeated: a failure names its seed, and a failing sequence is shrunk by
 * leaving out halves, quarters, ... as long as it still fails.
 *
 * <pre>{@code
 * Property.ofSequences("map and unmap", 200, 60, steps).holds(sequence -> {
 *   ... play the steps against the subject and a slow oracle, and compare ...
 * });
 * }</pre>
 *
 * <p>Every build runs the same sequences, so that it fails for what a change did and not for what
 * chance found. Chance is asked for: {@code -Diommu4j.seed=random} begins anywhere, {@code
 * -Diommu4j.runs=N} multiplies the number of runs by N, and {@code -Diommu4j.seed=0x...} repeats
 * one run.
 */
public final class Property<T> {
  private static final int SHRINK_TRIALS = 2_000;

  /** Odd, and about the golden ratio of 2^64: near numbers become far ones. */
  private static final long SPREAD = 0x9E37_79B9_7F4A_7C15L;

  private final String name;
  private final int runs;
  private final Gen<List<T>> sequences;

  private Property(String name, int runs, Gen<List<T>> sequences) {
    this.name = name;
    this.runs = runs;
    this.sequences = sequences;
  }

  /** Sequences of 1 to {@code longest} steps. */
  public static <T> Property<T> ofSequences(
      String name, int runs, int longest, Gen<? extends T> step) {
    return new Property<>(
        name,
        runs,
        random -> {
          int length = random.nextInt(1, longest + 1);
          List<T> steps = new ArrayList<>(length);
          for (int i = 0; i < length; i++) {
            steps.add(step.next(random));
          }
          return steps;
        });
  }

  /** Single values. */
  public static <T> Property<T> of(String name, int runs, Gen<? extends T> value) {
    return new Property<>(name, runs, random -> List.of(value.next(random)));
  }

  /** The generator that all random tests use. */
  public static RandomGenerator random(long seed) {
    return RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
  }

  /** For properties of single values. */
  public void holdsForEach(Consumer<T> check) {
    holds(sequence -> check.accept(sequence.getFirst()));
  }

  /**
   * Runs the check with one random sequence after another.
   *
   * @param check throws if the property does not hold; it starts from nothing every time
   */
  public void holds(Consumer<List<T>> check) {
    String given = System.getProperty("iommu4j.seed", "");
    long first =
        switch (given) {
          case "" -> SPREAD * name.hashCode();
          case "random" -> SPREAD * System.nanoTime();
          default -> Long.parseUnsignedLong(given.substring(2), 16);
        };
    int count = repeatsOne() ? 1 : runs * Integer.getInteger("iommu4j.runs", 1);
    for (int run = 0; run < count; run++) {
      long seed = first + run;
      List<T> steps = sequences.next(random(seed));
      Throwable failure = failure(check, steps);
      if (failure != null) {
        throw report(seed, run, steps, check, failure);
      }
    }
  }

  /**
   * One run of one property is to be repeated: what is true of many runs need not be of this one.
   */
  public static boolean repeatsOne() {
    return System.getProperty("iommu4j.seed", "random").startsWith("0x");
  }

  private AssertionError report(
      long seed, int run, List<T> steps, Consumer<List<T>> check, Throwable failure) {
    List<T> least = steps;
    Throwable reason = failure;
    int trials = 0;
    for (int part = (least.size() + 1) / 2; part >= 1 && least.size() > 1; ) {
      boolean shorter = false;
      for (int from = 0; from < least.size() && trials < SHRINK_TRIALS; ) {
        List<T> candidate = new ArrayList<>(least.subList(0, from));
        candidate.addAll(least.subList(Math.min(from + part, least.size()), least.size()));
        trials++;
        Throwable again = candidate.isEmpty() ? null : failure(check, candidate);
        if (again == null) {
          from += part;
        } else {
          least = candidate;
          reason = again;
          shorter = true;
        }
      }
      part = shorter && part == 1 && trials < SHRINK_TRIALS ? 1 : part / 2;
    }
    StringBuilder text = new StringBuilder();
    text.append(
        "%s: run %d fails, repeat it with -Diommu4j.seed=0x%x%n".formatted(name, run, seed));
    text.append("%d steps, of %d before shrinking:%n".formatted(least.size(), steps.size()));
    for (T step : least) {
      text.append("  ").append(step).append(System.lineSeparator());
    }
    text.append(reason);
    return new AssertionError(text.toString(), reason);
  }

  private static <T> Throwable failure(Consumer<List<T>> check, List<T> steps) {
    try {
      check.accept(steps);
      return null;
    } catch (RuntimeException | Error e) {
      return e;
    }
  }
}
