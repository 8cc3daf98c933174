package org.iommu4j.riscv.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.riscv.layout.Registers.CIP;
import static org.iommu4j.riscv.layout.Registers.CMD_ILL;
import static org.iommu4j.riscv.layout.Registers.CMD_TO;
import static org.iommu4j.riscv.layout.Registers.CQCSR;
import static org.iommu4j.riscv.layout.Registers.CQH;
import static org.iommu4j.riscv.layout.Registers.CQMF;
import static org.iommu4j.riscv.layout.Registers.CQT;
import static org.iommu4j.riscv.layout.Registers.FENCE_W_IP;
import static org.iommu4j.riscv.layout.Registers.IPSR;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.dma.AtsInvalidation;
import org.iommu4j.core.dma.PageResponse;
import org.iommu4j.core.memory.Failure;
import org.iommu4j.riscv.layout.Capabilities;
import org.iommu4j.riscv.layout.Registers;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The command queue: what is legal, how it stops, and how it goes on. */
class CommandQueueTest {
  private static final long FENCE = 0x2;
  private static final long INVAL = 0x4;
  private static final int RUNNING = 0x1_0001;

  private Rig rig = Rig.standard().queues();

  @AfterEach
  void close() {
    rig.close();
  }

  private void use(Rig.Builder builder) {
    rig.close();
    rig = builder.build();
  }

  private boolean has(Field f) {
    return rig.read(CQCSR, f) != 0;
  }

  /** Runs one command alone: whether it was legal. */
  private boolean legal(long first, long second) {
    long at = rig.read(CQH);
    rig.command(first, second);
    boolean illegal = has(CMD_ILL);
    assertThat(rig.read(CQH)).isEqualTo(illegal ? at : (at + 1) % 128);
    if (illegal) {
      // Software replaces the command and goes on.
      rig.memory.writeLong(rig.commandQueue() + 16 * at, rig.ordered(1));
      rig.memory.writeLong(rig.commandQueue() + 16 * at + 8, 0);
      rig.write(CQCSR, rig.read(CQCSR));
      assertThat(rig.idle()).isTrue();
    }
    return !illegal;
  }

  @ParameterizedTest
  @CsvSource({
    // name, DW0, DW1: without reserved bits, and which bits are reserved
    "VMA,       1,           0, f0000ff800000800, c0000000000001ff",
    "GVMA,      81,          0, f0000ff900000800, c0000000000001ff", // and PSCV
    "IOFENCE,   2,           0, 00000000ffffc800, c000000000000000", // and WSI, since fctl.WSI = 0
    "INVAL_DDT, 3,           0, 000000fdfffffc00, ffffffffffffffff",
    "INVAL_PDT, 200000083,   0, 000000fd00000c00, ffffffffffffffff",
    "PRGR,      84,          0, 000000fc00000c00, 0",
  })
  void a_reserved_bit_makes_a_command_illegal_and_no_other_does(
      String name, String first, String second, String reserved0, String reserved1) {
    long base = Long.parseUnsignedLong(first, 16);
    long mask0 = Long.parseUnsignedLong(reserved0, 16);
    long mask1 = Long.parseUnsignedLong(reserved1, 16);
    assertThat(legal(base, Long.parseUnsignedLong(second, 16))).isTrue();
    for (int bit = 10; bit < 64; bit++) {
      long one = 1L << bit;
      boolean needed = (base & one) != 0; // DV of INVAL_PDT
      // A fence with an address writes to it.
      long operand = name.equals("IOFENCE") && bit == 10 ? Rig.MEMORY >>> 2 : 0;
      assertThat(legal(base ^ one, operand))
          .as("%s DW0 bit %d", name, bit)
          .isEqualTo((mask0 & one) == 0 && !needed);
    }
    for (int bit = 0; bit < 64; bit++) {
      assertThat(legal(base, 1L << bit))
          .as("%s DW1 bit %d", name, bit)
          .isEqualTo((mask1 >>> bit & 1) == 0);
    }
  }

