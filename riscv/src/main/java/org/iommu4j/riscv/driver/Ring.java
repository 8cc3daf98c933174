package org.iommu4j.riscv.driver;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.support.Unit;
import org.iommu4j.riscv.layout.Command;
import org.iommu4j.riscv.layout.FaultRecord;
import org.iommu4j.riscv.layout.PageRequestRecord;
import org.iommu4j.riscv.layout.Registers;

/**
 * One of the three queues: its memory, its size, and the handshake that turns it on and off. §6.6
 * to §6.17; they differ in names and in the record's size only.
 */
final class Ring {
  /** Which queue. */
  enum Kind {
    COMMAND(
        "command queue",
        Command.BYTES,
        Registers.CQB,
        Registers.CQT,
        Registers.CQCSR,
        Registers.CIP,
        true),
    FAULT(
        "fault queue",
        FaultRecord.BYTES,
        Registers.FQB,
        Registers.FQH,
        Registers.FQCSR,
        Registers.FIP,
        false),
    PAGE_REQUEST(
        "page-request queue",
        PageRequestRecord.BYTES,
        Registers.PQB,
        Registers.PQH,
        Registers.PQCSR,
        Registers.PIP,
        false);

    final String title;
    final int bytes;
    final Register base;

    /** The index that software owns. */
    final Register index;

    final Register csr;

    /** The queue's bit in ipsr. */
    final Field pending;

    /** Bits of the csr that stop the queue, cleared by writing 1. */
    final long errors;

    Kind(
        String title,
        int bytes,
        Register base,
        Register index,
        Register csr,
        Field pending,
        boolean commands) {
      this.title = title;
      this.bytes = bytes;
      this.base = base;
      this.index = index;
      this.csr = csr;
      this.pending = pending;
      // The three csrs share these places; only the command queue has cmd_ill.
      this.errors =
          Registers.FQMF.mask() | Registers.FQOF.mask() | (commands ? Registers.CMD_ILL.mask() : 0);
    }
  }

  final Kind kind;
  private final Unit unit;
  private long at;
  private long allocated;
  private int mask;
  private boolean interrupts;

  Ring(Kind kind, Unit unit) {
    this.kind = kind;
    this.unit = unit;
  }

  /**
   * Sets the queue up and turns it on.
   *
   * @param wanted entries, a power of two; fewer if the unit cannot have so many
   */
  void start(int wanted, boolean withInterrupts) {
    interrupts = withInterrupts;
    // LOG2SZ-1 and PPN are WARL: all ones and zero show the limit and whether the place is fixed.
    unit.write(kind.base, Registers.LOG2SZ_1.mask());
    long probed = unit.read(kind.base);
    int log = Registers.LOG2SZ_1.getInt(probed) + 1;
    int entries = (int) Math.min(wanted, 1L << log);
    mask = entries - 1;
    long size = Math.max(4096, (long) entries * kind.bytes);
    if (Registers.QUEUE_PPN.isSet(probed)) {
      at = Registers.QUEUE_PPN.get(probed) << 12;
    } else {
      at = unit.frames.allocate(size);
      allocated = size;
    }
    long base =
        Registers.LOG2SZ_1.of(Integer.numberOfTrailingZeros(entries) - 1)
            | Registers.QUEUE_PPN.of(at >>> 12);
    unit.write(kind.base, base);
    long stuck = unit.read(kind.base);
    if (stuck != base) {
      throw new DriverException(
          "%s reads 0x%x after 0x%x was written: the %s cannot lie at 0x%x"
              .formatted(kind.base.name(), stuck, base, kind.title, at));
    }
    enable();
  }

  private void enable() {
    // The index that software owns is not touched by turning the queue on.
    unit.write(kind.index, 0);
    unit.write(
        kind.csr, Registers.FQEN.mask() | (interrupts ? Registers.FIE.mask() : 0) | kind.errors);
    long csr = unit.awaitClear(kind.csr, Registers.FQ_BUSY);
    if (!Registers.FQON.isSet(csr) || Registers.FQMF.isSet(csr)) {
      throw new DriverException(
          "the %s does not turn on: %s reads 0x%x".formatted(kind.title, kind.csr.name(), csr));
    }
    if (interrupts) {
      unit.write(Registers.IPSR, kind.pending.mask());
    }
  }

  /** Turns the queue off: the unit does not touch its memory any more when this returns. */
  void stop() {
    unit.write(kind.csr, 0);
    long csr = unit.awaitClear(kind.csr, Registers.FQ_BUSY);
    if (Registers.FQON.isSet(csr)) {
      throw new DriverException(
          "the %s does not turn off: %s reads 0x%x".formatted(kind.title, kind.csr.name(), csr));
    }
  }

  /** Off and on again: both indices are 0, whatever was in the queue is forgotten. */
  void restart() {
    stop();
    enable();
  }

  /** Gives the memory back. */
  void free() {
    if (allocated != 0) {
      unit.frames.free(at, allocated);
      allocated = 0;
    }
  }

  /** Address of an entry. */
  long entry(int index) {
    return at + (long) index * kind.bytes;
  }

  int next(int index) {
    return index + 1 & mask;
  }

  int entries() {
    return mask + 1;
  }

  void publish(int index) {
    unit.write(kind.index, index);
  }

  long csr() {
    return unit.read(kind.csr);
  }

  /** Clears error bits; the queue goes on where it stood. */
  void resume(long errors) {
    unit.write(kind.csr, Registers.FQEN.mask() | (interrupts ? Registers.FIE.mask() : 0) | errors);
  }
}
