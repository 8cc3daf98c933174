package org.iommu4j.core.dma;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.iommu4j.core.memory.MemoryRegion;
import org.iommu4j.core.memory.PhysicalMemory;
import org.jspecify.annotations.Nullable;

/**
 * What a device holds: read, write and compare-and-swap at an IOVA.
 *
 * <p>Each access is split at the ends of its translations; each piece is translated and carried out
 * inside one accounted {@link Window}, so an invalidation that was reported complete covers the
 * access itself. Accesses to register pages are issued after the window has closed: a device may
 * write the registers of the very unit that translates for it, and must not wait for itself.
 *
 * <pre>{@code
 * try (DmaPort port = new DmaPort(iommu, memory, 0x08)) {
 *   if (port.readLong(0x1000)) {
 *     use(port.value());
 *   } else {
 *     report(port.status(), port.reason());
 *   }
 * }
 * }</pre>
 *
 * <p>Not thread-safe: one port per device thread. Words and atomics allocate nothing; transfers of
 * buffers may make views of them.
 */
public final class DmaPort implements AutoCloseable {
  /** How the last access ended. */
  public enum Status {
    /** All bytes were transferred. */
    OK,
    /** The IOMMU blocked it; {@link #reason} says why. */
    BLOCKED,
    /** Translated, but nothing answers at that physical address. */
    ABORTED,
    /** Translated, and the data read is corrupted. */
    POISONED
  }

  private final @Nullable Iommu iommu;
  private final PhysicalMemory memory;
  private final @Nullable Window window;
  private final DmaRequest request = new DmaRequest();
  private final Translation translation = new Translation();
  private MemoryRegion last = MemoryRegion.NONE;
  private int lastVersion;
  private int pasid = DmaRequest.NO_PASID;
  private int modifiers;
  private AddressType addressType = AddressType.UNTRANSLATED;
  private Status status = Status.OK;
  private long value;
  private long transferred;

  /**
   * A port of the requester {@code source}.
   *
   * @param iommu the unit in front of the device, or null if there is none
   */
  public DmaPort(@Nullable Iommu iommu, PhysicalMemory memory, int source) {
    this.iommu = iommu;
    this.memory = memory;
    this.window = iommu == null ? null : iommu.windows().open();
    request.source(source);
  }

  /** Requester id of this port. */
  public int source() {
    return request.source();
  }

  /** The PASID of accesses from now on, {@link DmaRequest#NO_PASID} for none. */
  public DmaPort pasid(int value) {
    pasid = value;
    return this;
  }

  /** {@link Access#PRIVILEGED} or {@link Access#CXL} for accesses from now on. */
  public DmaPort modifiers(int bits) {
    modifiers = bits & (Access.PRIVILEGED | Access.CXL);
    return this;
  }

  /** The address type of accesses from now on. */
  public DmaPort addressType(AddressType type) {
    addressType = type;
    return this;
  }

  /** How the last access ended. */
  public Status status() {
    return status;
  }

  /** Why the IOMMU blocked the last access; null if it did not. */
  public @Nullable FaultReason reason() {
    return status == Status.BLOCKED ? translation.reason() : null;
  }

  /** The data of the last {@code readLong}/{@code readInt}, or the witness of a swap. */
  public long value() {
    return value;
  }

  /** Bytes of the last access that were transferred before it ended. */
  public long transferred() {
    return transferred;
  }

  /** The translation of the last piece. */
  public Translation translation() {
    return translation;
  }

  /** Reads 8 bytes, little-endian, into {@link #value}. */
  public boolean readLong(long iova) {
    if ((iova & 7) != 0) {
      return readPieces(iova, 8);
    }
    enter();
    boolean done = false;
    if (translate(iova, Access.READ)) {
      long pa = translation.pa();
      MemoryRegion r = region(pa);
      if (r != MemoryRegion.NONE && translation.target() == Translation.MEMORY) {
        value = r.getLong(pa);
        done = true;
      }
    }
    exit();
    if (done) {
      status = Status.OK;
      transferred = 8;
      return true;
    }
    return translation.reason() == null ? readPieces(iova, 8) : blocked(0);
  }

  /** Writes 8 bytes, little-endian. */
  public boolean writeLong(long iova, long data) {
    if ((iova & 7) != 0) {
      return writePieces(iova, data, 8);
    }
    enter();
    boolean done = false;
    if (translate(iova, Access.WRITE)) {
      long pa = translation.pa();
      MemoryRegion r = region(pa);
      if (r != MemoryRegion.NONE && translation.target() == Translation.MEMORY) {
        r.putLong(pa, data);
        done = true;
      }
    }
    exit();
    if (done) {
      status = Status.OK;
      transferred = 8;
      return true;
    }
    return translation.reason() == null ? writePieces(iova, data, 8) : blocked(0);
  }

