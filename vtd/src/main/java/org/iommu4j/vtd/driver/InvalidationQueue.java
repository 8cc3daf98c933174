package org.iommu4j.vtd.driver;

import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.support.Unit;
import org.iommu4j.vtd.layout.Descriptor;
import org.iommu4j.vtd.layout.Registers;

/**
 * The invalidation queue. §6.5.2: every batch of descriptors ends with a wait that writes a number
 * to memory, and is waited for before the next batch starts, so at an error the queue holds
 * descriptors of one batch only, and those of batches that were waited for in vain.
 *
 * <p>The errors, as Linux treats them. Of a descriptor that the unit calls invalid the place is
 * taken by a harmless wait, so that the queue gets on; the batch has failed. A descriptor that it
 * could not read is tried again. When a device does not answer, the unit gives up the waits that
 * were pending, and goes on with what is behind them.
 */
final class InvalidationQueue implements InvalidationPort {
  private static final int ATTEMPTS = 3;
  private static final int PAGE = 4096;
  private static final int FETCH_ERROR = 2;
  private static final String[] REASONS = {
    "unknown",
    "invalid tail",
    "it could not be read",
    "invalid type",
    "a reserved bit is set",
    "invalid width",
    "misaligned tail",
    "invalid translation table mode"
  };

  private enum Outcome {
    DONE,
    REFUSED,
    UNREADABLE,
    UNANSWERED
  }

  private final Unit unit;
  private final Control control;
  private final int pages;
  private final int bytes;
  private final int entries;
  private final List<String> conditions = new ArrayList<>();
  private long queue;
  private long status;
  private int sequence;
  private int tail;

  /** As far as is known: the unit has fetched what is before. */
  private int head;

  private String refusal = "";

  InvalidationQueue(Unit unit, Control control, Plan plan) {
    this.unit = unit;
    this.control = control;
    this.pages = plan.settings().queuePages();
    this.bytes = plan.wideDescriptors() ? 32 : 16;
    this.entries = pages * PAGE / bytes;
  }

  @Override
  public synchronized void start() {
    queue = unit.frames.allocate((long) pages * PAGE);
    status = unit.frames.allocate(PAGE);
    tail = 0;
    head = 0;
    unit.write(Registers.IQT, 0);
    long iqa =
        Registers.IQA_BASE.in(queue)
            | Registers.DW.of(bytes == 32 ? 1 : 0)
            | Registers.QS.of(Integer.numberOfTrailingZeros(pages));
    unit.write(Registers.IQA, iqa);
    long stuck = unit.read(Registers.IQA);
    if (stuck != iqa) {
      throw new DriverException(
          "IQA_REG reads 0x%x after 0x%x was written: the queue cannot lie at 0x%x"
              .formatted(stuck, iqa, queue));
    }
    control.set(Registers.QIE, Registers.QIES, true);
  }

  @Override
  public synchronized void stop() {
    control.set(Registers.QIE, Registers.QIES, false);
    unit.frames.free(queue, (long) pages * PAGE);
    unit.frames.free(status, PAGE);
  }

  @Override
  public void run(Descriptors batch) {
    for (int attempt = 1; !ask(batch); attempt++) {
      // Someone else's device was late; our descriptors concern none.
      if (attempt == ATTEMPTS) {
        throw new DriverException("devices keep the invalidation queue from going on (FSTS.ITE)");
      }
    }
  }

  @Override
  public synchronized boolean ask(Descriptors batch) {
    for (int attempt = 1; ; attempt++) {
      switch (submit(batch)) {
        case DONE -> {
          return true;
        }
        case UNANSWERED -> {
          return false;
        }
        case REFUSED ->
            throw new DriverException("the unit refuses an invalidation descriptor: " + refusal);
        case UNREADABLE -> {
          if (attempt == ATTEMPTS) {
            throw new DriverException(
                "the unit cannot read its invalidation queue at 0x%x, %d times in a row: %s"
                    .formatted(queue, attempt, refusal));
          }
        }
      }
    }
  }

  private Outcome submit(Descriptors batch) {
    // A part of a batch at a time if it is longer than the queue; one entry always stays free.
    int most = entries - 2;
    for (int from = 0; ; from += most) {
      int to = Math.min(batch.size(), from + most);
      makeRoom(to - from + 1);
      for (int i = from; i < to; i++) {
        append(batch.first(i), batch.second(i));
      }
      Outcome outcome = complete();
      if (outcome != Outcome.DONE || to == batch.size()) {
        return outcome;
      }
    }
  }

