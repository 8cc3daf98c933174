package org.iommu4j.riscv.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.iommu4j.core.Options;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaPort;
import org.iommu4j.core.dma.Fault;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.DomainType;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.DriverProvider;
import org.iommu4j.driver.testing.Tampered;
import org.iommu4j.riscv.layout.Capabilities;
import org.iommu4j.riscv.layout.Cause;
import org.iommu4j.riscv.layout.Registers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DriverTest {
  private static final int RW = Access.READ | Access.WRITE;
  private static final int DEVICE = 0x08;

  @Test
  void a_device_reaches_what_is_mapped_and_nothing_else() {
    try (Rig rig = Rig.with().build();
        DmaPort port = rig.port(DEVICE)) {
      assertThat(port.readLong(0x1000)).isFalse();
      assertThat(rig.newFaults())
          .extracting(Fault::reason)
          .containsExactly(Cause.DDT_ENTRY_NOT_VALID);
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      domain.map(0x1000, Rig.DATA, 0x1000, RW);
      rig.memory.writeLong(Rig.DATA + 8, 42);
      assertThat(port.readLong(0x1008)).isTrue();
      assertThat(port.value()).isEqualTo(42);
      assertThat(port.writeLong(0x1ff8, 43)).isTrue();
      assertThat(rig.memory.readLong(Rig.DATA + 0xff8)).isEqualTo(43);
      assertThat(domain.unmap(0x1000, 0x1000)).isEqualTo(0x1000);
      assertThat(port.readLong(0x1008)).isFalse();
      assertThat(rig.newFaults()).extracting(Fault::reason).containsExactly(Cause.READ_PAGE_FAULT);
    }
  }

  @Test
  void the_driver_tells_what_it_and_the_unit_can_do() {
    try (Rig rig = Rig.with().build()) {
      var c = rig.driver.capabilities();
      assertThat(c.iovaBits()).isEqualTo(56);
      assertThat(c.paBits()).isEqualTo(56);
      assertThat(c.pasidBits()).isEqualTo(20);
      assertThat(c.sourceBits()).isEqualTo(24);
      assertThat(c.writeOnly()).isFalse();
      assertThat(c.executePermission()).isTrue();
      assertThat(c.domainTypes()).contains(DomainType.BLOCKED, DomainType.IDENTITY);
    }
    try (Rig rig =
        Rig.with()
            .capabilities(Rig.BASE, Capabilities.SV39X4, Capabilities.MSI_FLAT, Capabilities.PD8)
            .unit("max_iommu_mode", 3)
            .build()) {
      var c = rig.driver.capabilities();
      assertThat(c.iovaBits()).isEqualTo(41);
      assertThat(c.pasidBits()).as("a second stage has none").isZero();
      assertThat(c.sourceBits()).as("extended contexts").isEqualTo(15);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "first, sv39, 38", "first, sv48, 47", "first, sv57, 56", "first, widest, 56",
    "second, sv39, 41", "second, sv48, 50", "second, sv57, 59", "nested, sv39, 38",
    "nested, sv48, 47"
  })
  void every_mode_reaches_to_its_end(String stage, String mode, int bits) {
    try (Rig rig = Rig.with().driver("stage", stage).driver("mode", mode).build();
        DmaPort port = rig.port(DEVICE)) {
      assertThat(rig.driver.capabilities().iovaBits()).isEqualTo(bits);
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      long last = (1L << bits) - 0x1000;
      domain.map(last, Rig.DATA, 0x1000, RW);
      domain.map(0, Rig.DATA, 0x1000, RW);
      assertThat(port.readLong(last + 0xff8)).isTrue();
      assertThat(port.readLong(0)).isTrue();
      assertThat(port.readLong(0x1000)).isFalse();
      assertThat(domain.iovaToPhys(last + 5)).isEqualTo(Rig.DATA + 5);
      assertThatThrownBy(() -> domain.map(last, Rig.DATA, 0x2000, RW))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("below 0x%x".formatted(1L << bits));
      // The largest pages of all: the whole of a space that is still empty.
      Domain all = rig.driver.createDomain(DomainType.DMA_STRICT);
      all.attach(DEVICE);
      long reach = Math.min(1L << bits, 1L << rig.driver.capabilities().paBits());
      all.map(0, 0, reach, Access.READ);
      assertThat(rig.translate(DEVICE, reach - 8, Access.READ)).isTrue();
      assertThat(rig.translation.pa()).isEqualTo(reach - 8);
      assertThat(all.unmap(0x1000, 0x1000)).isEqualTo(0x1000);
      assertThat(rig.translate(DEVICE, 0x1000, Access.READ)).isFalse();
      assertThat(rig.translate(DEVICE, 0x2000, Access.READ)).isTrue();
      assertThat(all.mapped()).isEqualTo(reach - 0x1000);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0x1000, 12",
    "0x10000, 16",
    "0x200000, 21",
    "0x40000000, 30",
    "0x8000000000, 39",
    "0x1000000000000, 48"
  })
  void the_largest_page_is_used(String size, int shift) {
    try (Rig rig = Rig.with().unit("bare_range", 1L << 56).build()) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      long bytes = Long.decode(size);
      domain.map(bytes, 2 * bytes, bytes, RW);
      assertThat(rig.translate(DEVICE, bytes + 8, Access.READ)).isTrue();
      assertThat(rig.translation.rangeShift()).isEqualTo(shift);
      assertThat(rig.translation.pa()).isEqualTo(2 * bytes + 8);
    }
  }

  @Test
  void what_cannot_be_mapped_is_said_with_its_values() {
    try (Rig rig = Rig.with().build()) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      assertThatThrownBy(() -> domain.map(0x1800, 0, 0x1000, RW))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("0x1800");
      assertThatThrownBy(() -> domain.map(0x1000, 0x10, 0x1000, RW))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("to 0x10");
      assertThatThrownBy(() -> domain.map(0x1000, 1L << 56, 0x1000, RW))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("below 0x100000000000000");
      assertThatThrownBy(() -> domain.map(0x1000, 0, 0, RW))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> domain.map(-0x1000, 0, 0x1000, RW))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> domain.map(0x1000, 0, 0x1000, 0))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("permission");
      domain.map(0x3000, 0, 0x1000, RW);
      assertThatThrownBy(() -> domain.map(0x1000, 0, 0x4000, RW))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("0x3000 is mapped already");
      assertThat(domain.mapped()).isEqualTo(0x1000);
      Domain identity = rig.driver.createDomain(DomainType.IDENTITY);
      assertThatThrownBy(() -> identity.map(0, 0, 0x1000, RW))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("IDENTITY");
    }
  }

  @Test
  void blocked_identity_and_translating_take_turns() {
    try (Rig rig = Rig.with().build();
        DmaPort port = rig.port(DEVICE)) {
      Domain blocked = rig.driver.createDomain(DomainType.BLOCKED);
      Domain identity = rig.driver.createDomain(DomainType.IDENTITY);
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.map(Rig.DATA, Rig.DATA + 0x10_0000, 0x1000, RW);
      rig.memory.writeLong(Rig.DATA, 1);
      rig.memory.writeLong(Rig.DATA + 0x10_0000, 2);
      for (int turn = 0; turn < 3; turn++) {
        identity.attach(DEVICE);
        assertThat(rig.driver.domainOf(DEVICE)).isSameAs(identity);
        assertThat(port.readLong(Rig.DATA)).isTrue();
        assertThat(port.value()).isEqualTo(1);
        domain.attach(DEVICE);
        assertThat(port.readLong(Rig.DATA)).isTrue();
        assertThat(port.value()).isEqualTo(2);
        assertThat(rig.driver.attached()).containsExactly(DEVICE);
        blocked.attach(DEVICE);
        assertThat(port.readLong(Rig.DATA)).isFalse();
        assertThat(rig.driver.attached()).isEmpty();
      }
      domain.attach(DEVICE);
      identity.detach(DEVICE); // not the domain it is in: nothing happens
      assertThat(port.readLong(Rig.DATA)).isTrue();
      domain.close();
      assertThat(port.readLong(Rig.DATA)).isFalse();
      assertThat(rig.driver.domainOf(DEVICE).type()).isEqualTo(DomainType.BLOCKED);
      assertThatThrownBy(() -> domain.map(0, 0, 0x1000, RW))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("closed");
      assertThatThrownBy(() -> domain.attach(DEVICE))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("closed");
      domain.close();
    }
  }

  @Test
  void each_pasid_has_an_address_space_of_its_own() {
    try (Rig rig = Rig.with().build();
        DmaPort port = rig.port(DEVICE)) {
      Domain base = rig.driver.createDomain(DomainType.DMA_STRICT);
      Domain process = rig.driver.createDomain(DomainType.DMA_STRICT);
      base.map(0x1000, Rig.DATA, 0x1000, RW);
      process.map(0x1000, Rig.DATA + 0x1000, 0x1000, RW);
      rig.memory.writeLong(Rig.DATA, 1);
      rig.memory.writeLong(Rig.DATA + 0x1000, 2);
      base.attach(DEVICE);
      assertThat(port.readLong(0x1000)).isTrue();
      process.attach(DEVICE, 0xf_ffff);
      assertThat(port.readLong(0x1000)).isTrue();
      assertThat(port.value()).isEqualTo(1);
      assertThat(port.pasid(0xf_ffff).readLong(0x1000)).isTrue();
      assertThat(port.value()).isEqualTo(2);
      assertThat(port.pasid(1).readLong(0x1000)).isFalse();
      assertThat(rig.newFaults())
          .singleElement()
          .satisfies(f -> assertThat(f.reason()).isEqualTo(Cause.PDT_ENTRY_NOT_VALID))
          .satisfies(f -> assertThat(f.pasid()).isEqualTo(1));
      base.detach(DEVICE);
      assertThat(port.pasid(0xf_ffff).readLong(0x1000)).isTrue();
      assertThat(port.pasid(-1).readLong(0x1000)).isFalse();
      process.detach(DEVICE, 0xf_ffff);
      assertThat(port.pasid(0xf_ffff).readLong(0x1000)).isFalse();
      assertThat(rig.driver.attached()).isEmpty();
    }
  }

  @Test
  void ids_that_are_too_wide_are_refused() {
    try (Rig rig = Rig.with().unit("max_iommu_mode", 3).build()) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      assertThatThrownBy(() -> domain.attach(1 << 15))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("0x8000")
          .hasMessageContaining("15 bits");
      assertThatThrownBy(() -> domain.attach(DEVICE, 1 << 20))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("1048576");
      assertThatThrownBy(() -> domain.attach(DEVICE, 0))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("requests without PASID");
      domain.attach((1 << 15) - 1);
      assertThat(rig.translate((1 << 15) - 1, 0, Access.READ)).isFalse();
      assertThat(rig.newFaults()).extracting(Fault::reason).containsExactly(Cause.READ_PAGE_FAULT);
    }
  }

  @Test
  void a_unit_that_someone_else_drives_is_left_alone() {
    try (Rig rig = Rig.with().stopped().build()) {
      rig.unit.write(Registers.DDTP.offset(), 8, Registers.MODE_1LVL | 0x2000_0000L);
      assertThatThrownBy(rig.driver::start)
          .isInstanceOf(DriverException.class)
          .hasMessageContaining("someone else drives this unit");
    }
  }

  @Test
  void a_unit_in_bare_mode_is_taken() {
    try (Rig rig = Rig.with().unit("reset_iommu_mode", 1).build()) {
      assertThat(rig.translate(DEVICE, 0x1000, Access.READ)).isFalse();
    }
  }

  @Test
  void a_unit_that_cannot_be_driven_says_why() {
    assertThatThrownBy(() -> Rig.with().capabilities(Rig.BASE, Capabilities.SV32).build())
        .isInstanceOf(DriverException.class)
        .hasMessageContaining("neither Sv39 nor Sv39x4");
    assertThatThrownBy(() -> Rig.with().capabilities(Rig.BASE ^ 0x30, Capabilities.SV39).build())
        .isInstanceOf(DriverException.class)
        .hasMessageContaining("version is 0x20");
    assertThatThrownBy(
            () ->
                Rig.with()
                    .capabilities(Rig.BASE, Capabilities.SV39, Capabilities.END)
                    .unit("fctl", 1)
                    .unit("fctl_writable.be", false)
                    .build())
        .isInstanceOf(DriverException.class)
        .hasMessageContaining("little-endian");
  }

  @ParameterizedTest
  @CsvSource({
    "stage, second, stage", "stage, nested, stage", "stage, third, stage", "mode, sv57, mode",
    "ad, hardware, ad", "ats, true, ats", "pri, true, pri", "page_sizes, 0x200000, page_sizes",
    "command_entries, 3, command_entries", "timeout, 3, timeout"
  })
  void a_setting_that_cannot_be_used_is_named(String name, String value, String named) {
    assertThatThrownBy(
            () -> Rig.with().capabilities(Rig.BASE, Capabilities.SV39).driver(name, value).build())
        .isInstanceOf(Options.InvalidOption.class)
        .extracting(e -> ((Options.InvalidOption) e).option())
        .isEqualTo(named);
  }

  @Test
  void the_settings_are_listed() {
    assertThat(DriverProvider.forArchitecture("riscv").options())
        .extracting(o -> o.name())
        .contains("stage", "mode", "ats", "pri", "pdt", "flush_limit");
  }

  @Test
  void tables_that_the_unit_cannot_reach_are_refused() {
    assertThatThrownBy(
            () ->
                Rig.with()
                    .capabilities(
                        Rig.BASE & ~Capabilities.PAS.mask() | Capabilities.PAS.of(32),
                        Capabilities.SV39)
                    .driver("stage", "first")
                    .frames(1L << 32)
                    .build())
        .isInstanceOf(DriverException.class)
        .hasMessageContaining("give the driver lower frames");
  }

  @Test
  void a_driver_that_is_not_on_has_nothing_to_serve() {
    Rig rig = Rig.with().stopped().build();
    assertThat(rig.driver.service()).isEmpty();
    rig.driver.start();
    rig.driver.close();
    assertThat(rig.driver.service()).isEmpty();
    rig.memory.close();
  }

  @Test
  void nothing_is_written_before_start() {
    try (Rig rig =
        Rig.with()
            .stopped()
            .wrap(
                (unit, memory) ->
                    new Tampered(unit) {
                      @Override
                      public void write(long offset, int size, long value) {
                        throw new AssertionError("0x%x is written".formatted(offset));
                      }
                    })
            .build()) {
      assertThat(rig.frames.inUse()).isZero();
      assertThatThrownBy(() -> rig.driver.createDomain(DomainType.BLOCKED))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("not started");
    }
  }

  @Test
  void a_page_with_its_bits_left_to_hardware_is_used_as_soon_as_it_is_mapped() {
    try (Rig rig = Rig.with().driver("ad", "hardware").build()) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      domain.map(0x20_0000, 0x1_0000_0000L, 0x20_0000, RW);
      assertThat(rig.translate(DEVICE, 0x20_0000, Access.WRITE)).isTrue();
      domain.unmap(0x21_0000, 0x1000);
      assertThat(rig.translate(DEVICE, 0x21_1000, Access.WRITE)).isTrue();
      assertThat(rig.translate(DEVICE, 0x21_0000, Access.READ)).isFalse();
    }
  }
}
