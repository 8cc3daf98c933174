package org.iommu4j.core.iotlb;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A set-associative cache from (tag, address) to one 64-bit word of data: IOTLB, paging-structure
 * cache, second-stage cache, whatever the architecture makes of tag and data.
 *
 * <p>An entry covers {@code 2^shift} bytes, so a superpage takes one entry. {@link #lookup} probes
 * once per page size that is present.
 *
 * <p>Threads: readers take no lock. An entry is four words in one half of a cache line, {@code
 * sequence, key, tag, data}; an odd sequence means "being written", and a reader that sees the
 * sequence change treats the entry as a miss. Fillers that lose a race simply do not fill.
 *
 * <p>Stale fills: a walk may have read a table entry that is invalidated before the walk fills the
 * cache. So the walker takes {@link #generation} before its first load and hands it to {@link
 * #fill}, which refuses if any invalidation started in between.
 *
 * <pre>
 *   filler                              invalidator
 *   g = generation()                    generation++
 *   walk the tables                     remove matching entries, waiting for entries being written
 *   lock entry, refuse if generation    drain the access windows
 *     has moved, write, unlock          report completion
 * </pre>
 */
public final class Iotlb {
  /** What {@link #lookup} returns when there is no entry; data words are never 0. */
  public static final long MISS = 0;

  private static final int SEQUENCE = 0;
  private static final int KEY = 1;
  private static final int TAG = 2;
  private static final int DATA = 3;
  private static final int WORDS = 4;

  /** Key: address bits above the page size, size class in bits 5:0, and this. */
  private static final long VALID = 0x40;

  private static final int MIN_SHIFT = 12;
  private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);
  private static final VarHandle GENERATION;
  private static final VarHandle SIZES;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      GENERATION = lookup.findVarHandle(Iotlb.class, "generation", long.class);
      SIZES = lookup.findVarHandle(Iotlb.class, "sizes", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final long[] words;

  /** By entry: address between the stages, and in its low bits log2 of both leaves. */
  private final long[] aux;

  /** When each entry was filled (FIFO) or used (LRU), by {@link #clock}. */
  private final long[] used;

  private final int setMask;
  private final int setBits;
  private final int ways;

  /** ways - 1 if ways is a power of two, 0 if not. */
  private final int wayMask;

  /** Words of a set. */
  private final int stride;

  private final Replacement replacement;

  /** Bit k: entries of 2^(12+k) bytes may be present. */
  private long sizes;

  /** Entries may be present that are parts of a larger leaf of the tables, see {@link #fill}. */
  private volatile boolean parts;

  private long generation;
  private long clock;

  /** An empty cache. */
  public Iotlb(Geometry geometry) {
    words = new long[geometry.entries() * WORDS];
    aux = new long[geometry.entries()];
    used = new long[geometry.replacement() == Replacement.RANDOM ? 0 : geometry.entries()];
    setMask = geometry.sets() - 1;
    setBits = Integer.bitCount(setMask);
    ways = geometry.ways();
    wayMask = Integer.bitCount(ways) == 1 ? ways - 1 : 0;
    stride = ways * WORDS;
    replacement = geometry.replacement();
  }

  static int shift(long key) {
    return MIN_SHIFT + (int) (key & 0x3f);
  }

  /** The bytes of the leaf that an entry is a part of, or of the entry itself. */
  static int leaf(long key, long aux) {
    return Math.max(shift(key), (int) (aux & 0x3f));
  }

  /** The same behind the first stage. */
  static int auxLeaf(long key, long aux) {
    return Math.max(shift(key), (int) (aux >>> 6 & 0x3f));
  }

  private static int hash(long tag, long page) {
    // The page spreads neighbours over the sets; the tag keeps address spaces from colliding.
    return (int) page ^ (int) (page >>> 16) ^ (int) (tag * 0x9E37_79B9_7F4A_7C15L >>> 40);
  }

  /**
   * The data for an address, or {@link #MISS}. Callers that need the size of the entry that hit put
   * it into the data.
   */
  public long lookup(long tag, long iova) {
    long[] w = words;
    for (long left = sizes; left != 0; left &= left - 1) {
      int shift = MIN_SHIFT + Long.numberOfTrailingZeros(left);
      long page = iova >>> shift;
      long key = page << shift | VALID | (shift - MIN_SHIFT);
      int h = hash(tag, page);
      int set = (h & setMask) * stride;
      // The hash also says in which way to look first, and fills go there if they can. So the
      // first probe nearly always decides; which of several it is, no branch predictor can guess
      // (7 ns of 24 in random hits on two of four ways).
      int first = h >>> setBits & wayMask;
      for (int i = 0; i < ways; i++) {
        int at = set + (first ^ i) * WORDS;
        if (w[at + KEY] == key) {
          long data = data(w, at, key, tag);
          if (data != MISS) {
            return data;
          }
        }
      }
    }
    return MISS;
  }

  /** The entry's data if it is this key's and tag's, and nobody wrote it while it was read. */
  private long data(long[] w, int at, long key, long tag) {
    // Plain loads and fences: on an array a VarHandle would check the index again.
    long sequence = w[at + SEQUENCE];
    VarHandle.acquireFence();
    long keyNow = w[at + KEY];
    long tagNow = w[at + TAG];
    long data = w[at + DATA];
    VarHandle.acquireFence();
    // One branch for all that can be wrong.
    if ((keyNow ^ key | tagNow ^ tag | w[at + SEQUENCE] ^ sequence | sequence & 1) != 0) {
      return MISS;
    }
    if (replacement == Replacement.LRU) {
      used[at / WORDS] = ++clock;
    }
    return data;
  }

  /** To be taken before a walk's first load; see {@link #fill}. */
  public long generation() {
    return (long) GENERATION.getVolatile(this);
  }

  /**
   * Puts an entry in, if nothing was invalidated since {@code seen}.
   *
   * @param seen {@link #generation} from before the walk
   * @param shift log2 of the bytes covered, 12..63
   * @param data not 0
   * @return 0 not filled, 1 filled, 2 filled in place of another entry
   */
  public int fill(long seen, long tag, long iova, int shift, long data) {
    return fill(seen, tag, iova, shift, data, 0, 0, 0);
  }

  /**
   * Puts an entry of two stages in, if nothing was invalidated since {@code seen}. Such an entry is
   * as large as the smaller of two leaves. Software that changes the larger one names any address
   * in it, and every part of it has to go.
   *
   * @param auxiliary the address between the stages (guest-physical), for {@link Scope#aux}
   * @param leaf log2 of the bytes of the first stage's leaf, 0 if it is not larger than the entry
   * @param auxiliaryLeaf the same for the second stage's leaf
   * @return 0 not filled, 1 filled, 2 filled in place of another entry
   */
  public int fill(
      long seen,
      long tag,
      long iova,
      int shift,
      long data,
      long auxiliary,
      int leaf,
      int auxiliaryLeaf) {
    int k = shift - MIN_SHIFT;
    long page = iova >>> shift;
    long key = page << shift | VALID | k;
    int at = victim(hash(tag, page), key, tag);
    long sequence = (long) WORD.getAcquire(words, at + SEQUENCE);
    if ((sequence & 1) != 0 || !WORD.compareAndSet(words, at + SEQUENCE, sequence, sequence + 1)) {
      return 0;
    }
    VarHandle.storeStoreFence();
    if ((sizes & 1L << k) == 0) {
      SIZES.getAndBitwiseOr(this, 1L << k);
    }
    if (leaf > shift && !parts) {
      parts = true;
    }
    int result = 0;
    if ((long) GENERATION.getVolatile(this) == seen) {
      result = words[at + KEY] == 0 || words[at + KEY] == key && words[at + TAG] == tag ? 1 : 2;
      words[at + KEY] = key;
      words[at + TAG] = tag;
      words[at + DATA] = data;
      aux[at / WORDS] = auxiliary & -1L << MIN_SHIFT | leaf | (long) auxiliaryLeaf << 6;
      if (replacement != Replacement.RANDOM) {
        used[at / WORDS] = ++clock;
      }
    }
    WORD.setRelease(words, at + SEQUENCE, sequence + 2);
    return result;
  }

  private int victim(int h, long key, long tag) {
    int set = (h & setMask) * stride;
    int first = h >>> setBits & wayMask;
    int empty = -1;
    int oldest = set;
    for (int i = 0; i < ways; i++) {
      int at = set + (first ^ i) * WORDS;
      long k = words[at + KEY];
      if (k == key && words[at + TAG] == tag) {
        return at;
      }
      if (k == 0 && empty < 0) {
        empty = at;
      }
      // Lost updates of the clock only blur the order a little.
      if (used.length != 0 && used[at / WORDS] < used[oldest / WORDS]) {
        oldest = at;
      }
    }
    if (empty >= 0) {
      return empty;
    }
    if (replacement == Replacement.RANDOM) {
      clock = clock * 6364136223846793005L + 1442695040888963407L;
      return set + (int) ((clock >>> 33) % ways) * WORDS;
    }
    return oldest;
  }

  /**
   * Removes every entry that the scope matches and makes fills of walks that already started fail.
   * When it returns no later lookup finds such an entry; accesses that found one earlier are the
   * business of the access windows.
   *
   * @return entries removed
   */
  public int invalidate(Scope scope) {
    GENERATION.getAndAdd(this, 1L);
    long present = (long) SIZES.getVolatile(this);
    if (present == 0) {
      return 0;
    }
    if (scope.tagMask == -1 && scope.byIova && !parts) {
      int probed = probe(scope, present);
      if (probed >= 0) {
        return probed;
      }
    }
    int removed = 0;
    for (int at = 0; at < words.length; at += WORDS) {
      removed += remove(at, scope);
    }
    return removed;
  }

  /** Looks only where the range can be; -1 if that is more work than looking everywhere. */
  private int probe(Scope scope, long present) {
    long work = 0;
    for (long left = present; left != 0; left &= left - 1) {
      int shift = MIN_SHIFT + Long.numberOfTrailingZeros(left);
      long pages = (scope.last >>> shift) - (scope.first >>> shift) + 1;
      work += pages * ways;
      if (pages < 0 || pages > setMask || work > words.length / WORDS) {
        return -1;
      }
    }
    int removed = 0;
    for (long left = present; left != 0; left &= left - 1) {
      int shift = MIN_SHIFT + Long.numberOfTrailingZeros(left);
      for (long page = scope.first >>> shift; page <= scope.last >>> shift; page++) {
        int set = (hash(scope.tag, page) & setMask) * stride;
        for (int at = set; at < set + stride; at += WORDS) {
          removed += remove(at, scope);
        }
      }
    }
    return removed;
  }

  private int remove(int at, Scope scope) {
    while (true) {
      long sequence = (long) WORD.getVolatile(words, at + SEQUENCE);
      if ((sequence & 1) != 0) {
        Thread.onSpinWait(); // a filler writes four words and is gone
        continue;
      }
      long key = words[at + KEY];
      if (key == 0) {
        return 0;
      }
      boolean hit = scope.matches(words[at + TAG], key, words[at + DATA], aux[at / WORDS]);
      VarHandle.acquireFence();
      if ((long) WORD.getVolatile(words, at + SEQUENCE) != sequence) {
        continue;
      }
      if (!hit) {
        return 0;
      }
      if (WORD.compareAndSet(words, at + SEQUENCE, sequence, sequence + 1)) {
        VarHandle.storeStoreFence();
        words[at + KEY] = 0;
        words[at + TAG] = 0;
        words[at + DATA] = 0;
        WORD.setRelease(words, at + SEQUENCE, sequence + 2);
        return 1;
      }
    }
  }

  /** Entries present now; exact only while nothing changes. */
  public int size() {
    int n = 0;
    for (int at = 0; at < words.length; at += WORDS) {
      if (words[at + KEY] != 0) {
        n++;
      }
    }
    return n;
  }
}
