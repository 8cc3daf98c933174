package org.iommu4j.vtd.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.Options;
import org.iommu4j.core.dma.AtsFabric;
import org.iommu4j.core.dma.DmaPort;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.InterruptBus;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.dma.InterruptLines;
import org.iommu4j.core.dma.InterruptRequest;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.memory.Mmio;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.vtd.layout.Registers;
import org.junit.jupiter.api.Test;

/**
 * Devices and processors at a unit at the same time: whoever waits is waiting for an end. What
 * would wait for ever keeps its memory: nothing is closed here.
 */
class LocksTest {
  private static final Duration SOON = Duration.ofSeconds(5);
  private static final long REGISTERS = 0xfed9_0000L;
  private static final long MESSAGE = 0xfee0_1000L;

  private static Thread start(Runnable body) {
    return Thread.ofPlatform().daemon().start(body);
  }

  private static void awaitBlocked(Thread t) {
    while (t.getState() != Thread.State.BLOCKED && t.getState() != Thread.State.TERMINATED) {
      Thread.onSpinWait();
    }
  }

  private static boolean remap(VtdIommu unit, long address) {
    return unit.remap(
        new InterruptRequest().set(Tables.SID, address, 0x41), new InterruptDelivery());
  }

  @Test
  void a_command_that_waits_for_a_message_leaves_it_the_means_to_report_a_fault() throws Exception {
    CountDownLatch underWay = new CountDownLatch(1);
    CountDownLatch reported = new CountDownLatch(1);
    Thread[] processor = new Thread[1];
    VtdIommu[] unit = new VtdIommu[1];
    InterruptBus bus =
        (address, data) -> {
          underWay.countDown();
          awaitBlocked(processor[0]);
          synchronized (unit[0].state()) { // as for a fault
            reported.countDown();
          }
          return PhysicalMemory.OK;
        };
    Host host = new Host(new PhysicalMemory(), AtsFabric.NONE, InterruptLines.NONE, bus);
    unit[0] = (VtdIommu) Architecture.named("vtd").create(Options.of(Map.of()), host);
    processor[0] =
        Thread.ofPlatform()
            .daemon()
            .unstarted(() -> unit[0].write(Registers.GCMD.offset(), 4, Registers.CFI.of(1)));
    Thread device = start(() -> remap(unit[0], MESSAGE));
    underWay.await();
    processor[0].start();
    assertThat(processor[0].join(SOON)).isTrue();
    assertThat(device.join(SOON)).isTrue();
    assertThat(reported.getCount()).isZero();
    assertThat(Registers.CFIS.isSet(unit[0].read(Registers.GSTS.offset(), 4))).isTrue();
  }

  /**
   * Software chooses the address of the unit's own messages. A device that does something when its
   * registers are written must not do it in the middle of a report.
   */
  @Test
  void the_units_own_message_writes_memory_and_interrupt_targets_but_no_other_registers() {
    List<Long> written = new ArrayList<>();
    Mmio device =
        new Mmio() {
          @Override
          public long read(long offset, int size) {
            return 0;
          }

          @Override
          public void write(long offset, int size, long value) {
            written.add(offset);
          }
        };
    try (PhysicalMemory memory = new PhysicalMemory()) {
      memory.addAnonymous(0x10_0000, 0x1000);
      memory.addDevice(REGISTERS, 0x1000, device);
      memory.addDevice(MESSAGE, 0x1000, device);
      Iommu unit = Architecture.named("vtd").create(Options.of(Map.of()), Host.of(memory));
      unit.write(Registers.FEDATA.offset(), 4, 0x41);
      unit.write(Registers.FECTL.offset(), 4, 0);
      for (long to : new long[] {REGISTERS, 0x10_0000, MESSAGE + 8}) {
        unit.write(Registers.FEADDR.offset(), 4, to);
        assertThat(unit.invalidationCompleted(0, false, 1, 1)).isFalse(); // nobody was asked
        unit.write(Registers.FSTS.offset(), 4, Registers.ICE.of(1));
      }
      assertThat(memory.readInt(0x10_0000)).isEqualTo(0x41);
      assertThat(written).containsExactly(8L);
    }
  }

  @Test
  void a_drain_waits_for_no_message_that_waits_for_registers() throws Exception {
    Rig rig = Rig.standard();
    VtdIommu unit = (VtdIommu) rig.unit;
    Tables t = new Tables(rig).legacy(0);
    t.mapSecond(0x5000, REGISTERS | Tables.SS_RW);
    rig.memory.addDevice(REGISTERS, unit.registerBytes(), unit);
    rig.enable();
    Thread processor =
        start(
            () -> {
              synchronized (unit.commandLock()) {
                // This device's messages go to the registers, and wait for this lock.
                awaitBlocked(start(() -> remap(unit, 0x5000 + Registers.FEDATA.offset())));
                CountDownLatch inside = new CountDownLatch(1);
                Thread other =
                    start(
                        () -> {
                          try (DmaPort port = new DmaPort(unit, rig.memory, Tables.SID)) {
                            inside.countDown();
                            port.writeInt(MESSAGE, 0x41);
                          }
                        });
                try {
                  inside.await();
                } catch (InterruptedException e) {
                  return;
                }
                awaitBlocked(other); // or it is through
                unit.windows().drain();
              }
            });
    assertThat(processor.join(SOON)).isTrue();
    assertThat(rig.messages).hasSize(1);
  }
}
