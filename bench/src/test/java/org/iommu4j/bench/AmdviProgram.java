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
final class AmdviProgram implements AutoCloseable {
  private static final long MEMORY = 0x8000_0000L;
  private static final int PAGES = 32;
  private static final int BYTES = PAGES * 4096;
  private static final int GUARD = 4 * 4096;
  private static final long REGISTERS = 0x4000_0000L;
  private static final byte PATTERN = (byte) 0xa5;
  private static final long STEP_LIMIT_NS = 10_000_000_000L;
  private static final int STEPS = 400;

  private static final int[] SIZES = {4, 8, 4, 8, 4, 8, 1, 2};
  private static final int[] OFFSETS = {
    0x00, 0x08, 0x10, 0x18, 0x18, 0x18, 0x18, 0x20, 0x28, 0x38, 0x40, 0x50, 0x60, 0xe0, 0xe8, 0xf0,
    0xf8, 0x100, 0x108, 0x158, 0x15c, 0x164, 0x170, 0x178, 0x180, 0x200, 0x208, 0x210, 0x2000,
    0x2008, 0x2010, 0x2018, 0x2020, 0x2030, 0x2038, 0x2040, 0x2048, 0x2050, 0x2070, 0x2080, 0x2088,
    0x4000, 0x4008
  };

  /** Everything but what belongs to virtual units and SNP. */
  private static final long FEATURES = 0x2057_47f3_2229_9bdfL;

  private final Arena arena = Arena.ofShared();
  private final MemorySegment guarded = arena.allocate(BYTES + 2L * GUARD, 4096);
  private final PhysicalMemory memory = new PhysicalMemory();
  private final Iommu unit;
  private final Tape tape;
  private final Translation translation = new Translation();
  private final DmaPort[] ports = new DmaPort[4];
  private int lastTags;
  private int lastSource;

  AmdviProgram(byte[] input) {
    tape = new Tape(input);
    guarded.fill(PATTERN);
    MemorySegment middle = guarded.asSlice(GUARD, BYTES);
    middle.fill((byte) 0);
    memory.addSegment(MEMORY, middle);
    String cache = new String[] {"off", "normal", "worst-case"}[tape.below(3)];
    long absent = tape.one(0, 0, 0, 1L << 1, 1L << 4, 1L << 7, 1L << 48, 1L << 49, 1L << 6);
    unit =
        Architecture.named("amdvi")
            .create(
                Options.of(
                    Map.of(
                        "efr",
                        "0x" + Long.toHexString(FEATURES & ~absent),
                        "efr2",
                        "0x108",
                        "cap_header",
                        tape.flag() ? "0x190b000f" : "0x1d0b000f",
                        "cache",
                        cache,
                        "iotlb.sets",
                        "16",
                        "walk_cache.sets",
                        "8")),
                new Host(memory, fabric(), (line, level) -> {}));
    memory.addDevice(REGISTERS, unit.registerBytes(), unit);
    for (int i = 0; i < ports.length; i++) {
      ports[i] = new DmaPort(unit, memory, i);
    }
  }

