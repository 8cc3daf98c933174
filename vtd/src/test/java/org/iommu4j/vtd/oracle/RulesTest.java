package org.iommu4j.vtd.oracle;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.iommu4j.vtd.layout.Reason;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The reasons, against the specification's tables written down a second time. */
class RulesTest {
  @ParameterizedTest
  @EnumSource(Reason.class)
  void a_reason_is_what_the_table_says(Reason reason) {
    Rules.Rule rule = Rules.of(id(reason));
    assertThat(reason.code()).isEqualTo(rule.code());
    assertThat(reason.qualified()).isEqualTo(rule.qualified());
    assertThat(reason.translation()).isEqualTo(response(rule.translation()));
    assertThat(reason.translated()).isEqualTo(response(rule.translated()));
    assertThat(Reason.of(reason.code())).contains(reason);
    assertThat(reason.title()).isNotBlank();
    assertThat(reason.advice()).isNotBlank();
  }

  @Test
  void every_row_of_the_tables_is_a_reason() {
    Set<String> ids = new TreeSet<>();
    for (Reason reason : Reason.values()) {
      ids.add(id(reason));
    }
    assertThat(ids).isEqualTo(new TreeSet<>(Rules.all().keySet()));
  }

  @Test
  void codes_that_no_row_has_have_no_reason() {
    for (int code : new int[] {-1, 0, 0x0f, 0x2c, 0x35, 0x8f, 0xff, 256, Integer.MIN_VALUE}) {
      assertThat(Reason.of(code)).isEqualTo(List.of());
    }
  }

  private static String id(Reason reason) {
    return reason.name().startsWith("IR_") ? "IR.%02X".formatted(reason.code()) : reason.id();
  }

  private static Reason.Response response(String word) {
    return word.equals("-") ? Reason.Response.NA : Reason.Response.valueOf(word);
  }
}
