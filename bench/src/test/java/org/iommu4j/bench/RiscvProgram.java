package org.iommu4j.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Map;
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
import org.iommu4j.riscv.RiscvArchitecture;

/**
 * Plays a hostile guest and its devices: bytes are read as a program of register accesses, stores
 * to tables and queues, requests of every kind, and messages. Whatever it does, the unit raises no
 * exception, comes back soon, and touches nothing outside the memory it was given; and a write of a
 * device lands where its translation says and nowhere else.
 */
final class RiscvProgram implements AutoCloseable {
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
    0x08, 0x10, 0x18, 0x20, 0x24, 0x28, 0x30, 0x38, 0x40, 0x48, 0x4c, 0x50, 0x54, 0x5c, 0x60, 0x68,
    0x160, 0x258, 0x260, 0x270, 0x2f8, 0x300, 0x308, 0x30c
  };

  private final Arena arena = Arena.ofShared();
  private final MemorySegment guarded = arena.allocate(BYTES + 2L * GUARD, 4096);
  private final PhysicalMemory memory = new PhysicalMemory();
  private final Iommu unit;
  private final Tape tape;
  private final Translation translation = new Translation();
  private final DmaPort[] ports = new DmaPort[4];
  private int lastTags;
  private int lastSource;

  RiscvProgram(byte[] input) {
    tape = new Tape(input);
    guarded.fill(PATTERN);
    MemorySegment middle = guarded.asSlice(GUARD, BYTES);
    middle.fill((byte) 0);
    memory.addSegment(MEMORY, middle);
    String cache = new String[] {"off", "normal", "worst-case"}[tape.below(3)];
    long absent = tape.one(0, 0, 0, 1L << 22, 1L << 25, 1L << 27, 1L << 30, 1L << 15, 2L << 28);
    unit =
        new RiscvArchitecture()
            .create(
                Options.of(
                    Map.of(
                        "capabilities",
                        "0x" + Long.toHexString(0xff8_efef_cf10L & ~absent),
                        "cache",
                        cache,
                        "itags",
                        "2",
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

  /** Queues and a directory of one level, so that a short tape comes far. */
  private void prelude() {
    unit.write(0x18, 8, page(0) >>> 12 << 10 | 7);
    unit.write(0x28, 8, page(1) >>> 12 << 10 | 6);
    unit.write(0x38, 8, page(2) >>> 12 << 10 | 7);
    for (int csr = 0x48; csr <= 0x50; csr += 4) {
      unit.write(csr, 4, 3);
    }
    unit.write(0x10, 8, page(3) >>> 12 << 10 | 2);
  }

  private static long page(int n) {
    return MEMORY + 4096L * (n % PAGES);
  }

  private void step() {
    switch (tape.below(16)) {
      case 0, 1 -> write();
      case 2 -> unit.read(tape.u16(), SIZES[tape.below(SIZES.length)]);
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
        tape.flag() ? OFFSETS[tape.below(OFFSETS.length)] : tape.u16() & (tape.flag() ? 0xfff : -1);
    int size = SIZES[tape.below(SIZES.length)];
    long value =
        switch (tape.below(6)) {
          case 0 -> tape.i64();
          case 1 -> page(tape.u8()) >>> 12 << 10 | tape.below(32);
          case 2 -> tape.u8();
          case 3 -> 1L << tape.below(64);
          case 4 -> -1L;
          default -> REGISTERS + tape.u16() % 4096;
        };
    unit.write(offset, size, value);
  }

  /** A device context, or a process context, mostly plausible. */
  private void context() {
    long at = page(3 + tape.below(2)) + 64 * tape.below(5);
    memory.writeLong(at, (tape.u16() & 0xfff) | 1);
    memory.writeLong(at + 8, tape.one(0, 0, 8, 9, 10, 11) << 60 | tape.u8() % 3L << 44 | root(4));
    memory.writeLong(at + 16, tape.u8() % 4L << 12);
    memory.writeLong(at + 24, tape.one(0, 8, 9, 10, 1, 2, 3, 8) << 60 | root(1));
    memory.writeLong(at + 32, tape.one(0, 0, 1) << 60 | root(1));
    memory.writeLong(at + 40, tape.u8() % 8);
    memory.writeLong(at + 48, tape.u8());
    memory.writeLong(at + 56, 0);
    if (tape.flag()) {
      memory.writeLong(at + 8 * tape.below(8), tape.i64());
    }
  }

  private long root(int align) {
    return page(tape.u8() / align * align) >>> 12;
  }

  /** A table entry that leads somewhere into the memory, the registers, or nowhere. */
  private void entry() {
    long at = page(tape.u8()) + tape.u16() % 512 * 8L;
    long target = tape.one(page(tape.u8()), page(tape.u8()), REGISTERS, tape.i64() & -4096L);
    long flags =
        switch (tape.below(5)) {
          case 0, 1 -> 0xdf;
          case 2 -> 1;
          case 3 -> 7; // an MSI entry, too
          default -> tape.u16() & 0x3ff | (tape.flag() ? (long) tape.u16() << 48 : 0);
        };
    memory.writeLong(at, (target >>> 12 & 0xfff_ffff_ffffL) << 10 | flags);
  }

  /** The next command of the queue, wherever the queue is. */
  private void command() {
    long base = unit.read(0x18, 8);
    long tail = unit.read(0x24, 4);
    long at = (base >>> 10 & 0xfff_ffff_ffffL) << 12 | tail * 16;
    long first = tape.one(1, 0x81, 2, 3, 0x83, 4, 0x84, 0x3002, 0x402, tape.i64());
    if (tape.flag()) {
      first |= tape.i64();
    }
    int ignored = memory.writeLong(at, first);
    ignored = memory.writeLong(at + 8, tape.flag() ? address() >>> 2 : tape.i64());
    unit.write(0x24, 4, tail + 1);
  }

  private long address() {
    return switch (tape.below(8)) {
      case 0 -> tape.i64();
      case 1 -> REGISTERS + tape.u16() % 4096;
      case 2 -> (long) tape.u8() << 12 | tape.u16() % 4096;
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
      if (written ? after[i] != PATTERN : (changed & ~0xc0) != 0) {
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
                .set(tape.below(4), address(), tape.u16())
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
