package org.iommu4j.bench;

import java.util.Map;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.Options;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.riscv.layout.Command;
import org.iommu4j.riscv.layout.DeviceContext;
import org.iommu4j.riscv.layout.Pte;
import org.iommu4j.riscv.layout.Registers;

/** A RISC-V IOMMU with its directory, tables and command queue. */
final class RiscvMachine implements Machine {
  private static final int SOURCE = 9;
  private static final int PSCID = 7;
  private static final int GSCID = 3;
  private static final int QUEUE_LOG2 = 8;

  // Physical addresses. First the second stage's root (16 KiB) and the command queue, then table
  // frames, handed out in scattered order; then what the device reads and writes; then superpages,
  // at addresses where no memory is.
  private static final long GUEST_ROOT = 0x8000_0000L;
  private static final long QUEUE = GUEST_ROOT + 0x4000;
  private static final long FRAMES = 0x8001_0000L;
  private static final int FRAMES_LOG2 = 15;
  private static final long DATA = 0x1_0000_0000L;
  private static final int DATA_LOG2 = 14;
  private static final long SUPERPAGES = 0x100_0000_0000L;

  // Guest-physical addresses: the first stage's tables; data is at its physical address + OFFSET.
  private static final long GUEST_FRAMES = 0x4000_0000L;
  private static final long GUEST_OFFSET = 0x4_0000_0000L;

  private static final long LEAF =
      Pte.V.of(1) | Pte.R.of(1) | Pte.W.of(1) | Pte.U.of(1) | Pte.A.of(1) | Pte.D.of(1);

  private final PhysicalMemory memory = new PhysicalMemory();
  private final Iommu iommu;
  private final Pages pages;
  private final boolean nested;
  private final int levels;
  private final long root;
  private int framesUsed;
  private int guestFramesUsed;
  private int tail;

  RiscvMachine(Shape shape, Pages pages, int count, Map<String, String> options) {
    this.pages = pages;
    memory.addAnonymous(GUEST_ROOT, FRAMES - GUEST_ROOT + (4096L << FRAMES_LOG2));
    memory.addAnonymous(DATA, 4096L << DATA_LOG2);
    nested = shape == Shape.FOUR_OVER_FOUR;
    levels = shape == Shape.THREE_LEVELS ? 3 : 4;
    root = table();
    for (int n = 0; n < count; n++) {
      if (nested) {
        mapGuest(pa(n) + GUEST_OFFSET, pa(n), pages.shift(n));
      }
      restore(n);
    }
    iommu = Architecture.named("riscv").create(Options.of(options), Host.of(memory));
    long directory = frame();
    writeContext(directory + SOURCE * DeviceContext.EXTENDED_WORDS * 8L);
    write(Registers.CQB, Registers.QUEUE_PPN.of(QUEUE >>> 12) | (QUEUE_LOG2 - 1));
    write(Registers.CQCSR, Registers.CQEN.of(1));
    write(
        Registers.DDTP,
        Registers.IOMMU_MODE.of(Registers.MODE_1LVL) | Registers.DDTP_PPN.of(directory >>> 12));
  }

  private void writeContext(long at) {
    int mode = levels == 3 ? DeviceContext.IOSATP_SV39 : DeviceContext.IOSATP_SV48;
    memory.writeLong(at + 8L * DeviceContext.TC, DeviceContext.V.of(1));
    if (nested) {
      memory.writeLong(
          at + 8L * DeviceContext.IOHGATP,
          DeviceContext.MODE.of(DeviceContext.IOHGATP_SV48X4)
              | DeviceContext.GSCID.of(GSCID)
              | DeviceContext.PPN.of(GUEST_ROOT >>> 12));
    }
    memory.writeLong(at + 8L * DeviceContext.TA, DeviceContext.PSCID.of(PSCID));
    memory.writeLong(
        at + 8L * DeviceContext.FSC,
        DeviceContext.MODE.of(mode) | DeviceContext.PPN.of(root >>> 12));
  }

  private void write(Register register, long value) {
    iommu.write(register.offset(), register.width(), value);
  }

