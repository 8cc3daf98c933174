package org.iommu4j.vtd.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.iommu4j.core.dma.DmaPort;
import org.iommu4j.core.dma.Fault;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.Interrupt;
import org.iommu4j.driver.testing.Tampered;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.ExtendedCapability;
import org.iommu4j.vtd.layout.PostedDescriptor;
import org.iommu4j.vtd.layout.Registers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InterruptTest {
  private static final int DEVICE = 0x108;
  private static final long CPU_1 = 0xfee0_1000L;

  /** Processor 1234h: bits 31:8 in address bits 63:40. */
  private static final long FAR_CPU = 0x12L << 40 | 0xfee3_4000L;

  /** Bit 14 of the data: level, asserted in all that units send. */
  private static Rig.Message arrived(long address, int data) {
    return new Rig.Message(address, data | 0x4000);
  }

  private static boolean send(Rig rig, int source, Interrupt irq) {
    return rig.interrupt(source, irq.address(), irq.data());
  }

  @ParameterizedTest
  @ValueSource(strings = {"normal", "worst-case", "off"})
  void a_message_becomes_what_it_was_asked_to_be(String cache) {
    for (int cm = 0; cm < 2; cm++) {
      try (Rig rig = Rig.with().cap(Capability.CM, cm).unit("cache", cache).build()) {
        assertThat(rig.interrupt(DEVICE, 0xfee0_0010L, 0)).as("no entry yet").isFalse();
        Interrupt irq = rig.driver.interrupt(DEVICE, CPU_1, 0x41);
        long address = irq.address();
        assertThat(send(rig, DEVICE, irq)).isTrue();
        irq.retarget(FAR_CPU, 0x142);
        assertThat(irq.address()).as("the device need not be programmed anew").isEqualTo(address);
        assertThat(send(rig, DEVICE, irq)).isTrue();
        assertThat(rig.messages).containsExactly(arrived(CPU_1, 0x41), arrived(FAR_CPU, 0x142));
        irq.close();
        irq.close();
        assertThat(send(rig, DEVICE, irq)).isFalse();
        assertThatThrownBy(() -> irq.retarget(CPU_1, 0))
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("closed");
      }
    }
  }

  @Test
  void nobody_else_may_send_it() {
    try (Rig rig = Rig.with().driver("bus_ranges", "0x500@5-7").build()) {
      Interrupt irq = rig.driver.interrupt(DEVICE, CPU_1, 0x41);
      assertThat(send(rig, DEVICE + 1, irq)).isFalse();
      assertThat(rig.newFaults())
          .singleElement()
          .satisfies(f -> assertThat(f.reason().code()).isEqualTo(0x26))
          .satisfies(f -> assertThat(f.toString()).contains("interrupt request through entry 0"));
      Interrupt bridged = rig.driver.interrupt(0x500, CPU_1, 0x42);
      assertThat(send(rig, 0x608, bridged)).isTrue();
      assertThat(send(rig, 0x7ff, bridged)).isTrue();
      assertThat(send(rig, 0x800, bridged)).isFalse();
    }
  }

  @Test
  void a_message_that_is_not_remapped_is_blocked() {
    try (Rig rig = Rig.with().build();
        DmaPort port = rig.port(DEVICE)) {
      assertThat(rig.interrupt(DEVICE, CPU_1, 0x41)).isFalse();
      assertThat(rig.newFaults())
          .extracting(Fault::reason)
          .extracting(r -> r.code())
          .containsExactly(0x25);
      assertThat(port.readLong(0xfee0_0000L)).isFalse();
    }
  }

  @Test
  void a_message_is_posted_to_a_virtual_processor_and_back() {
    try (Rig rig = Rig.with().build()) {
      long descriptor = Rig.DATA + 0x40;
      long control = descriptor + PostedDescriptor.CONTROL_OFFSET;
      rig.memory.writeLong(
          control, PostedDescriptor.NV.of(0xf2) | PostedDescriptor.NDST.of(0x1234));
      Interrupt irq = rig.driver.interrupt(DEVICE, CPU_1, 0x41);
      irq.post(descriptor, 0x83, false);
      assertThat(send(rig, DEVICE, irq)).isTrue();
      assertThat(rig.memory.readLong(descriptor + 16)).isEqualTo(1L << 3);
      assertThat(rig.messages).containsExactly(arrived(FAR_CPU, 0xf2));
      assertThat(send(rig, DEVICE, irq)).as("outstanding: no second notification").isTrue();
      assertThat(rig.messages).hasSize(1);
      irq.retarget(CPU_1, 0x44);
      assertThat(send(rig, DEVICE, irq)).isTrue();
      assertThat(rig.messages.getLast()).isEqualTo(arrived(CPU_1, 0x44));
      assertThatThrownBy(() -> irq.post(descriptor + 8, 0, false))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("multiple of 64");
      assertThatThrownBy(() -> irq.post(descriptor, 256, false))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("256");
    }
    try (Rig rig = Rig.with().cap(Capability.PI, 0).build()) {
      Interrupt irq = rig.driver.interrupt(DEVICE, CPU_1, 0x41);
      assertThat(rig.driver.capabilities().postedInterrupts()).isFalse();
      assertThatThrownBy(() -> irq.post(Rig.DATA, 0, false))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("CAP.PI");
    }
  }

  @Test
  void a_virtual_processor_moves_without_an_invalidation() {
    try (Rig rig = Rig.with().build()) {
      long descriptor = Rig.DATA + 0x40;
      long control = descriptor + PostedDescriptor.CONTROL_OFFSET;
      rig.memory.writeLong(control, PostedDescriptor.NV.of(0xf2));
      Interrupt irq = rig.driver.interrupt(DEVICE, CPU_1, 0x41);
      assertThatThrownBy(() -> irq.runsOn(1)).isInstanceOf(IllegalStateException.class);
      irq.post(descriptor, 0x83, false);
      Interrupt urgent = rig.driver.interrupt(DEVICE, CPU_1, 0x41);
      urgent.post(descriptor, 0x84, true);
      irq.runsOn(0x1234);
      assertThat(send(rig, DEVICE, irq)).isTrue();
      assertThat(rig.messages).containsExactly(arrived(FAR_CPU, 0xf2));
      rig.memory.writeLong(
          control, rig.memory.readLong(control) & ~PostedDescriptor.ON.mask()); // taken note of
      irq.runsOn(Interrupt.NOWHERE);
      assertThat(send(rig, DEVICE, irq)).isTrue();
      assertThat(rig.messages).as("suppressed").hasSize(1);
      assertThat(send(rig, DEVICE, urgent)).isTrue();
      assertThat(rig.messages).as("urgent all the same").hasSize(2);
      irq.retarget(CPU_1, 0x41);
      assertThatThrownBy(() -> irq.runsOn(1)).isInstanceOf(IllegalStateException.class);
    }
    try (Rig rig = Rig.with().driver("x2apic", false).build()) {
      long descriptor = Rig.DATA + 0x40;
      Interrupt irq = rig.driver.interrupt(DEVICE, CPU_1, 0x41);
      irq.post(descriptor, 0x83, false);
      irq.runsOn(2);
      assertThat(send(rig, DEVICE, irq)).isTrue();
      assertThat(rig.messages).extracting(Rig.Message::address).containsExactly(0xfee0_2000L);
      assertThatThrownBy(() -> irq.runsOn(0x100))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("0x100");
    }
  }

  @Test
  void what_is_no_message_or_goes_too_far_is_refused() {
    try (Rig rig = Rig.with().driver("x2apic", false).build()) {
      for (long address : new long[] {0x1000, 0xfee0_0010L, 0xfee0_0001L, 0x1_fee0_0000L}) {
        assertThatThrownBy(() -> rig.driver.interrupt(DEVICE, address, 0))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("0x%x".formatted(address));
      }
      assertThatThrownBy(() -> rig.driver.interrupt(DEVICE, CPU_1, 0x300))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("delivery mode 3");
      assertThatThrownBy(() -> rig.driver.interrupt(DEVICE, FAR_CPU, 0))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("0x1234");
      Interrupt irq = rig.driver.interrupt(DEVICE, 0xfeef_f00cL, 0x8141);
      assertThat(send(rig, DEVICE, irq)).isTrue();
      assertThat(rig.messages.getFirst().address()).isEqualTo(0xfeef_f00cL);
    }
  }

  @Test
  void entries_run_out_and_come_back() {
    try (Rig rig = Rig.with().driver("interrupt_entries", 2).build()) {
      Interrupt one = rig.driver.interrupt(DEVICE, CPU_1, 1);
      rig.driver.interrupt(DEVICE, CPU_1, 2);
      assertThatThrownBy(() -> rig.driver.interrupt(DEVICE, CPU_1, 3))
          .isInstanceOf(DriverException.class)
          .hasMessageContaining("up to 1 are in use");
      one.close();
      Interrupt again = rig.driver.interrupt(DEVICE, CPU_1, 4);
      assertThat(send(rig, DEVICE, again)).isTrue();
      assertThat(rig.messages).containsExactly(arrived(CPU_1, 4));
    }
  }

  @Test
  void the_last_entry_of_the_largest_table_is_reached() {
    try (Rig rig = Rig.with().driver("interrupt_entries", 65536).build()) {
      Interrupt last = rig.driver.interrupt(DEVICE, CPU_1, 0);
      for (int i = 1; i < 65536; i++) {
        last = rig.driver.interrupt(DEVICE, CPU_1, i & 0xff);
      }
      assertThat(last.address()).isEqualTo(0xfeef_fff4L);
      assertThat(send(rig, DEVICE, last)).isTrue();
      assertThat(rig.messages).containsExactly(arrived(CPU_1, 0xff));
    }
  }

  @Test
  void a_unit_that_does_not_remap_lets_messages_pass() {
    try (Rig rig =
        Rig.with().ecap(ExtendedCapability.IR, 0).ecap(ExtendedCapability.EIM, 0).build()) {
      Interrupt irq = rig.driver.interrupt(DEVICE, CPU_1, 0x41);
      assertThat(rig.driver.capabilities().interruptRemapping()).isFalse();
      assertThat(irq.address()).isEqualTo(CPU_1);
      irq.retarget(0xfee0_2000L, 0x42);
      assertThat(send(rig, DEVICE, irq)).isTrue();
      assertThat(rig.messages).containsExactly(new Rig.Message(0xfee0_2000L, 0x42));
      assertThatThrownBy(() -> irq.post(Rig.DATA, 0, false))
          .isInstanceOf(IllegalArgumentException.class);
      irq.close();
    }
  }

  @Test
  void a_change_that_failed_is_forgotten_by_the_one_that_succeeds() {
    boolean[] broken = {false};
    try (Rig rig =
        Rig.with()
            .unit("cache", "worst-case")
            .driver("timeout_ms", 1)
            .wrap(
                (unit, memory) ->
                    new Tampered(unit) {
                      @Override
                      public void write(long offset, int size, long value) {
                        if (offset == Registers.IQT.offset() && broken[0]) {
                          long iqa = unit.read(Registers.IQA.offset(), 8);
                          long at = unit.read(Registers.IQH.offset(), 8);
                          memory.writeLong(Registers.IQA_BASE.in(iqa) + at, 0xf);
                        }
                        super.write(offset, size, value);
                      }
                    })
            .build()) {
      Interrupt irq = rig.driver.interrupt(DEVICE, CPU_1, 0x41);
      assertThat(send(rig, DEVICE, irq)).isTrue();
      rig.messages.clear();
      broken[0] = true;
      assertThatThrownBy(() -> irq.post(Rig.DATA, 0x83, false)).isInstanceOf(DriverException.class);
      broken[0] = false;
      irq.post(Rig.DATA, 0x83, false);
      assertThat(send(rig, DEVICE, irq)).isTrue();
      assertThat(rig.messages).doesNotContain(arrived(CPU_1, 0x41));
      assertThat(rig.memory.readLong(Rig.DATA + 16)).isEqualTo(1L << 3);
    }
  }

  @Test
  void no_message_is_lost_while_one_word_of_its_entry_changes() {
    Runnable[] meanwhile = {() -> {}};
    try (Rig rig =
        Rig.with()
            .unit("cache", "off")
            .wrap(
                (unit, memory) ->
                    new Tampered(unit) {
                      @Override
                      public void write(long offset, int size, long value) {
                        meanwhile[0].run();
                        super.write(offset, size, value);
                      }
                    })
            .build()) {
      long far = Rig.DATA + 0x2_0000_0000L;
      rig.memory.addAnonymous(far, 4096);
      Interrupt irq = rig.driver.interrupt(DEVICE, CPU_1, 0x41);
      meanwhile[0] = () -> assertThat(send(rig, DEVICE, irq)).isTrue();
      irq.retarget(FAR_CPU, 0x41);
      irq.retarget(FAR_CPU, 0x42);
      meanwhile[0] = () -> {};
      irq.post(Rig.DATA, 0x83, false);
      meanwhile[0] = () -> assertThat(send(rig, DEVICE, irq)).isTrue();
      irq.post(far, 0x83, false);
      meanwhile[0] = () -> {};
      assertThat(rig.memory.readLong(far + 16)).isEqualTo(1L << 3);
    }
  }
}
