package org.iommu4j.vtd.model;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * The context cache and the PASID cache. §6.2.2. Direct-mapped; readers take no lock. A hit
 * allocates nothing, filling allocates one entry.
 *
 * <p>Fills of entries that were read before an invalidation started are refused, see {@link
 * org.iommu4j.core.iotlb.Iotlb}.
 *
 * <p>In front of both lies a shortcut from a source to the space of its requests without PASID.
 * Every invalidation clears it.
 */
final class ContextCache {
  private static final VarHandle CONTEXT =
      MethodHandles.arrayElementVarHandle(ScalableContext[].class);
  private static final VarHandle SPACE = MethodHandles.arrayElementVarHandle(Space[].class);

  private final @Nullable ScalableContext[] contexts;
  private final @Nullable Space[] spaces;
  private final @Nullable Space[] shortcuts;
  private final int contextMask;
  private final int spaceMask;
  private volatile long generation;

  ContextCache(int contextSlots, int spaceSlots) {
    contexts = new ScalableContext[contextSlots];
    spaces = new Space[spaceSlots];
    shortcuts = new Space[contextSlots];
    contextMask = contextSlots - 1;
    spaceMask = spaceSlots - 1;
  }

  /** The space of a source's requests without PASID, or null. */
  @Nullable Space shortcut(int source) {
    Space e = (Space) SPACE.getAcquire(shortcuts, slot(source));
    return e != null && e.source == source ? e : null;
  }

  /** The scalable-mode context of a source, or null. */
  @Nullable ScalableContext context(int source) {
    ScalableContext e = (ScalableContext) CONTEXT.getAcquire(contexts, slot(source));
    return e != null && e.source == source ? e : null;
  }

  /** The space of a source and PASID, or null; in legacy mode the PASID is none. */
  @Nullable Space space(int source, int pasid) {
    Space e = (Space) SPACE.getAcquire(spaces, slot(source, pasid));
    return e != null && e.source == source && e.pasid == pasid ? e : null;
  }

  private int slot(int source) {
    return spread(source) & contextMask;
  }

  private int slot(int source, int pasid) {
    return (spread(source) ^ (pasid + 1) * 0x9E37_79B1) & spaceMask;
  }

  /** Behind root ports every bus has one device, number 0: the bus has to count. */
  private static int spread(int source) {
    return source ^ source >>> 5;
  }

  long generation() {
    return generation;
  }

  /** Keeps a copy, unless something was invalidated since {@code seen}. */
  synchronized void fill(long seen, ScalableContext entry) {
    if (generation == seen) {
      CONTEXT.setRelease(contexts, slot(entry.source), new ScalableContext().copyFrom(entry));
    }
  }

  /** Keeps a copy, unless something was invalidated since {@code seen}. */
  synchronized void fill(long seen, Space entry) {
    if (generation == seen) {
      SPACE.setRelease(spaces, slot(entry.source, entry.pasid), new Space().copyFrom(entry));
    }
  }

  /** Remembers which space a source's requests without PASID have, unless it is known. */
  void shorten(long seen, Space entry) {
    if (shortcut(entry.source) != null) {
      return; // as nearly always: no lock for that
    }
    synchronized (this) {
      if (generation == seen) {
        SPACE.setRelease(shortcuts, slot(entry.source), new Space().copyFrom(entry));
      }
    }
  }

  /** Entries of contexts: a filter on source id and, in legacy mode, domain id. */
  @FunctionalInterface
  interface Filter {
    boolean matches(int source, int did);
  }

  /** Context-cache invalidation in scalable mode: by source id. */
  synchronized void invalidateContexts(Filter filter) {
    begin();
    for (int i = 0; i < contexts.length; i++) {
      ScalableContext c = contexts[i];
      if (c != null && filter.matches(c.source, 0)) {
        CONTEXT.setRelease(contexts, i, null);
      }
    }
    end();
  }

  /** Context-cache invalidation in legacy mode. */
  synchronized void invalidateLegacy(Filter filter) {
    begin();
    for (int i = 0; i < spaces.length; i++) {
      Space e = spaces[i];
      if (e != null && e.legacy && filter.matches(e.source, e.did)) {
        SPACE.setRelease(spaces, i, null);
      }
    }
    end();
  }

  /**
   * PASID-cache invalidation.
   *
   * @param did −1 for all
   * @param pasid −1 for all
   */
  synchronized void invalidatePasids(int did, int pasid) {
    begin();
    for (int i = 0; i < spaces.length; i++) {
      Space e = spaces[i];
      if (e != null && !e.legacy && (did < 0 || e.did == did) && (pasid < 0 || e.pasid == pasid)) {
        SPACE.setRelease(spaces, i, null);
      }
    }
    end();
  }

  /** Everything. */
  synchronized void invalidateAll() {
    begin();
    for (int i = 0; i < contexts.length; i++) {
      CONTEXT.setRelease(contexts, i, null);
    }
    for (int i = 0; i < spaces.length; i++) {
      SPACE.setRelease(spaces, i, null);
    }
    end();
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // all callers are synchronized
  private void begin() {
    generation++;
    for (int i = 0; i < shortcuts.length; i++) {
      SPACE.setRelease(shortcuts, i, null);
    }
  }

  /** Who began while this was going on may hold an entry that went: it must not come back. */
  @SuppressWarnings("NonAtomicVolatileUpdate") // all callers are synchronized
  private void end() {
    generation++;
  }
}
