package org.iommu4j.core.bits;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class FieldTextTest {
  private static final Field V = Field.bit("V", 0);
  private static final Field MODE = Field.bits("Mode", 11, 9);
  private static final Field ID = Field.bits("DomainID", 15, 0);

  @Test
  void bits_are_named_and_numbers_have_values() {
    assertThat(FieldText.of(List.of(V, MODE), 0x801)).isEqualTo("V Mode=0x4");
    assertThat(FieldText.of(List.of(V, MODE), 0x800)).isEqualTo("Mode=0x4");
  }

  @Test
  void a_word_of_zeroes_says_so() {
    assertThat(FieldText.of(List.of(V, MODE), 0)).isEqualTo("nothing set");
  }

  @Test
  void a_structure_is_said_word_by_word() {
    Layout layout = Layout.of("entry", "test", V, MODE).then(ID);
    assertThat(FieldText.of(layout, 1, 0x17)).isEqualTo("V DomainID=0x17");
    assertThat(FieldText.of(layout, 0, 0)).isEqualTo("all zeroes");
  }
}
