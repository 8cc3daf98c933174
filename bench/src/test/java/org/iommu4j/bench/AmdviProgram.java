package org.iommu4j.bench;

import java.util.Map;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.Options;
import org.iommu4j.core.dma.AtsInvalidation;
import org.iommu4j.core.dma.Host;

/** A hostile guest of an AMD-Vi unit. */
final class AmdviProgram extends GuestProgram {
  private static final int[] OFFSETS = {
    0x00, 0x08, 0x10, 0x18, 0x18, 0x18, 0x18, 0x20, 0x28, 0x38, 0x40, 0x50, 0x60, 0xe0, 0xe8, 0xf0,
    0xf8, 0x100, 0x108, 0x158, 0x15c, 0x164, 0x170, 0x178, 0x180, 0x200, 0x208, 0x210, 0x2000,
    0x2008, 0x2010, 0x2018, 0x2020, 0x2030, 0x2038, 0x2040, 0x2048, 0x2050, 0x2070, 0x2080, 0x2088,
    0x4000, 0x4008
  };

  /** Everything but what belongs to virtual units and SNP. */
  private static final long FEATURES = 0x2057_47f3_2229_9bdfL;

  AmdviProgram(byte[] input) {
    super(input);
    long absent = tape.one(0, 0, 0, 1L << 1, 1L << 4, 1L << 7, 1L << 48, 1L << 49, 1L << 6);
    plug(
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
                new Host(memory, fabric(), (line, level) -> {})));
  }

  /** Rings and a device table of one page, so that a short tape comes far. */
  @Override
  void prelude() {
    unit.write(0x00, 8, page(0));
    unit.write(0x08, 8, page(1) | 8L << 56);
    unit.write(0x10, 8, page(2) | 8L << 56);
    unit.write(0x38, 8, page(3) | 8L << 56);
    unit.write(0xe0, 8, page(4) | 8L << 56);
    unit.write(0x18, 8, 0x400 | 1);
    unit.write(0x18, 8, 0x1201_f405L | tape.u8() % 4L << 17);
  }

  @Override
  void step() {
    switch (tape.below(16)) {
      case 0, 1 -> write();
      case 2 -> unit.read(tape.u16() << tape.below(4), size());
      case 3 -> store();
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
    int size = size();
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

  @Override
  long address() {
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

  private void message() {
    remap(
        tape.below(4),
        0xfee0_0000L | tape.u16() << 2,
        tape.u16(),
        tape.flag() ? -1 : tape.below(8));
  }

  @Override
  boolean answersAtOnce(AtsInvalidation request) {
    return (request.payload() & 0x10) != 0;
  }

  @Override
  int walkBits(int offset) {
    return 0x60;
  }
}
