package org.iommu4j.bench;

import java.util.Map;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.Options;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.AtsInvalidation;
import org.iommu4j.core.dma.DmaPort;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.InterruptLines;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.memory.PhysicalMemory;

/** A hostile guest of a VT-d unit. */
final class VtdProgram extends GuestProgram {
  /** Registers that do something. */
  private static final int[] OFFSETS = {
    0x18, 0x1c, 0x20, 0x28, 0x34, 0x38, 0x3c, 0x40, 0x44, 0x64, 0x68, 0x6c, 0x70, 0x78, 0x80, 0x88,
    0x90, 0x9c, 0xa0, 0xa4, 0xa8, 0xac, 0xb0, 0xb8, 0xc0, 0xc8, 0xd0, 0xdc, 0xe0, 0xe4, 0xe8, 0xf0,
    0xf8, 0x108, 0x180, 0x188, 0x220, 0x228, 0x324, 0x328, 0x400, 0x408, 0x410
  };

  private static final long CAP = 0x39ff_070f_22b8_0e66L;
  private static final long ECAP = 0x0fb3_ef9e_a6f0_0fdfL;

  private final boolean scalable;

  VtdProgram(byte[] input) {
    super(input);
    scalable = tape.below(3) > 0;
    long optional = tape.one(0, 0, 1 << 7, 1L << 63, 1L << 62);
    plug(
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
                new Host(memory, fabric(), InterruptLines.NONE, this::interrupt)));
  }

  /** The unit's own messages go wherever software wants them to. */
  private int interrupt(long address, int data) {
    if (address >>> 20 != 0xfee) {
      return memory.postInt(address, data);
    }
    return (data & 1) == 0 ? PhysicalMemory.OK : PhysicalMemory.VIOLATION;
  }

  /** Queues, a root table and an interrupt table, so that a short tape comes far. */
  @Override
  void prelude() {
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

  @Override
  void step() {
    switch (tape.below(18)) {
      case 0, 1 -> write();
      case 2 -> unit.read(tape.u16(), size());
      case 3 -> store();
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
    int size = size();
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

  @Override
  long address() {
    return switch (tape.below(9)) {
      case 0 -> tape.i64();
      case 1 -> REGISTERS + tape.u16() % 4096;
      case 2 -> (long) tape.u8() << 12 | tape.u16() % 4096;
      case 3 -> -1L << tape.below(64);
      case 4 -> 0xfee0_0000L | tape.i32() & 0xf_ffff;
      default -> page(tape.u8()) + tape.u16() % 4096;
    };
  }

  @Override
  DmaRequest request() {
    return new DmaRequest()
        .source((int) tape.one(0, 1, 2, 3, 0x81, tape.i32()))
        .pasid((int) tape.one(-1, -1, 0, 3, tape.i32()))
        .iova(address())
        .access(tape.u8() & 127)
        .addressType(AddressType.values()[tape.below(3)]);
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
    remap(
        tape.below(4),
        tape.below(3) > 0 ? found : address(),
        tape.u16(),
        tape.below(4) > 0 ? -1 : tape.below(8));
  }

  @Override
  boolean answersAtOnce(AtsInvalidation request) {
    return (request.payload() & 0x1000) != 0;
  }

  @Override
  int walkBits(int offset) {
    // A, D and EA: bits 5 and 6 of a byte, 0 to 2 of the next.
    return (offset & 7) == 0 ? 0x60 : (offset & 7) == 1 ? 7 : 0;
  }

  @Override
  void access(DmaPort port, long iova) {
    port.writeInt(iova, tape.i32());
  }

  @Override
  void granted(DmaRequest request) {
    if (translation.target() == Translation.MESSAGE) {
      unit.writeMessage(request, translation, tape.i64(), 1 + tape.below(8));
    }
  }
}