  private AtsFabric fabric() {
    return new AtsFabric() {
      @Override
      public void invalidate(AtsInvalidation request) {
        lastTags |= 1 << request.tag();
        lastSource = request.source();
        if ((request.payload() & 0x10) != 0) {
          // A device that answers at once, from inside the command.
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

  /** Rings and a device table of one page, so that a short tape comes far. */
  private void prelude() {
    unit.write(0x00, 8, page(0));
    unit.write(0x08, 8, page(1) | 8L << 56);
    unit.write(0x10, 8, page(2) | 8L << 56);
    unit.write(0x38, 8, page(3) | 8L << 56);
    unit.write(0xe0, 8, page(4) | 8L << 56);
    unit.write(0x18, 8, 0x400 | 1);
    unit.write(0x18, 8, 0x1201_f405L | tape.u8() % 4L << 17);
  }

  private static long page(int n) {
    return MEMORY + 4096L * (n % PAGES);
  }

  private void step() {
    switch (tape.below(16)) {
      case 0, 1 -> write();
      case 2 -> unit.read(tape.u16() << tape.below(4), SIZES[tape.below(SIZES.length)]);
      case 3 -> memory.writeLong(MEMORY + (tape.u16() % (BYTES / 8)) * 8L, tape.i64());
      case 4 -> context();
      case 5, 6 -> entry();
      case 7, 8 -> command();
      case 9, 10 -> dma();
      case 11 -> translate();
      case 12 -> message();
      case 13 -> protocol();
      case 14 -> failure();
      default -> look();
    }
  }

  private void write() {
    int offset =
        tape.flag() ? OFFSETS[tape.below(OFFSETS.length)] : tape.u16() << (tape.flag() ? 0 : 3);
    int size = SIZES[tape.below(SIZES.length)];
    long value =
        switch (tape.below(6)) {
          case 0 -> tape.i64();
          case 1 -> page(tape.u8()) | 8L + tape.below(2) << 56 | tape.below(4);
          case 2 -> tape.u8();
          case 3 -> 1L << tape.below(64);
          case 4 -> -1L;
          default -> REGISTERS + tape.u16() % 4096;
        };
    unit.write(offset, size, value);
  }

  /** A device table entry, mostly plausible. */
  private void context() {
    long at = page(0) + 32 * tape.below(5);
    boolean guest = tape.flag();
    long gcr3 = page(tape.u8());
    memory.writeLong(
        at,
        tape.one(3, 3, 3, 1, 0)
            | tape.one(0, 1, 3) << 7
            | tape.below(8) % 7L << 9
            | page(tape.u8())
            | (guest ? tape.one(8, 9, 12, 13) << 52 | tape.below(3) % 3L << 56 : 0)
            | (guest ? (gcr3 >>> 12 & 7) << 58 : 0)
            | tape.one(3, 3, 3, 1, 2) << 61);
    memory.writeLong(
        at + 8,
        tape.u8() % 3L
            | (guest ? (gcr3 >>> 15 & 0xffff) << 16 | gcr3 >>> 31 << 43 : 0)
            | (tape.u16() & 0x3ffL) << 32);
    memory.writeLong(
        at + 16,
        page(tape.u8())
            | 1
            | tape.below(5) << 1
            | tape.one(0, 0, 0, 1) << 54
            | tape.one(2, 2, 2, 0, 1) << 60
            | (tape.u8() & 7L) << 56);
    memory.writeLong(at + 24, 0);
    if (tape.flag()) {
      memory.writeLong(at + 8 * tape.below(4), tape.i64());
    }
  }

  /** A table entry that leads somewhere into the memory, the registers, or nowhere. */
  private void entry() {
    long at = page(tape.u8()) + tape.u16() % 512 * 8L;
    long target = tape.one(page(tape.u8()), page(tape.u8()), REGISTERS, tape.i64() & -4096L);
    long flags =
        switch (tape.below(6)) {
          case 0 -> 0x6000_0000_0000_0001L | tape.below(8) << 9;
          case 1 -> 0x6000_0000_0000_0001L;
          case 2 -> 0x67; // a guest's
          case 3 -> 0xe7;
          case 4 -> 1 | tape.u8() << 8 | tape.u8() << 16; // an interrupt entry, too
          default -> tape.u16() & 0xfff | (tape.flag() ? (long) tape.u16() << 48 : 0);
        };
    memory.writeLong(at, target & 0xf_ffff_ffff_f000L | flags);
  }

  /** The next command of the buffer, wherever the buffer is. */
  private void command() {
    long base = unit.read(0x08, 8) & 0xf_ffff_ffff_f000L;
    long tail = unit.read(0x2008, 8);
    long at = base + tail;
    long opcode = tape.one(1, 2, 3, 4, 5, 6, 7, 8, tape.below(16));
    long first = opcode << 60 | tape.one(0, 1, 2, 3) | (tape.flag() ? page(tape.u8()) : 0);
    if (tape.below(8) == 0) {
      first ^= tape.i64();
    }
    int ignored = memory.writeLong(at, first);
    ignored = memory.writeLong(at + 8, tape.flag() ? address() : tape.i64());
    unit.write(0x2008, 8, tail + 16 & 0xff0);
  }

  private long address() {
    return switch (tape.below(8)) {
      case 0 -> tape.i64();
      case 1 -> REGISTERS + tape.u16() % 4096;
      case 2 -> (long) tape.u8() << 12 | tape.u16() % 4096;
      case 4 -> 0xfee0_0000L | tape.u16() << 2;
      case 5 -> 0xfd_f800_0000L + tape.i32();
      case 3 -> -1L << tape.below(64);
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
      case 3 -> port.fetch(iova, new byte[tape.u8()]);
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
      // The walk itself may have set A and D.
      if (written ? after[i] != PATTERN : (changed & ~0x60) != 0) {
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
        .source((int) tape.one(0, 1, 2, 3, tape.i32()))
        .pasid((int) tape.one(-1, -1, 0, 3, tape.i32()))
        .iova(address())
        .access(tape.u8() & 63)
        .addressType(AddressType.values()[tape.below(3)]);
  }

  private void translate() {
    if (unit.translate(request(), translation)) {
      assertThat(translation.reason()).isNull();
      assertThat(translation.rangeShift()).isBetween(12, 63);
    } else {
      assertThat(translation.reason()).isNotNull();
    }
  }

  private void message() {
    InterruptDelivery out = new InterruptDelivery();
    boolean delivered =
        unit.remap(
            new InterruptRequest()
                .set(tape.below(4), 0xfee0_0000L | tape.u16() << 2, tape.u16())
                .pasid(tape.flag() ? -1 : tape.below(8)),
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
