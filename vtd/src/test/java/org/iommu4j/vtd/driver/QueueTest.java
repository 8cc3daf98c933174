package org.iommu4j.vtd.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.memory.Failure;
import org.iommu4j.core.memory.Mmio;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.DomainType;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.Interrupt;
import org.iommu4j.driver.testing.Tampered;
import org.iommu4j.vtd.layout.Capability;
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
  void a_queue_that_stays_unreadable_is_said_once() {
    try (Rig rig = start(Rig.with())) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      domain.map(0x3000, Rig.DATA, 0x2000, RW);
      saboteur.at = entry -> saboteur.memory.inject(entry, 16, Failure.POISON);
      saboteur.times = 1;
      assertThatThrownBy(() -> domain.unmap(0x3000, 0x1000)).isInstanceOf(DriverException.class);
      saboteur.memory.clearInjections();
      assertThat(rig.driver.service()).filteredOn(c -> c.contains("memory fault")).hasSize(1);
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

  /** A unit that does not look at its queue for a while. */
  private static final class Sleeper extends Tampered {
    boolean asleep;
    private long tail = -1;

    Sleeper(Mmio unit) {
      super(unit);
    }

    @Override
    public void write(long offset, int size, long value) {
      if (offset == Registers.IQT.offset() && asleep) {
        tail = value;
      } else {
        super.write(offset, size, value);
      }
    }

    void wakeUp() {
      asleep = false;
      if (tail >= 0) {
        super.write(Registers.IQT.offset(), 8, tail);
      }
    }
  }

  @Test
  void descriptors_that_have_no_room_overwrite_none_that_are_not_fetched() {
    Sleeper[] sleeper = new Sleeper[1];
    try (Rig rig =
        Rig.with()
            .driver("queue_pages", 1)
            .driver("timeout_ms", 1)
            .unit("cache", "worst-case")
            .wrap((unit, memory) -> sleeper[0] = new Sleeper(unit))
            .build()) {
      List<Interrupt> all = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        Interrupt irq = rig.driver.interrupt(DEVICE, 0xfee0_1000L, 0x41);
        assertThat(rig.interrupt(DEVICE, irq.address(), irq.data())).isTrue();
        all.add(irq);
      }
      sleeper[0].asleep = true;
      for (Interrupt irq : all) {
        assertThatThrownBy(irq::close)
            .isInstanceOf(DriverException.class)
            .hasMessageContaining("not completed");
      }
      sleeper[0].wakeUp();
      rig.driver.interrupt(DEVICE, 0xfee0_1000L, 0x42).close();
      for (Interrupt irq : all.subList(0, 60)) {
        assertThat(rig.interrupt(DEVICE, irq.address(), irq.data()))
            .as("message %x, whose descriptor was in the queue", irq.address())
            .isFalse();
      }
    }
  }

  /** A unit without a queue, which takes its time. */
  private static final class Slow extends Tampered {
    boolean slow;
    private long pending;

    Slow(Mmio unit) {
      super(unit);
    }

    private static boolean isCommand(long offset) {
      return offset == Registers.iotlb(standardEcap()).offset();
    }

    private static long standardEcap() {
      return Rig.with().ecap();
    }

    @Override
    public long read(long offset, int size) {
      if (isCommand(offset) && pending != 0) {
        if (slow) {
          return pending;
        }
        super.write(offset, size, pending);
        pending = 0;
      }
      return super.read(offset, size);
    }

    @Override
    public void write(long offset, int size, long value) {
      if (!isCommand(offset) || pending == 0 && !slow) {
        super.write(offset, size, value);
      } else if (pending == 0) {
        pending = value; // what comes while the unit is busy is lost
      }
    }
  }

  @Test
  void a_register_that_is_busy_takes_no_command() {
    Slow[] slow = new Slow[1];
    try (Rig rig =
        Rig.with()
            .driver("mode", "legacy")
            .driver("invalidation", "registers")
            .driver("timeout_ms", 1)
            .driver("flush_limit", 0)
            .unit("cache", "worst-case")
            .wrap((unit, memory) -> slow[0] = new Slow(unit))
            .build()) {
      Domain one = rig.driver.createDomain(DomainType.DMA_STRICT);
      Domain two = rig.driver.createDomain(DomainType.DMA_STRICT);
      one.attach(DEVICE);
      two.attach(DEVICE + 1);
      one.map(0x3000, Rig.DATA, 0x1000, RW);
      two.map(0x3000, Rig.DATA, 0x1000, RW);
      assertThat(rig.translate(DEVICE + 1, 0x3000, Access.READ)).isTrue();
      slow[0].slow = true;
      assertThatThrownBy(() -> one.unmap(0x3000, 0x1000)).isInstanceOf(DriverException.class);
      slow[0].slow = false;
      two.unmap(0x3000, 0x1000);
      assertThat(rig.translate(DEVICE + 1, 0x3000, Access.READ)).isFalse();
    }
  }

  @Test
  void what_could_not_be_invalidated_is_invalidated_before_it_is_said_to_be_unmapped() {
    for (boolean batch : new boolean[] {false, true}) {
      try (Rig rig = start(Rig.with().unit("cache", "worst-case"))) {
        Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
        domain.attach(DEVICE);
        domain.map(0x3000, Rig.DATA, 0x1000, RW);
        assertThat(rig.translate(DEVICE, 0x3000, Access.READ)).isTrue();
        Domain.Batch changes = domain.batch();
        saboteur.at = entry -> saboteur.memory.writeLong(entry, 0xf);
        saboteur.times = 1;
        assertThatThrownBy(
                () -> {
                  if (batch) {
                    changes.unmap(0x3000, 0x1000);
                    changes.close();
                  } else {
                    domain.unmap(0x3000, 0x1000);
                  }
                })
            .isInstanceOf(DriverException.class);
        changes.close();
        domain.unmap(0x3000, 0x1000);
        assertThat(rig.translate(DEVICE, 0x3000, Access.READ)).isFalse();
      }
    }
  }

  @Test
  void what_could_not_be_invalidated_is_invalidated_before_its_address_is_used_anew() {
    try (Rig rig = start(Rig.with().unit("cache", "worst-case"))) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      domain.map(0, Rig.DATA, 0x20_0000, RW);
      domain.unmap(0x20_0000 - 0x1000, 0x1000);
      assertThat(rig.translate(DEVICE, 0x3000, Access.READ)).isTrue();
      long inUse = rig.frames.inUse();
      saboteur.at = entry -> saboteur.memory.writeLong(entry, 0xf);
      saboteur.times = 1;
      assertThatThrownBy(() -> domain.unmap(0, 0x20_0000)).isInstanceOf(DriverException.class);
      assertThat(rig.frames.inUse()).as("caches may know the table").isEqualTo(inUse);
      domain.map(0x3000, Rig.DATA + 0x1000, 0x1000, RW);
      assertThat(rig.translate(DEVICE, 0x3000, Access.READ)).isTrue();
      assertThat(rig.translation.pa()).isEqualTo(Rig.DATA + 0x1000);
      assertThat(rig.frames.inUse()).as("a new table, and the old one free").isEqualTo(inUse);
    }
  }

  @Test
  void what_could_not_be_announced_is_not_mapped() {
    try (Rig rig =
        start(
            Rig.with()
                .driver("stage", "second")
                .driver("rmrr", "0x10@0x7000-0x7fff")
                .cap(Capability.CM, 1)
                .unit("cache", "worst-case"))) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      saboteur.at = entry -> saboteur.memory.writeLong(entry, 0xf);
      saboteur.times = 1;
      assertThatThrownBy(() -> domain.map(0x3000, Rig.DATA, 0x1000, RW))
          .isInstanceOf(DriverException.class);
      assertThat(domain.mapped()).isZero();
      assertThat(rig.translate(DEVICE, 0x3000, Access.READ)).isFalse();
      saboteur.times = 1;
      assertThatThrownBy(() -> domain.attach(0x10)).isInstanceOf(DriverException.class);
      assertThat(domain.mapped()).isZero();
      domain.attach(0x10);
      assertThat(domain.iovaToPhys(0x7000)).isEqualTo(0x7000);
    }
  }
}
