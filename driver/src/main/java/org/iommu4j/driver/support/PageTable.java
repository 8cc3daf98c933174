package org.iommu4j.driver.support;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import org.iommu4j.core.memory.MemoryRegion;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.FrameAllocator;
import org.jspecify.annotations.Nullable;

/**
 * Page tables of one address space, in any radix format.
 *
 * <p>What hardware may see at any time is correct at that time: a table is complete before an entry
 * leads to it; a page becomes valid in one store; a large page that is unmapped in part is first
 * replaced, in one store, by a table that says the same, so that the rest stays mapped without a
 * gap; a table that goes as a whole goes empty. Where an empty table has to make way for a large
 * page, the entry is cleared and invalidated before it is used anew, because caches may hold the
 * way to the table.
 *
 * <p>A table that became empty page by page stays, since the next {@code map} nearby wants it; one
 * that was unmapped as a whole goes, but its memory is free for others only when the {@link Gather}
 * is completed.
 *
 * <p>Not thread-safe: the domain's lock guards it. Hardware that sets accessed and dirty bits
 * meanwhile is no problem.
 */
public final class PageTable {
  private final PhysicalMemory memory;
  private final FrameAllocator frames;
  private final TableFormat format;
  private final Invalidator invalidator;
  private final long sizes;
  private final long lowSizes;
  private final int lowShift;
  private final int lowSpanShift;
  private final Node root;

  /** What {@link #map} made invalid: empty unless it could not be invalidated, and is owed. */
  private final Gather own = new Gather();

  // The lowest table used last: maps mostly continue where the one before ended.
  private Node cursor;
  private long cursorTag = -1;
  private long mapped;

  /**
   * Empty tables.
   *
   * @param sizes the page sizes to use, a subset of the format's that includes the smallest
   * @param invalidator called when an entry has to be forgotten before it is used anew
   * @throws DriverException if there is no memory for the root
   */
  public PageTable(
      PhysicalMemory memory,
      FrameAllocator frames,
      TableFormat format,
      long sizes,
      Invalidator invalidator) {
    this.memory = memory;
    this.frames = frames;
    this.format = format;
    this.sizes = sizes;
    this.invalidator = invalidator;
    this.lowShift = format.shift(0);
    this.lowSpanShift = lowShift + format.indexBits(0);
    this.lowSizes = sizes & ((1L << lowSpanShift) - 1);
    this.root = newNode(format.levels() - 1);
    this.cursor = root;
  }

  private Node newNode(int level) {
    int entries = 1 << format.indexBits(level);
    long at = frames.allocate(8L * entries);
    MemoryRegion region = memory.region(at);
    if (!region.holds(at, 8L * entries)) {
      frames.free(at, 8L * entries);
      throw new DriverException(
          "the table memory at 0x%x is not one piece of %d bytes; give the driver other frames"
              .formatted(at, 8L * entries));
    }
    MemorySegment table = region.segment().asSlice(at - region.base(), 8L * entries);
    return new Node(at, level, format.shift(level), table);
  }

  /** Physical address of the root table. */
  public long root() {
    return root.address;
  }

  /** Bytes mapped. */
  public long mapped() {
    return mapped;
  }

  /** The page sizes in use. */
  public long pageSizes() {
    return sizes;
  }

  /**
   * Maps a range with the largest pages that fit.
   *
   * @throws IllegalStateException if any part is mapped; nothing is changed then
   * @throws DriverException if there is no more memory for tables; nothing is changed then
   */
  public void map(long iova, long pa, long size, int permissions) {
    complete();
    // Within one lowest table, and less than all of it: no higher level can be involved.
    if (size >>> lowSpanShift == 0 && (iova + size - 1 ^ iova) >>> lowSpanShift == 0) {
      Node t = lowest(iova);
      if (t != null) {
        if (t.firstUsed(t.index(iova), (int) (size >>> lowShift)) >= 0) {
          throw alreadyMapped(t.firstMapped(iova, iova + size - 1));
        }
        store(t, iova, pa, size, permissions);
        return;
      }
    }
    long conflict = root.firstMapped(iova, iova + size - 1);
    if (conflict != Node.FREE) {
      throw alreadyMapped(conflict);
    }
    try {
      install(root, iova, pa, size, permissions);
    } catch (DriverException e) {
      // Devices may have used what is there already: unmap it as if it had been wanted.
      unmap(root, iova, iova + size - 1, own);
      try {
        complete();
      } catch (DriverException alsoFailed) {
        e.addSuppressed(alsoFailed);
      }
      throw e;
    }
  }

