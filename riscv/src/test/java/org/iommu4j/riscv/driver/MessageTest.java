package org.iommu4j.riscv.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.iommu4j.core.Options;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaPort;
import org.iommu4j.core.dma.Fault;
import org.iommu4j.core.memory.Failure;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.DomainType;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.Interrupt;
import org.iommu4j.driver.ReservedRegion;
import org.iommu4j.riscv.layout.Cause;
import org.iommu4j.riscv.layout.Registers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Interrupt messages of devices, on a unit that translates them as it does any other write. */
class MessageTest {
  private static final int DEVICE = 0x08;
  private static final int OTHER = 0x09;
  private static final int RW = Access.READ | Access.WRITE;

  /** The files of two harts. */
  private static final long FILE = Rig.DOORBELL;

  private static final long NEXT_FILE = Rig.DATA + 0x20_0000;

  private static boolean send(DmaPort port, Interrupt irq) {
    return port.writeInt(irq.address(), irq.data());
  }

  @ParameterizedTest
  @ValueSource(strings = {"first", "second", "nested"})
  void a_message_arrives_in_every_domain_that_the_device_is_in(String stage) {
    try (Rig rig = Rig.with().driver("stage", stage).build();
        DmaPort port = rig.port(DEVICE);
        Interrupt irq = rig.driver.interrupt(DEVICE, FILE, 0x21)) {
      assertThat(irq.source()).isEqualTo(DEVICE);
      assertThat(send(port, irq)).as("blocked").isFalse();
      Domain first = rig.driver.createDomain(DomainType.DMA_STRICT);
      Domain second = rig.driver.createDomain(DomainType.DMA_STRICT);
      Domain identity = rig.driver.createDomain(DomainType.IDENTITY);
      first.attach(DEVICE);
      long address = irq.address();
      ReservedRegion window = rig.driver.reservedRegions(DEVICE).getFirst();
      assertThat(window.kind()).isEqualTo(ReservedRegion.Kind.MESSAGES);
      assertThat(window.overlaps(address, address)).isTrue();
      assertThat(send(port, irq)).isTrue();
      assertThat(first.iovaToPhys(address)).isEqualTo(FILE);
      second.attach(DEVICE);
      assertThat(irq.address()).as("all translating domains agree").isEqualTo(address);
      assertThat(first.iovaToPhys(address)).isEqualTo(Domain.UNMAPPED);
      assertThat(send(port, irq)).isTrue();
      identity.attach(DEVICE);
      assertThat(irq.address()).isEqualTo(FILE);
      assertThat(send(port, irq)).isTrue();
      assertThat(rig.messages).hasSize(3).containsOnly(Rig.message(0x21));
      identity.detach(DEVICE);
      assertThat(send(port, irq)).isFalse();
    }
  }

