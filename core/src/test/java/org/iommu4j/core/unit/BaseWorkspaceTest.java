package org.iommu4j.core.unit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;
import org.iommu4j.core.dma.Inspector;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.memory.Failure;
import org.iommu4j.core.memory.MemoryRegion;
import org.iommu4j.core.memory.PhysicalMemory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BaseWorkspaceTest {
  private static final long RAM = 0x8000_0000L;
  private static final long MORE = 0x9000_0000L;

  /** The unit has addresses of 40 bits. */
  private static final long BEYOND = 1L << 40;

  private static final long VALUE = 0x1122_3344_5566_7788L;

  private final PhysicalMemory memory = new PhysicalMemory();
  private final ToyUnit unit = new ToyUnit(memory);
  private final ToyUnit.Setup setup = unit.setup();
  private final ToyUnit.Workspace w = unit.attach(new Translation());

  BaseWorkspaceTest() {
    memory.addAnonymous(RAM, 1 << 16);
    memory.addAnonymous(MORE, 1 << 16);
  }

  @AfterEach
  void close() {
    memory.close();
  }

  @Test
  void an_entry_is_loaded_from_whatever_region_holds_it() {
    memory.writeLong(RAM + 8, VALUE);
    memory.writeLong(MORE, 7);
    assertThat(w.load(setup, RAM + 8)).isTrue();
    assertThat(w.entry()).isEqualTo(VALUE);
    assertThat(w.region().base()).isEqualTo(RAM);
    assertThat(w.load(setup, MORE)).isTrue();
    assertThat(w.entry()).isEqualTo(7);
    assertThat(w.region().base()).isEqualTo(MORE);
  }

  @Test
  void an_entry_of_four_bytes_is_zero_extended() {
    memory.writeLong(RAM, -1);
    assertThat(w.fetch(setup, RAM + 4, 4)).isEqualTo(PhysicalMemory.OK);
    assertThat(w.entry()).isEqualTo(0xffff_ffffL);
  }

  @Test
  void where_no_memory_is_nothing_is_read() {
    memory.writeLong(RAM, VALUE);
    w.load(setup, RAM);
    assertThat(w.load(setup, 0x1000)).isFalse();
    assertThat(w.entry()).isZero();
    assertThat(w.loadPair(setup, 0x1000)).isFalse();
  }

  @Test
  void an_address_that_the_unit_cannot_send_is_not_read_even_if_memory_is_there() {
    memory.addAnonymous(BEYOND, 1 << 16);
    memory.writeLong(BEYOND, VALUE);
    assertThat(w.fetch(setup, BEYOND)).isEqualTo(PhysicalMemory.VIOLATION);
    assertThat(w.fetch(setup, BEYOND, 4)).isEqualTo(PhysicalMemory.VIOLATION);
    assertThat(w.fetchPair(setup, BEYOND)).isEqualTo(PhysicalMemory.VIOLATION);
    assertThat(w.region(setup, BEYOND)).isSameAs(MemoryRegion.NONE);
  }

  @Test
  void of_a_region_that_reaches_beyond_only_what_lies_within_is_read() {
    memory.addAnonymous(BEYOND - 0x1000, 0x2000);
    memory.writeLong(BEYOND - 8, VALUE);
    assertThat(w.load(setup, BEYOND - 8)).isTrue();
    assertThat(w.entry()).isEqualTo(VALUE);
    assertThat(w.load(setup, BEYOND)).isFalse();
    assertThat(w.loadPair(setup, BEYOND - 16)).isTrue();
    assertThat(w.pair().second()).isEqualTo(VALUE);
  }

  @Test
  void registers_are_no_place_for_tables() {
    memory.addDevice(0x1000_0000L, 4096, unit);
    assertThat(w.load(setup, 0x1000_0000L)).isFalse();
    assertThat(w.loadPair(setup, 0x1000_0000L)).isFalse();
  }

  @Test
  void what_is_poisoned_is_told_from_what_is_not_there() {
    memory.inject(RAM, 8, Failure.POISON);
    assertThat(w.fetch(setup, RAM)).isEqualTo(PhysicalMemory.POISONED);
    assertThat(w.fetchPair(setup, RAM)).isEqualTo(PhysicalMemory.POISONED);
    assertThat(w.fetch(setup, RAM + 8)).isEqualTo(PhysicalMemory.OK);
  }

  @Test
  void a_pair_is_read_as_one() {
    memory.writeLong(RAM, 3);
    memory.writeLong(RAM + 8, VALUE);
    assertThat(w.loadPair(setup, RAM)).isTrue();
    assertThat(w.pair().first()).isEqualTo(3);
    assertThat(w.pair().second()).isEqualTo(VALUE);
  }

  @Test
  void memory_that_was_taken_away_is_not_read_by_the_next_request() {
    assertThat(w.load(setup, MORE)).isTrue();
    memory.remove(memory.region(MORE));
    w.begin(memory);
    assertThat(w.load(setup, MORE)).isFalse();
  }

  @Test
  void entries_are_noted_only_for_who_looks() {
    Layout layout = Layout.of("entry", "nowhere", Field.bit("V", 0));
    w.note("entry", layout, RAM, 1);
    assertThat(w.traced()).isFalse();
    List<Inspector.Step> steps = new ArrayList<>();
    w.trace(steps);
    w.note("entry", layout, RAM, 1);
    assertThat(w.traced()).isTrue();
    assertThat(steps).hasSize(1);
    assertThat(steps.getFirst().address()).isEqualTo(RAM);
  }
}
