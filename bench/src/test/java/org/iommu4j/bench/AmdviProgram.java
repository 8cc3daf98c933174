package org.iommu4j.bench;

import java.util.HashMap;
import java.util.Map;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.Options;
import org.iommu4j.core.dma.AtsInvalidation;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.memory.Mmio;

/** A hostile guest of an AMD-Vi unit. */
final class AmdviProgram extends GuestProgram {
  private static final int[] OFFSETS = {
    0x00, 0x08, 0x10, 0x18, 0x18, 0x18, 0x18, 0x20, 0x28, 0x38, 0x40, 0x50, 0x60, 0xe0, 0xe8, 0xf0,
    0xf8, 0x100, 0x108, 0x158, 0x15c, 0x164, 0x170, 0x178, 0x180, 0x200, 0x208, 0x210, 0x2000,
    0x2008, 0x2010, 0x2018, 0x2020, 0x2030, 0x2038, 0x2040, 0x2048, 0x2050, 0x2070, 0x2080, 0x2088,
    0x4000, 0x4008
  };

  /** Everything but virtual IOMMUs. */
  private static final long FEATURES = 0xa057_47f3_2229_9bffL;

  /** Whether the system is SNP-enabled: the guest has the reverse map table in its hands, too. */
  private final boolean snp;

  private static final long VIRTUAL = 1L << 55;

  /** Pages and control registers of guests, at most so many of them. */
  private static final int[] GUEST_OFFSETS = {
    0x00, 0x08, 0x08, 0x08, 0x10, 0x18, 0x20, 0x30, 0x38, 0x50, 0x58, 0x70, 0x78, 0x80
  };

  private static final int GUESTS = 3;

  private final boolean virtual;

  AmdviProgram(byte[] input) {
    super(input);
    virtual = tape.flag();
    long absent = tape.one(0, 0, 0, 1L << 1, 1L << 4, 1L << 7, 1L << 48, 1L << 49, 1L << 6);
    Map<String, String> options = new HashMap<>();
    options.put("efr", "0x" + Long.toHexString(FEATURES & ~absent | (virtual ? VIRTUAL : 0)));
    options.put("efr2", "0x138");
    options.put("cap_header", tape.flag() ? "0x190b000f" : "0x1d0b000f");
    options.put("cache", cache);
    options.put("iotlb.sets", "16");
    options.put("walk_cache.sets", "8");
    snp = tape.flag();
    if (snp) {
      options.put("rmp_base", "" + page(8));
      options.put("rmp_cfg", "" + (31 << 8 | 1));
    }
    plug(
        Architecture.named("amdvi")
            .create(Options.of(options), new Host(memory, fabric(), (line, level) -> {})));
  }

  /** Rings and a device table of one page, so that a short tape comes far. */
  @Override
  void prelude() {
    unit.write(0x00, 8, page(0));
    unit.write(0x08, 8, page(1) | 8L << 56);
    unit.write(0x10, 8, page(2) | 8L << 56);
    unit.write(0x38, 8, page(3) | 8L << 56);
    unit.write(0xe0, 8, page(4) | 8L << 56);
    if (snp) {
      memory.writeLong(page(12) + 8, MEMORY | 1); // of the segment at 2 GiB
    }
    unit.write(0x18, 8, 0x400 | 1);
    unit.write(0x18, 8, 0x1201_f405L | tape.u8() % 4L << 17);
    if (virtual) {
      virtualPrelude();
    }
  }

