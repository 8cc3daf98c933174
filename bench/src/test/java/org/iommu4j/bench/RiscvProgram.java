package org.iommu4j.bench;

import java.util.Map;
import org.iommu4j.core.Options;
import org.iommu4j.core.dma.AtsInvalidation;
import org.iommu4j.core.dma.Host;
import org.iommu4j.riscv.RiscvArchitecture;

/** A hostile guest of a RISC-V IOMMU. */
final class RiscvProgram extends GuestProgram {
  private static final int[] OFFSETS = {
    0x08, 0x10, 0x18, 0x20, 0x24, 0x28, 0x30, 0x38, 0x40, 0x48, 0x4c, 0x50, 0x54, 0x5c, 0x60, 0x68,
    0x160, 0x258, 0x260, 0x270, 0x2f8, 0x300, 0x308, 0x30c
  };

  RiscvProgram(byte[] input) {
    super(input);
    long absent = tape.one(0, 0, 0, 1L << 22, 1L << 25, 1L << 27, 1L << 30, 1L << 15, 2L << 28);
    plug(
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
                new Host(memory, fabric(), (line, level) -> {})));
  }

  /** Queues and a directory of one level, so that a short tape comes far. */
  @Override
  void prelude() {
    unit.write(0x18, 8, page(0) >>> 12 << 10 | 7);
    unit.write(0x28, 8, page(1) >>> 12 << 10 | 6);
    unit.write(0x38, 8, page(2) >>> 12 << 10 | 7);
    for (int csr = 0x48; csr <= 0x50; csr += 4) {
      unit.write(csr, 4, 3);
    }
    unit.write(0x10, 8, page(3) >>> 12 << 10 | 2);
  }

  @Override
  void step() {
    switch (tape.below(16)) {
      case 0, 1 -> write();
      case 2 -> unit.read(tape.u16(), size());
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
        tape.flag() ? OFFSETS[tape.below(OFFSETS.length)] : tape.u16() & (tape.flag() ? 0xfff : -1);
    int size = size();
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

  @Override
  long address() {
    return switch (tape.below(8)) {
      case 0 -> tape.i64();
      case 1 -> REGISTERS + tape.u16() % 4096;
      case 2 -> (long) tape.u8() << 12 | tape.u16() % 4096;
      case 3 -> -1L << tape.below(64);
      default -> page(tape.u8()) + tape.u16() % 4096;
    };
  }

  private void message() {
    remap(tape.below(4), address(), tape.u16(), tape.flag() ? -1 : tape.below(8));
  }

  @Override
  boolean answersAtOnce(AtsInvalidation request) {
    return (request.payload() & 0x10) != 0;
  }

  @Override
  int walkBits(int offset) {
    return 0xc0;
  }
}