  /** Reads 4 bytes, little-endian, zero-extended into {@link #value}. */
  public boolean readInt(long iova) {
    return readPieces(iova, 4);
  }

  /** Writes 4 bytes, little-endian. */
  public boolean writeInt(long iova, int data) {
    return writePieces(iova, data & 0xffff_ffffL, 4);
  }

  /**
   * Compare-and-swap of an aligned doubleword (PCIe AtomicOp CAS). {@link #value} is what was
   * there; the swap happened if that equals {@code expected}.
   *
   * @return whether the access was carried out; a misaligned one is {@link Status#ABORTED}, and the
   *     unit hears of it
   */
  public boolean compareAndSwapLong(long iova, long expected, long desired) {
    return swap(iova, 8, expected, desired);
  }

  /** Compare-and-swap of an aligned word; see {@link #compareAndSwapLong}. */
  public boolean compareAndSwapInt(long iova, int expected, int desired) {
    return swap(iova, 4, expected, desired);
  }

  private boolean swap(long iova, int length, long expected, long desired) {
    if ((iova & (length - 1)) != 0) {
      name(iova, Access.WRITE | Access.ATOMIC);
      tell(BridgeError.MISALIGNED);
      return ended(Status.ABORTED, 0);
    }
    enter();
    boolean translated = translate(iova, Access.WRITE | Access.ATOMIC);
    int outcome = PhysicalMemory.VIOLATION;
    if (translated && translation.target() == Translation.MEMORY) {
      long pa = translation.pa();
      // A register page is no place for an atomic: it answers like a hole.
      outcome = memory.isDevice(pa) ? PhysicalMemory.VIOLATION : memory.status(pa, length, true);
      if (outcome == PhysicalMemory.OK) {
        outcome = memory.status(pa, length, false);
      }
      if (outcome == PhysicalMemory.OK) {
        value =
            length == 8
                ? memory.compareAndExchangeLong(pa, expected, desired)
                : memory.compareAndExchangeInt(pa, (int) expected, (int) desired) & 0xffff_ffffL;
      }
    }
    exit();
    return translated ? ended(outcome, length) : blocked(0);
  }

  /** Reads as many bytes as {@code to} has. */
  public boolean read(long iova, MemorySegment to) {
    return transfer(iova, to, Access.READ);
  }

  /** Reads bytes into an array. */
  public boolean read(long iova, byte[] to) {
    return transfer(iova, MemorySegment.ofArray(to), Access.READ);
  }

  /** Writes all bytes of {@code from}. */
  public boolean write(long iova, MemorySegment from) {
    return transfer(iova, from, Access.WRITE);
  }

  /** Writes all bytes of an array. */
  public boolean write(long iova, byte[] from) {
    return transfer(iova, MemorySegment.ofArray(from), Access.WRITE);
  }

  /** Reads for execution: as {@link #read}, asking for the execute permission. */
  public boolean fetch(long iova, byte[] to) {
    return transfer(iova, MemorySegment.ofArray(to), Access.READ | Access.EXECUTE);
  }

  private boolean transfer(long iova, MemorySegment buffer, int access) {
    long length = buffer.byteSize();
    boolean write = (access & Access.WRITE) != 0;
    long done = 0;
    while (done < length) {
      if (!begin(iova + done, access)) {
        return blocked(done);
      }
      long n = Math.min(length - done, toEnd(iova + done));
      long pa = translation.pa();
      int outcome;
      if (translation.target() == Translation.MESSAGE || memory.isDevice(pa)) {
        // Naturally aligned pieces: what a bridge makes of a burst to registers.
        n = Math.min(Long.lowestOneBit(iova + done | 8), Long.highestOneBit(Math.min(n, 8)));
        outcome = carryOut(write ? load(buffer, done, n) : 0, (int) n, write);
        if (outcome == PhysicalMemory.OK && !write) {
          store(buffer, done, n, value);
        }
      } else {
        outcome = copy(pa, buffer, done, n, write);
        exit();
      }
      if (outcome != PhysicalMemory.OK) {
        return ended(outcome, done);
      }
      done += n;
    }
    return ended(Status.OK, done);
  }

  /**
   * Moves one piece, without an object where it lies in one region that nothing interferes with.
   */
  private int copy(long pa, MemorySegment buffer, long at, long n, boolean write) {
    MemoryRegion r = region(pa);
    if (!r.holds(pa, n)) {
      MemorySegment piece = buffer.asSlice(at, n);
      return write ? memory.write(pa, piece) : memory.read(pa, piece);
    }
    if (write) {
      MemorySegment.copy(buffer, at, r.segment(), pa - r.base(), n);
    } else {
      MemorySegment.copy(r.segment(), pa - r.base(), buffer, at, n);
    }
    return PhysicalMemory.OK;
  }

