package org.iommu4j.riscv.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.riscv.model.Map39.A;
import static org.iommu4j.riscv.model.Map39.D;
import static org.iommu4j.riscv.model.Map39.USER;
import static org.iommu4j.riscv.model.Map39.W;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaPort;
import org.iommu4j.core.memory.Failure;
import org.iommu4j.riscv.layout.Cause;
import org.iommu4j.riscv.layout.DeviceContext;
import org.iommu4j.riscv.layout.Registers;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The three cache behaviours: what each keeps, and what none may keep. */
class CacheBehaviourTest {
  private static final long IOVA = 0x4000_0000L;
  private static final long PSCID_5_ALL = 0x1_0000_5001L;

  private Rig rig;
  private Dir dir;
  private Map39 first;

  @AfterEach
  void close() {
    rig.close();
  }

  private void start(String cache) {
    rig = Rig.standard(cache).queues();
    first = Map39.first(rig);
    dir = new Dir(rig).pscid(5).fsc(8, first.root).start();
  }

  private boolean reads(long iova) {
    return rig.access(Dir.DID, iova, Access.READ);
  }

  private boolean writes(long iova) {
    return rig.access(Dir.DID, iova, Access.WRITE);
  }

  @ParameterizedTest
  @CsvSource({"off, false", "normal, true", "worst-case, true"})
  void a_page_taken_out_of_the_tables_is_reached_as_long_as_it_is_cached(
      String cache, boolean kept) {
    start(cache);
    first.map(IOVA, Rig.MEMORY, USER);
    assertThat(reads(IOVA)).isTrue();
    rig.memory.writeLong(first.slot(IOVA, 0), 0);
    assertThat(reads(IOVA)).isEqualTo(kept);
    rig.command(PSCID_5_ALL).command(0x3002);
    assertThat(reads(IOVA)).isFalse();
  }

