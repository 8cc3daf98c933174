package org.iommu4j.amdvi.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.EventCode;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.Options;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaPort;
import org.iommu4j.core.dma.Fault;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.DomainType;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.DriverHost;
import org.iommu4j.driver.DriverProvider;
import org.iommu4j.driver.IommuDriver;
import org.iommu4j.driver.ReservedRegion;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DriverTest {
  private static final int RW = Access.READ | Access.WRITE;
  private static final int DEVICE = 0x08;

  private static Rig.Builder tables(String which) {
    return Rig.with().driver("tables", which);
  }

  @ParameterizedTest
  @ValueSource(strings = {"host", "guest"})
  void a_device_reaches_what_is_mapped_and_nothing_else(String which) {
    try (Rig rig = tables(which).build();
        DmaPort port = rig.port(DEVICE);
        DmaPort neighbour = rig.port(DEVICE + 1)) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      assertThat(neighbour.readLong(0x1000)).isFalse();
      assertThat(rig.newFaults())
          .singleElement()
          .satisfies(f -> assertThat(f.source()).isEqualTo(DEVICE + 1));
      domain.map(0x1000, Rig.DATA, 0x1000, RW);
      rig.memory.writeLong(Rig.DATA + 8, 42);
      assertThat(port.readLong(0x1008)).isTrue();
      assertThat(port.value()).isEqualTo(42);
      assertThat(port.writeLong(0x1ff8, 43)).isTrue();
      assertThat(rig.memory.readLong(Rig.DATA + 0xff8)).isEqualTo(43);
      assertThat(domain.unmap(0x1000, 0x1000)).isEqualTo(0x1000);
      assertThat(port.readLong(0x1008)).isFalse();
      List<Fault> faults = rig.newFaults();
      assertThat(faults)
          .extracting(f -> f.reason().code())
          .containsExactly(EventCode.IO_PAGE_FAULT.code());
      assertThat(faults.getFirst().source()).isEqualTo(DEVICE);
      assertThat(faults.getFirst().address()).isEqualTo(0x1008);
      assertThat(faults.getFirst().transaction()).isEqualTo("untranslated read");
    }
  }

  @ParameterizedTest
  @CsvSource({"host, 3, 39", "host, 4, 48", "host, 5, 57", "guest, 4, 47", "guest, 5, 56"})
  void every_depth_reaches_to_its_end(String which, int levels, int bits) {
    try (Rig rig =
            tables(which)
                .efr(ExtendedFeatures.HATS, 1)
                .efr(ExtendedFeatures.GATS, 1)
                .driver("levels", levels)
                .build();
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
  @CsvSource({
    "host, 12",
    "host, 15",
    "host, 21",
    "host, 26",
    "host, 30",
    "guest, 12",
    "guest, 21",
    "guest, 30"
  })
  void the_largest_page_is_used(String which, int shift) {
    try (Rig rig = tables(which).build()) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      long bytes = 1L << shift;
      domain.map(bytes, 8L << 30, bytes, RW);
      assertThat(rig.translate(DEVICE, bytes + 8, Access.READ)).isTrue();
      assertThat(rig.translation.rangeShift()).isEqualTo(shift);
      assertThat(rig.translation.pa()).isEqualTo((8L << 30) + 8);
    }
  }

  @Test
  void each_pasid_has_an_address_space_of_its_own() {
    try (Rig rig = Rig.with().build();
        DmaPort port = rig.port(DEVICE)) {
      int last = (1 << rig.driver.capabilities().pasidBits()) - 1;
      Domain base = rig.driver.createDomain(DomainType.DMA_STRICT);
      Domain process = rig.driver.createDomain(DomainType.DMA_STRICT);
      base.map(0x1000, Rig.DATA, 0x1000, RW);
      process.map(0x1000, Rig.DATA + 0x1000, 0x1000, RW);
      rig.memory.writeLong(Rig.DATA, 1);
      rig.memory.writeLong(Rig.DATA + 0x1000, 2);
      base.attach(DEVICE);
      process.attach(DEVICE, last);
      assertThat(port.readLong(0x1000)).isTrue();
      assertThat(port.value()).isEqualTo(1);
      assertThat(port.pasid(last).readLong(0x1000)).isTrue();
      assertThat(port.value()).isEqualTo(2);
      assertThat(port.pasid(1).readLong(0x1000)).isFalse();
      assertThat(rig.newFaults()).singleElement().satisfies(f -> assertThat(f.pasid()).isOne());
      base.detach(DEVICE);
      assertThat(port.pasid(last).readLong(0x1000)).isTrue();
      assertThat(port.pasid(-1).readLong(0x1000)).isFalse();
      process.detach(DEVICE, last);
      assertThat(port.pasid(last).readLong(0x1000)).isFalse();
      assertThat(rig.driver.attached()).isEmpty();
    }
  }

  @Test
  void ranges_that_are_never_translated_cannot_be_mapped() {
    try (Rig rig = tables("host").build()) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      assertThatThrownBy(() -> domain.map(0xfee0_0000L, Rig.DATA, 0x1000, RW))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("never translates 0xfee00000..0xfeefffff");
      domain.map(0xfedf_f000L, Rig.DATA, 0x1000, RW);
      domain.map(0xfef0_0000L, Rig.DATA, 0x1000, RW);
      assertThat(rig.driver.reservedRegions(DEVICE))
          .extracting(ReservedRegion::kind)
          .containsOnly(ReservedRegion.Kind.UNTRANSLATED);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"host", "guest"})
  void what_firmware_reserved_stays_where_it_is_in_every_domain(String which) {
    long first = Rig.DATA + 0x10_0000;
    try (Rig rig =
            tables(which).driver("ivmd", "0x8@0x%x-0x%x".formatted(first, first + 0x1fff)).build();
        DmaPort port = rig.port(DEVICE)) {
      Domain one = rig.driver.createDomain(DomainType.DMA_STRICT);
      Domain two = rig.driver.createDomain(DomainType.DMA_STRICT);
      one.attach(DEVICE);
      assertThat(port.writeLong(first, 7)).isTrue();
      assertThat(rig.memory.readLong(first)).isEqualTo(7);
      assertThat(one.mapped()).isZero();
      assertThat(one.unmap(0, 1L << 38)).isZero();
      assertThat(port.readLong(first)).isTrue();
      two.attach(DEVICE);
      assertThat(port.readLong(first)).isTrue();
      assertThat(one.iovaToPhys(first)).isEqualTo(Domain.UNMAPPED);
    }
  }

  @Test
  void a_device_has_the_settings_of_its_ivhd_entry_whatever_it_is_attached_to() {
    try (Rig rig = Rig.with().driver("ivhd", "8@0xd7, 9@0x20").build()) {
      long second = DeviceTableEntry.SYS_MGT.of(1);
      long third =
          DeviceTableEntry.INIT_PASS.mask()
              | DeviceTableEntry.EINT_PASS.mask()
              | DeviceTableEntry.NMI_PASS.mask()
              | DeviceTableEntry.LINT0_PASS.mask()
              | DeviceTableEntry.LINT1_PASS.mask();
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      for (int step = 0; step < 4; step++) {
        switch (step) {
          case 1 -> domain.attach(DEVICE);
          case 2 -> rig.driver.interrupt(DEVICE, 0xfee0_0000L, 0x31);
          case 3 -> domain.detach(DEVICE);
          default -> {}
        }
        assertThat(entry(rig, DEVICE, 1) & DeviceTableEntry.SYS_MGT.mask()).isEqualTo(second);
        assertThat(entry(rig, DEVICE, 2) & third).as("step " + step).isEqualTo(third);
      }
      assertThat(DeviceTableEntry.SYS_MGT.get(entry(rig, 9, 1))).isEqualTo(2);
      assertThat(entry(rig, 9, 2) & third).isZero();
      assertThat(entry(rig, 10, 1)).isZero();
    }
  }

  private static long entry(Rig rig, int source, int word) {
    long table = Registers.DEV_TAB_BASE.in(rig.unit.read(Registers.DEVICE_TABLE.offset(), 8));
    return rig.memory.readLong(table + (long) source * DeviceTableEntry.BYTES + 8L * word);
  }

  @Test
  void a_closed_driver_leaves_the_unit_to_the_next_one() {
    try (Rig rig = Rig.with().build()) {
      rig.driver.createDomain(DomainType.IDENTITY).attach(DEVICE);
      assertThat(rig.translate(DEVICE, Rig.DATA, Access.READ)).isTrue();
      IommuDriver second =
          DriverProvider.forArchitecture("amdvi")
              .probe(DriverHost.polling(rig.unit, rig.memory, rig.frames), Options.none());
      assertThatThrownBy(second::start)
          .isInstanceOf(DriverException.class)
          .hasMessageContaining("the unit is on");
      rig.driver.close();
      assertThat(rig.translate(DEVICE, Rig.DATA, Access.READ)).isFalse();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "tables, both",
    "levels, 6",
    "page_sizes, 0x200000",
    "pasid_bits, 21",
    "pri, true",
    "interrupt_entries, 3",
    "ivmd, 8@0x1000-0x1800",
    "ivhd, 8",
    "ivhd, 8@0x100",
    "ivhd, 0x10000@1",
    "ivhd, '8@1, 8@2'",
    "ivhd, 8@all",
    "timeout, 3"
  })
  void a_setting_that_cannot_be_used_is_named(String name, String value) {
    assertThatThrownBy(() -> Rig.with().driver(name, value).build())
        .isInstanceOf(Options.InvalidOption.class)
        .extracting(e -> ((Options.InvalidOption) e).option())
        .isEqualTo(name);
  }

  @Test
  void a_unit_without_host_tables_is_not_given_any() {
    Rig.Builder guest = tables("guest").efr(ExtendedFeatures.HATS, 3).unit("hat_dis", true);
    try (Rig rig = guest.build()) {
      assertThat(rig.driver.capabilities().domainTypes()).doesNotContain(DomainType.NESTED);
    }
    assertThatThrownBy(
            () -> tables("host").efr(ExtendedFeatures.HATS, 3).unit("hat_dis", true).build())
        .isInstanceOf(DriverException.class)
        .hasMessageContaining("no host tables");
  }

  @ParameterizedTest
  @CsvSource({"host, NOT_PRESENT", "guest, GUEST_NOT_PRESENT"})
  void a_fault_has_its_likeliest_reason(String which, Reason absent) {
    try (Rig rig = tables(which).build()) {
      rig.driver.createDomain(DomainType.DMA_STRICT).attach(DEVICE);
      rig.translate(DEVICE, 0x1000, Access.READ);
      rig.translate(DEVICE + 1, 0x1000, Access.READ);
      assertThat(rig.newFaults()).extracting(Fault::reason).containsExactly(absent, Reason.BLOCKED);
    }
  }

  @Test
  void a_page_request_that_is_refused_is_told_with_its_pasid() {
    try (Rig rig = Rig.with().build()) {
      rig.unit.pageRequest(new PageRequest(DEVICE, false, 0x1_2345, 0, 0x7007));
      assertThat(rig.newFaults())
          .singleElement()
          .satisfies(f -> assertThat(f.reason().code()).isEqualTo(9))
          .satisfies(f -> assertThat(f.source()).isEqualTo(DEVICE))
          .satisfies(f -> assertThat(f.pasid()).isEqualTo(0x1_2345))
          .satisfies(f -> assertThat(f.transaction()).isEqualTo("page request"))
          .satisfies(f -> assertThat(f.address()).isEqualTo(0x7000));
    }
  }
}