  /** The lowest table that spans an address, null if there is none yet. */
  private @Nullable Node lowest(long iova) {
    if (iova >>> lowSpanShift == cursorTag) {
      return cursor;
    }
    Node t = root;
    while (t.level > 0) {
      Node child = t.child(t.index(iova));
      if (child == null) {
        return null;
      }
      t = child;
    }
    cursor = t;
    cursorTag = iova >>> lowSpanShift;
    return t;
  }

  private static IllegalStateException alreadyMapped(long iova) {
    return new IllegalStateException("0x%x is mapped already".formatted(iova));
  }

  private void complete() {
    if (!own.isEmpty()) {
      invalidator.invalidate(own);
      own.completed(frames);
    }
  }

  /** Writes the entries of pages of the table's level; the table spans the whole range. */
  private void store(Node t, long iova, long pa, long size, int permissions) {
    long levelSizes = t.level == 0 ? lowSizes : sizes & sizesOf(t);
    long left = size;
    long from = iova;
    long to = pa;
    while (left > 0) {
      long page = PageSizes.largest(levelSizes, from, to, left);
      long run = PageSizes.run(levelSizes, page, from, to, left);
      int shift = Long.numberOfTrailingZeros(page);
      int index = t.index(from);
      int count = (int) (run >>> t.shift);
      long entry = format.leaf(to, shift, permissions);
      if (count == 1) {
        t.set(index, entry);
      } else {
        long step = run == page ? 0 : format.leaf(to + page, shift, permissions) - entry;
        if (shift == t.shift) {
          t.set(index, count, entry, step);
        } else {
          t.setGroups(index, count, 1 << shift - t.shift, entry, step);
        }
      }
      from += run;
      to += run;
      left -= run;
    }
    mapped += size;
  }

  /** The sizes of pages that entries of this table can lead to. */
  private static long sizesOf(Node t) {
    long span = (long) t.entries << t.shift;
    return (span - 1) & -(1L << t.shift);
  }

  private void install(Node t, long iova, long pa, long size, int permissions) {
    long span = 1L << t.shift;
    long from = iova;
    long to = pa;
    long left = size;
    while (left > 0) {
      boolean here = (sizes & span) != 0 && ((from | to) & (span - 1)) == 0 && left >= span;
      long piece = here ? left & -span : Math.min(left, span - (from & (span - 1)));
      if (here) {
        makeWay(t, t.index(from), (int) (piece >>> t.shift), from);
        store(t, from, to, piece, permissions);
      } else {
        install(childOf(t, from), from, to, piece, permissions);
      }
      from += piece;
      to += piece;
      left -= piece;
    }
    if (t.level == 0) {
      cursor = t;
      cursorTag = iova >>> lowSpanShift;
    }
  }

  private Node childOf(Node t, long iova) {
    int index = t.index(iova);
    Node child = t.child(index);
    if (child == null) {
      child = newNode(t.level - 1);
      VarHandle.releaseFence(); // the table's content before the entry that leads to it
      t.link(index, format.table(child.address, child.level), child);
    }
    return child;
  }

  /** Takes empty tables out of the way of large pages. */
  private void makeWay(Node t, int index, int count, long iova) {
    boolean found = false;
    for (int i = index; t.level > 0 && i < index + count; i++) {
      Node child = t.child(i);
      if (child != null) {
        found = true;
        unlink(t, i, child, iova + ((long) (i - index) << t.shift), own);
      }
    }
    if (found) {
      complete();
    }
  }

  /**
   * Unmaps what is mapped in a range.
   *
   * @param gather receives what has to be invalidated
   * @return bytes that were mapped
   */
  public long unmap(long iova, long size, Gather gather) {
    gather.takeOver(own);
    return unmap(root, iova, iova + size - 1, gather);
  }

