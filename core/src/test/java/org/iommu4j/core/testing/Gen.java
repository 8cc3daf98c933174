package org.iommu4j.core.testing;

import java.util.List;
import java.util.random.RandomGenerator;

/** Makes random values of one kind; the same generator state gives the same value. */
@FunctionalInterface
public interface Gen<T> {
  /** One value. */
  T next(RandomGenerator random);

  /** One of the given values, all equally likely. */
  @SafeVarargs
  static <T> Gen<T> oneOf(T... values) {
    List<T> all = List.of(values);
    return random -> all.get(random.nextInt(all.size()));
  }

  /** A value of one of the given kinds, all equally likely; repeat a kind to make it likelier. */
  @SafeVarargs
  static <T> Gen<T> anyOf(Gen<? extends T>... kinds) {
    List<Gen<? extends T>> all = List.of(kinds);
    return random -> all.get(random.nextInt(all.size())).next(random);
  }

  /** A whole number within {@code min..max}, both included. */
  static Gen<Integer> integers(int min, int max) {
    return random -> random.nextInt(min, max + 1);
  }

  /** A multiple of {@code step} within {@code [0, limit)}. */
  static Gen<Long> multiples(long step, long limit) {
    return random -> random.nextLong(limit / step) * step;
  }
}
