package org.iommu4j.amdvi.driver;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.amdvi.layout.Command;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.support.Unit;

/**
 * The command buffer. 48882, "Commands". One batch at a time: commands, then a COMPLETION_WAIT that
 * stores a number, which is waited for.
 */
final class CommandRing {
  private static final int ENTRIES = 512;
  private static final int LENGTH_CODE = 9;
  private static final long BYTES = (long) ENTRIES * Command.BYTES;

  private final Unit unit;
  private final ControlRegister control;
  private final List<String> conditions = new ArrayList<>();
  private long ring;
  private long semaphore;
  private long number;
  private int tail;

  CommandRing(Unit unit, ControlRegister control) {
    this.unit = unit;
    this.control = control;
  }

  synchronized void start() {
    ring = unit.frames.allocate(BYTES);
    semaphore = unit.frames.allocate(4096);
    control.set(Control.CMD_BUF_EN, false);
    unit.write(
        Registers.COMMAND_BUFFER,
        Registers.RING_BASE.in(ring) | Registers.RING_LEN.of(LENGTH_CODE));
    unit.write(Registers.COMMAND_HEAD, 0);
    unit.write(Registers.COMMAND_TAIL, 0);
    tail = 0;
    control.set(Control.CMD_BUF_EN, true);
  }

  synchronized void stop() {
    control.set(Control.CMD_BUF_EN, false);
    unit.awaitClear(Registers.STATUS, Registers.CMD_BUF_RUN);
    unit.frames.free(ring, BYTES);
    unit.frames.free(semaphore, 4096);
  }

  /**
   * Carries out a batch. When it returns, all of it is complete, and no access that was made under
   * what it removed is in flight.
   *
   * @throws DriverException if the unit refuses a command, or does not get on
   */
  synchronized void run(Batch batch) {
    for (int i = 0; i < batch.commands(); i++) {
      put(batch.first(i), batch.second(i));
    }
    complete();
  }

  private void put(long first, long second) {
    if (room() < 2) {
      complete(); // room for the wait itself is left
    }
    store(first, second);
  }

  /** Entries that can be filled: what the unit has not fetched stays. */
  private int room() {
    return Math.floorMod(head() - tail - 1, ENTRIES);
  }

  private void store(long first, long second) {
    long at = ring + (long) tail * Command.BYTES;
    unit.store(at, first);
    unit.store(at + 8, second);
    tail = (tail + 1) % ENTRIES;
  }

  private int head() {
    return (int) (Registers.POINTER.in(unit.read(Registers.COMMAND_HEAD)) / Command.BYTES);
  }

  private void complete() {
    Unit.Patience patience = unit.patience();
    while (room() == 0) { // what an earlier wait gave up on is still there
      check(patience);
    }
    long wanted = ++number;
    store(
        Command.OPCODE.of(Command.COMPLETION_WAIT)
            | Command.S_STORE.mask()
            | Command.STORE_ADDRESS.in(semaphore),
        wanted);
    unit.write(Registers.COMMAND_TAIL, (long) tail * Command.BYTES);
    while (unit.memory.readLong(semaphore) != wanted) {
      check(patience);
    }
  }

  /** One turn of waiting for the unit. */
  private void check(Unit.Patience patience) {
    long status = unit.read(Registers.STATUS);
    if (!Registers.CMD_BUF_RUN.isSet(status) && unit.memory.readLong(semaphore) != number) {
      throw stopped();
    }
    if (!patience.more()) {
      throw new DriverException(
          "commands are not completed: head 0x%x, tail 0x%x, status 0x%x; a device that does not"
                  .formatted(
                      unit.read(Registers.COMMAND_HEAD), unit.read(Registers.COMMAND_TAIL), status)
              + " answer holds them up until its timeout");
    }
  }

  /** The unit met a command that it does not take, or memory failed: what follows is dropped. */
  private DriverException stopped() {
    long head = unit.read(Registers.COMMAND_HEAD);
    long at = ring + Registers.POINTER.in(head);
    String text =
        "command buffer: the unit stopped at 0x%x: 0x%x 0x%x"
            .formatted(head, unit.memory.readLong(at), unit.memory.readLong(at + 8));
    conditions.add(text);
    control.set(Control.CMD_BUF_EN, false);
    unit.write(Registers.COMMAND_HEAD, 0);
    unit.write(Registers.COMMAND_TAIL, 0);
    tail = 0;
    control.set(Control.CMD_BUF_EN, true);
    return new DriverException(text);
  }

  /** What went wrong since the last call, for people. */
  synchronized List<String> conditions() {
    List<String> all = List.copyOf(conditions);
    conditions.clear();
    return all;
  }
}
