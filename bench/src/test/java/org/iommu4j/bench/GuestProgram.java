package org.iommu4j.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.AtsFabric;
import org.iommu4j.core.dma.AtsInvalidation;
import org.iommu4j.core.dma.BridgeError;
import org.iommu4j.core.dma.DmaPort;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.dma.InterruptRequest;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.core.dma.PageResponse;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.memory.Failure;
import org.iommu4j.core.memory.PhysicalMemory;

/**
 * Plays a hostile guest and its devices: bytes are read as a program of register accesses, stores
 * to tables and queues, requests of every kind, and messages. Whatever it does, the unit raises no
 * exception, comes back soon, and touches nothing outside the memory it was given; and a write of a
 * device lands where its translation says and nowhere else.
 *
 * <p>Each architecture says what its registers, tables and commands look like.
 */
abstract class GuestProgram implements AutoCloseable {
  static final long MEMORY = 0x8000_0000L;
  static final int PAGES = 32;
  static final int BYTES = PAGES * 4096;
  static final long REGISTERS = 0x4000_0000L;

  private static final int GUARD = 4 * 4096;
  private static final byte PATTERN = (byte) 0xa5;
  private static final long STEP_LIMIT_NS = 10_000_000_000L;
  private static final int STEPS = 400;
  private static final int[] SIZES = {4, 8, 4, 8, 4, 8, 1, 2};

  final Tape tape;
  final PhysicalMemory memory = new PhysicalMemory();
  final Translation translation = new Translation();
  final String cache;

  private final Arena arena = Arena.ofShared();
  private final MemorySegment guarded = arena.allocate(BYTES + 2L * GUARD, 4096);
  private final DmaPort[] ports = new DmaPort[4];
  private int lastTags;
  private int lastSource;

  Iommu unit;

  GuestProgram(byte[] input) {
    tape = new Tape(input);
    guarded.fill(PATTERN);
    MemorySegment middle = guarded.asSlice(GUARD, BYTES);
    middle.fill((byte) 0);
    memory.addSegment(MEMORY, middle);
    cache = new String[] {"off", "normal", "worst-case"}[tape.below(3)];
  }

  /** The unit that is played with: once, from the constructor. */
  final void plug(Iommu made) {
    unit = made;
    memory.addDevice(REGISTERS, unit.registerBytes(), unit);
    for (int i = 0; i < ports.length; i++) {
      ports[i] = new DmaPort(unit, memory, i);
    }
  }

  /** Sets queues and tables up, so that a short tape comes far. */
  abstract void prelude();

  /** One step of the program. */
  abstract void step();

  /** Where a device may go. */
  abstract long address();

  /** Whether the device answers an invalidation at once, from inside the command. */
  abstract boolean answersAtOnce(AtsInvalidation request);

  /** The bits of a byte of memory that a walk itself may set: A, D and the like. */
  abstract int walkBits(int offset);

  /** One more kind of access. */
  void access(DmaPort port, long iova) {
    port.fetch(iova, new byte[tape.u8()]);
  }

  /** What follows a translation that is granted. */
  void granted(DmaRequest request) {}

  /** The devices, as the unit sees them. */
  final AtsFabric fabric() {
    return new AtsFabric() {
      @Override
      public void invalidate(AtsInvalidation request) {
        lastTags |= 1 << request.tag();
        lastSource = request.source();
        if (answersAtOnce(request)) {
          unit.invalidationCompleted(request.source(), request.segmented(), 1 << request.tag(), 1);
        }
      }

      @Override
      public void respond(PageResponse response) {
        assertThat(response.group()).isBetween(0, 511);
      }
    };
  }

  /** Plays the whole tape. */
  final void play() {
    prelude();
    for (int step = 0; step < STEPS && !tape.atEnd(); step++) {
      long start = System.nanoTime();
      step();
      assertThat(System.nanoTime() - start).as("time of step %d", step).isLessThan(STEP_LIMIT_NS);
    }
    assertThat(unit.statistics()).isNotEmpty();
    checkGuards();
  }

  static long page(int n) {
    return MEMORY + 4096L * (n % PAGES);
  }

  final int size() {
    return SIZES[tape.below(SIZES.length)];
  }

  /** A store anywhere. */
  final void store() {
    memory.writeLong(MEMORY + (tape.u16() % (BYTES / 8)) * 8L, tape.i64());
  }

  private DmaPort port() {
    DmaPort port = ports[tape.below(ports.length)];
    int modifiers = tape.u8();
    return port.pasid(modifiers < 128 ? DmaRequest.NO_PASID : tape.u8() % 8)
        .modifiers((modifiers & 1) != 0 ? Access.PRIVILEGED : 0)
        .addressType((modifiers & 6) == 6 ? AddressType.TRANSLATED : AddressType.UNTRANSLATED);
  }

