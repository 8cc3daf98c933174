package org.iommu4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

class WalkTest {
  @Test
  void a_walk_shows_every_entry_and_where_it_leads() {
    Invocation i = Invocation.of("walk", "example", "--device", "nic", "--iova", "0x10201800");
    assertThat(i.status()).isZero();
    assertThat(i.out())
        .startsWith("read of 0x10201800 by nic (00:03.0) through iommu0 (RISC-V IOMMU)")
        .contains("device context", "V=1", "0xd0203800");
    assertThat(i.out().lines()).allSatisfy(l -> assertThat(l).hasSizeLessThanOrEqualTo(100));
  }

  @Test
  void a_device_is_found_by_function_and_number() {
    String byName = Invocation.of("walk", "example", "-d", "disk", "--iova", "0x200000").out();
    assertThat(Invocation.of("walk", "example", "-d", "00:04.0", "--iova", "0x200000").out())
        .isEqualTo(byName);
    assertThat(Invocation.of("walk", "example", "-d", "0x20", "--iova", "0x200000").out())
        .isEqualTo(byName);
  }

  @Test
  void a_blocked_walk_is_exit_1_with_reason_and_advice() {
    Invocation i =
        Invocation.of("walk", "example", "-d", "card", "--iova", "0x200000", "--write", "--json");
    assertThat(i.status()).isEqualTo(1);
    JsonNode walk = i.json().path("walk");
    assertThat(walk.path("passes").asBoolean()).isFalse();
    assertThat(walk.at("/reason/title").asString()).isNotEmpty();
    assertThat(walk.at("/reason/advice").asString()).isNotEmpty();
    assertThat(walk.at("/steps/0/fields/0").propertyNames())
        .containsExactly("name", "word", "hi", "lo", "value");
  }

  @Test
  void a_pasid_selects_an_address_space() {
    Invocation game =
        Invocation.of(
            "walk", "example", "-d", "gpu", "--pasid", "1", "--iova", "0x400000", "--exec");
    assertThat(game.status()).isZero();
    Invocation training =
        Invocation.of("walk", "example", "-d", "gpu", "--pasid", "2", "--iova", "0x400000");
    assertThat(training.status()).isEqualTo(1);
  }

  @Test
  void an_unknown_device_is_answered_with_those_that_exist() {
    Invocation i = Invocation.of("walk", "example", "-d", "nik", "--iova", "0");
    assertThat(i.status()).isEqualTo(2);
    assertThat(i.err()).contains("small server has no device 'nik'; did you mean 'nic'?");
  }

  @Test
  void a_value_that_is_a_code_is_named() {
    String out = Invocation.of("walk", "example", "-d", "nic", "--iova", "0x10201800").out();
    assertThat(out).contains("iohgatp.MODE=0 (Bare)", "fsc.MODE=10 (Sv57)".replace("10", "0xa"));
  }

  @Test
  void a_message_is_followed_through_the_remapping_table() {
    String capture = "../conformance/captures/vtd-legacy";
    Invocation i =
        Invocation.of("walk", capture, "-d", "02:00.1", "--iova", "0xfee00418", "--msi", "0");
    assertThat(i.out())
        .startsWith("message 0 to 0xfee00418 by 02:00.1 through dmar0 (Intel VT-d)")
        .contains("interrupt remapping table entry 32", "V=0x29", "SVT=1 (SID)")
        .contains("remapped: vector 41 to processor 0");
    assertThat(i.status()).isZero();
    Invocation other =
        Invocation.of("walk", capture, "-d", "00:04.0", "--iova", "0xfee00418", "--msi", "0");
    assertThat(other.status()).isEqualTo(1);
    assertThat(other.out()).contains("reason 0x26");
  }

  @ParameterizedTest
  @CsvSource({
    "--pasid,-1,'a PASID', 20 bits",
    "--pasid,1048576,'a PASID', 20 bits",
    "--pasid,two,'a PASID', 20 bits",
    "--msi,0x100000000,'a message''s data', 32 bits",
  })
  void a_number_that_is_too_wide_is_refused(String option, String value, String what, String bits) {
    Invocation i = Invocation.of("walk", "example", "-d", "nic", "--iova", "0", option, value);
    assertThat(i.status()).isEqualTo(2);
    assertThat(i.err()).contains("'" + value + "' is not " + what, "at most " + bits);
  }

  @Test
  void numbers_may_be_hexadecimal_and_data_has_all_32_bits() {
    Invocation i =
        Invocation.of("walk", "example", "-d", "gpu", "--pasid", "0x1", "--iova", "0x400000");
    assertThat(i.status()).isZero();
    Invocation message =
        Invocation.of(
            "walk", "example", "-d", "nic", "--iova", "0x8000000", "--msi", "0xffffffff", "--json");
    assertThat(message.json().path("message").asLong()).isEqualTo(0xffff_ffffL);
  }

  @Test
  void another_architecture_for_a_capture_is_refused() {
    String capture = "../conformance/captures/riscv-sys";
    Invocation i = Invocation.of("walk", capture, "-d", "00:06.0", "--iova", "0", "--arch", "vtd");
    assertThat(i.status()).isEqualTo(2);
    assertThat(i.err()).contains("a capture's units are what they were");
  }

  @Test
  void write_and_exec_exclude_each_other() {
    Invocation i =
        Invocation.of("walk", "example", "-d", "nic", "--iova", "0", "--write", "--exec");
    assertThat(i.status()).isEqualTo(2);
    assertThat(i.err()).contains("--write", "--exec");
  }
}
