package org.iommu4j.riscv.driver;

import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.function.LongConsumer;
import org.iommu4j.core.bits.Register;
import org.iommu4j.driver.support.Unit;
import org.iommu4j.riscv.layout.Registers;

/** A queue that the unit writes: faults or page requests. §4.2, §4.3. */
final class RecordQueue {
  private final Unit unit;
  private final Ring ring;
  private final Register tail;
  private int head;

  RecordQueue(Ring.Kind kind, Unit unit) {
    this.unit = unit;
    this.ring = new Ring(kind, unit);
    this.tail = kind == Ring.Kind.FAULT ? Registers.FQT : Registers.PQT;
  }

  /** Turns the queue off, whoever used it before. */
  void off() {
    ring.stop();
  }

  void start(int entries, boolean interrupts) {
    ring.start(entries, interrupts);
    head = 0;
  }

  void stop() {
    ring.stop();
    ring.free();
  }

  /**
   * Takes all records and brings a stopped queue back. The order is what keeps every interrupt:
   *
   * <ol>
   *   <li>take records, because a full queue would overflow again as soon as it goes on;
   *   <li>clear the error bits, because while they are 1 they set the pending bit again;
   *   <li>clear the pending bit, because while it is 1 no new interrupt is sent;
   *   <li>take records once more: those that came before the pending bit was cleared announce
   *       themselves no more, and those that come later do.
   * </ol>
   *
   * @param record called with the address of each record
   * @param conditions what happened, for people
   */
  void serve(LongConsumer record, List<String> conditions) {
    take(record);
    long errors = ring.csr() & ring.kind.errors;
    if (errors != 0) {
      ring.resume(errors);
      if (Registers.FQMF.isSet(errors)) {
        conditions.add(ring.kind.title + ": memory fault, a record was lost");
      }
      if (Registers.FQOF.isSet(errors)) {
        conditions.add(ring.kind.title + ": overflow, records were lost");
      }
    }
    unit.write(Registers.IPSR, ring.kind.pending.mask());
    take(record);
  }

  /**
   * At most two queues full: a device that faults faster than we read must not keep us here, and
   * what is then still in the queue came after the pending bit was cleared.
   */
  private void take(LongConsumer record) {
    int left = 2 * ring.entries();
    while (left > 0) {
      int end = (int) unit.read(tail);
      if (end == head) {
        return;
      }
      VarHandle.acquireFence();
      while (head != end && left-- > 0) {
        record.accept(ring.entry(head));
        head = ring.next(head);
      }
      ring.publish(head);
    }
  }
}
