package org.iommu4j.vtd.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.iommu4j.core.Options;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaPort;
import org.iommu4j.core.dma.Fault;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.DomainType;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.DriverHost;
import org.iommu4j.driver.DriverProvider;
import org.iommu4j.driver.IommuDriver;
import org.iommu4j.driver.ReservedRegion;
import org.iommu4j.driver.testing.Tampered;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.ExtendedCapability;
import org.iommu4j.vtd.layout.Reason;
import org.iommu4j.vtd.layout.Registers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DriverTest {
  private static final int RW = Access.READ | Access.WRITE;
  private static final int DEVICE = 0x08;

  private static Rig.Builder mode(String mode) {
    return switch (mode) {
      case "legacy" -> Rig.with().driver("mode", "legacy");
      default -> Rig.with().driver("stage", mode);
    };
  }

  @ParameterizedTest
  @CsvSource({"legacy, LCT_2, LGN_3", "first, SCT_2, SFS_2", "second, SCT_2, SSS_2"})
  void a_device_reaches_what_is_mapped_and_nothing_else(
      String mode, Reason unknown, Reason unmapped) {
    try (Rig rig = mode(mode).build();
        DmaPort port = rig.port(DEVICE);
        DmaPort neighbour = rig.port(DEVICE + 1)) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      assertThat(neighbour.readLong(0x1000)).isFalse();
      assertThat(rig.newFaults())
          .extracting(f -> f.reason().code())
          .containsExactly(unknown.code());
      domain.map(0x1000, Rig.DATA, 0x1000, RW);
      rig.memory.writeLong(Rig.DATA + 8, 42);
      assertThat(port.readLong(0x1008)).isTrue();
      assertThat(port.value()).isEqualTo(42);
      assertThat(port.writeLong(0x1ff8, 43)).isTrue();
      assertThat(rig.memory.readLong(Rig.DATA + 0xff8)).isEqualTo(43);
      assertThat(domain.unmap(0x1000, 0x1000)).isEqualTo(0x1000);
      assertThat(port.readLong(0x1008)).isFalse();
      List<Fault> faults = rig.newFaults();
      assertThat(faults).extracting(f -> f.reason().code()).containsExactly(unmapped.code());
      assertThat(faults.getFirst().source()).isEqualTo(DEVICE);
      assertThat(faults.getFirst().address()).isEqualTo(0x1000);
      assertThat(faults.getFirst().transaction()).isEqualTo("untranslated read");
    }
  }

  @Test
  void the_driver_tells_what_it_and_the_unit_can_do() {
    try (Rig rig = Rig.with().build()) {
      var c = rig.driver.capabilities();
      assertThat(c.iovaBits()).isEqualTo(56);
      assertThat(c.paBits()).isEqualTo(52);
      assertThat(c.pasidBits()).isEqualTo(20);
      assertThat(c.sourceBits()).isEqualTo(16);
      assertThat(c.writeOnly()).isFalse();
      assertThat(c.executePermission()).isFalse();
      assertThat(c.interruptRemapping()).isTrue();
      assertThat(c.postedInterrupts()).isTrue();
      assertThat(c.domainTypes()).containsExactlyInAnyOrder(DomainType.values());
    }
    try (Rig rig =
        mode("legacy")
            .cap(Capability.SAGAW, 4)
            .ecap(ExtendedCapability.IR, 0)
            .ecap(ExtendedCapability.EIM, 0)
            .build()) {
      var c = rig.driver.capabilities();
      assertThat(c.iovaBits()).isEqualTo(48);
      assertThat(c.pasidBits()).isZero();
      assertThat(c.writeOnly()).isTrue();
      assertThat(c.interruptRemapping()).isFalse();
      assertThat(c.domainTypes())
          .containsExactlyInAnyOrder(
              DomainType.BLOCKED, DomainType.IDENTITY, DomainType.DMA_STRICT);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "first, 4, 47",
    "first, 5, 56",
    "second, 3, 39",
    "second, 4, 48",
    "second, 5, 57",
    "legacy, 3, 39",
    "legacy, 4, 48",
    "legacy, 5, 57"
  })
  void every_depth_reaches_to_its_end(String mode, int levels, int bits) {
    try (Rig rig = mode(mode).driver("levels", levels).build();
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
      assertThatThrownBy(() -> domain.map(last, Rig.DATA, 0x2000, RW))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("below 0x%x".formatted(1L << bits));
    }
  }

  @ParameterizedTest
  @CsvSource({"0x1000, 12", "0x200000, 21", "0x40000000, 30"})
  void the_largest_page_is_used(String size, int shift) {
    for (String mode : List.of("legacy", "first", "second")) {
      try (Rig rig = mode(mode).build()) {
        Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
        domain.attach(DEVICE);
        long bytes = Long.decode(size);
        domain.map(bytes, 8L << 30, bytes, RW);
        assertThat(rig.translate(DEVICE, bytes + 8, Access.READ)).isTrue();
        assertThat(rig.translation.rangeShift()).isEqualTo(shift);
        assertThat(rig.translation.pa()).isEqualTo((8L << 30) + 8);
      }
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
      process.attach(DEVICE, 0xf_ffff);
      assertThat(port.readLong(0x1000)).isTrue();
      assertThat(port.value()).isEqualTo(1);
      assertThat(port.pasid(0xf_ffff).readLong(0x1000)).isTrue();
      assertThat(port.value()).isEqualTo(2);
      assertThat(port.pasid(1).readLong(0x1000)).isFalse();
      assertThat(rig.newFaults()).singleElement().satisfies(f -> assertThat(f.pasid()).isOne());
      base.detach(DEVICE);
      assertThat(port.pasid(0xf_ffff).readLong(0x1000)).isTrue();
      assertThat(port.pasid(-1).readLong(0x1000)).isFalse();
      process.detach(DEVICE, 0xf_ffff);
      assertThat(port.pasid(0xf_ffff).readLong(0x1000)).isFalse();
      assertThat(rig.driver.attached()).isEmpty();
      assertThatThrownBy(() -> process.attach(DEVICE, 0))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("requests without PASID");
      assertThatThrownBy(() -> process.attach(1 << 16))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("16 bits");
    }
  }

  @Test
  void the_interrupt_range_cannot_be_mapped_and_is_said_to_be_reserved() {
    try (Rig rig = Rig.with().build()) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      assertThatThrownBy(() -> domain.map(0xfee0_0000L, Rig.DATA, 0x1000, RW))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("never translates 0xfee00000..0xfeefffff");
      assertThatThrownBy(() -> domain.map(0xfe00_0000L, Rig.DATA, 0x100_0000, RW))
          .isInstanceOf(IllegalArgumentException.class);
      domain.map(0xfedf_f000L, Rig.DATA, 0x1000, RW);
      domain.map(0xfef0_0000L, Rig.DATA, 0x1000, RW);
      assertThat(rig.driver.reservedRegions(DEVICE))
          .singleElement()
          .satisfies(r -> assertThat(r.kind()).isEqualTo(ReservedRegion.Kind.UNTRANSLATED));
    }
  }

  @ParameterizedTest
  @CsvSource({"legacy", "first", "second"})
  void what_firmware_reserved_stays_where_it_is_in_every_domain(String mode) {
    long first = Rig.DATA + 0x10_0000;
    String rmrr =
        "0x8@0x%x-0x%x, 9@0x%x-0x%x"
            .formatted(first, first + 0x1fff, first + 0x1000, first + 0x2fff);
    try (Rig rig = mode(mode).driver("rmrr", rmrr).build();
        DmaPort port = rig.port(DEVICE);
        DmaPort other = rig.port(9)) {
      assertThat(rig.driver.reservedRegions(DEVICE))
          .extracting(ReservedRegion::kind)
          .containsExactly(ReservedRegion.Kind.UNTRANSLATED, ReservedRegion.Kind.DIRECT);
      Domain one = rig.driver.createDomain(DomainType.DMA_STRICT);
      Domain two = rig.driver.createDomain(DomainType.DMA_STRICT);
      one.attach(DEVICE);
      assertThat(port.writeLong(first, 7)).isTrue();
      assertThat(rig.memory.readLong(first)).isEqualTo(7);
      assertThat(one.mapped()).isZero();
      assertThatThrownBy(() -> one.map(first, Rig.DATA, 0x1000, RW))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("reservedRegions");
      assertThat(one.unmap(0, 1L << 38)).isZero();
      assertThat(port.readLong(first)).isTrue();
      one.attach(9);
      assertThat(other.readLong(first + 0x2000)).isTrue();
      two.attach(DEVICE);
      assertThat(port.readLong(first)).isTrue();
      assertThat(one.iovaToPhys(first)).isEqualTo(Domain.UNMAPPED);
      assertThat(one.iovaToPhys(first + 0x1000)).as("of the other").isEqualTo(first + 0x1000);
      assertThat(other.readLong(first + 0x1000)).isTrue();
      Domain occupied = rig.driver.createDomain(DomainType.DMA_STRICT);
      occupied.map(first + 0x1000, Rig.DATA, 0x1000, RW);
      assertThatThrownBy(() -> occupied.attach(DEVICE))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("0x%x".formatted(first + 0x1000));
      assertThat(rig.driver.domainOf(DEVICE)).isSameAs(two);
    }
  }

  @Test
  void a_closed_driver_leaves_everything_blocked_for_the_next_one() {
    for (int abort = 0; abort < 2; abort++) {
      try (Rig rig = Rig.with().ecap(ExtendedCapability.ADMS, abort).build()) {
        Domain identity = rig.driver.createDomain(DomainType.IDENTITY);
        identity.attach(DEVICE);
        assertThat(rig.translate(DEVICE, Rig.DATA, Access.READ)).isTrue();
        rig.driver.close();
        assertThat(rig.translate(DEVICE, Rig.DATA, Access.READ)).isFalse();
        assertThat(rig.frames.inUse()).isEqualTo(abort == 1 ? 0 : 4096);
        IommuDriver next =
            DriverProvider.forArchitecture("vtd")
                .probe(DriverHost.polling(rig.unit, rig.memory, rig.frames), Options.none());
        next.start();
        next.createDomain(DomainType.IDENTITY).attach(DEVICE);
        assertThat(rig.translate(DEVICE, Rig.DATA, Access.READ)).isTrue();
        IommuDriver third =
            DriverProvider.forArchitecture("vtd")
                .probe(DriverHost.polling(rig.unit, rig.memory, rig.frames), Options.none());
        assertThatThrownBy(third::start)
            .isInstanceOf(DriverException.class)
            .hasMessageContaining("someone else drives this unit");
        next.close();
      }
    }
  }

  @Test
  void protected_memory_of_firmware_is_given_free() {
    try (Rig rig = Rig.with().stopped().build()) {
      rig.unit.write(Registers.PMEN.offset(), 4, Registers.EPM.mask());
      assertThat(rig.unit.read(Registers.PMEN.offset(), 4)).isNotZero();
      rig.driver.start();
      assertThat(rig.unit.read(Registers.PMEN.offset(), 4)).isZero();
    }
    try (Rig rig = Rig.with().driver("no_pmr", true).stopped().build()) {
      rig.unit.write(Registers.PMEN.offset(), 4, Registers.EPM.mask());
      rig.driver.start();
      assertThat(rig.unit.read(Registers.PMEN.offset(), 4)).isNotZero();
    }
  }

  @Test
  void faults_are_announced_by_message() {
    try (Rig rig = Rig.with().messages().build()) {
      assertThat(rig.translate(DEVICE, 0, Access.READ)).isFalse();
      assertThat(rig.messages).containsExactly(new Rig.Message(Rig.DOORBELL, 0x40));
      assertThat(rig.newFaults()).hasSize(1);
      for (int i = 0; i < 20; i++) {
        rig.translate(0x100 * i, 0, Access.READ);
      }
      assertThat(rig.driver.service()).singleElement().asString().contains("overflow");
      assertThat(rig.messages).hasSize(2);
      assertThat(rig.newFaults()).hasSize(8);
    }
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
      assertThat(rig.driver.service()).isEmpty();
      assertThatThrownBy(() -> rig.driver.createDomain(DomainType.BLOCKED))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("not started");
    }
  }

  @Test
  void a_unit_that_does_not_do_as_it_should_is_named_with_the_register() {
    record Stuck(int offset, long value, String message) {}
    for (Stuck s :
        List.of(
            new Stuck(Registers.GSTS.offset(), 0, "GSTS_REG"),
            new Stuck(Registers.IQA.offset(), 0x5000, "IQA_REG reads 0x5000"),
            new Stuck(Registers.RTADDR.offset(), 0x5000, "RTADDR_REG reads 0x5000"),
            new Stuck(Registers.IRTA.offset(), 0x5000, "IRTA_REG reads 0x5000"))) {
      Rig rig =
          Rig.with()
              .driver("timeout_ms", 5)
              .stopped()
              .wrap(
                  (unit, memory) ->
                      new Tampered(unit) {
                        @Override
                        public long read(long offset, int size) {
                          return offset == s.offset ? s.value : super.read(offset, size);
                        }
                      })
              .build();
      assertThatThrownBy(rig.driver::start)
          .isInstanceOf(DriverException.class)
          .hasMessageContaining(s.message);
      rig.memory.close();
    }
  }

  @Test
  void a_unit_that_cannot_be_driven_says_why() {
    assertThatThrownBy(
            () ->
                mode("legacy")
                    .unit("ver", 0x60)
                    .ecap(ExtendedCapability.QI, 0)
                    .ecap(ExtendedCapability.SMTS, 0)
                    .build())
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> mode("second").driver("levels", 4).cap(Capability.SAGAW, 2).build())
        .isInstanceOf(Options.InvalidOption.class)
        .hasMessageContaining("second stage");
    assertThatThrownBy(() -> Rig.with().unit("haw", 33).driver("host_address_width", 32).build())
        .isInstanceOf(DriverException.class)
        .hasMessageContaining("give the driver lower frames");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "mode|turbo|mode", "levels|2|levels", "invalidation|registers|invalidation",
        "pri|true|pri", "page_sizes|0x200000|page_sizes", "queue_pages|3|queue_pages",
        "rmrr|8|rmrr", "rmrr|8@0x1000-0x1800|rmrr", "rmrr|8@x-0x1fff|rmrr",
        "rmrr|0x10000@0-0xfff|rmrr", "bus_ranges|8@5-3|bus_ranges", "timeout|3|timeout",
        "host_address_width|20|host_address_width"
      })
  void a_setting_that_cannot_be_used_is_named(String name, String value, String named) {
    assertThatThrownBy(() -> Rig.with().driver(name, value).build())
        .isInstanceOf(Options.InvalidOption.class)
        .extracting(e -> ((Options.InvalidOption) e).option())
        .isEqualTo(named);
  }

  @Test
  void domain_ids_run_out_and_come_back() {
    try (Rig rig = Rig.with().cap(Capability.ND, 0).build()) {
      Domain first = rig.driver.createDomain(DomainType.DMA_STRICT);
      for (int i = 3; i < 16; i++) {
        rig.driver.createDomain(DomainType.DMA_STRICT);
      }
      assertThatThrownBy(() -> rig.driver.createDomain(DomainType.DMA_STRICT))
          .isInstanceOf(DriverException.class)
          .hasMessageContaining("all domain ids up to 15");
      first.close();
      rig.driver.createDomain(DomainType.DMA_STRICT).attach(DEVICE);
    }
  }
}
