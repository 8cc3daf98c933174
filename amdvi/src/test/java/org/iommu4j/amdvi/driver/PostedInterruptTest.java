package org.iommu4j.amdvi.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.core.dma.InterruptBus;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.dma.InterruptRequest;
import org.iommu4j.driver.Interrupt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Messages to processors of virtual machines: the guest virtual APIC and its log. */
class PostedInterruptTest {
  private static final int DEVICE = 0x108;
  private static final long CPU_1 = 0xfee0_1000L;
  private static final long PAGE = Rig.DATA + 0x4000;

  /** Processor 12345678h: its number is in both words of an entry. */
  private static final int FAR = 0x1234_5678;

  /** Sends the message; where the doorbell rang, 0 if it did not. */
  private static long send(Rig rig, Interrupt irq) {
    InterruptDelivery out = new InterruptDelivery();
    InterruptRequest request = new InterruptRequest().set(DEVICE, irq.address(), irq.data());
    assertThat(rig.unit.remap(request, out)).isTrue();
    assertThat(out.kind()).isEqualTo(InterruptDelivery.Kind.RECORDED);
    return out.notice();
  }

  private static boolean requested(Rig rig, int vector) {
    long word = rig.memory.readLong(PAGE + 0x200 + (vector >>> 5) * 16L);
    return (word >>> (vector & 31) & 1) != 0;
  }

  /** What the driver tells of since it was last asked. */
  private static List<Interrupt> posted(Rig rig) {
    List<Interrupt> all = new ArrayList<>(rig.posted);
    rig.posted.clear();
    return all;
  }

  @ParameterizedTest
  @ValueSource(strings = {"normal", "worst-case", "off"})
  void a_virtual_processor_that_runs_gets_a_doorbell(String cache) {
    try (Rig rig = Rig.with().unit("cache", cache).build()) {
      assertThat(rig.driver.capabilities().postedInterrupts()).isTrue();
      Interrupt irq = rig.driver.interrupt(DEVICE, CPU_1, 0x41);
      int data = irq.data();
      irq.post(PAGE, 0x83, false);
      irq.runsOn(2);
      assertThat(irq.data()).as("the device need not be programmed anew").isEqualTo(data);
      assertThat(send(rig, irq)).isEqualTo(InterruptBus.address(2));
      assertThat(requested(rig, 0x83)).isTrue();
      assertThat(rig.messages).as("no message goes to the old place").isEmpty();
      rig.driver.service();
      assertThat(posted(rig)).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"normal", "worst-case", "off"})
  void a_virtual_processor_moves_without_a_command(String cache) {
    try (Rig rig = Rig.with().unit("cache", cache).build()) {
      Interrupt irq = rig.driver.interrupt(DEVICE, CPU_1, 0x41);
      irq.post(PAGE, 0x20, true);
      InvalidationSequenceTest.Commands commands = new InvalidationSequenceTest.Commands(rig);
      for (int cpu : new int[] {1, 2, FAR, FAR + 1, 3, 0}) {
        irq.runsOn(cpu);
        assertThat(send(rig, irq)).isEqualTo(InterruptBus.address(cpu));
      }
      irq.runsOn(Interrupt.NOWHERE);
      assertThat(send(rig, irq)).isZero();
      irq.runsOn(5);
      assertThat(send(rig, irq)).isEqualTo(InterruptBus.address(5));
      assertThat(commands.take()).isEmpty();
    }
  }

  @Test
  void of_one_that_does_not_run_the_driver_tells_if_it_is_urgent() {
    try (Rig rig = Rig.with().build()) {
      Interrupt urgent = rig.driver.interrupt(DEVICE, CPU_1, 0x41);
      Interrupt other = rig.driver.interrupt(DEVICE, CPU_1, 0x42);
      urgent.post(PAGE, 0x30, true);
      other.post(PAGE, 0x31, false);
      assertThat(send(rig, urgent)).isZero();
      assertThat(send(rig, other)).isZero();
      assertThat(requested(rig, 0x30)).isTrue();
      assertThat(requested(rig, 0x31)).isTrue();
      assertThat(rig.driver.service()).isEmpty();
      assertThat(posted(rig)).containsExactly(urgent);
      rig.driver.service();
      assertThat(posted(rig)).as("told once").isEmpty();
      other.post(PAGE, 0x32, true);
      send(rig, other);
      send(rig, urgent);
      rig.driver.service();
      assertThat(posted(rig)).containsExactly(other, urgent);
    }
  }

