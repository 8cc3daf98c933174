package org.iommu4j.core;

import java.util.List;
import org.iommu4j.core.Architecture.Option;
import org.iommu4j.core.iotlb.CacheBehaviour;
import org.iommu4j.core.iotlb.Geometry;
import org.iommu4j.core.iotlb.Replacement;

/**
 * How a unit caches: the settings that all architectures share.
 *
 * @param behaviour how much is cached
 * @param microTlb entries of each thread's micro-TLB; 1 where it is not used
 * @param iotlb shape of the IOTLB
 * @param walkCache shape of each paging-structure cache
 */
public record CacheSettings(
    CacheBehaviour behaviour, int microTlb, Geometry iotlb, Geometry walkCache) {
  /** The smallest shape: of a cache that is never filled. */
  public static final Geometry NONE = new Geometry(1, 1, Replacement.FIFO);

  /** The settings, for a unit's list of options. */
  public static final List<Option> OPTIONS =
      List.of(
          new Option("cache", "off|normal|worst-case", "normal", "how much is cached"),
          new Option(
              "micro_tlb", "power of two", "64", "entries in front of it, per device thread"),
          new Option("iotlb.sets", "power of two", "2048", "sets of the IOTLB"),
          new Option("iotlb.ways", "1..64", "4", "ways of the IOTLB"),
          new Option("iotlb.replacement", "fifo|random|lru", "fifo", "replacement of the IOTLB"),
          new Option("walk_cache.sets", "power of two", "256", "sets of each walk cache"),
          new Option("walk_cache.ways", "1..64", "4", "ways of each walk cache"),
          new Option(
              "walk_cache.replacement", "fifo|random|lru", "fifo", "replacement of walk caches"));

  /**
   * Takes the settings from a unit's options.
   *
   * @throws Options.InvalidOption if one cannot be used
   */
  public static CacheSettings of(Options o) {
    CacheBehaviour cache = o.choice("cache", CacheBehaviour.class, CacheBehaviour.NORMAL);
    return new CacheSettings(
        cache,
        microTlb(o, cache),
        geometry(o, "iotlb", iotlb(cache)),
        geometry(o, "walk_cache", walkCache(cache)));
  }

  private static Geometry iotlb(CacheBehaviour cache) {
    return switch (cache) {
      case OFF -> NONE;
      case NORMAL -> Geometry.DEFAULT;
      case WORST_CASE -> new Geometry(4096, 8, Replacement.FIFO);
    };
  }

  private static Geometry walkCache(CacheBehaviour cache) {
    return switch (cache) {
      case OFF -> NONE;
      case NORMAL -> new Geometry(256, 4, Replacement.FIFO);
      case WORST_CASE -> new Geometry(1024, 4, Replacement.FIFO);
    };
  }

  private static int microTlb(Options o, CacheBehaviour cache) {
    int entries = o.integer("micro_tlb", 64, 1, 1 << 12);
    if (Integer.bitCount(entries) != 1) {
      throw new Options.InvalidOption("micro_tlb", entries + " is not a power of two");
    }
    return cache == CacheBehaviour.NORMAL ? entries : 1; // the others do without
  }

  private static Geometry geometry(Options o, String prefix, Geometry standard) {
    int sets = o.integer(prefix + ".sets", standard.sets(), 1, 1 << 20);
    int ways = o.integer(prefix + ".ways", standard.ways(), 1, 64);
    Replacement replacement =
        o.choice(prefix + ".replacement", Replacement.class, standard.replacement());
    if (Integer.bitCount(sets) != 1) {
      throw new Options.InvalidOption(prefix + ".sets", sets + " is not a power of two");
    }
    return new Geometry(sets, ways, replacement);
  }
}
