package org.iommu4j.bench;

import java.util.LinkedHashMap;
import java.util.Map;
import org.iommu4j.amdvi.layout.Command;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.GuestPte;
import org.iommu4j.amdvi.layout.HostPte;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.Options;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.memory.PhysicalMemory;

/**
 * An AMD IOMMU with its device table, tables and command buffer: host tables of three or four
 * levels, or guest tables of four over host ones.
 */
final class AmdviMachine implements Machine {
  private static final int SOURCE = 9;
  private static final int DOMAIN = 7;
  private static final int RING_LOG2 = 8;

  // Physical addresses. First the device table, the host tables' root and the command buffer, then
  // table frames, handed out in scattered order; then what the device reads and writes; then
  // superpages, at addresses where no memory is.
  private static final long DEVICE_TABLE = 0x8000_0000L;
  private static final long HOST_ROOT = DEVICE_TABLE + 0x1000;
  private static final long RING = DEVICE_TABLE + 0x2000;
  private static final long FRAMES = 0x8001_0000L;
  private static final int FRAMES_LOG2 = 15;
  private static final long DATA = 0x1_0000_0000L;
  private static final int DATA_LOG2 = 14;
  private static final long SUPERPAGES = 0x100_0000_0000L;

  // Guest-physical addresses: the guest's tables; data is at its physical address + OFFSET.
  private static final long GUEST_FRAMES = 0x4000_0000L;
  private static final long GUEST_OFFSET = 0x4_0000_0000L;

  private static final long HOST = HostPte.PR.of(1) | HostPte.IR.of(1) | HostPte.IW.of(1);
  private static final long GUEST =
      GuestPte.P.of(1)
          | GuestPte.RW.of(1)
          | GuestPte.US.of(1)
          | GuestPte.A.of(1)
          | GuestPte.D.of(1);

  private final PhysicalMemory memory = new PhysicalMemory();
  private final Iommu iommu;
  private final Pages pages;
  private final boolean nested;
  private final int levels;
  private final long guestRoot;
  private int framesUsed;
  private int guestFramesUsed;
  private int tail;

  AmdviMachine(Shape shape, Pages pages, int count, Map<String, String> options) {
    this.pages = pages;
    memory.addAnonymous(DEVICE_TABLE, FRAMES - DEVICE_TABLE + (4096L << FRAMES_LOG2));
    memory.addAnonymous(DATA, 4096L << DATA_LOG2);
    nested = shape == Shape.FOUR_OVER_FOUR;
    levels = shape == Shape.THREE_LEVELS ? 3 : 4;
    guestRoot = nested ? guestTable() : 0;
    for (int n = 0; n < count; n++) {
      if (nested) {
        memory.writeLong(hostEntry(pa(n) + GUEST_OFFSET, pages.shift(n)), pa(n) | HOST);
      }
      restore(n);
    }
    Map<String, String> all = new LinkedHashMap<>(options);
    all.putIfAbsent(
        "efr",
        "0x"
            + Long.toHexString(
                ExtendedFeatures.GT_SUP.of(1)
                    | ExtendedFeatures.GIO_SUP.of(1)
                    | ExtendedFeatures.IA_SUP.of(1)
                    | ExtendedFeatures.HATS.of(2)));
    iommu = Architecture.named("amdvi").create(Options.of(all), Host.of(memory));
    writeEntry(DEVICE_TABLE + SOURCE * DeviceTableEntry.BYTES);
    write(Registers.DEVICE_TABLE, DEVICE_TABLE);
    write(Registers.COMMAND_BUFFER, RING | Registers.RING_LEN.of(RING_LOG2));
    write(
        Control.REGISTER,
        Control.COHERENT.of(1)
            | Control.IOMMU_EN.of(1)
            | Control.CMD_BUF_EN.of(1)
            | Control.GT_EN.of(1)
            | Control.GCR3_TRP_MODE.of(1));
  }

