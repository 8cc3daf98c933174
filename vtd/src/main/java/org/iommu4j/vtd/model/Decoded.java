package org.iommu4j.vtd.model;

import org.iommu4j.core.memory.MemoryRegion;
import org.jspecify.annotations.Nullable;

/**
 * The words that a workspace's scratch space was decoded from, and where they were.
 *
 * <p>For a unit without caches, which has to read them for every request: as long as memory holds
 * the same words, nothing else needs to be done with them again. Checking and decoding depend on
 * nothing but these words, the request's source and PASID, and the setup; and the words say where
 * the next ones are.
 *
 * <p>What is decoded was loaded in pieces of 16 bytes, each as a whole: software stores 16 bytes
 * with one access. The comparison loads word by word, and still nothing is used that was not stored
 * as one: what the request goes by is what was decoded. Words of two stores differ from it, in all
 * cases but one: (a, x) was decoded, memory holds (a, y), and becomes (b, x) between these loads.
 * Then the request goes by (a, x), an entry of before. Choice: that one request is not worth a load
 * more for every 16 bytes in every other.
 */
final class Decoded {
  static final int ROOT = 2;
  static final int CONTEXT = 4;
  static final int ENTRY = 8;

  /** What it was decoded under; null if the scratch space is not in use or not to be used. */
  private @Nullable Setup setup;

  private int source;
  private int pasid;
  private boolean legacy;

  private long rootAt;
  private long contextAt;
  private long directoryAt;
  private long entryAt;

  // Legacy mode has root entries of two words and context entries of two, scalable mode takes one
  // word of a root entry.
  final long[] root = new long[ROOT];
  final long[] context = new long[CONTEXT];
  long directory;
  final long[] entry = new long[ENTRY];

  /** Other words are about to be read. */
  void forget() {
    setup = null;
  }

  boolean root(Setup s, Workspace w, long at, int words) {
    rootAt = at;
    return w.load(s, at, root, words);
  }

  boolean context(Setup s, Workspace w, long at, int words) {
    contextAt = at;
    return w.load(s, at, context, words);
  }

  boolean directory(Setup s, Workspace w, long at) {
    directoryAt = at;
    boolean loaded = w.load(s, at);
    directory = w.entry();
    return loaded;
  }

  boolean entry(Setup s, Workspace w, long at) {
    entryAt = at;
    return w.load(s, at, entry, ENTRY);
  }

  /** The scratch space is what requests of the workspace's source, with this PASID, go through. */
  void keep(Setup s, Workspace w, int requestPasid) {
    setup = s;
    source = w.source;
    pasid = requestPasid;
    legacy = w.spaceScratch.legacy;
  }

  /**
   * Whether the scratch space is what requests of the workspace's source go through: every word is
   * loaded, and is as it was.
   *
   * @param requestPasid PASID of the request, negative for none
   */
  boolean again(Setup s, Workspace w, int requestPasid) {
    return setup == s
        && source == w.source
        && pasid == requestPasid
        && (legacy
            ? same(s, w, rootAt, root, 2) && same(s, w, contextAt, context, 2)
            : same(s, w, rootAt, root, 1)
                && same(s, w, contextAt, context, CONTEXT)
                && same(s, w, directoryAt)
                && same(s, w, entryAt, entry, ENTRY));
  }

  private boolean same(Setup s, Workspace w, long at) {
    MemoryRegion r = w.region(s, at);
    return r != MemoryRegion.NONE && r.getLong(at) == directory;
  }

  private static boolean same(Setup s, Workspace w, long at, long[] words, int count) {
    MemoryRegion r = w.region(s, at);
    if (r == MemoryRegion.NONE || !r.holds(at + 8L * (count - 1))) {
      return false;
    }
    long different = 0;
    for (int n = 0; n < count; n++) {
      different |= r.getLong(at + 8L * n) ^ words[n];
    }
    return different == 0;
  }
}
