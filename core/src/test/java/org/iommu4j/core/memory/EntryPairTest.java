package org.iommu4j.core.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.iommu4j.core.testing.WideStore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class EntryPairTest {
  private static final long AT = 0x1000;

  private final PhysicalMemory memory = new PhysicalMemory();
  private final MemoryRegion region = memory.addAnonymous(AT, 0x1000);

  @AfterEach
  void close() {
    memory.close();
  }

  /** Memory as a test tells it: which entry each load finds. */
  private static final class Told extends EntryPair {
    private final long[][] entries;
    private int loads;

    /** The last entry remains. */
    Told(long[]... entries) {
      this.entries = entries;
    }

    @Override
    long half(MemoryRegion region, long pa) {
      return entries[Math.min(loads++, entries.length - 1)][pa == AT ? 0 : 1];
    }

    boolean load() {
      return load(MemoryRegion.NONE, AT);
    }
  }

  private static final long[] A = {1, -1};
  private static final long[] B = {2, -2};
  private static final long[] C = {3, -3};

  @Test
  void the_lower_address_is_first() {
    memory.writeLong(AT + 0x20, 5);
    memory.writeLong(AT + 0x28, 6);
    EntryPair pair = new EntryPair();
    assertThat(memory.readPair(AT + 0x20, pair)).isTrue();
    assertThat(pair.first()).isEqualTo(5);
    assertThat(pair.second()).isEqualTo(6);
  }

  @Test
  void memory_that_nobody_wrote_to_is_zero() {
    try (PhysicalMemory sparse = PhysicalMemory.sparse(40)) {
      EntryPair pair = new EntryPair();
      pair.set(1, 2);
      assertThat(sparse.readPair(0x1230, pair)).isTrue();
      assertThat(pair.first() | pair.second()).isZero();
    }
  }

  @Test
  void a_pair_that_two_regions_share_is_read() {
    memory.addAnonymous(AT + 0x1000, 0x1000);
    memory.writeLong(AT + 0xff8, 7);
    memory.writeLong(AT + 0x1000, 8);
    EntryPair pair = new EntryPair();
    assertThat(memory.readPair(AT + 0xff8, pair)).isTrue();
    assertThat(pair.first()).isEqualTo(7);
    assertThat(pair.second()).isEqualTo(8);
  }

  @Test
  void two_stores_between_any_loads_leave_the_halves_together() {
    for (int one = 0; one < 8; one++) {
      for (int two = one; two < 8; two++) {
        long[][] found = new long[9][];
        for (int load = 0; load < found.length; load++) {
          found[load] = load < one ? A : load < two ? B : C;
        }
        Told pair = new Told(found);
        assertThat(pair.load()).isTrue();
        assertThat(pair.second())
            .as("stores before loads %d and %d: first %d", one, two, pair.first())
            .isEqualTo(-pair.first());
      }
    }
  }

  @Test
  void a_second_half_that_changes_alone_is_what_was_loaded() {
    Told pair = new Told(new long[] {1, 10}, new long[] {1, 20}, new long[] {1, 30});
    assertThat(pair.load()).isTrue();
    assertThat(pair.second()).isEqualTo(20);
  }

  /** The exception that the class tells of. */
  @Test
  void a_first_half_that_goes_and_comes_back_is_not_noticed() {
    Told pair = new Told(A, B, A);
    assertThat(pair.load()).isTrue();
    assertThat(pair.first()).isEqualTo(1);
    assertThat(pair.second()).isEqualTo(-2);
  }

  @Test
  void what_never_holds_still_is_not_read() {
    long[][] found = new long[3 * EntryPair.TRIES][];
    for (int load = 0; load < found.length; load++) {
      found[load] = new long[] {load, -load};
    }
    Told pair = new Told(found);
    assertThat(pair.load()).isFalse();
    assertThat(pair.first() | pair.second()).isZero();
    assertThat(pair.loads).isEqualTo(1 + 2 * EntryPair.TRIES);
  }

  @Test
  void a_pair_that_holds_still_at_the_last_try_is_read() {
    long[][] found = new long[2 * EntryPair.TRIES - 1][];
    for (int load = 0; load < found.length; load++) {
      found[load] = new long[] {load, -load};
    }
    Told pair = new Told(found);
    assertThat(pair.load()).isTrue();
    assertThat(pair.second()).isEqualTo(-pair.first()).isEqualTo(1 - found.length);
  }

  @Test
  void halves_of_stores_of_16_bytes_belong_together() {
    Optional<WideStore> wide = WideStore.find();
    assumeTrue(wide.isPresent(), "no store of 16 bytes here");
    MemorySegment entry = region.segment().asSlice(0, EntryPair.BYTES);
    wide.get().during(entry, n -> n, n -> ~n, this::halvesAreComplements);
  }

  private void halvesAreComplements() {
    EntryPair pair = new EntryPair();
    long last = 0;
    int changes = 0;
    long end = System.nanoTime() + 30_000_000_000L;
    for (int reads = 0; reads < 1_000_000 || changes < 2; reads++) {
      if ((reads & 0xffff) == 0) {
        assertThat(System.nanoTime()).as("seen to change %d times", changes).isLessThan(end);
      }
      if (memory.readPair(AT, pair)) {
        if (pair.second() != ~pair.first()) {
          assertThat(pair.second()).as("beside %x", pair.first()).isEqualTo(~pair.first());
        }
        changes += pair.first() != last ? 1 : 0;
        last = pair.first();
      }
    }
  }
}
