package org.iommu4j.amdvi.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.memory.Failure;
import org.iommu4j.core.memory.Mmio;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.Interrupt;
import org.iommu4j.driver.testing.Tampered;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InterruptTest {
  private static final int DEVICE = 0x108;
  private static final long CPU_1 = 0xfee0_1000L;
  private static final long CPU_2 = 0xfee0_2000L;

  /** Processor 1234h: bits 31:8 in address bits 63:40. */
  private static final long FAR_CPU = 0x12L << 40 | 0xfee3_4000L;

  private static boolean send(Rig rig, int source, Interrupt irq) {
    return rig.interrupt(source, irq.address(), irq.data());
  }

  @ParameterizedTest
  @CsvSource({"normal, 1", "worst-case, 1", "off, 1", "normal, 0", "worst-case, 0", "off, 0"})
  void a_message_becomes_what_it_was_asked_to_be(String cache, int longEntries) {
    try (Rig rig =
        Rig.with()
            .efr(ExtendedFeatures.GA_SUP, longEntries)
            .efr(ExtendedFeatures.XT_SUP, longEntries)
            .unit("cache", cache)
            .build()) {
      assertThat(rig.interrupt(DEVICE, CPU_1, 0)).as("no table yet").isFalse();
      Interrupt irq = rig.driver.interrupt(DEVICE, CPU_1, 0x41);
      int data = irq.data();
      assertThat(send(rig, DEVICE, irq)).isTrue();
      irq.retarget(CPU_2, 0x42);
      assertThat(irq.data() == data)
          .as("whether the device need not be programmed anew")
          .isEqualTo(longEntries == 0);
      assertThat(send(rig, DEVICE, irq)).isTrue();
      assertThat(rig.messages).extracting(Rig.Message::address).containsExactly(CPU_1, CPU_2);
      assertThat(rig.messages).extracting(m -> m.data() & 0xff).containsExactly(0x41, 0x42);
      irq.close();
      irq.close();
      assertThat(send(rig, DEVICE, irq)).isFalse();
      assertThatThrownBy(() -> irq.retarget(CPU_1, 0))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("closed");
    }
  }

  @Test
  void each_device_has_a_table_of_its_own() {
    try (Rig rig = Rig.with().build()) {
      Interrupt irq = rig.driver.interrupt(DEVICE, CPU_1, 0x41);
      Interrupt other = rig.driver.interrupt(DEVICE + 8, CPU_2, 0x51);
      assertThat(irq.data()).isEqualTo(other.data());
      assertThat(send(rig, DEVICE + 1, irq)).isFalse();
      assertThat(send(rig, DEVICE, irq)).isTrue();
      assertThat(send(rig, DEVICE + 8, other)).isTrue();
      assertThat(rig.messages).extracting(m -> m.data() & 0xff).containsExactly(0x41, 0x51);
    }
  }

  @Test
  void far_processors_need_wide_ids() {
    try (Rig rig = Rig.with().build()) {
      Interrupt irq = rig.driver.interrupt(DEVICE, FAR_CPU, 0x41);
      assertThat(send(rig, DEVICE, irq)).isTrue();
      assertThat(rig.messages).extracting(Rig.Message::address).containsExactly(FAR_CPU);
    }
    try (Rig rig = Rig.with().driver("x2apic", false).build()) {
      assertThatThrownBy(() -> rig.driver.interrupt(DEVICE, FAR_CPU, 0x41))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("0x1234");
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
      Interrupt again = rig.driver.interrupt(DEVICE, CPU_1, 0x44);
      assertThat(send(rig, DEVICE, again)).isTrue();
      assertThat(rig.messages)
          .singleElement()
          .satisfies(m -> assertThat(m.data() & 0xff).isEqualTo(0x44));
    }
  }

  /** Something happens before each register write of the driver. */
  private static final class Interrupted extends Tampered {
    private final Runnable[] meanwhile;

    Interrupted(Mmio unit, Runnable[] meanwhile) {
      super(unit);
      this.meanwhile = meanwhile;
    }

    @Override
    public void write(long offset, int size, long value) {
      meanwhile[0].run();
      super.write(offset, size, value);
    }
  }

  private static Rig interrupted(Runnable[] meanwhile) {
    return Rig.with()
        .unit("cache", "off")
        .wrap((unit, memory) -> new Interrupted(unit, meanwhile))
        .build();
  }

  @Test
  void no_message_is_lost_while_only_the_processor_or_only_the_vector_changes() {
    Runnable[] meanwhile = {() -> {}};
    try (Rig rig = interrupted(meanwhile)) {
      Interrupt irq = rig.driver.interrupt(DEVICE, CPU_1, 0x41);
      meanwhile[0] = () -> assertThat(send(rig, DEVICE, irq)).isTrue();
      irq.retarget(CPU_2, 0x41);
      irq.retarget(CPU_2, 0x42);
      assertThat(rig.messages).isNotEmpty();
      assertThat(places(rig)).containsOnly(CPU_2 + " 65", CPU_2 + " 66");
      meanwhile[0] = () -> {};
    }
  }

  @Test
  void a_message_that_changes_as_a_whole_arrives_at_one_of_both_places() {
    Runnable[] meanwhile = {() -> {}};
    try (Rig rig = interrupted(meanwhile)) {
      Interrupt irq = rig.driver.interrupt(DEVICE, CPU_1, 0x41);
      int old = irq.data();
      meanwhile[0] = () -> assertThat(rig.interrupt(DEVICE, irq.address(), old)).isTrue();
      irq.retarget(CPU_2, 0x42);
      meanwhile[0].run();
      assertThat(places(rig)).containsOnly(CPU_1 + " 65");
      rig.messages.clear();
      assertThat(send(rig, DEVICE, irq)).isTrue();
      assertThat(places(rig)).containsExactly(CPU_2 + " 66");
      meanwhile[0] = () -> assertThat(send(rig, DEVICE, irq)).isTrue();
      irq.retarget(CPU_2, 0x43);
      assertThat(rig.interrupt(DEVICE, irq.address(), old)).as("no longer in use").isFalse();
      meanwhile[0] = () -> {};
    }
  }

  private static List<String> places(Rig rig) {
    return rig.messages.stream().map(m -> m.address() + " " + (m.data() & 0xff)).toList();
  }

  @Test
  void entries_that_messages_have_left_are_used_again() {
    try (Rig rig = Rig.with().driver("interrupt_entries", 4).build()) {
      Interrupt irq = rig.driver.interrupt(DEVICE, CPU_1, 0x41);
      Set<Integer> used = new TreeSet<>();
      for (int n = 0; n < 10; n++) {
        irq.retarget(n % 2 == 0 ? CPU_2 : CPU_1, 0x50 + n);
        assertThat(send(rig, DEVICE, irq)).isTrue();
        used.add(irq.data());
      }
      assertThat(used).hasSizeGreaterThan(1);
      assertThat(rig.messages).extracting(m -> m.data() & 0xff).endsWith(0x58, 0x59);
      irq.close();
      for (int n = 0; n < 4; n++) {
        rig.driver.interrupt(DEVICE, CPU_1, 0x60 + n);
      }
    }
  }

  @Test
  void a_message_changes_in_place_where_no_entry_is_free() {
    try (Rig rig = Rig.with().driver("interrupt_entries", 1).build()) {
      Interrupt irq = rig.driver.interrupt(DEVICE, CPU_1, 0x41);
      irq.retarget(CPU_2, 0x42);
      assertThat(irq.data()).isZero();
      assertThat(send(rig, DEVICE, irq)).isTrue();
      assertThat(places(rig)).containsExactly(CPU_2 + " 66");
    }
  }

  @Test
  void a_message_that_could_not_be_had_does_not_arrive() {
    try (Rig rig = Rig.with().build()) {
      Interrupt irq = rig.driver.interrupt(DEVICE, CPU_1, 0x41);
      long base = Registers.RING_BASE.in(rig.unit.read(Registers.COMMAND_BUFFER.offset(), 8));
      rig.memory.inject(base, 0x2000, Failure.POISON);
      assertThatThrownBy(() -> rig.driver.interrupt(DEVICE, CPU_1, 0x42))
          .isInstanceOf(DriverException.class);
      rig.memory.clearInjections();
      assertThat(rig.interrupt(DEVICE, irq.address(), irq.data() + 1)).isFalse();
      assertThat(send(rig, DEVICE, irq)).isTrue();
    }
  }
}
