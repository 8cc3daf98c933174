package org.iommu4j.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Map;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.Options;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.AtsFabric;
import org.iommu4j.core.dma.AtsInvalidation;
import org.iommu4j.core.dma.BridgeError;
import org.iommu4j.core.dma.DmaPort;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.dma.InterruptLines;
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
 */
final class VtdProgram implements AutoCloseable {
  private static final long MEMORY = 0x8000_0000L;
  private static final int PAGES = 32;
  private static final int BYTES = PAGES * 4096;
  private static final int GUARD = 4 * 4096;
  private static final long REGISTERS = 0x4000_0000L;
  private static final byte PATTERN = (byte) 0xa5;
  private static final long STEP_LIMIT_NS = 10_000_000_000L;
  private static final int STEPS = 400;

  private static final int[] SIZES = {4, 8, 4, 8, 4, 8, 1, 2};

  /** Registers that do something. */
  private static final int[] OFFSETS = {
    0x18, 0x1c, 0x20, 0x28, 0x34, 0x38, 0x3c, 0x40, 0x44, 0x64, 0x68, 0x6c, 0x70, 0x78, 0x80, 0x88,
    0x90, 0x9c, 0xa0, 0xa4, 0xa8, 0xac, 0xb0, 0xb8, 0xc0, 0xc8, 0xd0, 0xdc, 0xe0, 0xe4, 0xe8, 0xf0,
    0xf8, 0x108, 0x180, 0x188, 0x220, 0x228, 0x324, 0x328, 0x400, 0x408, 0x410
  };

  private static final long CAP = 0x39ff_070f_22b8_0e66L;
  private static final long ECAP = 0x0fb3_ef9e_a6f0_0fdfL;

  private final Arena arena = Arena.ofShared();
  private final MemorySegment guarded = arena.allocate(BYTES + 2L * GUARD, 4096);
  private final PhysicalMemory memory = new PhysicalMemory();
  private final Iommu unit;
  private final Tape tape;
  private final Translation translation = new Translation();
  private final DmaPort[] ports = new DmaPort[4];
  private final boolean scalable;
  private int lastTags;
  private int lastSource;

  VtdProgram(byte[] input) {
    tape = new Tape(input);
    guarded.fill(PATTERN);
    MemorySegment middle = guarded.asSlice(GUARD, BYTES);
    middle.fill((byte) 0);
    memory.addSegment(MEMORY, middle);
    String cache = new String[] {"off", "normal", "worst-case"}[tape.below(3)];
    scalable = tape.below(3) > 0;
    long optional = tape.one(0, 0, 1 << 7, 1L << 63, 1L << 62);
    unit =
        Architecture.named("vtd")
            .create(
                Options.of(
                    Map.of(
                        "ver",
                        "" + tape.one(0x10, 0x50, 0x50, 0x60, 0x80),
                        "cap",
                        "0x" + Long.toHexString(CAP | optional),
                        "ecap",
                        "0x" + Long.toHexString(ECAP),
                        "haw",
                        "" + tape.one(52, 46, 39),
                        "cache",
                        cache,
                        "itags",
                        "2",
                        "iotlb.sets",
                        "16",
                        "walk_cache.sets",
                        "8")),
                new Host(memory, fabric(), InterruptLines.NONE, this::interrupt));
    memory.addDevice(REGISTERS, unit.registerBytes(), unit);
    for (int i = 0; i < ports.length; i++) {
      ports[i] = new DmaPort(unit, memory, i);
    }
  }

  /** The unit's own messages go wherever software wants them to. */
  private int interrupt(long address, int data) {
    if (address >>> 20 != 0xfee) {
      return memory.postInt(address, data);
    }
    return (data & 1) == 0 ? PhysicalMemory.OK : PhysicalMemory.VIOLATION;
  }

