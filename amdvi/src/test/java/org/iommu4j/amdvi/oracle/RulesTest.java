package org.iommu4j.amdvi.oracle;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.iommu4j.amdvi.layout.EventCode;
import org.iommu4j.amdvi.layout.EventRecord;
import org.iommu4j.amdvi.layout.Reason;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The reasons, against the specification's tables written down a second time. */
class RulesTest {
  @ParameterizedTest
  @EnumSource(Reason.class)
  void a_reason_is_what_the_tables_say(Reason reason) {
    Rule rule = Rule.valueOf(reason.name());
    assertThat(reason.code()).isEqualTo(rule.code());
    assertThat(reason.event()).isEqualTo(EventCode.of(rule.code()));
    assertThat(reason.flags()).isEqualTo(rule.flags());
    assertThat(reason.isGuest()).isEqualTo(rule.guest());
    assertThat(reason.isInterrupt()).isEqualTo(rule.interrupt());
    assertThat(reason.isPresent()).isEqualTo(rule.present());
    assertThat(reason.isPageFault()).isEqualTo(rule.code() == 2 && !rule.interrupt());
    assertThat(reason.title()).isNotBlank();
    assertThat(reason.advice()).isNotBlank();
  }

  @Test
  void every_row_of_the_tables_is_a_reason() {
    assertThat(Arrays.stream(Reason.values()).map(Reason::name))
        .containsExactlyInAnyOrderElementsOf(Arrays.stream(Rule.values()).map(Rule::name).toList());
  }

  @ParameterizedTest
  @EnumSource(Rule.class)
  void a_record_tells_its_reasons(Rule rule) {
    long first = EventRecord.CODE.of(rule.code()) | rule.flags() | EventRecord.DEVICE_ID.of(0x18);
    assertThat(Reason.of(first)).contains(Reason.valueOf(rule.name()));
    long other = EventRecord.CODE.of(rule.code() % 15 + 1) | rule.flags();
    assertThat(Reason.of(other)).doesNotContain(Reason.valueOf(rule.name()));
  }

  @Test
  void codes_that_no_row_has_have_no_reason() {
    for (long code : new long[] {0, 15}) {
      assertThat(Reason.of(code << 60)).isEmpty();
    }
  }
}