  private boolean readPieces(long iova, int length) {
    long result = 0;
    for (int done = 0; done < length; ) {
      if (!begin(iova + done, Access.READ)) {
        return blocked(done);
      }
      int n = (int) Math.min(length - done, toEnd(iova + done));
      int outcome = carryOut(0, n, false);
      if (outcome != PhysicalMemory.OK) {
        return ended(outcome, done);
      }
      result |= value << (8 * done);
      done += n;
    }
    value = result;
    return ended(Status.OK, length);
  }

  private boolean writePieces(long iova, long data, int length) {
    for (int done = 0; done < length; ) {
      if (!begin(iova + done, Access.WRITE)) {
        return blocked(done);
      }
      int n = (int) Math.min(length - done, toEnd(iova + done));
      int outcome = carryOut(data >>> (8 * done), n, true);
      if (outcome != PhysicalMemory.OK) {
        return ended(outcome, done);
      }
      done += n;
    }
    return ended(Status.OK, length);
  }

  /** Opens the window and translates; if that fails, the window is closed again. */
  private boolean begin(long iova, int access) {
    enter();
    boolean translated = translate(iova, access);
    if (!translated) {
      exit();
    }
    return translated;
  }

  /**
   * Carries out an access of up to 8 bytes to where the translation leads, and closes the window:
   * before an access to registers, after any other.
   */
  private int carryOut(long data, int length, boolean write) {
    long pa = translation.pa();
    if (translation.target() == Translation.MESSAGE) {
      int outcome = message(data, length, write);
      exit();
      return outcome;
    }
    boolean registers = memory.isDevice(pa);
    if (registers) {
      exit();
      if (!PhysicalMemory.fitsRegisters(pa, length)) {
        tell(BridgeError.MISALIGNED);
        return PhysicalMemory.VIOLATION;
      }
    }
    int outcome = memory.status(pa, length, write);
    if (outcome == PhysicalMemory.OK) {
      if (write) {
        outcome = memory.writeBytes(pa, data, length);
      } else {
        value = memory.readBytes(pa, length);
      }
    }
    if (!registers) {
      exit();
    }
    return outcome;
  }

  private int message(long data, int length, boolean write) {
    if (write && iommu != null) {
      return iommu.writeMessage(request, translation, data, length);
    }
    value = 0; // a message file reads as zero, words only
    return length == 4 && (request.iova() & 3) == 0 ? PhysicalMemory.OK : PhysicalMemory.VIOLATION;
  }

  private static long load(MemorySegment from, long at, long n) {
    long data = 0;
    for (int i = 0; i < n; i++) {
      data |= (from.get(ValueLayout.JAVA_BYTE, at + i) & 0xffL) << (8 * i);
    }
    return data;
  }

  private static void store(MemorySegment to, long at, long n, long data) {
    for (int i = 0; i < n; i++) {
      to.set(ValueLayout.JAVA_BYTE, at + i, (byte) (data >>> (8 * i)));
    }
  }

  private void name(long iova, int access) {
    request.iova(iova).pasid(pasid).access(access | modifiers).addressType(addressType);
  }

  /** The bridge refuses the request: the unit is told. */
  private void tell(BridgeError error) {
    if (iommu != null) {
      iommu.bridgeError(request, error);
    }
  }

  private boolean translate(long iova, int access) {
    name(iova, access);
    if (iommu == null) {
      translation.grant(iova, 12, Access.READ | Access.WRITE | Access.EXECUTE, 0);
      return true;
    }
    return iommu.translate(request, translation);
  }

  /** Bytes from {@code iova} to the end of its translation, at most one page at a time. */
  private long toEnd(long iova) {
    long page = 1L << Math.clamp(translation.rangeShift(), 0, 21);
    return page - (iova & (page - 1));
  }

  /** The region that holds {@code pa}, most often the one of the last access. */
  private MemoryRegion region(long pa) {
    MemoryRegion r = last;
    int version = memory.version();
    if (version == lastVersion && r.holds(pa)) {
      return r;
    }
    r = memory.region(pa);
    last = r;
    lastVersion = version;
    return r;
  }

  private void enter() {
    if (window != null) {
      window.enter();
    }
  }

  private void exit() {
    if (window != null) {
      window.exit();
    }
  }

  private boolean blocked(long done) {
    status = Status.BLOCKED;
    transferred = done;
    return false;
  }

  private boolean ended(int outcome, long done) {
    return ended(
        outcome == PhysicalMemory.OK
            ? Status.OK
            // A message that the unit itself refused after its address was granted.
            : translation.reason() != null
                ? Status.BLOCKED
                : outcome == PhysicalMemory.POISONED ? Status.POISONED : Status.ABORTED,
        done);
  }

  private boolean ended(Status how, long done) {
    status = how;
    transferred = done;
    return how == Status.OK;
  }

  /** Detaches the port from the unit. */
  @Override
  public void close() {
    if (iommu != null && window != null) {
      iommu.windows().close(window);
      iommu.release(translation);
    }
  }
}