  /** What an earlier wait gave up on is still there, and stays until the unit has fetched it. */
  private void makeRoom(int wanted) {
    Unit.Patience patience = unit.patience();
    while (Math.floorMod(head - tail - 1, entries) < wanted) {
      head = (int) (unit.read(Registers.IQH) / bytes) % entries;
      errors();
      if (!patience.more()) {
        throw stuck();
      }
    }
  }

  private void append(long first, long second) {
    long at = entry(tail);
    unit.store(at, first);
    unit.store(at + 8, second);
    if (bytes == 32) {
      unit.store(at + 16, 0);
      unit.store(at + 24, 0);
    }
    tail = (tail + 1) % entries;
  }

  private long entry(int index) {
    return queue + (long) index * bytes;
  }

  /** Appends the wait, publishes, and waits. */
  private Outcome complete() {
    int number = ++sequence;
    long wait =
        Descriptor.TYPE_LOW.of(Descriptor.WAIT)
            | Descriptor.SW.mask()
            | Descriptor.STDATA.of(number);
    append(wait, Descriptor.STADDR.in(status));
    publish();
    Outcome outcome = Outcome.DONE;
    Unit.Patience patience = unit.patience();
    while (true) {
      if ((int) unit.memory.readInt(status) == number) {
        VarHandle.acquireFence();
        head = tail;
        return outcome;
      }
      Outcome seen = errors();
      if (seen == Outcome.UNANSWERED) {
        drain();
        return seen;
      }
      outcome = seen == Outcome.DONE ? outcome : seen;
      if (!patience.more()) {
        throw stuck();
      }
    }
  }

  private void publish() {
    // Tables and descriptors before the index that makes the unit look at them.
    VarHandle.fullFence();
    unit.write(Registers.IQT, (long) tail * bytes);
  }

  /** Looks for errors and makes the queue go on. */
  private Outcome errors() {
    long fsts = unit.read(Registers.FSTS);
    if (Registers.ICE.isSet(fsts)) {
      unit.write(Registers.FSTS, Registers.ICE.mask());
      conditions.add(
          "invalidation queue: device 0x%x completed what nobody asked for (FSTS.ICE)"
              .formatted(Registers.ICESID.get(unit.read(Registers.IQERCD))));
    }
    if (Registers.IQE.isSet(fsts)) {
      return refused();
    }
    if (Registers.ITE.isSet(fsts)) {
      conditions.add(
          "invalidation queue: device 0x%x did not answer in time (FSTS.ITE)"
              .formatted(Registers.ITESID.get(unit.read(Registers.IQERCD))));
      unit.write(Registers.FSTS, Registers.ITE.mask());
      return Outcome.UNANSWERED;
    }
    return Outcome.DONE;
  }

  private Outcome refused() {
    int reason = Registers.IQEI.getInt(unit.read(Registers.IQERCD));
    long at = queue + unit.read(Registers.IQH);
    refusal =
        "0x%016x 0x%016x at 0x%x: %s (FSTS.IQE, IQERCD_REG.IQEI %d)"
            .formatted(
                unit.memory.readLong(at),
                unit.memory.readLong(at + 8),
                at,
                REASONS[Math.min(reason, REASONS.length - 1)],
                reason);
    Outcome outcome = Outcome.UNREADABLE;
    if (reason == FETCH_ERROR) {
      String condition = "invalidation queue: memory fault at 0x%x, repeated".formatted(at);
      if (conditions.isEmpty() || !conditions.getLast().equals(condition)) {
        conditions.add(condition); // once, and not each time that it is seen again
      }
    } else {
      // A wait that does nothing. What is behind it is carried out, and waited for.
      outcome = Outcome.REFUSED;
      for (int i = 0; i < bytes; i += 8) {
        unit.memory.writeLong(at + i, i == 0 ? Descriptor.TYPE_LOW.of(Descriptor.WAIT) : 0);
      }
    }
    unit.write(Registers.FSTS, Registers.IQE.mask());
    publish(); // some units only go on at the next tail
    return outcome;
  }

  /**
   * Waits until the unit has gone through the queue: the wait at its end may have been given up.
   */
  private void drain() {
    Unit.Patience patience = unit.patience();
    while (unit.read(Registers.IQH) != (long) tail * bytes) {
      errors();
      if (!patience.more()) {
        throw stuck();
      }
    }
  }

  private DriverException stuck() {
    return new DriverException(
        "invalidations are not completed: IQH_REG 0x%x, IQT_REG 0x%x, FSTS_REG 0x%x; a device that"
                .formatted(
                    unit.read(Registers.IQH), unit.read(Registers.IQT), unit.read(Registers.FSTS))
            + " does not answer holds the queue up until its timeout");
  }

  @Override
  public synchronized List<String> conditions() {
    List<String> all = List.copyOf(conditions);
    conditions.clear();
    return all;
  }
}
