package org.iommu4j.core.bits;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import org.iommu4j.core.testing.Property;
import org.junit.jupiter.api.Test;

class FieldTest {
  private record Sample(int hi, int lo, long word, long value) {}

  /** All operations of one field, in big integers. */
  private static final class Oracle {
    private final BigInteger word;
    private final int lo;
    private final BigInteger ones;

    Oracle(Sample s) {
      word = new BigInteger(Long.toUnsignedString(s.word));
      lo = s.lo;
      ones = BigInteger.ONE.shiftLeft(s.hi - s.lo + 1).subtract(BigInteger.ONE);
    }

    BigInteger get() {
      return word.shiftRight(lo).and(ones);
    }

    long mask() {
      return ones.shiftLeft(lo).longValue();
    }

    long set(long value) {
      return word.andNot(ones.shiftLeft(lo))
          .or(BigInteger.valueOf(value).and(ones).shiftLeft(lo))
          .longValue();
    }
  }

  @Test
  void every_operation_agrees_with_arithmetic_on_big_integers() {
    Property.of(
            "field",
            5_000,
            random -> {
              int hi = random.nextInt(64);
              return new Sample(
                  hi, random.nextInt(hi + 1), random.nextLong(), random.nextLong() >>> 1);
            })
        .holdsForEach(
            s -> {
              Field f = Field.bits("f", s.hi, s.lo);
              Oracle o = new Oracle(s);
              assertThat(f.width()).isEqualTo(s.hi - s.lo + 1);
              assertThat(f.mask()).isEqualTo(o.mask());
              assertThat(f.get(s.word)).isEqualTo(o.get().longValue());
              assertThat(f.getInt(s.word)).isEqualTo(o.get().intValue());
              assertThat(f.in(s.word)).isEqualTo(o.get().shiftLeft(s.lo).longValue());
              assertThat(f.isSet(s.word)).isEqualTo(o.get().signum() != 0);
              assertThat(f.set(s.word, s.value)).isEqualTo(o.set(s.value));
              assertThat(f.of(s.value)).isEqualTo(f.set(0, s.value));
            });
  }

  @Test
  void a_field_of_all_64_bits_is_the_word() {
    Field f = Field.bits("all", 63, 0);
    assertThat(f.mask()).isEqualTo(-1L);
    assertThat(f.get(Long.MIN_VALUE)).isEqualTo(Long.MIN_VALUE);
    assertThat(f.set(0x1234, -1)).isEqualTo(-1L);
  }

  @Test
  void bits_outside_a_word_are_refused() {
    assertThatThrownBy(() -> Field.bits("f", 64, 0)).hasMessageContaining("f: bits 64:0");
    assertThatThrownBy(() -> Field.bits("f", 3, 4)).hasMessageContaining("f: bits 3:4");
    assertThatThrownBy(() -> Field.bits("f", 3, -1)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void another_kind_or_name_keeps_the_bits() {
    Field f = Field.bit("f", 7);
    assertThat(f.as(Field.Kind.RO)).isEqualTo(new Field("f", 7, 7, Field.Kind.RO));
    assertThat(f.named("g")).isEqualTo(Field.bit("g", 7));
  }

  @Test
  void a_value_can_stand_for_something() {
    Field f = Field.bits("f", 3, 2).means(1, "one").means(2, "two").named("g").as(Field.Kind.RO);
    assertThat(f.meaning(1)).isEqualTo("one");
    assertThat(f.meaning(2)).isEqualTo("two");
    assertThat(f.meaning(0)).isEmpty();
  }
}
