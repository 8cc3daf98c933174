package org.iommu4j.conformance;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.iommu4j.core.iotlb.CacheBehaviour;

/**
 * The cases that this project holds to be wrong, with its reasons: {@code DISPUTED.md}. Such a case
 * is counted apart, as neither passed nor failed.
 *
 * <p>Cases that are wrong for one reason are a section: a heading, the reason, and the ids as a
 * list. Those that are only wrong for units that cache say so:
 *
 * <pre>
 * ## What is wrong
 * The specification says ...
 *
 * - `riscv-ref/fq/12`
 * - `riscv-ref/fq/14` (with caches)
 * </pre>
 */
public final class Disputes {
  private static final String RESOURCE = "DISPUTED.md";
  private static final Pattern ITEM = Pattern.compile("- `([^`]+)`( \\(with caches\\))? *");

  private final Set<String> always;
  private final Set<String> withCaches;

  private Disputes(Set<String> always, Set<String> withCaches) {
    this.always = Set.copyOf(always);
    this.withCaches = Set.copyOf(withCaches);
  }

  /** No case is disputed. */
  public static Disputes none() {
    return new Disputes(Set.of(), Set.of());
  }

  /** The project's own list. */
  public static Disputes standard() {
    try (InputStream in = Disputes.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new IllegalStateException("this build lacks " + RESOURCE);
      }
      return parse(new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Reads a list.
   *
   * @throws IllegalArgumentException if a case is listed twice or without a reason
   */
  public static Disputes parse(String markdown) {
    Set<String> always = new HashSet<>();
    Set<String> withCaches = new HashSet<>();
    boolean reason = false;
    boolean fence = false;
    for (String line : markdown.lines().toList()) {
      fence ^= line.startsWith("```");
      Matcher item = ITEM.matcher(line);
      if (line.startsWith("#")) {
        reason = false;
      } else if (!fence && item.matches()) {
        String id = item.group(1);
        if (!reason) {
          throw new IllegalArgumentException(RESOURCE + ": " + id + " is listed without a reason");
        }
        if (always.contains(id) || withCaches.contains(id)) {
          throw new IllegalArgumentException(RESOURCE + ": " + id + " is listed twice");
        }
        (item.group(2) == null ? always : withCaches).add(id);
      } else if (!line.isBlank()) {
        reason = true;
      }
    }
    return new Disputes(always, withCaches);
  }

  /** Whether the case is disputed for a unit that caches in this way. */
  public boolean contains(String id, CacheBehaviour cache) {
    return always.contains(id) || (cache != CacheBehaviour.OFF && withCaches.contains(id));
  }

  /** How many cases are disputed for a unit that caches in this way. */
  public int size(CacheBehaviour cache) {
    return always.size() + (cache == CacheBehaviour.OFF ? 0 : withCaches.size());
  }
}
