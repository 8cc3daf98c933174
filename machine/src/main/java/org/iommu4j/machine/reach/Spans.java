package org.iommu4j.machine.reach;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** A set of unsigned addresses, as disjoint ranges in ascending order. */
final class Spans {
  /** The addresses {@code first..last}, both inclusive. */
  record Span(long first, long last) {
    long bytes() {
      return last - first + 1;
    }
  }

  private final List<Span> spans;

  private Spans(List<Span> spans) {
    this.spans = List.copyOf(spans);
  }

  static Spans of(long base, long size) {
    return new Spans(size == 0 ? List.of() : List.of(new Span(base, base + size - 1)));
  }

  /** The union of ranges in any order. */
  static Spans union(List<Span> all) {
    List<Span> sorted = new ArrayList<>(all);
    sorted.sort(Comparator.comparing(Span::first, Long::compareUnsigned));
    List<Span> joined = new ArrayList<>();
    for (Span s : sorted) {
      Span last = joined.isEmpty() ? null : joined.getLast();
      boolean touches =
          last != null && (last.last == -1L || Long.compareUnsigned(s.first, last.last + 1) <= 0);
      if (last == null || !touches) {
        joined.add(s);
      } else if (Long.compareUnsigned(s.last, last.last) > 0) {
        joined.set(joined.size() - 1, new Span(last.first, s.last));
      }
    }
    return new Spans(joined);
  }

  List<Span> list() {
    return spans;
  }

  boolean isEmpty() {
    return spans.isEmpty();
  }

  /** Saturates at {@link Long#MAX_VALUE}. */
  long bytes() {
    long sum = 0;
    for (Span s : spans) {
      long n = s.bytes();
      sum = n <= 0 || sum + n < 0 ? Long.MAX_VALUE : sum + n;
    }
    return sum;
  }

  /** What both have. */
  Spans and(Spans other) {
    List<Span> both = new ArrayList<>();
    int i = 0;
    int j = 0;
    while (i < spans.size() && j < other.spans.size()) {
      Span a = spans.get(i);
      Span b = other.spans.get(j);
      long first = max(a.first, b.first);
      long last = min(a.last, b.last);
      if (Long.compareUnsigned(first, last) <= 0) {
        both.add(new Span(first, last));
      }
      if (Long.compareUnsigned(a.last, b.last) < 0) {
        i++;
      } else {
        j++;
      }
    }
    return new Spans(both);
  }

  /** What this has and the other has not. */
  Spans minus(Spans other) {
    List<Span> rest = new ArrayList<>();
    for (Span s : spans) {
      long from = s.first;
      boolean done = false;
      for (Span o : other.spans) {
        if (Long.compareUnsigned(o.last, from) < 0) {
          continue;
        }
        if (Long.compareUnsigned(o.first, s.last) > 0) {
          break;
        }
        if (Long.compareUnsigned(from, o.first) < 0) {
          rest.add(new Span(from, o.first - 1));
        }
        if (Long.compareUnsigned(o.last, s.last) >= 0) {
          done = true;
          break;
        }
        from = o.last + 1;
      }
      if (!done) {
        rest.add(new Span(from, s.last));
      }
    }
    return new Spans(rest);
  }

  private static long max(long a, long b) {
    return Long.compareUnsigned(a, b) >= 0 ? a : b;
  }

  private static long min(long a, long b) {
    return Long.compareUnsigned(a, b) <= 0 ? a : b;
  }
}
