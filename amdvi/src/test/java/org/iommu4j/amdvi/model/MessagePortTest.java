package org.iommu4j.amdvi.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.amdvi.model.Tables.DEVICE;
import static org.iommu4j.amdvi.model.Tables.HOST_RW;
import static org.iommu4j.amdvi.model.Tables.IOVA;

import java.util.concurrent.atomic.AtomicBoolean;
import org.iommu4j.amdvi.layout.Command;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.dma.DmaPort;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Messages of several device threads, and commands meanwhile. */
@Timeout(60)
class MessagePortTest {
  private static final long MESSAGE = 0xfee0_0000L;
  private static final long REGISTERS = 0x3000_0000L;
  private static final int WHILE = 5_000;

  private final Rig rig = Rig.standard().start();
  private final AmdviIommu unit = (AmdviIommu) rig.unit;
  private final Tables tables = new Tables(rig);

  @AfterEach
  void close() {
    rig.close();
  }

  private static Thread blocked(Runnable task) throws InterruptedException {
    Thread thread = Thread.ofPlatform().daemon().start(task);
    while (thread.getState() != Thread.State.BLOCKED) {
      Thread.sleep(1);
    }
    return thread;
  }

  /** A message may go to the unit's own registers, where it waits for commands to end. */
  @Test
  void a_message_to_registers_keeps_no_device_in_its_window() throws InterruptedException {
    rig.memory.addDevice(REGISTERS, unit.registerBytes(), unit);
    tables.host().map(IOVA, REGISTERS + 0x2000, HOST_RW);
    AtomicBoolean arrived = new AtomicBoolean();
    Thread first;
    synchronized (unit.commandLock()) { // as a COMPLETION_WAIT holds it, until windows are closed
      first = blocked(() -> rig.remap(DEVICE, IOVA + 8, 0));
      Thread second =
          Thread.ofPlatform()
              .daemon()
              .start(
                  () -> {
                    try (DmaPort port = new DmaPort(unit, rig.memory, DEVICE)) {
                      arrived.set(port.writeInt(MESSAGE, 0x41));
                    }
                  });
      second.join(WHILE);
      assertThat(arrived).isTrue();
    }
    first.join();
    assertThat(rig.messages).hasSize(1);
  }

  /** The entry that said where a message goes is another: its message is waited for. */
  @Test
  void an_invalidated_entry_s_last_message_is_waited_for() throws InterruptedException {
    tables.valid().interrupts(3);
    long done = rig.frame();
    rig.append(Rig.invalidateDevice(DEVICE), 0);
    rig.append(Rig.completionWait() | Command.S_STORE.mask() | done, 1);
    Thread commands;
    synchronized (unit.interrupts()) { // as a message under way holds it
      commands = Thread.ofPlatform().daemon().start(rig::kick);
      while (commands.getState() == Thread.State.RUNNABLE
          || commands.getState() == Thread.State.NEW) {
        Thread.sleep(1);
      }
      assertThat(rig.load(done)).isZero();
    }
    commands.join();
    assertThat(rig.load(done)).isOne();
    assertThat(rig.read(Registers.COMMAND_HEAD)).isEqualTo(32);
  }
}