  /**
   * Virtual IOMMUs on, and three guests: device 2 is the unit itself, whose tables of three levels
   * map all regions of the private address space; device 3 has the guests' addresses, with one
   * table for what lies below 256 KiB.
   */
  private void virtualPrelude() {
    unit.write(0x18, 8, unit.read(0x18, 8) | 3L << 52 | tape.one(0, 1) << 60);
    memory.writeLong(page(0) + 64, 3 | 3L << 61 | 3 << 9 | page(22));
    memory.writeLong(page(0) + 64 + 8, 2);
    memory.writeLong(page(0) + 96, 3 | 3L << 61 | 1 << 9 | page(23));
    memory.writeLong(page(0) + 96 + 8, 3);
    for (int region : new int[] {0x40, 0x80, 0xa0, 0xc0, 0xe0, 0x100, 0x120}) {
      memory.writeLong(page(22) + 8L * region, page(24) | 3L << 61 | 2 << 9 | 1);
    }
    memory.writeLong(page(24), page(25) | 3L << 61 | 1 << 9 | 1);
    memory.writeLong(page(24) + 8, page(25) | 3L << 61 | 1 << 9 | 1);
    for (int i = 0; i < 512; i++) {
      memory.writeLong(page(25) + 8L * i, page(26 + i / 128) | 3L << 61 | 1);
    }
    for (int i = 0; i < 64; i++) {
      memory.writeLong(page(23) + 8L * i, page(i) | 3L << 61 | 1);
    }
    for (int guest = 0; guest < GUESTS; guest++) {
      controls().write(64L * guest + 0x10, 8, 3 << 16);
      for (int id = 0; id < 4; id++) {
        controls().write(64L * guest, 8, map(id, id));
        controls().write(64L * guest + 8, 8, map(id, id));
      }
      controls().write(64L * guest + 0x20, 8, 8 | 3 << 8 | (5L + guest) << 12);
      controls().write(64L * guest + 0x28, 8, 8 | 3 << 8 | (9L + guest) << 12);
      controls().write(64L * guest + 0x30, 8, 8 | 7 << 8 | (13L + guest) << 16);
    }
  }

  private static long map(int guestId, int hostId) {
    return 1L << 63 | 1 | (long) guestId << 46 | (long) hostId << 14;
  }

  private Mmio pages() {
    return unit.registerWindows().get(0).registers();
  }

  private Mmio controls() {
    return unit.registerWindows().get(1).registers();
  }

  /** Something at a guest's registers. */
  private void guest() {
    int guest = tape.below(8) == 0 ? tape.u16() : tape.below(GUESTS);
    int offset = GUEST_OFFSETS[tape.below(GUEST_OFFSETS.length)];
    switch (tape.below(6)) {
      case 0 -> pages().write(4096L * guest + offset, size(), tape.i64());
      case 1 -> pages().read(4096L * guest + offset, size());
      case 2 -> controls().write(64L * guest + (offset & 0x38), size(), tape.i64());
      case 3 -> controls().read(64L * guest + (offset & 0x38), size());
      case 4 ->
          controls().write(64L * guest + 8 * tape.below(2), 8, map(tape.below(4), tape.below(5)));
      default -> guestCommand(guest);
    }
  }

  /** The next command of a guest's buffer, where the prelude put it. */
  private void guestCommand(int guest) {
    long tail = pages().read(4096L * guest + 8, 8) & 0xff0;
    long opcode = tape.one(1, 2, 3, 4, 5, 7, 1, 3, tape.below(16));
    long at = page(5 + guest) + tail;
    int ignored = memory.writeLong(at, opcode << 60 | tape.below(8) | (tape.flag() ? 0x6000 : 0));
    ignored = memory.writeLong(at + 8, tape.flag() ? address() : tape.u8());
    pages().write(4096L * guest + 8, 8, tail + 16 & 0xff0);
  }

  @Override
  void step() {
    if (virtual && tape.below(4) == 0) {
      guest();
      return;
    }
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
    // Guests' devices, some of them; nobody has set up the last guest.
    memory.writeLong(
        at + 24,
        virtual && tape.flag()
            ? 1 << 15 | tape.u8() << 16 | (long) tape.below(GUESTS + 1) << 32
            : 0);
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
    long opcode = tape.one(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, tape.below(16));
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
