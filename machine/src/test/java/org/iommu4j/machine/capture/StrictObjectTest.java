package org.iommu4j.machine.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.iommu4j.machine.capture.StrictObject.Malformed;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StrictObjectTest {
  @ParameterizedTest
  @CsvSource({
    "0,0",
    "10,a",
    "'\"0x10\"',10",
    "'\"0xffffffffffffffff\"',ffffffffffffffff",
    "18446744073709551615,ffffffffffffffff",
    "4294967295,ffffffff"
  })
  void numbers_are_decimal_or_hexadecimal_and_unsigned(String json, String hex) {
    assertThat(StrictObject.parse("{\"n\":" + json + "}", "t").number("n"))
        .isEqualTo(Long.parseUnsignedLong(hex, 16));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-1",
        "1.5",
        "true",
        "\"16\"",
        "\"0x\"",
        "\"0x-1\"",
        "\"0x1g\"",
        "\"0x10000000000000000\"",
        "18446744073709551616",
        "[]"
      })
  void anything_else_is_no_number(String json) {
    StrictObject o = StrictObject.parse("{\"n\":" + json + "}", "t");
    assertThatThrownBy(() -> o.number("n"))
        .isInstanceOf(Malformed.class)
        .hasMessageContaining("t: field 'n' has to be a number")
        .hasMessageContaining(json);
  }

  @Test
  void a_field_that_nobody_asked_for_is_an_error() {
    StrictObject o = StrictObject.parse("{\"a\":1,\"b\":2}", "thing");
    assertThat(o.number("a")).isEqualTo(1);
    assertThatThrownBy(o::finish)
        .isInstanceOf(Malformed.class)
        .hasMessage("thing: unknown field 'b'; known here are a");
    assertThat(o.number("b")).isEqualTo(2);
    o.finish();
  }

  @Test
  void a_missing_field_is_named() {
    StrictObject o = StrictObject.parse("{\"a\":null}", "thing");
    assertThat(o.has("a")).isFalse();
    assertThat(o.number("a", 7)).isEqualTo(7);
    assertThatThrownBy(() -> o.number("a")).hasMessage("thing: field 'a' is missing");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "{", "[]", "1", "{} {}", "{\"a\":1,\"a\":2}", "null"})
  void what_is_not_one_object_is_refused(String json) {
    assertThatThrownBy(() -> StrictObject.parse(json, "thing"))
        .isInstanceOf(Malformed.class)
        .hasMessageContaining("thing");
  }
}
