package org.iommu4j.amdvi.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.amdvi.model.Tables.DEVICE;
import static org.iommu4j.amdvi.model.Tables.IOVA;

import java.util.Random;
import java.util.stream.Stream;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.CounterBlock;
import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.bits.Register;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Accesses to registers of every size, and to parts of them. */
class RegisterAccessTest {
  private final Rig rig = Rig.standard();

  @AfterEach
  void close() {
    rig.close();
  }

  static Stream<Register> registers() {
    CounterBlock c = new CounterBlock(1, 2);
    return Stream.concat(
        Registers.ALL.stream(),
        Stream.of(c.counter(), c.source(), c.pasid(), c.domain(), c.device(), c.report()));
  }

  private static void write(Rig to, Register r, long value, int size) {
    for (int i = 0; i < r.width(); i += size) {
      to.unit.write(r.offset() + i, size, value >>> 8 * i);
    }
  }

  private static long read(Rig from, Register r, int size) {
    long value = 0;
    for (int i = 0; i < r.width(); i += size) {
      value |= from.unit.read(r.offset() + i, size) << 8 * i;
    }
    return value;
  }

  @ParameterizedTest
  @MethodSource("registers")
  void a_register_written_in_parts_is_as_if_written_at_once(Register r) {
    Random random = new Random(r.offset());
    long value = random.nextLong();
    // A unit that is on changes registers by itself.
    value = r == Control.REGISTER ? Control.IOMMU_EN.set(value, 0) : value;
    rig.write(r, value);
    long whole = rig.read(r);
    for (int size = 1; size <= r.width(); size *= 2) {
      assertThat(read(rig, r, size)).as("read by %d", size).isEqualTo(whole);
      try (Rig other = Rig.standard()) {
        write(other, r, value, size);
        assertThat(other.read(r)).as("written by %d", size).isEqualTo(whole);
      }
    }
  }

  @Test
  void a_part_leaves_the_rest_as_it_is() {
    rig.write(Registers.EXCLUSION_LIMIT, 0xf_1234_5678_9000L);
    rig.unit.write(Registers.EXCLUSION_LIMIT.offset() + 2, 1, 0xab);
    assertThat(rig.read(Registers.EXCLUSION_LIMIT)).isEqualTo(0xf_1234_56ab_9000L);
    rig.unit.write(Registers.EXCLUSION_LIMIT.offset() + 4, 2, 0xffff_cdefL);
    assertThat(rig.read(Registers.EXCLUSION_LIMIT)).isEqualTo(0xf_cdef_56ab_9000L);
    assertThat(rig.unit.read(Registers.EXCLUSION_LIMIT.offset() + 3, 1)).isEqualTo(0x56);
  }

  @Test
  void of_status_only_the_bits_in_the_bytes_written_are_cleared() {
    rig.start().startPpr();
    new Tables(rig).guest().set(0, DeviceTableEntry.PPR);
    rig.write(Registers.PPR_EARLY, Registers.EARLY_EN.of(1) | 1);
    rig.reads(0x900, IOVA);
    rig.pageRequest(DEVICE, Tables.PASID, IOVA | 5);
    int status = Registers.STATUS.offset();
    rig.unit.write(status + 1, 1, 0xff);
    assertThat(rig.status(Registers.PPR_INT)).isTrue();
    rig.unit.write(status, 1, Registers.PPR_INT.mask());
    assertThat(rig.status(Registers.PPR_INT)).isFalse();
    assertThat(rig.status(Registers.EVENT_LOG_INT)).isTrue();
    assertThat(rig.status(Registers.PPR_OVERFLOW_EARLY)).isTrue();
    rig.unit.write(status, 2, 0xffff);
    assertThat(rig.status(Registers.EVENT_LOG_INT)).isFalse();
    assertThat(rig.status(Registers.PPR_OVERFLOW_EARLY)).isTrue();
    rig.unit.write(status + 2, 2, 0xffff);
    assertThat(rig.status(Registers.PPR_OVERFLOW_EARLY)).isFalse();
    assertThat(rig.status(Registers.CMD_BUF_RUN)).isTrue();
  }

  @Test
  void a_byte_of_the_tail_starts_the_commands() {
    rig.start().append(Rig.completionWait(), 0);
    rig.unit.write(Registers.COMMAND_TAIL.offset(), 1, 0x10);
    assertThat(rig.idle()).isTrue();
  }

  @Test
  void a_byte_of_control_turns_the_unit_off() {
    rig.start();
    assertThat(rig.reads(0x900, IOVA)).isFalse();
    rig.unit.write(Control.REGISTER.offset(), 1, 0);
    assertThat(rig.reads(0x900, IOVA)).isTrue();
    assertThat(rig.read(Control.REGISTER, Control.CMD_BUF_EN)).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4, 8})
  void what_is_not_aligned_to_its_size_reads_0_and_writes_nothing(int size) {
    rig.write(Registers.EXCLUSION_BASE, -1L);
    rig.write(Registers.EXCLUSION_LIMIT, -1L);
    for (int at = 1; at < 8; at++) {
      if (at % size != 0) {
        assertThat(rig.unit.read(Registers.EXCLUSION_BASE.offset() + at, size)).isZero();
        rig.unit.write(Registers.EXCLUSION_BASE.offset() + at, size, 0);
      }
    }
    assertThat(rig.read(Registers.EXCLUSION_BASE)).isEqualTo(0xf_ffff_ffff_f003L);
    assertThat(rig.read(Registers.EXCLUSION_LIMIT)).isEqualTo(0xf_ffff_ffff_f000L);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4, 8})
  void an_access_to_1ff8_counts_once(int size) {
    CounterBlock c = new CounterBlock(0, 0);
    rig.write(c.source(), 0x14);
    rig.unit.read(0x1ff8, size);
    rig.unit.write(0x1ff8 + 8 - size, size, 5);
    assertThat(rig.read(c.counter())).isEqualTo(2);
  }
}
