package org.iommu4j.core.unit;

import java.util.List;
import org.iommu4j.core.CacheSettings;
import org.iommu4j.core.bits.Layout;
import org.iommu4j.core.dma.Inspector;
import org.iommu4j.core.iotlb.MicroTlb;
import org.iommu4j.core.memory.EntryPair;
import org.iommu4j.core.memory.MemoryRegion;
import org.iommu4j.core.memory.PhysicalMemory;
import org.jspecify.annotations.Nullable;

/**
 * One thread's scratch memory with a unit: how it loads entries of tables, and what it counted.
 * Kept with the caller's {@code Translation}, so that a walk allocates nothing. Every architecture
 * adds the request and its results in its own terms.
 */
public abstract class BaseWorkspace {
  /**
   * No generation of a cache: what is found is not kept.
   *
   * <p>Who changes a unit's setup publishes the new one, then removes what was cached. So the
   * generations from after the removal are of no use to a thread that still has the old setup: it
   * would fill the caches with what nothing removes any more.
   */
  protected static final long NEVER = -1;

  /** The unit's, by which it knows its own. */
  @Nullable Workspaces<?> owner;

  /** Another unit's for the same translation. */
  @Nullable BaseWorkspace behind;

  private final MicroTlb recent;
  private final EntryPair pair = new EntryPair();

  /** Where the last entry was; wholly within the unit's physical addresses. */
  private MemoryRegion region = MemoryRegion.NONE;

  private int memoryVersion;
  private long entry;
  private boolean dry;
  private @Nullable List<Inspector.Step> trace;

  // Counters, read by others without synchronisation.
  private long hits;
  private long misses;
  private long faults;

  /** For one thread. */
  protected BaseWorkspace(CacheSettings caches) {
    recent = new MicroTlb(caches.microTlb());
  }

  /** What the thread got from the shared caches lately. */
  public final MicroTlb recent() {
    return recent;
  }

  // ---- a person looks

  /** From now on nothing may change: no A/D update, no counting, no caches. */
  public final void dry(boolean only) {
    dry = only;
  }

  /** Whether nothing may change. */
  public final boolean dry() {
    return dry;
  }

  /** Where {@link #note} puts every entry that is met; null for nowhere. */
  public final void trace(@Nullable List<Inspector.Step> steps) {
    trace = steps;
  }

  /** Where entries are noted. */
  public final @Nullable List<Inspector.Step> trace() {
    return trace;
  }

  /** Whether entries are noted: what to say of one costs something. */
  public final boolean traced() {
    return trace != null;
  }

  /** Notes an entry for the walk that a person looks at. */
  public final void note(String what, Layout layout, long at, long... raw) {
    List<Inspector.Step> t = trace;
    if (t != null) {
      t.add(Inspector.Step.of(what, layout, at, raw));
    }
  }

  // ---- entries

  /**
   * To be called before a request's first load: the last region is of the memory as it was then.
   */
  protected final void begin(PhysicalMemory memory) {
    int version = memory.version();
    if (version != memoryVersion) {
      memoryVersion = version;
      region = MemoryRegion.NONE;
    }
  }

  /** Where the last entry was: a walk's next one is tried there first. */
  public final MemoryRegion region() {
    return region;
  }

  /**
   * The region of an aligned doubleword that may be loaded without more ado, or {@link
   * MemoryRegion#NONE}.
   */
  public final MemoryRegion region(BaseSetup s, long at) {
    MemoryRegion r = region;
    return r.holds(at) ? r : otherRegion(s, at);
  }

  private MemoryRegion otherRegion(BaseSetup s, long at) {
    MemoryRegion r = s.memory.region(at);
    if (r == MemoryRegion.NONE || ((r.base() | (r.base() + r.size() - 1)) & s.beyond) != 0) {
      return MemoryRegion.NONE;
    }
    region = r;
    return r;
  }

  /**
   * Loads the aligned doubleword at {@code at}, little-endian, for {@link #entry}.
   *
   * @return whether it could be read
   */
  public final boolean load(BaseSetup s, long at) {
    return fetch(s, at) == PhysicalMemory.OK;
  }

  /**
   * The same for who tells what went wrong.
   *
   * @return a {@link PhysicalMemory} status
   */
  public final int fetch(BaseSetup s, long at) {
    MemoryRegion r = region(s, at);
    if (r != MemoryRegion.NONE) {
      entry = r.getLong(at);
      return PhysicalMemory.OK;
    }
    return fetch(s, at, Long.BYTES);
  }

  /** The same for an aligned entry of up to 8 bytes, zero-extended, wherever it is. */
  protected final int fetch(BaseSetup s, long at, int length) {
    // Choice: registers are no place for tables. (Those of this unit could wait for this very
    // walk.)
    int status =
        (at & s.beyond) != 0 || s.memory.isDevice(at)
            ? PhysicalMemory.VIOLATION
            : s.memory.status(at, length, false);
    entry = status == PhysicalMemory.OK ? s.memory.readBytes(at, length) : 0;
    return status;
  }

  /** The entry that was loaded last; 0 if it could not be read. */
  public final long entry() {
    return entry;
  }

  /**
   * Loads the aligned 16 bytes at {@code at} for {@link #pair}.
   *
   * @return whether they could be read, and belong together
   */
  public final boolean loadPair(BaseSetup s, long at) {
    return fetchPair(s, at) == PhysicalMemory.OK;
  }

  /**
   * The same for who tells what went wrong.
   *
   * @return a {@link PhysicalMemory} status; of halves that do not belong together a violation
   */
  public final int fetchPair(BaseSetup s, long at) {
    MemoryRegion r = region(s, at);
    if (r.holds(at, EntryPair.BYTES)) {
      return pair.load(r, at) ? PhysicalMemory.OK : PhysicalMemory.VIOLATION;
    }
    if ((at & s.beyond) != 0) {
      return PhysicalMemory.VIOLATION;
    }
    int status = s.memory.status(at, EntryPair.BYTES, false);
    return status != PhysicalMemory.OK || s.memory.readPair(at, pair)
        ? status
        : PhysicalMemory.VIOLATION;
  }

  /** An entry of 16 bytes, or a piece of a larger one: the one that was loaded last. */
  public final EntryPair pair() {
    return pair;
  }

  // ---- counters

  /** A cache answered. */
  public final void countHit() {
    hits++;
  }

  /** Tables were walked. */
  public final void countMiss() {
    misses++;
  }

  /** A request was refused. */
  public final void countFault() {
    faults++;
  }

  long hits() {
    return hits;
  }

  long misses() {
    return misses;
  }

  long faults() {
    return faults;
  }
}