  @Test
  void only_four_opcodes_and_eight_functions_exist() {
    for (int opcode = 0; opcode < 128; opcode++) {
      for (int function = 0; function < 8; function++) {
        boolean known =
            switch (opcode) {
              case 1, 3, 4 -> function <= 1;
              case 2 -> function == 0;
              default -> false;
            };
        if (known && opcode == 4 && function == 0) {
          continue; // an invalidation of a device, tested by itself
        }
        long dv = opcode == 3 ? 1L << 33 : 0;
        assertThat(legal(dv | function << 7 | opcode, 0))
            .as("opcode %d function %d", opcode, function)
            .isEqualTo(known);
      }
    }
  }

  @Test
  void commands_of_absent_features_are_illegal() {
    use(Rig.with().without(Capabilities.NL, Capabilities.S, Capabilities.ATS));
    rig.queues();
    assertThat(legal(1L << 34 | 1, 0)).isFalse();
    assertThat(legal(1, 1 << 9)).isFalse();
    assertThat(legal(INVAL, 0)).isFalse();
    assertThat(legal(0x84, 0)).isFalse();
    assertThat(legal(1, 0)).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"2, 6", "3, 15", "4, 24"})
  void a_device_id_must_fit_the_directory_that_is_in_use(int mode, int bits) {
    rig.write(Registers.DDTP, mode | rig.frame() >>> 12 << 10);
    for (int bit = 0; bit < 24; bit++) {
      long did = 1L << (40 + bit);
      assertThat(legal(did | 1L << 33 | 3, 0)).isEqualTo(bit < bits);
      assertThat(legal(did | 1L << 33 | 0x83, 0)).isEqualTo(bit < bits);
      assertThat(legal(did | 3, 0)).isTrue(); // without DV it is ignored
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 1, 20", "1, 1, 0, 17", "1, 0, 0, 8", "0, 0, 1, 20"})
  void a_process_id_must_fit_the_widest_directory_that_the_unit_has(
      int pd8, int pd17, int pd20, int bits) {
    use(
        Rig.with()
            .with(Capabilities.PD8, pd8)
            .with(Capabilities.PD17, pd17)
            .with(Capabilities.PD20, pd20));
    rig.queues();
    for (int bit = 0; bit < 20; bit++) {
      assertThat(legal(1L << (12 + bit) | 1L << 33 | 0x83, 0)).isEqualTo(bit < bits);
    }
  }

  @Test
  void an_illegal_command_stops_the_queue_until_it_is_replaced() {
    rig.write(CQCSR, 3);
    rig.command(0x3002).command(0x7f).command(0x3002);
    assertThat(rig.read(CQH)).isEqualTo(1);
    assertThat(rig.read(CQCSR)).isEqualTo(RUNNING | 2 | 1 << 10);
    assertThat(rig.read(IPSR, CIP)).isEqualTo(1);
    rig.write(CQCSR, rig.read(CQCSR));
    assertThat(has(CMD_ILL)).isTrue(); // refetched: still illegal
    rig.memory.writeLong(rig.commandQueue() + 16, 0x3002);
    rig.write(CQCSR, rig.read(CQCSR));
    assertThat(rig.idle()).isTrue();
    assertThat(rig.read(CQCSR)).isEqualTo(RUNNING | 2);
  }

  @ParameterizedTest
  @ValueSource(strings = {"ACCESS", "POISON"})
  void a_command_that_cannot_be_read_stops_the_queue(String failure) {
    rig.command(0x3002);
    rig.memory.writeLong(rig.commandQueue() + 16, 0x3002);
    rig.memory.inject(rig.commandQueue() + 16, 16, Failure.valueOf(failure));
    rig.write(CQT, 2);
    rig.restarted(2);
    assertThat(rig.read(CQH)).isEqualTo(1);
    assertThat(rig.read(CQCSR)).isEqualTo(RUNNING | 1 << 8);
    rig.memory.clearInjections();
    assertThat(rig.idle()).isFalse();
    rig.write(CQCSR, 1 | CQMF.mask());
    assertThat(rig.idle()).isTrue();
  }

  @Test
  void a_queue_beyond_the_physical_address_size_cannot_be_read() {
    use(Rig.with().with(Capabilities.PAS, 32));
    rig.write(Registers.CQB, 0xffff_ffffL >>> 12 << 10 | 12); // 8,192 entries from the last page
    rig.write(CQT, 1);
    rig.write(CQCSR, 1);
    assertThat(has(CQMF)).isTrue();
  }

  @Test
  void a_fence_writes_its_data_in_the_byte_order_of_the_unit() {
    long at = rig.frame();
    rig.command(0xdead_beef_0000_0402L, at + 4 >>> 2);
    assertThat(rig.memory.readLong(at)).isEqualTo(0xdead_beef_0000_0000L);
    rig.write(CQCSR, 0);
    rig.write(Registers.FQCSR, 0);
    rig.write(Registers.PQCSR, 0);
    rig.write(Registers.FCTL, 1);
    rig.restarted(0);
    rig.queues();
    rig.command(0xdead_beef_0000_0402L, at >>> 2);
    assertThat(rig.memory.readInt(at)).isEqualTo(0xefbe_addeL);
  }

  @Test
  void a_fence_whose_data_cannot_be_written_stays_and_is_done_again() {
    long at = rig.frame();
    rig.memory.inject(at, 4, Failure.WRITE_ACCESS);
    rig.command(0x1_0000_0402L, at >>> 2);
    assertThat(has(CQMF)).isTrue();
    assertThat(rig.read(CQH)).isZero();
    rig.memory.clearInjections();
    rig.write(CQCSR, 1 | CQMF.mask());
    assertThat(rig.idle()).isTrue();
    assertThat(rig.memory.readInt(at)).isEqualTo(1);
  }

  @Test
  void a_fence_does_not_write_to_the_registers_of_a_unit() {
    rig.memory.addDevice(0x4000_0000, 4096, rig.unit);
    rig.command(0x7f_0000_0402L, 0x4000_0000 + CQT.offset() >>> 2);
    assertThat(has(CQMF)).isTrue();
    assertThat(rig.read(CQT)).isEqualTo(1);
  }

  @Test
  void a_fence_asks_for_an_interrupt_on_a_wire_and_only_where_there_are_wires() {
    assertThat(legal(0x802, 0)).isFalse();
    use(Rig.with().with(Capabilities.IGS, Capabilities.IGS_WSI));
    rig.queues();
    rig.write(CQCSR, 3);
    assertThat(legal(0x802, 0)).isTrue();
    assertThat(has(FENCE_W_IP)).isTrue();
    assertThat(rig.read(IPSR)).isEqualTo(1);
    assertThat(legal(0x802, 0)).isTrue(); // it does not stop the queue
  }

  @Test
  void a_fence_waits_for_the_invalidations_before_it() {
    rig.command(INVAL | 8L << 40).command(INVAL | 9L << 40).command(FENCE).command(0x1);
    assertThat(rig.read(CQH)).isEqualTo(2);
    assertThat(rig.invalidations).extracting(AtsInvalidation::source).containsExactly(8, 9);
    assertThat(complete(0, 1)).isTrue();
    assertThat(rig.read(CQH)).isEqualTo(2);
    assertThat(complete(1, 1)).isTrue();
    assertThat(rig.idle()).isTrue();
  }

  private boolean complete(int index, int count) {
    AtsInvalidation request = rig.invalidations.get(index);
    return rig.unit.invalidationCompleted(
        request.source(), request.segmented(), 1 << request.tag(), count);
  }

  @Test
  void completions_are_counted_and_zero_means_eight() {
    rig.command(INVAL | 8L << 40).command(FENCE);
    for (int i = 0; i < 7; i++) {
      assertThat(complete(0, 0)).isTrue();
      assertThat(rig.idle()).isFalse();
    }
    assertThat(complete(0, 0)).isTrue();
    assertThat(rig.idle()).isTrue();
    assertThat(complete(0, 0)).isFalse();
  }

  @Test
  void a_completion_of_someone_else_is_not_accepted() {
    rig.command(INVAL | 1L << 33 | 2L << 56 | 8L << 40).command(FENCE);
    int tag = rig.invalidations.getFirst().tag();
    assertThat(rig.invalidations.getFirst())
        .isEqualTo(new AtsInvalidation(0x2_0008, true, -1, tag, 0));
    assertThat(rig.unit.invalidationCompleted(0x2_0009, true, 1 << tag, 1)).isFalse();
    assertThat(rig.unit.invalidationCompleted(0x3_0008, true, 1 << tag, 1)).isFalse();
    assertThat(rig.unit.invalidationCompleted(0x0_0008, false, 1 << tag, 1)).isFalse();
    assertThat(rig.unit.invalidationCompleted(0x2_0008, true, 2 << tag, 1)).isFalse();
    assertThat(rig.idle()).isFalse();
    assertThat(rig.unit.invalidationCompleted(0x2_0008, true, 1 << tag, 1)).isTrue();
    assertThat(rig.idle()).isTrue();
  }

  @Test
  void a_timeout_is_told_by_the_next_fence_which_is_then_done_again() {
    rig.write(CQCSR, 3);
    rig.command(INVAL | 8L << 40).command(FENCE | 1 << 10, Rig.MEMORY >>> 2).command(0x1);
    rig.unit.invalidationTimedOut(1 << rig.invalidations.getFirst().tag());
    assertThat(rig.read(CQH)).isEqualTo(1);
    assertThat(rig.read(CQCSR)).isEqualTo(RUNNING | 2 | 1 << 9);
    assertThat(rig.read(IPSR, CIP)).isEqualTo(1);
    rig.write(CQCSR, 3 | CMD_TO.mask());
    assertThat(rig.idle()).isTrue();
    assertThat(complete(0, 1)).isFalse();
  }

  @Test
  void a_timeout_of_nothing_is_no_timeout() {
    rig.unit.invalidationTimedOut(-1);
    rig.command(FENCE);
    assertThat(rig.idle()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 32})
  void without_a_free_tag_an_invalidation_waits(int tags) {
    use(Rig.with().option("itags", tags));
    rig.queues();
    for (int i = 0; i <= tags; i++) {
      rig.command(INVAL | (long) i << 40);
    }
    rig.command(0x1);
    assertThat(rig.invalidations).hasSize(tags);
    assertThat(rig.idle()).isFalse();
    assertThat(complete(0, 1)).isTrue();
    assertThat(rig.invalidations).hasSize(tags + 1);
    assertThat(rig.idle()).isTrue();
    // The freed tag was used again.
    assertThat(rig.invalidations.getLast().tag()).isEqualTo(rig.invalidations.getFirst().tag());
  }

  @Test
  void turning_the_queue_off_waits_for_the_fence_that_waits() {
    rig.command(INVAL | 8L << 40).command(FENCE).command(0x1);
    rig.write(CQCSR, 0);
    assertThat(rig.read(CQCSR)).isEqualTo(0x3_0000); // on and busy
    rig.write(CQCSR, 1); // ignored while busy
    rig.write(Registers.CQB, 0);
    assertThat(rig.read(CQCSR)).isEqualTo(0x3_0000);
    assertThat(rig.read(Registers.CQB)).isNotZero();
    assertThat(complete(0, 1)).isTrue();
    assertThat(rig.read(CQCSR)).isZero();
    assertThat(rig.read(CQH)).isEqualTo(2); // the fence is done, what follows is not
    rig.restarted(0);
    rig.queues();
    assertThat(rig.read(CQCSR)).isEqualTo(RUNNING);
    rig.command(FENCE);
    assertThat(rig.idle()).isTrue();
  }

  @Test
  void a_timeout_ends_the_wait_of_a_queue_that_is_being_turned_off() {
    rig.command(INVAL | 8L << 40).command(FENCE);
    rig.write(CQCSR, 0);
    rig.unit.invalidationTimedOut(-1);
    assertThat(rig.read(CQCSR)).isEqualTo(CMD_TO.mask());
    assertThat(rig.read(CQH)).isEqualTo(1);
  }

  @Test
  void a_queue_that_waits_for_a_tag_is_off_at_once() {
    use(Rig.with().option("itags", 1));
    rig.queues();
    rig.command(INVAL).command(INVAL | 1L << 40);
    rig.write(CQCSR, 0);
    assertThat(rig.read(CQCSR)).isZero();
    assertThat(complete(0, 1)).isTrue();
    assertThat(rig.invalidations).hasSize(1);
  }

  @Test
  void a_fence_that_waits_is_not_fetched_again() {
    rig.command(INVAL | 8L << 40).command(FENCE);
    rig.memory.writeLong(rig.commandQueue() + 16, 0x7f);
    assertThat(rig.read(CQH)).isEqualTo(1);
    rig.memory.writeLong(rig.commandQueue() + 16, 0x1);
    assertThat(rig.read(CQH)).isEqualTo(1);
    assertThat(complete(0, 1)).isTrue();
    assertThat(rig.read(CQH)).isEqualTo(2);
    assertThat(rig.read(CQCSR)).isEqualTo(RUNNING);
  }

  @Test
  void turning_the_queue_on_starts_at_zero_and_clears_errors() {
    rig.command(0x1).command(0x7f);
    assertThat(has(CMD_ILL)).isTrue();
    rig.write(CQCSR, 0);
    assertThat(rig.read(CQCSR)).isEqualTo(CMD_ILL.mask());
    assertThat(rig.read(CQH)).isEqualTo(1);
    rig.write(CQT, 0);
    rig.write(CQCSR, 1);
    assertThat(rig.read(CQCSR)).isEqualTo(RUNNING);
    assertThat(rig.read(CQH)).isZero();
  }

  @Test
  void the_queue_wraps_around() {
    for (int i = 0; i < 1_000; i++) {
      rig.command(0x1);
      assertThat(rig.idle()).isTrue();
    }
    assertThat(rig.read(CQH)).isEqualTo(1_000 % 128);
  }

  @Test
  void a_misaligned_base_and_the_offset_are_ored() {
    long page = rig.frames(2) + 4096;
    rig.write(CQCSR, 0);
    rig.write(Registers.CQB, page >>> 12 << 10 | 8); // 512 entries need 8 KiB
    rig.memory.writeLong(page, 0x1);
    rig.write(CQT, 1);
    rig.write(CQCSR, 1);
    assertThat(rig.read(CQH)).isEqualTo(1);
    assertThat(rig.read(CQCSR)).isEqualTo(RUNNING);
    // Entry 256 would be at the next page; it is at the same.
    rig.write(CQT, 257);
    assertThat(rig.read(CQH)).isEqualTo(1);
    assertThat(has(CMD_ILL)).isTrue();
  }

  @Test
  void responses_to_page_requests_go_out_as_the_command_says() {
    rig.command(0x1_0001_0000_5084L, 0x1003_0000_0000L);
    assertThat(rig.responses).hasSize(1);
    var r = rig.responses.getFirst();
    assertThat(r.source()).isEqualTo(0x100);
    assertThat(r.segmented()).isFalse();
    assertThat(r.pasid()).isEqualTo(5);
    assertThat(r.group()).isEqualTo(3);
    assertThat(r.code()).isEqualTo(1);
    assertThat(r.payload()).isEqualTo(0x1003_0000_0000L);
    rig.command(0x84 | 0x200L << 40 | 7L << 56, 0xf000_0000_0000L); // DSEG without DSV
    assertThat(rig.responses.getLast())
        .isEqualTo(new PageResponse(0x0200, false, -1, 0, 15, 0xf000_0000_0000L));
  }
}