  @Test
  void what_the_device_still_sends_while_it_is_programmed_anew_arrives() {
    try (Rig rig = Rig.with().build();
        DmaPort port = rig.port(DEVICE)) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      Interrupt irq = rig.driver.interrupt(DEVICE, FILE, 1);
      long before = irq.address();
      irq.retarget(NEXT_FILE + 4, 2);
      assertThat(irq.address()).isNotEqualTo(before);
      assertThat(irq.data()).isEqualTo(2);
      assertThat(port.writeInt(before, 1)).isTrue();
      assertThat(send(port, irq)).isTrue();
      assertThat(rig.memory.readInt(NEXT_FILE + 4)).isEqualTo(2);
      long now = irq.address();
      irq.retarget(NEXT_FILE, 3);
      assertThat(irq.address()).as("the same file").isEqualTo(now - 4);
      irq.retarget(FILE, 4);
      assertThat(irq.address()).isEqualTo(before);
      assertThat(port.writeInt(now, 2)).isTrue();
      irq.close();
      irq.close();
      assertThat(port.writeInt(before, 4)).isFalse();
      assertThat(port.writeInt(now, 2)).isFalse();
      assertThat(rig.newFaults())
          .extracting(Fault::reason)
          .containsExactly(Cause.WRITE_PAGE_FAULT, Cause.WRITE_PAGE_FAULT);
      assertThatThrownBy(() -> irq.retarget(FILE, 1))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("closed");
    }
  }

  @Test
  void a_file_stays_within_reach_as_long_as_anyone_sends_to_it() {
    try (Rig rig = Rig.with().build();
        DmaPort port = rig.port(DEVICE)) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      domain.attach(OTHER);
      Interrupt one = rig.driver.interrupt(DEVICE, FILE, 1);
      Interrupt two = rig.driver.interrupt(DEVICE, FILE, 2);
      Interrupt three = rig.driver.interrupt(OTHER, FILE, 3);
      assertThat(two.address()).isEqualTo(one.address()).isEqualTo(three.address());
      one.close();
      two.close();
      // A domain is what devices share: through it, one reaches what the other does.
      assertThat(send(port, three)).isTrue();
      domain.detach(OTHER);
      assertThat(send(port, three)).isFalse();
      domain.attach(OTHER);
      three.close();
      assertThat(send(port, three)).isFalse();
      assertThat(domain.iovaToPhys(three.address())).isEqualTo(Domain.UNMAPPED);
    }
  }

  @Test
  void users_of_a_domain_neither_see_nor_remove_the_pages_of_messages() {
    try (Rig rig = Rig.with().build();
        DmaPort port = rig.port(DEVICE);
        Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
        Interrupt irq = rig.driver.interrupt(DEVICE, FILE, 7)) {
      domain.attach(DEVICE);
      long page = irq.address();
      assertThat(domain.mapped()).isZero();
      domain.map(page - 0x1000, Rig.DATA, 0x1000, RW);
      domain.map(page + 0x1000, Rig.DATA, 0x1000, RW);
      assertThat(domain.mapped()).isEqualTo(0x2000);
      assertThatThrownBy(() -> domain.map(page, Rig.DATA, 0x1000, RW))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("0x%x".formatted(page))
          .hasMessageContaining("reservedRegions");
      assertThat(domain.unmap(0, 1L << 40)).isEqualTo(0x2000);
      assertThat(send(port, irq)).isTrue();
      assertThat(port.readLong(page - 0x1000)).isFalse();
      try (Domain.Batch batch = domain.batch()) {
        assertThat(batch.unmap(0, 1L << 40)).isZero();
      }
      assertThat(send(port, irq)).isTrue();
    }
  }

  @Test
  void a_window_that_is_used_for_something_else_is_said() {
    try (Rig rig = Rig.with().driver("message_window", "0x100000").build()) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.map(0x10_0000, Rig.DATA, 0x1000, RW);
      Interrupt early = rig.driver.interrupt(DEVICE, FILE, 0);
      assertThatThrownBy(() -> domain.attach(DEVICE))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("0x100000");
      assertThat(rig.driver.domainOf(DEVICE).type()).isEqualTo(DomainType.BLOCKED);
      early.close();
      domain.attach(DEVICE);
      assertThatThrownBy(() -> rig.driver.interrupt(DEVICE, FILE, 0))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("0x100000");
      domain.unmap(0x10_0000, 0x1000);
      rig.driver.interrupt(DEVICE, FILE, 0).close();
      assertThatThrownBy(() -> rig.driver.interrupt(DEVICE, 2, 0))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("0x2");
      assertThatThrownBy(() -> rig.driver.interrupt(1 << 24, FILE, 0))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("24 bits");
    }
  }

  @Test
  void there_is_room_for_256_pages() {
    try (Rig rig = Rig.with().build()) {
      Interrupt first = rig.driver.interrupt(DEVICE, Rig.DATA, 0);
      for (int i = 1; i < 256; i++) {
        rig.driver.interrupt(DEVICE, Rig.DATA + i * 4096L, 0);
      }
      assertThatThrownBy(() -> rig.driver.interrupt(DEVICE, FILE, 0))
          .isInstanceOf(DriverException.class)
          .hasMessageContaining("256 pages");
      long free = first.address();
      first.close();
      try (Interrupt again = rig.driver.interrupt(DEVICE, FILE, 0)) {
        assertThat(again.address()).isEqualTo(free);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"0x1000", "0x4000000000"})
  void a_window_that_not_every_domain_has_is_refused(String base) {
    assertThatThrownBy(() -> Rig.with().driver("message_window", base).build())
        .isInstanceOf(Options.InvalidOption.class)
        .hasMessageContaining("message_window");
  }

  @Test
  void a_message_that_goes_goes_from_everywhere_even_if_the_unit_fails_at_one_place() {
    try (Rig rig = Rig.with().unit("cache", "worst-case").build();
        DmaPort port = rig.port(DEVICE)) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      Interrupt irq = rig.driver.interrupt(DEVICE, FILE, 1);
      long before = irq.address();
      irq.retarget(NEXT_FILE, 2);
      long queue = Registers.QUEUE_PPN.get(rig.unit.read(Registers.CQB.offset(), 8)) << 12;
      rig.memory.inject(queue, 0x4000, Failure.POISON);
      assertThatThrownBy(() -> irq.retarget(FILE + 0x1000, 3)).isInstanceOf(DriverException.class);
      assertThat(irq.data()).as("as the page that the address leads to").isEqualTo(3);
      assertThatThrownBy(irq::close).isInstanceOf(DriverException.class);
      rig.memory.clearInjections();
      Domain other = rig.driver.createDomain(DomainType.DMA_STRICT);
      other.attach(DEVICE);
      for (long at = before; at < before + 0x3000; at += 0x1000) {
        assertThat(port.writeInt(at, 1)).as("0x%x", at).isFalse();
      }
    }
  }
}