  final void dma() {
    DmaPort port = port();
    long iova = address();
    switch (tape.below(8)) {
      case 0 -> port.readLong(iova);
      case 1 -> port.readInt(iova);
      case 2 -> port.read(iova, new byte[tape.u16() % 9000]);
      case 3 -> access(port, iova);
      case 4 -> port.compareAndSwapLong(iova, tape.u8(), tape.i64());
      case 5 -> port.compareAndSwapInt(iova, tape.u8(), tape.i32());
      case 6 -> port.write(iova, new byte[tape.u16() % 9000]);
      default -> checkedWrite(port, iova);
    }
    assertThat(port.reason() != null).isEqualTo(port.status() == DmaPort.Status.BLOCKED);
  }

  /** A write within a page: what changes in memory is what the translation names. */
  private void checkedWrite(DmaPort port, long iova) {
    byte[] data = new byte[1 + tape.below(64)];
    Arrays.fill(data, PATTERN);
    if ((iova & 0xfff) + data.length > 4096) {
      return;
    }
    byte[] before = copy();
    boolean done = port.write(iova, data);
    Translation where = port.translation();
    if (!done || where.target() == Translation.MESSAGE || memory.isDevice(where.pa())) {
      return;
    }
    byte[] after = copy();
    long first = where.pa() - MEMORY;
    for (int i = 0; i < BYTES; i++) {
      int changed = (before[i] ^ after[i]) & 0xff;
      boolean written = i >= first && i < first + data.length;
      if (written ? after[i] != PATTERN : (changed & ~walkBits(i)) != 0) {
        throw new AssertionError(
            "a write of %d bytes to 0x%x changed 0x%x".formatted(data.length, where.pa(), i));
      }
    }
  }

  private byte[] copy() {
    return guarded.asSlice(GUARD, BYTES).toArray(ValueLayout.JAVA_BYTE);
  }

  /** A request without any sense. */
  DmaRequest request() {
    return new DmaRequest()
        .source((int) tape.one(0, 1, 2, 3, tape.i32()))
        .pasid((int) tape.one(-1, -1, 0, 3, tape.i32()))
        .iova(address())
        .access(tape.u8() & 63)
        .addressType(AddressType.values()[tape.below(3)]);
  }

  final void translate() {
    DmaRequest request = request();
    if (unit.translate(request, translation)) {
      assertThat(translation.reason()).isNull();
      assertThat(translation.rangeShift()).isBetween(12, 63);
      granted(request);
    } else {
      assertThat(translation.reason()).isNotNull();
    }
  }

  /** An interrupt message. */
  final void remap(int source, long address, int data, int pasid) {
    InterruptDelivery out = new InterruptDelivery();
    boolean delivered =
        unit.remap(new InterruptRequest().set(source, address, data).pasid(pasid), out);
    assertThat(out.kind() != InterruptDelivery.Kind.BLOCKED).isEqualTo(delivered);
  }

  final void protocol() {
    switch (tape.below(5)) {
      case 0 -> unit.pageRequest(pageRequest());
      case 1 -> unit.invalidationCompleted(lastSource, tape.flag(), lastTags, tape.below(8));
      case 2 -> unit.invalidationCompleted(tape.i32(), tape.flag(), tape.i32(), tape.i32());
      case 3 -> unit.invalidationTimedOut(tape.i32());
      default -> unit.bridgeError(request(), BridgeError.values()[tape.below(2)]);
    }
  }

  private PageRequest pageRequest() {
    return new PageRequest(
        (int) tape.one(0, 1, 2, 3, tape.i32()),
        tape.flag(),
        (int) tape.one(-1, 0, 5, tape.i32() & 0xf_ffff),
        tape.u8() & 63,
        tape.i64());
  }

  final void failure() {
    if (tape.below(3) == 0) {
      memory.clearInjections();
    } else {
      memory.inject(
          page(tape.u8()) + tape.u16() % 4096, 1 + tape.below(16), Failure.values()[tape.below(3)]);
    }
  }

  final void look() {
    if (tape.below(64) > 0) {
      unit.inspector().walk(request());
    } else {
      unit.inspector().view(tape.below(4), tape.flag() ? -1 : tape.below(8), 20);
      assertThat(unit.inspector().contexts(50)).hasSizeLessThanOrEqualTo(50);
    }
  }

  private void checkGuards() {
    MemorySegment clean = MemorySegment.ofArray(new byte[GUARD]);
    clean.fill(PATTERN);
    assertThat(guarded.asSlice(0, GUARD).mismatch(clean)).as("memory below").isEqualTo(-1);
    assertThat(guarded.asSlice((long) GUARD + BYTES, GUARD).mismatch(clean))
        .as("memory above")
        .isEqualTo(-1);
  }

  @Override
  public final void close() {
    for (DmaPort port : ports) {
      port.close();
    }
    memory.close();
    arena.close();
  }
}
