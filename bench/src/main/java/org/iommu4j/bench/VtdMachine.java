package org.iommu4j.bench;

import java.util.Map;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.Options;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.vtd.layout.Descriptor;
import org.iommu4j.vtd.layout.FirstStagePte;
import org.iommu4j.vtd.layout.PasidDirectoryEntry;
import org.iommu4j.vtd.layout.PasidEntry;
import org.iommu4j.vtd.layout.Registers;
import org.iommu4j.vtd.layout.RootEntry;
import org.iommu4j.vtd.layout.ScalableContextEntry;
import org.iommu4j.vtd.layout.SecondStagePte;

/**
 * A VT-d unit in scalable mode with its tables and invalidation queue: one stage is a second stage,
 * two are a first stage nested in one.
 */
final class VtdMachine implements Machine {
  private static final int SOURCE = 9;
  private static final int DOMAIN = 3;

  // Physical addresses. First the invalidation queue (8 KiB), then table frames, handed out in
  // scattered order; then what the device reads and writes; then superpages, at addresses where no
  // memory is.
  private static final long QUEUE = 0x8000_0000L;
  private static final int QUEUE_BYTES = 0x2000;
  private static final int SLOT = 32;
  private static final long FRAMES = 0x8001_0000L;
  private static final int FRAMES_LOG2 = 15;
  private static final long DATA = 0x1_0000_0000L;
  private static final int DATA_LOG2 = 14;
  private static final long SUPERPAGES = 0x100_0000_0000L;

  // Guest-physical addresses: the first stage's tables; data is at its physical address + OFFSET.
  private static final long GUEST_FRAMES = 0x4000_0000L;
  private static final long GUEST_OFFSET = 0x4_0000_0000L;

  private static final long ADDRESS = SecondStagePte.ADDR.mask();
  private static final long SECOND = SecondStagePte.R.of(1) | SecondStagePte.W.of(1);
  private static final long FIRST =
      FirstStagePte.P.of(1)
          | FirstStagePte.RW.of(1)
          | FirstStagePte.US.of(1)
          | FirstStagePte.A.of(1)
          | FirstStagePte.D.of(1);

  private final PhysicalMemory memory = new PhysicalMemory();
  private final Iommu iommu;
  private final Pages pages;
  private final boolean nested;
  private final int levels;
  private final long second;
  private final long root;
  private int framesUsed;
  private int guestFramesUsed;
  private int tail;

  VtdMachine(Shape shape, Pages pages, int count, Map<String, String> options) {
    this.pages = pages;
    memory.addAnonymous(QUEUE, FRAMES - QUEUE + (4096L << FRAMES_LOG2));
    memory.addAnonymous(DATA, 4096L << DATA_LOG2);
    nested = shape == Shape.FOUR_OVER_FOUR;
    levels = shape == Shape.THREE_LEVELS ? 3 : 4;
    second = frame();
    root = nested ? firstStageTable() : second;
    for (int n = 0; n < count; n++) {
      if (nested) {
        mapGuest(pa(n) + GUEST_OFFSET, pa(n), pages.shift(n));
      }
      restore(n);
    }
    iommu = Architecture.named("vtd").create(Options.of(options), Host.of(memory));
    write(Registers.IQA, QUEUE | Registers.DW.of(1) | Registers.QS.of(1));
    command(Registers.QIE);
    write(Registers.RTADDR, device() | Registers.TTM.of(Registers.TTM_SCALABLE));
    command(Registers.SRTP);
    command(Registers.TE);
  }

  /** The device's entries; the root table. */
  private long device() {
    long directory = frame();
    long table = frame();
    long contexts = frame();
    long top = frame();
    memory.writeLong(
        table, second | PasidEntry.P.of(1) | aw() | PasidEntry.PGTT.of(nested ? 3 : 2));
    memory.writeLong(table + 8, PasidEntry.DID.of(DOMAIN) | PasidEntry.PWSNP.of(1));
    memory.writeLong(table + 16, nested ? root : 0);
    memory.writeLong(directory, table | PasidDirectoryEntry.P.of(1));
    memory.writeLong(
        contexts + (long) SOURCE * ScalableContextEntry.BYTES,
        directory | ScalableContextEntry.P.of(1));
    memory.writeLong(top, contexts | RootEntry.LP.of(1));
    return top;
  }

