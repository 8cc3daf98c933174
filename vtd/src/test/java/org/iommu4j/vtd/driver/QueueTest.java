package org.iommu4j.vtd.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.memory.Failure;
import org.iommu4j.core.memory.Mmio;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.DomainType;
import org.iommu4j.driver.DriverException;
import org.iommu4j.vtd.layout.Registers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the driver does when the invalidation queue does not get on. */
class QueueTest {
  private static final int RW = Access.READ | Access.WRITE;
  private static final int DEVICE = 0x08;

  /** Does something to the queue at the moment when the driver publishes. */
  private static final class Saboteur extends Tampered {
    private final Mmio unit;
    private final PhysicalMemory memory;
    int times;
    Runnable after = () -> {};
    java.util.function.LongConsumer at = entry -> {};

    Saboteur(Mmio unit, PhysicalMemory memory) {
      super(unit);
      this.unit = unit;
      this.memory = memory;
    }

    @Override
    public void write(long offset, int size, long value) {
      boolean now = offset == Registers.IQT.offset() && times > 0;
      if (now) {
        times--;
        long iqa = unit.read(Registers.IQA.offset(), 8);
        at.accept(Registers.IQA_BASE.in(iqa) + unit.read(Registers.IQH.offset(), 8));
      }
      super.write(offset, size, value);
      if (now) {
        after.run();
      }
    }
  }

  private Saboteur saboteur;

  private Rig start(Rig.Builder builder) {
    Rig rig =
        builder
            .driver("timeout_ms", 50)
            .wrap((unit, memory) -> saboteur = new Saboteur(unit, memory))
            .build();
    return rig;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void a_descriptor_that_is_refused_fails_alone(boolean needsTail) {
    Rig.Builder builder = Rig.with();
    if (needsTail) {
      builder.unit("quirk.queue_waits_for_tail", true);
    }
    try (Rig rig = start(builder)) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      domain.map(0x3000, Rig.DATA, 0x2000, RW);
      saboteur.at = entry -> saboteur.memory.writeLong(entry, 0xf);
      saboteur.times = 1;
      assertThatThrownBy(() -> domain.unmap(0x3000, 0x1000))
          .isInstanceOf(DriverException.class)
          .hasMessageContaining("invalid type")
          .hasMessageContaining("0x000000000000000f");
      domain.unmap(0x4000, 0x1000);
      assertThat(rig.translate(DEVICE, 0x4000, Access.READ)).isFalse();
    }
  }

  @Test
  void a_descriptor_that_could_not_be_read_is_tried_again() {
    try (Rig rig = start(Rig.with())) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      domain.map(0x3000, Rig.DATA, 0x2000, RW);
      saboteur.at = entry -> saboteur.memory.inject(entry, 16, Failure.POISON);
      saboteur.after = () -> saboteur.memory.clearInjections();
      saboteur.times = 1;
      domain.unmap(0x3000, 0x1000);
      assertThat(rig.driver.service()).anyMatch(c -> c.contains("memory fault"));
      assertThat(rig.translate(DEVICE, 0x3000, Access.READ)).isFalse();
    }
  }

  @Test
  void a_queue_that_hangs_is_described() {
    try (Rig rig = start(Rig.with())) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      domain.map(0x3000, Rig.DATA, 0x1000, RW);
      Saboteur s = saboteur;
      s.times = 1;
      // The wait is overwritten by one that nobody sees.
      s.at = entry -> s.memory.writeLong(entry + 32, 5);
      assertThatThrownBy(() -> domain.unmap(0x3000, 0x1000))
          .isInstanceOf(DriverException.class)
          .hasMessageContaining("IQH_REG")
          .hasMessageContaining("FSTS_REG");
    }
  }

  @Test
  void a_device_whose_move_failed_is_blocked_and_can_be_attached_anew() {
    for (String stage : new String[] {"first", "second", "legacy"}) {
      Rig.Builder b =
          stage.equals("legacy")
              ? Rig.with().driver("mode", "legacy")
              : Rig.with().driver("stage", stage);
      try (Rig rig = start(b)) {
        Domain one = rig.driver.createDomain(DomainType.DMA_STRICT);
        Domain two = rig.driver.createDomain(DomainType.DMA_STRICT);
        one.map(0x3000, Rig.DATA, 0x1000, RW);
        two.map(0x3000, Rig.DATA + 0x1000, 0x1000, RW);
        one.attach(DEVICE);
        assertThat(rig.translate(DEVICE, 0x3000, Access.READ)).isTrue();
        saboteur.at = entry -> saboteur.memory.writeLong(entry, 0xf);
        saboteur.times = 1;
        assertThatThrownBy(() -> two.attach(DEVICE)).isInstanceOf(DriverException.class);
        assertThat(rig.driver.domainOf(DEVICE).type()).isEqualTo(DomainType.BLOCKED);
        two.attach(DEVICE);
        assertThat(rig.translate(DEVICE, 0x3000, Access.READ)).isTrue();
        assertThat(rig.translation.pa()).isEqualTo(Rig.DATA + 0x1000);
        one.close();
        two.close();
        rig.driver.close();
        assertThat(rig.frames.inUse()).isZero();
      }
    }
  }

  @Test
  void a_batch_longer_than_the_queue_goes_in_parts() {
    try (Rig rig = start(Rig.with().driver("queue_pages", 1).driver("flush_limit", 60000))) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      for (int pasid = 1; pasid <= 300; pasid++) {
        domain.attach(DEVICE, pasid);
      }
      domain.map(0x3000, Rig.DATA, 0x3000, RW);
      domain.unmap(0x3000, 0x3000);
      assertThat(rig.translate(DEVICE, 300, 0x3000, Access.READ)).isFalse();
    }
  }
}