  private AtsFabric fabric() {
    return new AtsFabric() {
      @Override
      public void invalidate(AtsInvalidation request) {
        lastTags |= 1 << request.tag();
        lastSource = request.source();
        if ((request.payload() & 0x1000) != 0) {
          // A device that answers at once, from inside the descriptor.
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
  void play() {
    prelude();
    for (int step = 0; step < STEPS && !tape.atEnd(); step++) {
      long start = System.nanoTime();
      step();
      assertThat(System.nanoTime() - start).as("time of step %d", step).isLessThan(STEP_LIMIT_NS);
    }
    assertThat(unit.statistics()).isNotEmpty();
    checkGuards();
  }

  /** Queues, a root table and an interrupt table, so that a short tape comes far. */
  private void prelude() {
    unit.write(0x90, 8, page(0) | (scalable ? 1 << 11 : 0));
    command(1 << 26);
    unit.write(0xd0, 8, page(1));
    unit.write(0xb8, 8, page(2) | 7);
    command(1 << 24);
    unit.write(0x20, 8, page(3) | (scalable ? 1 << 10 : 0));
    command(1 << 30);
    memory.writeLong(page(3), page(4) | 1);
    memory.writeLong(page(3) + 8, scalable ? page(4) | 1 : 0);
    if (scalable) {
      memory.writeLong(page(5), page(6) | 1);
    }
    command(1 << 25);
    command(1L << 31);
  }

  private void command(long bit) {
    unit.write(0x18, 4, unit.read(0x1c, 4) & 0x96ff_ffffL | bit);
  }

  private static long page(int n) {
    return MEMORY + 4096L * (n % PAGES);
  }

  private void step() {
    switch (tape.below(18)) {
      case 0, 1 -> write();
      case 2 -> unit.read(tape.u16(), SIZES[tape.below(SIZES.length)]);
      case 3 -> memory.writeLong(MEMORY + (tape.u16() % (BYTES / 8)) * 8L, tape.i64());
      case 4 -> context();
      case 5 -> pasidEntry();
      case 6, 7 -> entry();
      case 8, 9 -> descriptor();
      case 10, 11 -> dma();
      case 12 -> translate();
      case 13 -> message();
      case 14 -> protocol();
      case 15 -> failure();
      case 16 -> command(1L << tape.below(32));
      default -> look();
    }
  }

  private void write() {
    int offset =
        tape.flag() ? OFFSETS[tape.below(OFFSETS.length)] : tape.u16() & (tape.flag() ? 0xfff : -1);
    int size = SIZES[tape.below(SIZES.length)];
    long value =
        switch (tape.below(6)) {
          case 0 -> tape.i64();
          case 1 -> page(tape.u8()) | tape.u16() & 0xfff;
          case 2 -> tape.u8();
          case 3 -> 1L << tape.below(64);
          case 4 -> -1L;
          default -> REGISTERS + tape.u16() % 4096;
        };
    unit.write(offset, size, value);
  }

  /** A context entry of either mode, mostly plausible. */
  private void context() {
    int fn = tape.below(5);
    if (scalable) {
      long at = page(4) + 32L * fn;
      memory.writeLong(at, page(5) | 1 | tape.u16() & 0xe7e);
      memory.writeLong(at + 8, tape.u8() % 8 | (tape.flag() ? 1 << 20 : 0));
      memory.writeLong(at + 16, 0);
      memory.writeLong(at + 24, 0);
    } else {
      long at = page(4) + 16L * fn;
      memory.writeLong(at, page(tape.u8()) | 1 | tape.u8() & 0xe);
      memory.writeLong(at + 8, tape.one(1, 2, 3, 3, tape.u8()) | tape.u8() % 4L << 8);
    }
    if (tape.below(4) == 0) {
      memory.writeLong(page(4) + 8 * tape.below(64), tape.i64());
    }
  }

  private void pasidEntry() {
    long at = page(6) + 64L * (tape.u8() % 8);
    long ssade = tape.flag() ? 1 << 9 : 0;
    long aw = tape.one(1, 2, 3, 2);
    memory.writeLong(at, page(tape.u8()) | 1 | aw << 2 | tape.one(1, 2, 3, 3, 4, 5) << 6 | ssade);
    memory.writeLong(at + 8, tape.u8() % 4 | (tape.below(4) == 0 ? 0 : 1 << 23));
    memory.writeLong(at + 16, page(tape.u8()) | tape.u8() & 0x95);
    memory.writeLong(at + 32, page(tape.u8()) | tape.u8() & 7);
    if (tape.below(4) == 0) {
      memory.writeLong(at + 8 * tape.below(8), tape.i64());
    }
  }

  /** A table entry that leads somewhere into the memory, the registers, or nowhere. */
  private void entry() {
    long at = page(tape.u8()) + tape.u16() % 512 * 8L;
    long target = tape.one(page(tape.u8()), page(tape.u8()), REGISTERS, tape.i64() & -4096L);
    long flags =
        switch (tape.below(5)) {
          case 0, 1 -> 7;
          case 2 -> 0x6000_0000_0000_0003L;
          case 3 -> 0x87;
          default -> tape.u16() & 0xfff | (tape.flag() ? (long) tape.u16() << 48 : 0);
        };
    memory.writeLong(at, target | flags);
  }

  /** The next descriptor of the queue, wherever the queue is. */
  private void descriptor() {
    long base = unit.read(0x90, 8);
    int size = (base >>> 11 & 1) != 0 ? 32 : 16;
    long tail = unit.read(0x88, 8) & 0x7fff0;
    long at = (base & -4096L) + tail;
    long first =
        tape.one(
            0x11,
            0x21,
            0x31,
            0x12,
            0x22,
            0x32,
            3,
            4,
            0x14,
            0x25,
            0x15,
            0x26,
            0x36,
            7,
            0x17,
            0x37,
            8,
            9,
            0x1a,
            0x2a,
            tape.i64());
    if (tape.below(3) > 0) {
      first |= (long) tape.u8() << 16 | (long) tape.u8() << 32;
    } else if (tape.flag()) {
      first |= tape.i64();
    }
    int ignored = memory.writeLong(at, first);
    ignored = memory.writeLong(at + 8, tape.flag() ? address() & ~3L : tape.i64());
    if (size == 32) {
      ignored = memory.writeLong(at + 16, tape.below(8) == 0 ? tape.i64() : 0);
      ignored = memory.writeLong(at + 24, 0);
    }
    unit.write(0x88, 8, tail + size & 0x7ffff);
    if (tape.flag()) {
      unit.write(0x34, 4, 0x70);
    }
  }

  private long address() {
    return switch (tape.below(9)) {
      case 0 -> tape.i64();
      case 1 -> REGISTERS + tape.u16() % 4096;
      case 2 -> (long) tape.u8() << 12 | tape.u16() % 4096;
      case 3 -> -1L << tape.below(64);
      case 4 -> 0xfee0_0000L | tape.i32() & 0xf_ffff;
      default -> page(tape.u8()) + tape.u16() % 4096;
    };
  }

  private DmaPort port() {
    DmaPort port = ports[tape.below(ports.length)];
    int modifiers = tape.u8();
    return port.pasid(modifiers < 128 ? DmaRequest.NO_PASID : tape.u8() % 8)
        .modifiers((modifiers & 1) != 0 ? Access.PRIVILEGED : 0)
        .addressType((modifiers & 6) == 6 ? AddressType.TRANSLATED : AddressType.UNTRANSLATED);
  }

  private void dma() {
    DmaPort port = port();
    long iova = address();
    switch (tape.below(8)) {
      case 0 -> port.readLong(iova);
      case 1 -> port.readInt(iova);
      case 2 -> port.read(iova, new byte[tape.u16() % 9000]);
      case 3 -> port.writeInt(iova, tape.i32());
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
      // The walk itself may have set A, D and EA: bits 5 and 6 of a byte, 0 to 2 of the next.
      int flags = (i & 7) == 0 ? 0x60 : (i & 7) == 1 ? 7 : 0;
      if (written ? after[i] != PATTERN : (changed & ~flags) != 0) {
        throw new AssertionError(
            "a write of %d bytes to 0x%x changed 0x%x".formatted(data.length, where.pa(), i));
      }
    }
  }

  private byte[] copy() {
    return guarded.asSlice(GUARD, BYTES).toArray(ValueLayout.JAVA_BYTE);
  }

  private DmaRequest request() {
    return new DmaRequest()
        .source((int) tape.one(0, 1, 2, 3, 0x81, tape.i32()))
        .pasid((int) tape.one(-1, -1, 0, 3, tape.i32()))
        .iova(address())
        .access(tape.u8() & 127)
        .addressType(AddressType.values()[tape.below(3)]);
  }

  private void translate() {
    DmaRequest request = request();
    if (unit.translate(request, translation)) {
      assertThat(translation.reason()).isNull();
      assertThat(translation.rangeShift()).isBetween(12, 63);
      if (translation.target() == Translation.MESSAGE) {
        unit.writeMessage(request, translation, tape.i64(), 1 + tape.below(8));
      }
    } else {
      assertThat(translation.reason()).isNotNull();
    }
  }

  /** An interrupt entry, and a message that may find it. */
  private void message() {
    int index = tape.below(4);
    if (tape.flag()) {
      boolean posted = tape.flag();
      long to = page(tape.u8()) | tape.u8() % 4 << 6;
      memory.writeLong(
          page(2) + 16L * index,
          posted ? to << 32 | 0x8001 | tape.u8() << 16 : 1 | (long) tape.u16() << 32 | tape.u8());
      memory.writeLong(page(2) + 16L * index + 8, posted ? to & -1L << 32 : tape.u8() % 16 << 16);
    }
    long found = 0xfee0_0010L | (long) index << 5 | (tape.flag() ? 8 : 0);
    InterruptDelivery out = new InterruptDelivery();
    boolean delivered =
        unit.remap(
            new InterruptRequest()
                .set(tape.below(4), tape.below(3) > 0 ? found : address(), tape.u16())
                .pasid(tape.below(4) > 0 ? -1 : tape.below(8)),
            out);
    assertThat(out.kind() != InterruptDelivery.Kind.BLOCKED).isEqualTo(delivered);
  }

  private void protocol() {
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

  private void failure() {
    if (tape.below(3) == 0) {
      memory.clearInjections();
    } else {
      memory.inject(
          page(tape.u8()) + tape.u16() % 4096, 1 + tape.below(16), Failure.values()[tape.below(3)]);
    }
  }

  private void look() {
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
  public void close() {
    for (DmaPort port : ports) {
      port.close();
    }
    memory.close();
    arena.close();
  }
}