  private long unmap(Node t, long first, long last, Gather gather) {
    long span = 1L << t.shift;
    long base = t.base(first);
    long bytes = 0;
    int to = t.index(last);
    for (int i = t.index(first); i <= to; ) {
      i = t.firstUsed(i, to - i + 1);
      if (i < 0) {
        break;
      }
      long start = base + ((long) i << t.shift);
      Node child = t.child(i);
      if (child != null) {
        if (first <= start && start + span - 1 <= last) {
          bytes += unlink(t, i, child, start, gather);
        } else {
          bytes += unmap(child, Math.max(first, start), Math.min(last, start + span - 1), gather);
        }
        i++;
        continue;
      }
      long entry = t.get(i);
      int shift = format.leafShift(entry, t.level);
      long page = 1L << shift;
      long pageStart = start & -page;
      if (first <= pageStart && pageStart + page - 1 <= last) {
        int group = 1 << (shift - t.shift);
        t.clear(i, group);
        mapped -= page;
        bytes += page;
        gather.pages(pageStart, page, shift);
        i += group;
      } else if (shift > t.shift) {
        ungroup(t, t.index(pageStart), shift);
      } else {
        split(t, i);
      }
    }
    return bytes;
  }

  /**
   * Clears an entry that leads to a table, and all entries below. They are cleared, too, although
   * nothing leads to them any more: until the way to the table is forgotten, hardware may take it,
   * and might fill a cache anew with what was just removed from it.
   */
  private long unlink(Node t, int index, Node child, long start, Gather gather) {
    t.link(index, 0, null);
    return drop(child, start, gather);
  }

  private long drop(Node t, long base, Gather gather) {
    long bytes = 0;
    for (int i = 0; i < t.entries; ) {
      i = t.firstUsed(i, t.entries - i);
      if (i < 0) {
        break;
      }
      long start = base + ((long) i << t.shift);
      Node child = t.child(i);
      if (child != null) {
        bytes += unlink(t, i, child, start, gather);
        i++;
        continue;
      }
      long entry = t.get(i);
      int shift = format.leafShift(entry, t.level);
      int group = 1 << (shift - t.shift);
      t.clear(i, group);
      gather.pages(start, 1L << shift, shift);
      bytes += 1L << shift;
      mapped -= 1L << shift;
      i += group;
    }
    gather.table(base, t.shift + Integer.numberOfTrailingZeros(t.entries));
    gather.frame(t.address, t.bytes());
    if (cursor == t) {
      cursor = root;
      cursorTag = -1;
    }
    return bytes;
  }

  /** Replaces a page by a table of smaller ones that says the same. */
  private void split(Node t, int index) {
    Node child = newNode(t.level - 1);
    long entry = t.get(index);
    long seen = entry;
    do {
      // Hardware may have set a bit since: copy again.
      entry = seen;
      long pa = format.address(entry, t.level);
      long left = 1L << t.shift;
      long page = PageSizes.largest(sizes & sizesOf(child), pa, pa, left);
      if (page == 0) {
        page = 1L << child.shift;
      }
      int shift = Long.numberOfTrailingZeros(page);
      if (!child.isEmpty()) {
        child.clear(0, child.entries);
      }
      long leaf = format.resized(entry, pa, shift);
      long step = left == page ? 0 : format.resized(entry, pa + page, shift) - leaf;
      child.setGroups(0, child.entries, 1 << shift - child.shift, leaf, step);
      VarHandle.releaseFence();
      seen = t.exchange(index, entry, format.table(child.address, child.level), child);
    } while (seen != entry);
  }

  /** Turns a page that takes a group of entries into single ones that say the same. */
  private void ungroup(Node t, int index, int shift) {
    int group = 1 << (shift - t.shift);
    for (int i = 0; i < group; i++) {
      long entry;
      long seen = t.get(index + i);
      do {
        entry = seen;
        long pa = format.address(entry, t.level) + ((long) i << t.shift);
        seen = t.exchange(index + i, entry, format.resized(entry, pa, t.shift));
      } while (seen != entry);
    }
  }

  /** Where an address leads, {@link Domain#UNMAPPED} if nowhere. */
  public long translate(long iova) {
    Node t = root;
    while (true) {
      int index = t.index(iova);
      Node child = t.child(index);
      if (child == null) {
        long entry = t.get(index);
        if (entry == 0) {
          return Domain.UNMAPPED;
        }
        long offset = iova & ((1L << format.leafShift(entry, t.level)) - 1);
        return format.address(entry, t.level) + offset;
      }
      t = child;
    }
  }

  /** Gives all tables back. Only when no cache can refer to them any more. */
  public void free() {
    drop(root, 0, own);
    own.completed(frames);
  }
}
