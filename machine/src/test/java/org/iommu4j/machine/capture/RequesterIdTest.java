package org.iommu4j.machine.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RequesterIdTest {
  @ParameterizedTest
  @CsvSource({
    "00:06.0,0x30",
    "04:02.1,0x411",
    "ff:1f.7,0xffff",
    "0001:02:00.0,0x10200",
    "0000:02:00.0,0x200"
  })
  void a_pci_address_is_a_number(String text, String number) {
    int id = Integer.decode(number);
    assertThat(RequesterId.parse(text)).isEqualTo(id);
    assertThat(RequesterId.parse(RequesterId.format(id))).isEqualTo(id);
  }

  @Test
  void the_segment_is_written_only_if_it_is_not_zero() {
    assertThat(RequesterId.format(0x411)).isEqualTo("04:02.1");
    assertThat(RequesterId.format(0x10411)).isEqualTo("0001:04:02.1");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "6", "00:06", "00:06.8", "00:20.0", "00:06.0 ", "x0:06.0"})
  void anything_else_is_refused_by_name(String text) {
    assertThatThrownBy(() -> RequesterId.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'" + text + "'")
        .hasMessageContaining("00:06.0");
  }
}
