package org.iommu4j.amdvi.driver;

import java.lang.invoke.VarHandle;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;
import org.iommu4j.driver.support.Unit;

/** A log that the unit fills with records of 16 bytes: events, or page requests. */
final class RecordRing {
  /** Takes the two words of a record. */
  @FunctionalInterface
  interface Reader {
    void record(long first, long second);
  }

  private static final int ENTRIES = 512;
  private static final int LENGTH_CODE = 9;
  private static final int RECORD = 16;
  private static final long BYTES = (long) ENTRIES * RECORD;

  private final Unit unit;
  private final ControlRegister control;
  private final Register base;
  private final Register head;
  private final Register tail;
  private final Field enable;
  private final Field overflow;
  private long ring;
  private int next;

  private RecordRing(
      Unit unit,
      ControlRegister control,
      Register base,
      Register head,
      Register tail,
      Field enable,
      Field overflow) {
    this.unit = unit;
    this.control = control;
    this.base = base;
    this.head = head;
    this.tail = tail;
    this.enable = enable;
    this.overflow = overflow;
  }

  static RecordRing events(Unit unit, ControlRegister control) {
    return new RecordRing(
        unit,
        control,
        Registers.EVENT_LOG,
        Registers.EVENT_HEAD,
        Registers.EVENT_TAIL,
        Control.EVENT_LOG_EN,
        Registers.EVENT_OVERFLOW);
  }

  static RecordRing pageRequests(Unit unit, ControlRegister control) {
    return new RecordRing(
        unit,
        control,
        Registers.PPR_LOG,
        Registers.PPR_HEAD,
        Registers.PPR_TAIL,
        Control.PPR_LOG_EN,
        Registers.PPR_OVERFLOW);
  }

  void start() {
    ring = unit.frames.allocate(BYTES);
    control.set(enable, false);
    unit.write(base, Registers.RING_BASE.in(ring) | Registers.RING_LEN.of(LENGTH_CODE));
    restart();
  }

  private void restart() {
    unit.write(head, 0);
    unit.write(tail, 0);
    next = 0;
    control.set(enable, true);
  }

  void stop() {
    control.set(enable, false);
    unit.frames.free(ring, BYTES);
  }

  /**
   * Takes all records; at most one ring full, a device that reports faster than we read must not
   * keep us here.
   *
   * @return whether some were lost
   */
  boolean take(Reader reader) {
    int end = (int) (Registers.POINTER.in(unit.read(tail)) / RECORD) % ENTRIES;
    VarHandle.acquireFence();
    for (; next != end; next = (next + 1) % ENTRIES) {
      long at = ring + (long) next * RECORD;
      reader.record(unit.memory.readLong(at), unit.memory.readLong(at + 8));
    }
    unit.write(head, (long) next * RECORD);
    if (!overflow.isSet(unit.read(Registers.STATUS))) {
      return false;
    }
    // The log has stopped: off, the overflow cleared, and on again.
    control.set(enable, false);
    unit.write(Registers.STATUS, overflow.mask());
    restart();
    return true;
  }
}