  private long aw() {
    return PasidEntry.AW.of(levels - 2);
  }

  private void write(Register register, long value) {
    iommu.write(register.offset(), register.width(), value);
  }

  private long read(Register register) {
    return iommu.read(register.offset(), register.width());
  }

  private void command(Field bit) {
    write(Registers.GCMD, read(Registers.GSTS) & 0x96ff_ffffL | bit.mask());
  }

  /** A zeroed frame; an odd factor permutes them. */
  private long frame() {
    if (framesUsed == 1 << FRAMES_LOG2) {
      throw new IllegalStateException("no frames left for tables");
    }
    return FRAMES + ((framesUsed++ * 0x2545FL & (1 << FRAMES_LOG2) - 1) << 12);
  }

  /** A table of the first stage, by the address that its entries hold. */
  private long firstStageTable() {
    long guest = GUEST_FRAMES + ((guestFramesUsed++ * 0x1A2B3L & (1 << FRAMES_LOG2) - 1) << 12);
    mapGuest(guest, frame(), 12);
    return guest;
  }

  private void mapGuest(long guest, long to, int shift) {
    memory.writeLong(guestEntry(guest, shift), to | SECOND | size(shift));
  }

  private static long size(int shift) {
    return shift > 12 ? SecondStagePte.PS.mask() : 0;
  }

  /** Where the second-stage entry for an address is, tables made as needed. */
  private long guestEntry(long guest, int shift) {
    int s = 3 + 9 * levels;
    long at = second + ((guest >>> s & 0x1ff) << 3);
    for (; s > shift; s -= 9) {
      long entry = memory.readLong(at);
      if (entry == 0) {
        entry = frame() | SECOND;
        memory.writeLong(at, entry);
      }
      at = (entry & ADDRESS) + ((guest >>> (s - 9) & 0x1ff) << 3);
    }
    return at;
  }

  /** The physical address of a first-stage entry. */
  private long physical(long at) {
    return (memory.readLong(guestEntry(at, 12)) & ADDRESS) + (at & 0xfff);
  }

  /** Where the entry for a device address is, in the stage that the device meets first. */
  private long entry(long iova, int shift) {
    if (!nested) {
      return guestEntry(iova, shift);
    }
    int s = 3 + 9 * levels;
    long at = physical(root + ((iova >>> s & 0x1ff) << 3));
    for (; s > shift; s -= 9) {
      long entry = memory.readLong(at);
      if (entry == 0) {
        entry = firstStageTable() | FIRST;
        memory.writeLong(at, entry);
      }
      at = physical((entry & ADDRESS) + ((iova >>> (s - 9) & 0x1ff) << 3));
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
    int shift = pages.shift(n);
    long leaf = nested ? pa(n) + GUEST_OFFSET | FIRST : pa(n) | SECOND;
    memory.writeLong(entry(iova(n), shift), leaf | size(shift));
  }

  @Override
  public void invalidate(int n) {
    long first =
        nested
            ? Descriptor.PASID_IOTLB | Descriptor.G.of(Descriptor.PAGE_IN_PASID)
            : Descriptor.IOTLB | Descriptor.G.of(Registers.SELECTIVE);
    queue(first | Descriptor.DID.of(DOMAIN), iova(n) & ~0xfffL | Descriptor.IH.of(1));
    queue(Descriptor.WAIT | Descriptor.FN.of(1), 0);
    write(Registers.IQT, tail);
    while (read(Registers.IQH) != tail) {
      Thread.onSpinWait();
    }
  }

  private void queue(long first, long second) {
    long at = QUEUE + tail;
    memory.writeLong(at, first);
    memory.writeLong(at + 8, second);
    tail = tail + SLOT & QUEUE_BYTES - 1;
  }

  @Override
  public void close() {
    memory.close();
  }
}