  private void writeEntry(long at) {
    long first =
        DeviceTableEntry.V.of(1)
            | DeviceTableEntry.TV.of(1)
            | DeviceTableEntry.MODE.of(levels)
            | HOST_ROOT
            | DeviceTableEntry.IR.of(1)
            | DeviceTableEntry.IW.of(1);
    long second = DeviceTableEntry.DOMAIN_ID.of(DOMAIN);
    if (nested) {
      // Requests without PASID use the guest's tables, too.
      long gcr3 = guestTable();
      memory.writeLong(hostAddress(gcr3), guestRoot | 1);
      first |=
          DeviceTableEntry.GV.of(1)
              | DeviceTableEntry.GIOV.of(1)
              | DeviceTableEntry.gcr3First(gcr3);
      second |= DeviceTableEntry.gcr3Second(gcr3);
    }
    memory.writeLong(at, first);
    memory.writeLong(at + 8, second);
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

  /** A table of the guest, by the address that its entries hold. */
  private long guestTable() {
    long guest = GUEST_FRAMES + ((guestFramesUsed++ * 0x1A2B3L & (1 << FRAMES_LOG2) - 1) << 12);
    memory.writeLong(hostEntry(guest, 12), frame() | HOST);
    return guest;
  }

  /** Where the host's entry for an address is, tables made as needed. */
  private long hostEntry(long address, int shift) {
    int s = 3 + 9 * levels;
    long at = HOST_ROOT + ((address >>> s & 0x1ff) << 3);
    for (; s > shift; s -= 9) {
      long entry = memory.readLong(at);
      if (entry == 0) {
        entry = frame() | HOST | HostPte.NEXT_LEVEL.of((s - 12) / 9);
        memory.writeLong(at, entry);
      }
      at = HostPte.ADDRESS.in(entry) + ((address >>> (s - 9) & 0x1ff) << 3);
    }
    return at;
  }

  private long hostAddress(long guest) {
    return HostPte.ADDRESS.in(memory.readLong(hostEntry(guest, 12))) + (guest & 0xfff);
  }

  private long guestEntry(long iova, int shift) {
    long at = hostAddress(guestRoot + ((iova >>> 39 & 0x1ff) << 3));
    for (int s = 39; s > shift; s -= 9) {
      long entry = memory.readLong(at);
      if (entry == 0) {
        entry = guestTable() | GUEST;
        memory.writeLong(at, entry);
      }
      at = hostAddress(GuestPte.ADDRESS.in(entry) + ((iova >>> (s - 9) & 0x1ff) << 3));
    }
    return at;
  }

  private long entry(int n) {
    int shift = pages.shift(n);
    return nested ? guestEntry(iova(n), shift) : hostEntry(iova(n), shift);
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
    memory.writeLong(entry(n), 0);
  }

  @Override
  public void restore(int n) {
    long large = pages.shift(n) > 12 ? GuestPte.PS.of(1) : 0;
    memory.writeLong(entry(n), nested ? pa(n) + GUEST_OFFSET | GUEST | large : pa(n) | HOST);
  }

  @Override
  public void invalidate(int n) {
    queue(
        Command.OPCODE.of(Command.INVALIDATE_IOMMU_PAGES) | Command.DOMAIN_ID.of(DOMAIN),
        Command.ADDRESS.in(iova(n)) | (nested ? Command.GN.of(1) : 0));
    queue(Command.OPCODE.of(Command.COMPLETION_WAIT), 0);
    write(Registers.COMMAND_TAIL, (long) tail * Command.BYTES);
    Register head = Registers.COMMAND_HEAD;
    while (iommu.read(head.offset(), head.width()) != (long) tail * Command.BYTES) {
      Thread.onSpinWait();
    }
  }

  private void queue(long first, long second) {
    long at = RING + (long) tail * Command.BYTES;
    memory.writeLong(at, first);
    memory.writeLong(at + 8, second);
    tail = tail + 1 & (1 << RING_LOG2) - 1;
  }

  @Override
  public void close() {
    memory.close();
  }
}
