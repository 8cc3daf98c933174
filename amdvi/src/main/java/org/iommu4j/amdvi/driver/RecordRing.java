package org.iommu4j.amdvi.driver;

import java.lang.invoke.VarHandle;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.GaLogRecord;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;
import org.iommu4j.driver.support.Unit;

/**
 * A log that the unit fills with records: events and page requests, of 16 bytes, or posted
 * messages, of 8.
 */
final class RecordRing {
  /** Takes the two words of a record; the second is 0 if it has one. */
  @FunctionalInterface
  interface Reader {
    void record(long first, long second);
  }

  private static final int ENTRIES = 512;
  private static final int RECORD = 16;
  private static final int SHORT_RECORD = GaLogRecord.BYTES;

  /** A length code counts doublings of this. */
  private static final int UNIT_OF_LENGTH = 16;

  private final Unit unit;
  private final ControlRegister control;
  private final Register base;
  private final Register head;
  private final Register tail;
  private final Field enable;
  private final Field run;
  private final Field overflow;
  private final int record;
  private final Field pointer;
  private long ring;
  private int next;

  private RecordRing(
      Unit unit,
      ControlRegister control,
      Register base,
      Register head,
      Register tail,
      Field enable,
      Field run,
      Field overflow,
      int record,
      Field pointer) {
    this.unit = unit;
    this.control = control;
    this.base = base;
    this.head = head;
    this.tail = tail;
    this.enable = enable;
    this.run = run;
    this.overflow = overflow;
    this.record = record;
    this.pointer = pointer;
  }

  private long bytes() {
    return (long) ENTRIES * record;
  }

  static RecordRing events(Unit unit, ControlRegister control) {
    return new RecordRing(
        unit,
        control,
        Registers.EVENT_LOG,
        Registers.EVENT_HEAD,
        Registers.EVENT_TAIL,
        Control.EVENT_LOG_EN,
        Registers.EVENT_LOG_RUN,
        Registers.EVENT_OVERFLOW,
        RECORD,
        Registers.POINTER);
  }

  static RecordRing pageRequests(Unit unit, ControlRegister control) {
    return new RecordRing(
        unit,
        control,
        Registers.PPR_LOG,
        Registers.PPR_HEAD,
        Registers.PPR_TAIL,
        Control.PPR_LOG_EN,
        Registers.PPR_LOG_RUN,
        Registers.PPR_OVERFLOW,
        RECORD,
        Registers.POINTER);
  }

  static RecordRing posted(Unit unit, ControlRegister control) {
    return new RecordRing(
        unit,
        control,
        Registers.GA_LOG,
        Registers.GA_HEAD,
        Registers.GA_TAIL,
        Control.GA_LOG_EN,
        Registers.GA_LOG_RUN,
        Registers.GA_LOG_OVERFLOW,
        SHORT_RECORD,
        Registers.GA_POINTER);
  }

  void start() {
    ring = unit.frames.allocate(bytes());
    control.set(enable, false);
    int length = Long.numberOfTrailingZeros(bytes() / UNIT_OF_LENGTH);
    unit.write(base, Registers.RING_BASE.in(ring) | Registers.RING_LEN.of(length));
    restart();
  }

  private void restart() {
    unit.write(head, 0);
    unit.write(tail, 0);
    next = 0;
    control.set(enable, true);
  }

  void stop() {
    halt();
    unit.frames.free(ring, bytes());
  }

  /** When this returns, the unit writes no more. */
  private void halt() {
    control.set(enable, false);
    unit.awaitClear(Registers.STATUS, run);
  }

  /**
   * Takes all records; at most two rings full, a device that reports faster than we read must not
   * keep us here.
   *
   * @return whether some were lost
   */
  boolean take(Reader reader) {
    drain(reader);
    if (!overflow.isSet(unit.read(Registers.STATUS))) {
      return false;
    }
    // The log has stopped: off, the overflow cleared, and on again. What came since it was read
    // is still there.
    halt();
    drain(reader);
    unit.write(Registers.STATUS, overflow.mask());
    restart();
    return true;
  }

  private void drain(Reader reader) {
    int end = (int) (pointer.in(unit.read(tail)) / record) % ENTRIES;
    VarHandle.acquireFence();
    for (; next != end; next = (next + 1) % ENTRIES) {
      long at = ring + (long) next * record;
      reader.record(unit.memory.readLong(at), record == RECORD ? unit.memory.readLong(at + 8) : 0);
    }
    unit.write(head, (long) next * record);
  }
}
