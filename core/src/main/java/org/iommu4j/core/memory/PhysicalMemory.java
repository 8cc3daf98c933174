package org.iommu4j.core.memory;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The physical address space of one platform: sparse memory beyond 2 GiB, register pages, and
 * nothing in between.
 *
 * <p>An access that no region answers is a result ({@link #VIOLATION}), never an exception: the
 * architectures define faults for it. So is poisoned data ({@link #POISONED}). Both can be injected
 * for tests; an injected range is taken out of the fast table, so that memory without failures pays
 * nothing for the possibility.
 *
 * <pre>{@code
 * try (PhysicalMemory memory = new PhysicalMemory()) {
 *   memory.addAnonymous(0x8000_0000L, 4L << 30);
 *   memory.writeLong(0x8000_1000L, 42);
 *   if (memory.status(0x10, 8, false) == PhysicalMemory.VIOLATION) { ... }
 * }
 * }</pre>
 *
 * <p>Threads: any number read and write; changes of the region table are serialised and seen by
 * accesses that start afterwards. All multi-byte values are little-endian; callers that speak
 * big-endian swap ({@link Long#reverseBytes}).
 */
public final class PhysicalMemory implements AutoCloseable {
  /** The access was carried out. */
  public static final int OK = 0;

  /** No memory there, or an injected access failure. */
  public static final int VIOLATION = 1;

  /** The data read is corrupted. */
  public static final int POISONED = 2;

  private static final long PAGE = 4096;
  private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

  private record Injection(long first, long last, Failure kind) {}

  private record Window(long base, long size, Mmio device) {
    boolean holds(long pa) {
      return Long.compareUnsigned(pa - base, size) < 0;
    }
  }

  private final Arena arena = Arena.ofShared();
  private final int sparseBits;
  private MemorySegment pool = MemorySegment.NULL;
  private long poolUsed;

  /** Everything that exists. */
  private volatile MemoryRegion[] backing = {};

  /** What may be accessed without a check: {@link #backing} minus the injected pages. */
  private volatile MemoryRegion[] direct = {};

  private volatile Injection[] injections = {};
  private volatile Window[] windows = {};

  /** Counts the changes of {@link #direct}. */
  private volatile int version;

  /** An address space with nothing in it. */
  public PhysicalMemory() {
    this(0);
  }

  private PhysicalMemory(int sparseBits) {
    this.sparseBits = sparseBits;
  }

  /**
   * An address space in which all of {@code [0, 2^bits)} exists, reads as zero, and is backed page
   * by page when written: for tests and vectors that name arbitrary addresses.
   *
   * @param bits 12..64
   */
  public static PhysicalMemory sparse(int bits) {
    if (bits < 12 || bits > 64) {
      throw new IllegalArgumentException("sparse memory of 2^" + bits + " bytes");
    }
    return new PhysicalMemory(bits);
  }

  /**
   * Adds zeroed memory; pages are committed when first touched.
   *
   * @throws IllegalArgumentException if the range is misaligned or overlaps another
   */
  public MemoryRegion addAnonymous(long base, long size) {
    MemorySegment segment = NativeMemory.anonymous(size, arena);
    if (size >= 2 << 20) {
      NativeMemory.adviseHugePages(segment);
    }
    return addSegment(base, segment);
  }

  /**
   * Adds a file's bytes, shared with it: what devices write, the file has. A descriptor handed over
   * by another process is a file, too ({@code /proc/self/fd/N}).
   *
   * @param offset first byte in the file
   * @param size bytes; the file must have them
   * @throws IOException if the file cannot be mapped
   */
  public MemoryRegion addFile(long base, Path file, long offset, long size) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      if (offset + size > channel.size()) {
        throw new IOException(
            "%s has %d bytes, %d are needed".formatted(file, channel.size(), offset + size));
      }
      return addSegment(base, channel.map(FileChannel.MapMode.READ_WRITE, offset, size, arena));
    }
  }

  /** Adds native memory that the caller keeps alive until it is removed. */
  public synchronized MemoryRegion addSegment(long base, MemorySegment segment) {
    MemoryRegion region = MemoryRegion.of(base, segment, arena);
    for (MemoryRegion r : backing) {
      if (overlap(r.base(), r.base() + r.size() - 1, base, base + region.size() - 1)) {
        throw new IllegalArgumentException(
            "region at 0x%x of 0x%x bytes overlaps the one at 0x%x"
                .formatted(base, region.size(), r.base()));
      }
    }
    MemoryRegion[] next = Arrays.copyOf(backing, backing.length + 1);
    next[backing.length] = region;
    Arrays.sort(next, (a, b) -> Long.compareUnsigned(a.base(), b.base()));
    backing = next;
    publish();
    return region;
  }

  /**
   * Takes a region away. Accesses that already started may still touch its bytes: before the
   * backing memory is reused or closed, drain the units' access windows.
   */
  public synchronized void remove(MemoryRegion region) {
    backing =
        Arrays.stream(backing).filter(r -> r.base() != region.base()).toArray(MemoryRegion[]::new);
    publish();
  }

  /** Places a register page into the address space; it precedes memory at the same addresses. */
  public synchronized void addDevice(long base, long size, Mmio device) {
    for (Window w : windows) {
      if (overlap(w.base, w.base + w.size - 1, base, base + size - 1)) {
        throw new IllegalArgumentException(
            "device at 0x%x overlaps the one at 0x%x".formatted(base, w.base));
      }
    }
    Window[] next = Arrays.copyOf(windows, windows.length + 1);
    next[windows.length] = new Window(base, size, device);
    windows = next;
    publish();
  }

  /** From now on accesses that overlap {@code [pa, pa + length)} fail in the given way. */
  public synchronized void inject(long pa, long length, Failure kind) {
    Injection[] next = Arrays.copyOf(injections, injections.length + 1);
    next[injections.length] = new Injection(pa, pa + length - 1, kind);
    injections = next;
    publish();
  }

  /** Removes every injected failure. */
  public synchronized void clearInjections() {
    injections = new Injection[0];
    publish();
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // all callers are synchronized
  private void publish() {
    List<MemoryRegion> table = new ArrayList<>(List.of(backing));
    for (Injection i : injections) {
      table = punch(table, i.first & -PAGE, i.last | (PAGE - 1));
    }
    for (Window w : windows) {
      table = punch(table, w.base & -8, (w.base + w.size - 1) | 7);
    }
    table.sort(Comparator.comparing(MemoryRegion::base, Long::compareUnsigned));
    direct = table.toArray(MemoryRegion[]::new);
    version++;
  }

  /**
   * Changes whenever regions, devices or injected failures do. Who keeps a {@link MemoryRegion} for
   * more than one access forgets it when this has moved; read it inside the access window.
   */
  public int version() {
    return version;
  }

  private static List<MemoryRegion> punch(List<MemoryRegion> table, long first, long last) {
    List<MemoryRegion> next = new ArrayList<>();
    for (MemoryRegion r : table) {
      long end = r.base() + r.size() - 1;
      if (!overlap(r.base(), end, first, last)) {
        next.add(r);
        continue;
      }
      if (Long.compareUnsigned(r.base(), first) < 0) {
        next.add(r.slice(r.base(), first - r.base()));
      }
      if (Long.compareUnsigned(last, end) < 0) {
        next.add(r.slice(last + 1, end - last));
      }
    }
    return next;
  }

  private static boolean overlap(long first, long last, long otherFirst, long otherLast) {
    return Long.compareUnsigned(first, otherLast) <= 0
        && Long.compareUnsigned(otherFirst, last) <= 0;
  }

  /**
   * The region that answers an aligned access of up to 8 bytes at {@code pa} without a check, or
   * {@link MemoryRegion#NONE}: then the checked methods decide.
   */
  public MemoryRegion region(long pa) {
    return find(direct, pa);
  }

  private static MemoryRegion find(MemoryRegion[] table, long pa) {
    int low = 0;
    int high = table.length - 1;
    while (low <= high) {
      int mid = (low + high) >>> 1;
      MemoryRegion r = table[mid];
      if (r.holds(pa)) {
        return r;
      }
      if (Long.compareUnsigned(pa, r.base()) < 0) {
        high = mid - 1;
      } else {
        low = mid + 1;
      }
    }
    return MemoryRegion.NONE;
  }

  /** What an access of {@code length} bytes at {@code pa} comes to, without carrying it out. */
  public int status(long pa, long length, boolean write) {
    return status(pa, length, write, injections);
  }

  private int status(long pa, long length, boolean write, Injection[] failures) {
    long last = pa + length - 1;
    if (length <= 0 || Long.compareUnsigned(last, pa) < 0) {
      return VIOLATION;
    }
    int result = OK;
    for (Injection i : failures) {
      if (overlap(pa, last, i.first, i.last)) {
        if (i.kind == Failure.ACCESS || (i.kind == Failure.WRITE_ACCESS && write)) {
          return VIOLATION;
        }
        if (i.kind == Failure.POISON && !write) {
          result = POISONED;
        }
      }
    }
    for (Window w : windows) {
      if (overlap(pa, last, w.base, w.base + w.size - 1)) {
        // Registers take one natural access; nothing reaches the memory that a page of them hides.
        return w.holds(pa) && w.holds(last) && fitsRegisters(pa, length) ? result : VIOLATION;
      }
    }
    if (sparseBits != 0) {
      return sparseBits == 64 || last >>> sparseBits == 0 ? result : VIOLATION;
    }
    long at = pa;
    while (true) {
      MemoryRegion r = find(backing, at);
      if (r == MemoryRegion.NONE) {
        return VIOLATION;
      }
      long end = r.base() + r.size() - 1;
      if (Long.compareUnsigned(last, end) <= 0) {
        return result;
      }
      at = end + 1;
    }
  }

  /** Whether an access has a size and an alignment that register pages take. */
  public static boolean fitsRegisters(long pa, long length) {
    return length <= 8 && Long.bitCount(length) == 1 && (pa & (length - 1)) == 0;
  }

  /** Whether {@code pa} belongs to a register page. */
  public boolean isDevice(long pa) {
    return window(pa) != null;
  }

  private @Nullable Window window(long pa) {
    for (Window w : windows) {
      if (w.holds(pa)) {
        return w;
      }
    }
    return null;
  }

  /** The doubleword at {@code pa}; meaningful only where {@link #status} is {@link #OK}. */
  public long readLong(long pa) {
    MemoryRegion r = find(direct, pa);
    return r != MemoryRegion.NONE && (pa & 7) == 0 ? r.getLong(pa) : readSlow(pa, 8);
  }

  /**
   * The 16 bytes at {@code pa}, 16-byte aligned; meaningful only where {@link #status} is {@link
   * #OK}, which also says that they are not registers.
   *
   * @return whether the halves belong together, as {@link EntryPair} tells
   */
  public boolean readPair(long pa, EntryPair into) {
    MemoryRegion r = find(backing, pa);
    if (r.holds(pa, EntryPair.BYTES) && (pa & 7) == 0) {
      return into.load(r, pa);
    }
    if (r == MemoryRegion.NONE) {
      into.set(0, 0); // sparse memory that nobody wrote to
    } else {
      into.set(readLong(pa), readLong(pa + 8)); // two regions share it: two accesses
    }
    return true;
  }

  /** The word at {@code pa}, zero-extended; meaningful only where {@link #status} is OK. */
  public long readInt(long pa) {
    MemoryRegion r = find(direct, pa);
    return r != MemoryRegion.NONE && (pa & 3) == 0 ? r.getInt(pa) & 0xffff_ffffL : readSlow(pa, 4);
  }

  /** 1..8 bytes at any alignment, zero-extended; meaningful only where {@link #status} is OK. */
  public long readBytes(long pa, int length) {
    return length == 8 ? readLong(pa) : length == 4 ? readInt(pa) : readSlow(pa, length);
  }

  /** Stores the low {@code length} (1..8) bytes at any alignment; {@link #OK} or why not. */
  public int writeBytes(long pa, long value, int length) {
    return length == 8
        ? writeLong(pa, value)
        : length == 4 ? writeInt(pa, (int) value) : writeSlow(pa, value, length);
  }

  private long readSlow(long pa, int length) {
    Window w = window(pa);
    if (w != null) {
      return w.device.read(pa - w.base, length);
    }
    long value = 0;
    for (int i = 0; i < length; i++) {
      MemoryRegion r = find(backing, pa + i);
      if (r != MemoryRegion.NONE) {
        value |= (r.segment().get(BYTE, pa + i - r.base()) & 0xffL) << (8 * i);
      }
    }
    return value;
  }

  /** Stores a doubleword; {@link #OK} or why not. */
  public int writeLong(long pa, long value) {
    MemoryRegion r = find(direct, pa);
    if (r != MemoryRegion.NONE && (pa & 7) == 0) {
      r.putLong(pa, value);
      return OK;
    }
    return writeSlow(pa, value, 8);
  }

  /** Stores a word; {@link #OK} or why not. */
  public int writeInt(long pa, int value) {
    MemoryRegion r = find(direct, pa);
    if (r != MemoryRegion.NONE && (pa & 3) == 0) {
      r.putInt(pa, value);
      return OK;
    }
    return writeSlow(pa, value, 4);
  }

  /**
   * A unit's own store of a word: its interrupt message, the data of a fence. As {@link #writeInt},
   * but refused where the registers of a unit are, see {@link Mmio#ofUnit}.
   */
  public int postInt(long pa, int value) {
    Window w = window(pa);
    return w != null && w.device.ofUnit() ? VIOLATION : writeInt(pa, value);
  }

  private int writeSlow(long pa, long value, int length) {
    int status = status(pa, length, true);
    if (status != OK) {
      return status;
    }
    Window w = window(pa);
    if (w != null) {
      w.device.write(pa - w.base, length, value & (-1L >>> (64 - 8 * length)));
      return OK;
    }
    for (int i = 0; i < length; i++) {
      MemoryRegion r = backed(pa + i);
      if (r != MemoryRegion.NONE) {
        r.segment().set(BYTE, pa + i - r.base(), (byte) (value >>> (8 * i)));
      }
    }
    return OK;
  }

  /**
   * Atomically replaces the aligned doubleword if it is {@code expected}. The caller has checked
   * {@link #status}; memory that was taken away since has what is expected, so that nobody tries
   * for ever.
   *
   * @return what was there
   */
  public long compareAndExchangeLong(long pa, long expected, long desired) {
    MemoryRegion r = backed(pa);
    return r == MemoryRegion.NONE ? expected : r.compareAndExchangeLong(pa, expected, desired);
  }

  /** The same for an aligned word. */
  public int compareAndExchangeInt(long pa, int expected, int desired) {
    MemoryRegion r = backed(pa);
    return r == MemoryRegion.NONE ? expected : r.compareAndExchangeInt(pa, expected, desired);
  }

  /**
   * Reads {@code length} bytes into an array; nothing is read unless all can be.
   *
   * @return {@link #OK}, {@link #VIOLATION} or {@link #POISONED}
   */
  public int read(long pa, byte[] to, int offset, int length) {
    return read(pa, MemorySegment.ofArray(to).asSlice(offset, length));
  }

  /** Reads as many bytes as {@code to} has; nothing is read unless all can be. */
  public int read(long pa, MemorySegment to) {
    long length = to.byteSize();
    int status = status(pa, length, false);
    if (status != OK) {
      return status;
    }
    Window w = window(pa);
    if (w != null) {
      long value = w.device.read(pa - w.base, (int) length);
      for (int i = 0; i < length; i++) {
        to.set(BYTE, i, (byte) (value >>> (8 * i)));
      }
      return OK;
    }
    for (long done = 0; done < length; ) {
      long at = pa + done;
      MemoryRegion r = find(backing, at);
      if (r == MemoryRegion.NONE) {
        long n = Math.min(length - done, PAGE - (at & (PAGE - 1)));
        to.asSlice(done, n).fill((byte) 0);
        done += n;
      } else {
        long n = Math.min(length - done, r.base() + r.size() - at);
        MemorySegment.copy(r.segment(), at - r.base(), to, done, n);
        done += n;
      }
    }
    return OK;
  }

  /**
   * Writes bytes from an array; nothing is written unless all can be.
   *
   * @return {@link #OK} or {@link #VIOLATION}
   */
  public int write(long pa, byte[] from, int offset, int length) {
    return write(pa, MemorySegment.ofArray(from).asSlice(offset, length));
  }

  /** Writes the bytes of {@code from}; nothing is written unless all can be. */
  public int write(long pa, MemorySegment from) {
    long length = from.byteSize();
    int status = status(pa, length, true);
    return status == OK ? store(pa, from) : status;
  }

  /**
   * Stores bytes as the loader of a test or capture does: injected failures do not apply.
   *
   * @return {@link #OK}, or {@link #VIOLATION} if there is no memory
   */
  public int load(long pa, byte[] bytes) {
    int status = status(pa, bytes.length, true, new Injection[0]);
    return status == OK ? store(pa, MemorySegment.ofArray(bytes)) : status;
  }

  private int store(long pa, MemorySegment from) {
    long length = from.byteSize();
    Window w = window(pa);
    if (w != null) {
      long value = 0;
      for (int i = 0; i < length; i++) {
        value |= (from.get(BYTE, i) & 0xffL) << (8 * i);
      }
      w.device.write(pa - w.base, (int) length, value);
      return OK;
    }
    for (long done = 0; done < length; ) {
      long at = pa + done;
      MemoryRegion r = backed(at);
      if (r == MemoryRegion.NONE) {
        return OK;
      }
      long n = Math.min(length - done, r.base() + r.size() - at);
      MemorySegment.copy(from, done, r.segment(), at - r.base(), n);
      done += n;
    }
    return OK;
  }

  /**
   * Where a store goes. {@link MemoryRegion#NONE} if memory that was there a moment ago was taken
   * away: then the store is lost, like one that was a little faster.
   */
  private MemoryRegion backed(long pa) {
    MemoryRegion r = find(backing, pa);
    return r != MemoryRegion.NONE || sparseBits == 0 ? r : back(pa & -PAGE);
  }

  private synchronized MemoryRegion back(long page) {
    MemoryRegion r = find(backing, page);
    if (r != MemoryRegion.NONE) {
      return r;
    }
    if (poolUsed == pool.byteSize()) {
      pool = NativeMemory.anonymous(64 * PAGE, arena);
      poolUsed = 0;
    }
    MemorySegment segment = pool.asSlice(poolUsed, PAGE);
    poolUsed += PAGE;
    return addSegment(page, segment);
  }

  /** The regions, lowest first. */
  public List<MemoryRegion> regions() {
    return List.of(backing);
  }

  /** Releases all memory that this object mapped. No access may be under way. */
  @Override
  public void close() {
    backing = new MemoryRegion[0];
    direct = new MemoryRegion[0];
    arena.close();
  }
}
