package org.iommu4j.core.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.iommu4j.core.memory.PhysicalMemory.OK;
import static org.iommu4j.core.memory.PhysicalMemory.VIOLATION;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PhysicalMemoryTest {
  private static final long GIB = 1L << 30;

  private final PhysicalMemory memory = new PhysicalMemory();

  @AfterEach
  void close() {
    memory.close();
  }

  @Test
  void memory_beyond_two_gibibytes_is_one_region() {
    memory.addAnonymous(0x8000_0000L, 8 * GIB);
    for (long at : new long[] {0, 2 * GIB - 8, 2 * GIB, 5 * GIB + 16, 8 * GIB - 8}) {
      long pa = 0x8000_0000L + at;
      assertThat(memory.readLong(pa)).isZero();
      assertThat(memory.writeLong(pa, ~at)).isEqualTo(OK);
      assertThat(memory.readLong(pa)).isEqualTo(~at);
    }
    assertThat(memory.region(0x8000_0000L + 7 * GIB)).isSameAs(memory.region(0x8000_0000L));
    assertThat(memory.status(0x8000_0000L, 8 * GIB, true)).isEqualTo(OK);
    assertThat(memory.status(0x8000_0000L, 8 * GIB + 1, true)).isEqualTo(VIOLATION);
  }

  @Test
  void words_and_bytes_are_little_endian() {
    memory.addAnonymous(0, 4096);
    memory.writeLong(8, 0x0123_4567_89ab_cdefL);
    assertThat(memory.readInt(8)).isEqualTo(0x89ab_cdefL);
    assertThat(memory.readInt(12)).isEqualTo(0x0123_4567L);
    assertThat(memory.readBytes(9, 1)).isEqualTo(0xcd);
    assertThat(memory.readBytes(9, 3)).isEqualTo(0x89abcdL);
    byte[] bytes = new byte[8];
    assertThat(memory.read(8, bytes, 0, 8)).isEqualTo(OK);
    assertThat(bytes[0]).isEqualTo((byte) 0xef);
  }

  @Test
  void unaligned_accesses_cross_region_ends() {
    memory.addAnonymous(0x1000, 0x1000);
    memory.addAnonymous(0x2000, 0x1000);
    assertThat(memory.writeLong(0x1ffb, 0x1122_3344_5566_7788L)).isEqualTo(OK);
    assertThat(memory.readLong(0x1ffb)).isEqualTo(0x1122_3344_5566_7788L);
    assertThat(memory.readBytes(0x2000, 3)).isEqualTo(0x11_2233L);
    assertThat(memory.writeInt(0x1ffe, 0xcafe_babe)).isEqualTo(OK);
    assertThat(memory.readInt(0x1ffe)).isEqualTo(0xcafe_babeL);
    for (int length = 1; length <= 8; length++) {
      assertThat(memory.writeBytes(0x1ffd, -1, length)).isEqualTo(OK);
      assertThat(memory.readBytes(0x1ffd, length)).isEqualTo(-1L >>> (64 - 8 * length));
    }
  }

  @Test
  void a_hole_is_a_result_and_nothing_of_the_access_is_done() {
    memory.addAnonymous(0x1000, 0x1000);
    memory.addAnonymous(0x3000, 0x1000);
    assertThat(memory.status(0x2000, 4, false)).isEqualTo(VIOLATION);
    assertThat(memory.writeLong(0x1ffc, -1)).isEqualTo(VIOLATION);
    assertThat(memory.write(0x1ff0, new byte[] {1, 2, 3}, 0, 3)).isEqualTo(OK);
    byte[] big = new byte[0x2100];
    big[0] = 9;
    assertThat(memory.write(0x1ff0, big, 0, big.length)).isEqualTo(VIOLATION);
    assertThat(memory.read(0x1ff0, big, 0, big.length)).isEqualTo(VIOLATION);
    assertThat(big[0]).isEqualTo((byte) 9);
    assertThat(memory.readBytes(0x1ff0, 3)).isEqualTo(0x030201);
    assertThat(memory.readInt(0x1ffc)).isZero();
  }

  @Test
  void nothing_wraps_around_the_end_of_the_address_space() {
    memory.addAnonymous(0xffff_ffff_ffff_f000L, 0x1000);
    memory.addAnonymous(0, 0x1000);
    assertThat(memory.writeLong(0xffff_ffff_ffff_fff8L, 5)).isEqualTo(OK);
    assertThat(memory.readLong(0xffff_ffff_ffff_fff8L)).isEqualTo(5);
    assertThat(memory.status(0xffff_ffff_ffff_fffcL, 8, false)).isEqualTo(VIOLATION);
    assertThat(memory.writeInt(0xffff_ffff_ffff_fffeL, -1)).isEqualTo(VIOLATION);
    assertThat(memory.status(-1, 1, true)).isEqualTo(OK);
    assertThat(memory.status(-1, Long.MAX_VALUE, true)).isEqualTo(VIOLATION);
    assertThat(memory.status(0, 0, true)).isEqualTo(VIOLATION);
  }

  @Test
  void a_region_that_overlaps_wraps_or_is_misaligned_is_refused() {
    memory.addAnonymous(0x1000, 0x1000);
    assertThatThrownBy(() -> memory.addAnonymous(0x1ff8, 8)).hasMessageContaining("overlaps");
    assertThatThrownBy(() -> memory.addAnonymous(0x800, 0x1000)).hasMessageContaining("overlaps");
    assertThatThrownBy(() -> memory.addAnonymous(0xffff_ffff_ffff_f000L, 0x2000))
        .hasMessageContaining("wraps");
    assertThatThrownBy(() -> memory.addAnonymous(0x3004, 0x1000)).hasMessageContaining("aligned");
    assertThatThrownBy(() -> memory.addSegment(0x3000, MemorySegment.ofArray(new long[4])))
        .hasMessageContaining("native");
    assertThat(memory.regions()).hasSize(1);
  }

  @Test
  void a_file_is_shared_with_the_memory(@TempDir Path folder) throws IOException {
    Path file = Files.write(folder.resolve("image"), new byte[0x3000]);
    memory.addFile(0x8000_0000L, file, 0x1000, 0x2000);
    memory.writeLong(0x8000_0008L, 0x0102_0304L);
    byte[] bytes = Files.readAllBytes(file);
    assertThat(bytes[0x1008]).isEqualTo((byte) 4);
    assertThat(bytes[0x100b]).isEqualTo((byte) 1);
    assertThatThrownBy(() -> memory.addFile(0x9000_0000L, file, 0x2000, 0x2000))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("has 12288 bytes, 16384 are needed");
  }

  @Test
  void a_removed_region_is_a_hole() {
    MemoryRegion low = memory.addAnonymous(0x1000, 0x1000);
    memory.addAnonymous(0x2000, 0x1000);
    int version = memory.version();
    memory.remove(low);
    assertThat(memory.version()).isNotEqualTo(version);
    assertThat(memory.status(0x1000, 8, false)).isEqualTo(VIOLATION);
    assertThat(memory.status(0x2000, 8, false)).isEqualTo(OK);
    assertThat(memory.region(0x1000)).isSameAs(MemoryRegion.NONE);
  }

  @Test
  void memory_of_the_caller_is_used_where_it_is() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment segment = arena.allocate(64, 8);
      MemoryRegion region = memory.addSegment(0x4000, segment);
      memory.writeLong(0x4010, 77);
      assertThat(segment.get(java.lang.foreign.ValueLayout.JAVA_LONG, 0x10)).isEqualTo(77);
      memory.remove(region);
    }
  }

  @Test
  void atomics_replace_what_is_expected_and_return_what_was_there() {
    memory.addAnonymous(0, 0x1000);
    memory.writeLong(0x10, 5);
    assertThat(memory.compareAndExchangeLong(0x10, 4, 9)).isEqualTo(5);
    assertThat(memory.readLong(0x10)).isEqualTo(5);
    assertThat(memory.compareAndExchangeLong(0x10, 5, 9)).isEqualTo(5);
    assertThat(memory.readLong(0x10)).isEqualTo(9);
    memory.writeInt(0x24, -2);
    assertThat(memory.compareAndExchangeInt(0x24, -2, 7)).isEqualTo(-2);
    assertThat(memory.readInt(0x24)).isEqualTo(7);
  }

  @Test
  void bulk_transfers_cross_regions() {
    memory.addAnonymous(0x1000, 0x1000);
    memory.addAnonymous(0x2000, 0x2000);
    byte[] data = new byte[0x1800];
    for (int i = 0; i < data.length; i++) {
      data[i] = (byte) (i * 7);
    }
    assertThat(memory.write(0x1c03, data, 0, data.length)).isEqualTo(OK);
    byte[] back = new byte[data.length];
    assertThat(memory.read(0x1c03, back, 0, back.length)).isEqualTo(OK);
    assertThat(back).isEqualTo(data);
  }

  @Test
  void sparse_memory_exists_everywhere_below_its_size_and_nowhere_above() {
    try (PhysicalMemory sparse = PhysicalMemory.sparse(40)) {
      assertThat(sparse.readLong(0xff_ffff_fff8L)).isZero();
      assertThat(sparse.writeLong(0xff_ffff_fff8L, 3)).isEqualTo(OK);
      assertThat(sparse.readLong(0xff_ffff_fff8L)).isEqualTo(3);
      assertThat(sparse.status(0x100_0000_0000L, 1, false)).isEqualTo(VIOLATION);
      assertThat(sparse.status(0xff_ffff_fffcL, 8, false)).isEqualTo(VIOLATION);
      assertThat(sparse.writeLong(0x5ffc, 0x1111_2222_3333_4444L)).isEqualTo(OK);
      assertThat(sparse.readInt(0x6000)).isEqualTo(0x1111_2222L);
      assertThat(sparse.compareAndExchangeLong(0x9000, 0, 8)).isZero();
      byte[] page = new byte[0x3000];
      page[0] = 1;
      assertThat(sparse.read(0x7000, page, 0, page.length)).isEqualTo(OK);
      assertThat(page[0]).isZero();
      assertThat(page[0x2000]).isEqualTo((byte) 8);
    }
  }

  @Test
  void sparse_memory_may_be_the_whole_address_space() {
    try (PhysicalMemory sparse = PhysicalMemory.sparse(64)) {
      assertThat(sparse.writeLong(-8, 6)).isEqualTo(OK);
      assertThat(sparse.readLong(-8)).isEqualTo(6);
      assertThat(sparse.status(-4, 8, false)).isEqualTo(VIOLATION);
    }
    assertThatThrownBy(() -> PhysicalMemory.sparse(65)).hasMessageContaining("2^65");
  }

  @Test
  void unaligned_words_agree_with_a_byte_array() {
    memory.addAnonymous(0, 256);
    byte[] shadow = new byte[256];
    org.iommu4j.core.testing.Property.of(
            "bytes",
            1_000,
            random -> new long[] {random.nextInt(248), random.nextInt(1, 9), random.nextLong()})
        .holdsForEach(
            w -> {
              assertThat(memory.writeBytes(w[0], w[2], (int) w[1])).isEqualTo(OK);
              for (int i = 0; i < w[1]; i++) {
                shadow[(int) w[0] + i] = (byte) (w[2] >>> (8 * i));
              }
              byte[] now = new byte[256];
              memory.read(0, now, 0, 256);
              assertThat(now).isEqualTo(shadow);
            });
  }

  /** It was there when the access began: what is written is lost, and nothing else happens. */
  @Test
  void memory_may_be_taken_away_under_an_access() throws InterruptedException {
    try (PhysicalMemory plugged = new PhysicalMemory();
        Arena arena = Arena.ofShared()) {
      MemorySegment segment = arena.allocate(4096, 8);
      AtomicBoolean ends = new AtomicBoolean();
      Thread machine =
          Thread.ofPlatform()
              .start(
                  () -> {
                    while (!ends.get()) {
                      plugged.remove(plugged.addSegment(0x1000, segment));
                    }
                  });
      try {
        byte[] bytes = new byte[16];
        int carriedOut = 0;
        for (int n = 0; n < 300_000; n++) {
          carriedOut += plugged.writeLong(0x1001, n) == PhysicalMemory.OK ? 1 : 0;
          carriedOut += plugged.write(0x1010, bytes, 0, 16) == PhysicalMemory.OK ? 1 : 0;
          EntryUpdate.set(plugged, 0x1020, 0, 1, false);
          if (plugged.status(0x1030, 4, true) == PhysicalMemory.OK) {
            plugged.compareAndExchangeInt(0x1030, 0, 0);
          }
        }
        assertThat(carriedOut).isPositive();
      } finally {
        ends.set(true);
        machine.join();
      }
    }
  }
}
