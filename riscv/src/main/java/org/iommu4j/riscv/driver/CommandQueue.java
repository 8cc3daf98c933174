package org.iommu4j.riscv.driver;

import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.support.Unit;
import org.iommu4j.riscv.layout.Command;
import org.iommu4j.riscv.layout.Registers;

/**
 * The command queue. §4.1: every batch of commands ends with an IOFENCE.C that writes a number to
 * memory, and is waited for before the next batch starts.
 *
 * <p>So at an error the queue holds commands of one batch only, and the cure is the same for all:
 * turn the queue off and on, which empties it, and submit the batch again; commands before the one
 * that failed may or may not have been carried out. An illegal command would fail again and is
 * reported; a timeout of a device's answer is for the caller to decide.
 */
final class CommandQueue {
  private static final int ATTEMPTS = 3;
  private static final long DONE = 0;
  private static final long STATUS_PAGE = 4096;

  private final Unit unit;
  private final Ring ring;
  private final List<String> conditions = new ArrayList<>();
  private long completion;
  private int sequence;
  private int tail;
  private int head;

  CommandQueue(Unit unit) {
    this.unit = unit;
    this.ring = new Ring(Ring.Kind.COMMAND, unit);
  }

  /** Turns the queue off, whoever used it before. */
  synchronized void off() {
    ring.stop();
  }

  synchronized void start(int entries, boolean interrupts) {
    completion = unit.frames.allocate(STATUS_PAGE);
    ring.start(entries, interrupts);
    tail = 0;
    head = 0;
  }

  synchronized void stop() {
    ring.stop();
    ring.free();
    unit.frames.free(completion, STATUS_PAGE);
  }

  /**
   * Carries out commands. When it returns, they are complete, and no access that was made under
   * what they removed is in flight.
   *
   * @throws DriverException if the unit refuses a command, or does not get on
   */
  void run(Commands batch) {
    for (int attempt = 1; !ask(batch); attempt++) {
      // Someone else's device was late; our commands concern none.
      if (attempt == ATTEMPTS) {
        throw new DriverException("devices keep the command queue from going on (cqcsr.cmd_to)");
      }
    }
  }

  /**
   * The same for commands that ask devices.
   *
   * @return false if a device did not answer in time; its cache may hold what it did
   */
  synchronized boolean ask(Commands batch) {
    for (int attempt = 1; ; attempt++) {
      long errors = submit(batch);
      if (errors == DONE) {
        return true;
      }
      int stopped = (int) unit.read(Registers.CQH);
      String command = describe(stopped);
      ring.restart();
      tail = 0;
      head = 0;
      if (Registers.CMD_ILL.isSet(errors)) {
        throw new DriverException("the unit calls a command illegal: " + command);
      }
      if (!Registers.CQMF.isSet(errors)) {
        conditions.add("command queue: a device did not answer an invalidation (cqcsr.cmd_to)");
        return false;
      }
      conditions.add("command queue: memory fault at entry %d, repeated".formatted(stopped));
      if (attempt == ATTEMPTS) {
        throw new DriverException(
            "the unit cannot read its commands at 0x%x, %d times in a row (cqcsr.cqmf)"
                .formatted(ring.entry(stopped), attempt));
      }
    }
  }

  private String describe(int index) {
    long at = ring.entry(index);
    return "0x%016x 0x%016x at entry %d"
        .formatted(unit.memory.readLong(at), unit.memory.readLong(at + 8), index);
  }

  /** Submits a batch and its fence and waits; the error bits of cqcsr, or {@link #DONE}. */
  private long submit(Commands batch) {
    for (int i = 0; i < batch.size(); i++) {
      long errors = append(batch.first(i), batch.second(i));
      if (errors != DONE) {
        return errors;
      }
    }
    int number = ++sequence;
    long errors =
        append(
            Command.OPCODE.of(Command.IOFENCE)
                | Command.FUNC3.of(Command.FUNC3_C)
                | Command.AV.mask()
                | Command.PR.mask()
                | Command.PW.mask()
                | Command.DATA.of(number),
            Command.FENCE_ADDR.of(completion >>> 2));
    if (errors != DONE) {
      return errors;
    }
    publish();
    Unit.Patience patience = unit.patience();
    while (true) {
      int seen = (int) unit.memory.readInt(completion);
      VarHandle.acquireFence();
      if (seen == number) {
        head = tail;
        return DONE;
      }
      long found = ring.csr() & ring.kind.errors;
      if (found != 0) {
        return found;
      }
      if (!patience.more()) {
        throw stuck();
      }
    }
  }

  private long append(long first, long second) {
    int next = ring.next(tail);
    if (next == head) {
      publish();
      Unit.Patience patience = unit.patience();
      while ((head = (int) unit.read(Registers.CQH)) == next) {
        long found = ring.csr() & ring.kind.errors;
        if (found != 0) {
          return found;
        }
        if (!patience.more()) {
          throw stuck();
        }
      }
    }
    long at = ring.entry(tail);
    if (unit.memory.writeLong(at, first) != PhysicalMemory.OK
        || unit.memory.writeLong(at + 8, second) != PhysicalMemory.OK) {
      throw new DriverException("the command queue at 0x%x cannot be written".formatted(at));
    }
    tail = next;
    return DONE;
  }

  private void publish() {
    // Tables and commands before the index that makes the unit look at them.
    VarHandle.fullFence();
    ring.publish(tail);
  }

  private DriverException stuck() {
    return new DriverException(
        "commands are not completed: cqh %d, cqt %d, cqcsr 0x%x; a device that does not answer an"
                .formatted(unit.read(Registers.CQH), tail, ring.csr())
            + " invalidation holds the queue up until its timeout");
  }

  /** What went wrong since the last call, for people. */
  synchronized List<String> conditions() {
    List<String> all = List.copyOf(conditions);
    conditions.clear();
    return all;
  }
}