  @Test
  void what_is_posted_changes_its_page_and_vector_and_goes_back_to_a_processor() {
    try (Rig rig = Rig.with().unit("cache", "worst-case").build()) {
      InvalidationSequenceTest.Commands commands = new InvalidationSequenceTest.Commands(rig);
      Interrupt irq = rig.driver.interrupt(DEVICE, CPU_1, 0x41);
      commands.take();
      irq.post(PAGE + 0x1000, 0x30, true);
      assertThat(commands.take())
          .as("an entry of two words is off while it changes")
          .containsExactly("interrupts 264", "wait", "interrupts 264", "wait");
      irq.runsOn(1);
      irq.post(PAGE, 0x31, true);
      assertThat(send(rig, irq)).as("until it is said anew it runs nowhere").isZero();
      assertThat(requested(rig, 0x31)).isTrue();
      assertThat(requested(rig, 0x30)).isFalse();
      irq.retarget(CPU_1, 0x44);
      rig.driver.service();
      assertThat(posted(rig)).as("nobody's any more").isEmpty();
      assertThat(rig.interrupt(DEVICE, irq.address(), irq.data())).isTrue();
      assertThat(rig.messages).extracting(m -> m.data() & 0xff).containsExactly(0x44);
      assertThatThrownBy(() -> irq.runsOn(1))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("not posted");
      irq.post(PAGE, 0x31, true);
      irq.close();
      assertThat(rig.interrupt(DEVICE, irq.address(), irq.data())).isFalse();
      assertThatThrownBy(() -> irq.post(PAGE, 0x31, true))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("closed");
      assertThatThrownBy(() -> irq.runsOn(1)).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void when_the_log_overflows_all_that_wait_are_told_of() {
    try (Rig rig = Rig.with().build()) {
      Interrupt one = rig.driver.interrupt(DEVICE, CPU_1, 0x41);
      Interrupt two = rig.driver.interrupt(DEVICE, CPU_1, 0x42);
      Interrupt running = rig.driver.interrupt(DEVICE, CPU_1, 0x43);
      one.post(PAGE, 0x30, true);
      two.post(PAGE, 0x31, true);
      running.post(PAGE, 0x32, true);
      running.runsOn(1);
      for (int i = 0; i < 600; i++) {
        send(rig, one);
      }
      send(rig, two);
      assertThat(rig.driver.service()).singleElement().asString().contains("GALOverflow");
      assertThat(posted(rig)).containsExactlyInAnyOrder(one, two);
      for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 400; i++) {
          send(rig, two);
        }
        assertThat(rig.driver.service()).as("it runs again, round and round").isEmpty();
        assertThat(posted(rig)).hasSize(400).containsOnly(two);
      }
    }
  }

  @Test
  void the_unit_calls_when_something_is_in_the_log() {
    try (Rig rig = Rig.with().messages().build()) {
      Interrupt irq = rig.driver.interrupt(DEVICE, CPU_1, 0x41);
      irq.post(PAGE, 0x30, true);
      send(rig, irq);
      send(rig, irq);
      assertThat(rig.messages)
          .as("once, until it is served")
          .extracting(Rig.Message::address)
          .containsExactly(0xfee0_3000L);
      rig.driver.service();
      assertThat(posted(rig)).hasSize(2);
      send(rig, irq);
      assertThat(rig.messages).hasSize(2);
    }
  }

  @Test
  void what_cannot_be_posted_is_said() {
    try (Rig rig = Rig.with().driver("x2apic", false).build()) {
      Interrupt irq = rig.driver.interrupt(DEVICE, CPU_1, 0x41);
      assertThatThrownBy(() -> irq.post(PAGE + 0x40, 0, false))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("multiple of 4096");
      assertThatThrownBy(() -> irq.post(0x1000, 0, false))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("0x1000");
      assertThatThrownBy(() -> irq.post(PAGE, 256, false))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("256");
      irq.post(PAGE, 0x30, false);
      assertThatThrownBy(() -> irq.runsOn(0x100))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("0x100");
      irq.runsOn(0xff);
      assertThat(send(rig, irq)).isEqualTo(InterruptBus.address(0xff));
      rig.driver.close();
      assertThatThrownBy(() -> irq.runsOn(1)).isInstanceOf(IllegalStateException.class);
    }
    for (Rig.Builder without :
        List.of(
            Rig.with().efr(ExtendedFeatures.GAM_SUP, 0),
            Rig.with().efr(ExtendedFeatures.GA_SUP, 0).efr(ExtendedFeatures.XT_SUP, 0))) {
      try (Rig rig = without.build()) {
        Interrupt irq = rig.driver.interrupt(DEVICE, CPU_1, 0x41);
        assertThat(rig.driver.capabilities().postedInterrupts()).isFalse();
        assertThatThrownBy(() -> irq.post(PAGE, 0, false))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("GAMSup");
      }
    }
  }
}