  @ParameterizedTest
  @CsvSource({"off, false", "normal, true", "worst-case, true"})
  void a_context_is_kept_until_its_command(String cache, boolean kept) {
    start(cache);
    first.map(IOVA, Rig.MEMORY, USER);
    assertThat(reads(IOVA)).isTrue();
    rig.memory.writeLong(dir.context, 0);
    assertThat(reads(IOVA)).isEqualTo(kept);
    rig.command(0x2_0000_0003L | (long) Dir.DID << 40);
    assertThat(reads(IOVA)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"off", "normal", "worst-case"})
  void nothing_that_was_not_valid_is_ever_kept(String cache) {
    start(cache);
    assertThat(reads(IOVA)).isFalse();
    first.map(IOVA, Rig.MEMORY, USER);
    assertThat(reads(IOVA)).isTrue();
    assertThat(rig.access(Dir.DID ^ 1, IOVA, Access.READ)).isFalse();
    rig.memory.writeLong(dir.context ^ 64, 1);
    assertThat(rig.access(Dir.DID ^ 1, IOVA, Access.READ)).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"off, true", "normal, true", "worst-case, false"})
  void a_valid_entry_that_refused_may_be_kept_as_it_was(String cache, boolean repaired) {
    start(cache);
    first.map(IOVA, Rig.MEMORY, USER & ~A);
    assertThat(reads(IOVA)).isFalse();
    first.map(IOVA, Rig.MEMORY, USER);
    assertThat(reads(IOVA)).isEqualTo(repaired);
    // Another page of another leaf does not help, this one does.
    rig.command(PSCID_5_ALL | 1 << 10, IOVA + 0x1_0000 >>> 2);
    assertThat(reads(IOVA)).isEqualTo(repaired);
    rig.command(PSCID_5_ALL | 1 << 10, IOVA >>> 2);
    assertThat(reads(IOVA)).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"off, true", "normal, true", "worst-case, false"})
  void any_address_of_a_superpage_that_refused_makes_it_looked_at_again(
      String cache, boolean repaired) {
    start(cache);
    first.map(IOVA, Rig.MEMORY, 1, USER & ~W);
    assertThat(writes(IOVA + 0x5000)).isFalse();
    first.map(IOVA, Rig.MEMORY, 1, USER);
    assertThat(writes(IOVA + 0x5000)).isEqualTo(repaired);
    rig.command(PSCID_5_ALL | 1 << 10, IOVA + 0x10_0000 >>> 2);
    assertThat(writes(IOVA + 0x5000)).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"off, true", "normal, true", "worst-case, false"})
  void a_misconfigured_context_may_be_kept(String cache, boolean repaired) {
    start(cache);
    dir.words[DeviceContext.TA] |= 1;
    dir.store();
    rig.command(0x3);
    assertThat(reads(Rig.MEMORY)).isFalse();
    dir.words[DeviceContext.TA] &= ~1;
    dir.store();
    first.map(Rig.MEMORY, Rig.MEMORY, USER);
    assertThat(reads(Rig.MEMORY)).isEqualTo(repaired);
    rig.command(0x3);
    assertThat(reads(Rig.MEMORY)).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"off, false", "normal, false", "worst-case, true"})
  void neighbours_may_be_fetched_without_being_asked_for(String cache, boolean fetched) {
    start(cache);
    for (int i = -1; i <= 1; i++) {
      first.map(IOVA + 4096L * i, Rig.MEMORY, USER);
    }
    assertThat(reads(IOVA)).isTrue();
    for (int i = -1; i <= 1; i += 2) {
      rig.memory.writeLong(first.slot(IOVA + 4096L * i, 0), 0);
      assertThat(reads(IOVA + 4096L * i)).isEqualTo(fetched);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"normal", "worst-case"})
  void what_nobody_asked_for_leaves_no_trace(String cache) {
    start(cache);
    dir.tc(DeviceContext.SADE).store();
    rig.command(0x3);
    first.map(IOVA, Rig.MEMORY, USER).map(IOVA + 4096, Rig.MEMORY, USER & ~A & ~D);
    rig.memory.inject(first.slot(IOVA, 0) - 8, 8, Failure.POISON);
    assertThat(reads(IOVA)).isTrue();
    assertThat(rig.memory.readLong(first.slot(IOVA + 4096, 0)) & (A | D)).isZero();
    assertThat(rig.faults()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"off", "normal", "worst-case"})
  void a_cached_clean_page_does_not_let_a_write_pass_unseen(String cache) {
    start(cache);
    dir.tc(DeviceContext.SADE).store();
    rig.command(0x3);
    first.map(IOVA, Rig.MEMORY, USER & ~D);
    assertThat(reads(IOVA)).isTrue();
    assertThat(rig.memory.readLong(first.slot(IOVA, 0)) & D).isZero();
    assertThat(writes(IOVA)).isTrue();
    assertThat(rig.memory.readLong(first.slot(IOVA, 0)) & D).isNotZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"off", "normal", "worst-case"})
  void permissions_hold_whatever_is_cached(String cache) {
    start(cache);
    first.map(IOVA, Rig.MEMORY, USER & ~W);
    assertThat(reads(IOVA)).isTrue();
    assertThat(writes(IOVA)).isFalse();
    assertThat(rig.access(Dir.DID, IOVA, Access.EXECUTE)).isTrue();
    // A write that also asks to execute is a write.
    assertThat(rig.access(Dir.DID, IOVA, Access.WRITE | Access.EXECUTE)).isFalse();
    assertThat(rig.access(Dir.DID, IOVA, Access.WRITE | Access.ATOMIC)).isFalse();
    assertThat(rig.faults())
        .extracting(Rig.Fault::cause)
        .containsOnly(Cause.WRITE_PAGE_FAULT)
        .hasSize(3);
  }

  @ParameterizedTest
  @ValueSource(strings = {"off", "normal", "worst-case"})
  void memory_that_changes_is_not_read_as_it_was(String cache) {
    start(cache);
    first.map(IOVA, Rig.MEMORY, USER);
    assertThat(reads(IOVA)).isTrue();
    rig.memory.inject(first.slot(IOVA, 0), 8, Failure.POISON);
    rig.command(PSCID_5_ALL).command(0x3002);
    assertThat(reads(IOVA)).isFalse();
    assertThat(rig.cause()).isEqualTo(Cause.PT_DATA_CORRUPTION);
    rig.memory.clearInjections();
    assertThat(reads(IOVA)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"off", "normal", "worst-case"})
  void tables_are_not_looked_for_in_registers(String cache) {
    start(cache);
    long page = 0x4000_0000L;
    rig.memory.addDevice(page, 4096, rig.unit);
    dir.fsc(8, page).store();
    rig.invalidateAll();
    assertThat(reads(IOVA)).isFalse();
    assertThat(rig.cause()).isEqualTo(Cause.READ_ACCESS_FAULT);
    rig.write(Registers.DDTP, 0);
    rig.write(Registers.DDTP, 2 | page >>> 12 << 10);
    rig.invalidateAll();
    assertThat(rig.access(0, IOVA, Access.READ)).isFalse();
    assertThat(rig.cause()).isEqualTo(Cause.DDT_ENTRY_LOAD_ACCESS_FAULT);
  }

  @ParameterizedTest
  @ValueSource(strings = {"off", "normal", "worst-case"})
  void a_device_may_write_the_registers_of_its_own_unit(String cache) {
    start(cache);
    long page = 0x4000_0000L;
    rig.memory.addDevice(page, 4096, rig.unit);
    first.map(IOVA, page, USER);
    try (DmaPort port = rig.port(Dir.DID)) {
      rig.memory.writeLong(rig.commandQueue(), 0x3002); // a fence: it waits for all accesses
      assertThat(port.writeInt(IOVA + Registers.CQT.offset(), 1)).isTrue();
      assertThat(port.readInt(IOVA + Registers.CQH.offset())).isTrue();
      assertThat(port.value()).isEqualTo(1);
    }
  }
}
