package org.iommu4j.amdvi.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.amdvi.model.Tables.DEVICE;
import static org.iommu4j.amdvi.model.Tables.IOVA;

import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The HyperTransport range, and who may ask for translations. */
class SpecialRangesTest {
  private final Rig rig = Rig.standard().start();
  private final Tables tables = new Tables(rig);

  @AfterEach
  void close() {
    rig.close();
  }

  private boolean asks(AddressType type, long address, int access) {
    return rig.translate(rig.request(DEVICE, address, access).addressType(type));
  }

  @ParameterizedTest
  @CsvSource({
    // address, WRITE or READ, SysMgt, IoCtl, TV, what is refused, type
    "fd00000000, 1, 0, 0, 1, INTERRUPT_RANGE, 0",
    "fd00000000, 2, 0, 0, 1, INTERRUPT_RESERVED, 6",
    "fdf7ffffff, 2, 0, 0, 0, INTERRUPT_RESERVED, 6",
    "fdf8000000, 1, 0, 0, 1, INTERRUPT_RANGE, 0",
    "fdf9000000, 2, 0, 0, 1, INTERRUPT_RESERVED, 6",
    "fdf9100000, 2, 0, 0, 1, SYSTEM_MANAGEMENT, 3",
    "fdf9100000, 2, 2, 0, 1, SYSTEM_MANAGEMENT, 3",
    "fdf9100000, 1, 0, 0, 0, SYSTEM_MANAGEMENT_READ, 4",
    "fdf9100000, 1, 1, 0, 1, SYSTEM_MANAGEMENT_READ, 4",
    "fdf9100000, 1, 3, 0, 0, RANGE_WITHOUT_TRANSLATION, 7",
    "fdfc000000, 1, 0, 0, 1, PORT_IO, 2",
    "fdfc000000, 2, 0, 0, 0, PORT_IO, 2",
    "fdfc000000, 2, 0, 2, 0, RANGE_WITHOUT_TRANSLATION, 7",
    "fdf9200000, 1, 0, 0, 0, BLOCKED, 0",
    "fffffff000, 2, 0, 0, 0, BLOCKED, 0"
  })
  void ranges_with_controls_are_refused_by_type(
      String address, int access, int sysMgt, int ioCtl, int tv, Reason reason, int type) {
    tables
        .host()
        .set(0, DeviceTableEntry.TV, tv)
        .set(1, DeviceTableEntry.SYS_MGT, sysMgt)
        .set(1, DeviceTableEntry.IO_CTL, ioCtl);
    assertThat(asks(AddressType.UNTRANSLATED, Long.parseLong(address, 16), access)).isFalse();
    assertThat(rig.reason()).isEqualTo(reason);
    assertThat(rig.events().getFirst().first() >>> 57 & 7).isEqualTo(type);
  }

  @ParameterizedTest
  @CsvSource({
    "fdf9100000, 1, 0, 1",
    "fdfc000000, 0, 1, 1",
    "fdf9100000, 1, 0, 0",
    "fdfc000000, 0, 1, 0"
  })
  void a_range_that_is_forwarded_needs_no_translation(
      String address, int sysMgt, int ioCtl, int tv) {
    tables
        .host()
        .set(0, DeviceTableEntry.TV, tv)
        .set(1, DeviceTableEntry.SYS_MGT, sysMgt)
        .set(1, DeviceTableEntry.IO_CTL, ioCtl);
    long at = Long.parseLong(address, 16);
    assertThat(asks(AddressType.UNTRANSLATED, at, Access.WRITE)).isTrue();
    assertThat(rig.translation.pa()).isEqualTo(at);
  }

  @ParameterizedTest
  @CsvSource({"fdf9200000", "fdfb000000", "fdfe000000", "fe00000000", "fffffff000"})
  void page_tables_rule_where_no_control_does(String address) {
    tables.host();
    assertThat(asks(AddressType.UNTRANSLATED, Long.parseLong(address, 16), Access.READ)).isFalse();
    assertThat(rig.reason().event()).isEqualTo(Reason.NOT_PRESENT.event());
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1, fee00000, TRANSLATION_OF_SPECIAL_RANGE",
    "1, 1, 1, fd00000000, TRANSLATION_OF_SPECIAL_RANGE",
    "1, 1, 1, fdf9100000, TRANSLATION_OF_SPECIAL_RANGE",
    "1, 1, 1, fdfc000000, TRANSLATION_OF_SPECIAL_RANGE",
    "1, 1, 0, 1000, TRANSLATION_NOT_ALLOWED",
    "1, 0, 1, 1000, TRANSLATION_NOT_ALLOWED",
    "0, 1, 1, 1000, TRANSLATION_NOT_ALLOWED",
    "1, 1, 0, fdfe000000, TRANSLATION_NOT_ALLOWED"
  })
  void translation_requests_are_refused_in_two_ways(
      int v, int tv, int i, String address, Reason reason) {
    tables
        .host()
        .set(0, DeviceTableEntry.V, v)
        .set(0, DeviceTableEntry.TV, tv)
        .set(1, DeviceTableEntry.I, i);
    assertThat(asks(AddressType.TRANSLATION_REQUEST, Long.parseLong(address, 16), Access.READ))
        .isFalse();
    assertThat(rig.reason()).isEqualTo(reason);
  }

  @Test
  void a_device_without_a_valid_entry_may_not_send_translated_addresses() {
    tables.host().set(0, DeviceTableEntry.V, 0);
    assertThat(asks(AddressType.TRANSLATED, IOVA, Access.READ)).isFalse();
    assertThat(rig.reason()).isEqualTo(Reason.TRANSLATED_WITHOUT_IOTLB);
    assertThat(asks(AddressType.UNTRANSLATED, IOVA, Access.READ)).isTrue();
  }
}
