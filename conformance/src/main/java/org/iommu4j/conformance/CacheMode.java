package org.iommu4j.conformance;

import java.util.Locale;
import org.iommu4j.core.iotlb.CacheBehaviour;

/** How a {@link CacheBehaviour} is written: {@code off}, {@code normal}, {@code worst-case}. */
public final class CacheMode {
  private CacheMode() {}

  /**
   * The behaviour for a text.
   *
   * @throws IllegalArgumentException if it is none; the message names those that are
   */
  public static CacheBehaviour parse(String text) {
    for (CacheBehaviour b : CacheBehaviour.values()) {
      if (text(b).equals(text)) {
        return b;
      }
    }
    throw new IllegalArgumentException(
        "'" + text + "' is not a cache behaviour: off, normal or worst-case was expected");
  }

  /** How a behaviour is written. */
  public static String text(CacheBehaviour behaviour) {
    return behaviour.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
