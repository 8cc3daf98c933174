package org.iommu4j.amdvi.driver;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.GaLogRecord;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.driver.support.Unit;

/**
 * What the guest virtual APIC log tells: tags of messages that were posted while their virtual
 * processor ran nowhere. 48882, "Guest Virtual APIC Log".
 */
final class PostedLog {
  private static final long TAIL_BYTES = 4096;

  private final Unit unit;
  private final ControlRegister control;
  private final RecordRing ring;

  /** Where the unit stores its tail; the register tells the same. */
  private long tail;

  PostedLog(Unit unit, ControlRegister control) {
    this.unit = unit;
    this.control = control;
    this.ring = RecordRing.posted(unit, control);
  }

  /** Only when the unit is on: the log has to run before messages are posted. */
  synchronized void start() {
    tail = unit.frames.allocate(TAIL_BYTES);
    unit.write(Registers.GA_LOG_TAIL_ADDRESS, Registers.GA_TAIL_ADDRESS.in(tail));
    ring.start();
    unit.await(Registers.STATUS, Registers.GA_LOG_RUN, true);
    control.set(Control.GAM_EN, 1);
  }

  synchronized void stop() {
    control.set(Control.GAM_EN, 0);
    ring.stop();
    unit.write(Registers.GA_LOG_TAIL_ADDRESS, 0);
    unit.frames.free(tail, TAIL_BYTES);
  }

  /**
   * Takes all records.
   *
   * @param tags where their tags are put
   * @return whether some were lost
   */
  synchronized boolean serve(List<Integer> tags) {
    List<Integer> taken = new ArrayList<>();
    boolean lost =
        ring.take(
            (record, none) -> {
              if (GaLogRecord.CODE.get(record) == GaLogRecord.GUEST_NOT_RUNNING) {
                taken.add(GaLogRecord.GA_TAG.getInt(record));
              }
            });
    tags.addAll(taken);
    return lost;
  }
}