  /** A zeroed frame; an odd factor permutes them. */
  private long frame() {
    if (framesUsed == 1 << FRAMES_LOG2) {
      throw new IllegalStateException("no frames left for tables");
    }
    return FRAMES + ((framesUsed++ * 0x2545FL & (1 << FRAMES_LOG2) - 1) << 12);
  }

  /** A table of the first stage, by the address that its entries hold. */
  private long table() {
    if (!nested) {
      return frame();
    }
    long guest = GUEST_FRAMES + ((guestFramesUsed++ * 0x1A2B3L & (1 << FRAMES_LOG2) - 1) << 12);
    mapGuest(guest, frame(), 12);
    return guest;
  }

  private void mapGuest(long guest, long to, int shift) {
    memory.writeLong(guestEntry(guest, shift), LEAF | Pte.PPN.of(to >>> 12));
  }

  /** Where the second-stage entry for an address is, tables made as needed. */
  private long guestEntry(long guest, int shift) {
    long at = GUEST_ROOT + (guest >>> 39 << 3);
    for (int s = 39; s > shift; s -= 9) {
      long entry = memory.readLong(at);
      if (entry == 0) {
        entry = Pte.V.of(1) | Pte.PPN.of(frame() >>> 12);
        memory.writeLong(at, entry);
      }
      at = (Pte.PPN.get(entry) << 12) + ((guest >>> (s - 9) & 0x1ff) << 3);
    }
    return at;
  }

  /** The physical address of a first-stage entry. */
  private long physical(long at) {
    if (!nested) {
      return at;
    }
    return (Pte.PPN.get(memory.readLong(guestEntry(at, 12))) << 12) + (at & 0xfff);
  }

  private long entry(long iova, int shift) {
    int s = 3 + 9 * levels;
    long at = physical(root + ((iova >>> s & 0x1ff) << 3));
    for (; s > shift; s -= 9) {
      long entry = memory.readLong(at);
      if (entry == 0) {
        entry = Pte.V.of(1) | Pte.PPN.of(table() >>> 12);
        memory.writeLong(at, entry);
      }
      at = physical((Pte.PPN.get(entry) << 12) + ((iova >>> (s - 9) & 0x1ff) << 3));
    }
    return at;
  }

  @Override
  public PhysicalMemory memory() {
    return memory;
  }

  @Override
  public Iommu iommu() {
    return iommu;
  }

  @Override
  public int source() {
    return SOURCE;
  }

  @Override
  public long iova(int n) {
    return pages.iova(n);
  }

  @Override
  public long pa(int n) {
    int shift = pages.shift(n);
    if (shift > 12) {
      return SUPERPAGES + (pages.iova(n) >>> shift << shift);
    }
    return DATA + ((n * 0x18D3BL & (1 << DATA_LOG2) - 1) << 12);
  }

  @Override
  public void clear(int n) {
    memory.writeLong(entry(iova(n), pages.shift(n)), 0);
  }

  @Override
  public void restore(int n) {
    long target = pa(n) + (nested ? GUEST_OFFSET : 0);
    memory.writeLong(entry(iova(n), pages.shift(n)), LEAF | Pte.PPN.of(target >>> 12));
  }

  @Override
  public void invalidate(int n) {
    queue(
        Command.OPCODE.of(Command.IOTINVAL)
            | Command.FUNC3.of(Command.FUNC3_VMA)
            | Command.AV.of(1)
            | Command.PSCV.of(1)
            | Command.PSCID.of(PSCID)
            | (nested ? Command.GV.of(1) | Command.GSCID.of(GSCID) : 0),
        Command.ADDR.of(iova(n) >>> 12));
    queue(
        Command.OPCODE.of(Command.IOFENCE)
            | Command.FUNC3.of(Command.FUNC3_C)
            | Command.PR.of(1)
            | Command.PW.of(1),
        0);
    write(Registers.CQT, tail);
    while (iommu.read(Registers.CQH.offset(), Registers.CQH.width()) != tail) {
      Thread.onSpinWait();
    }
  }

  private void queue(long first, long second) {
    long at = QUEUE + (long) tail * Command.BYTES;
    memory.writeLong(at, first);
    memory.writeLong(at + 8, second);
    tail = tail + 1 & (1 << QUEUE_LOG2) - 1;
  }

  @Override
  public void close() {
    memory.close();
  }
}
