package org.iommu4j.driver.support;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.iommu4j.core.testing.Gen;
import org.iommu4j.core.testing.Property;
import org.junit.jupiter.api.Test;

class PageSizesTest {
  private static final long SIZES = PageSizes.of(12, 16, 21, 30);

  private record Range(long iova, long pa, long size) {}

  private static final Gen<Range> RANGES =
      random -> {
        long align = 1L << random.nextInt(12, 32);
        long size = random.nextLong(1, 1L << random.nextInt(1, 21)) << 12;
        return new Range(
            random.nextLong(1L << 40) & -align, random.nextLong(1L << 40) & -align, size);
      };

  @Test
  void the_largest_page_is_aligned_fits_and_no_larger_one_does() {
    Property.of("largest", 20_000, RANGES)
        .holdsForEach(
            r -> {
              long expected = 0;
              for (long page : List.of(1L << 12, 1L << 16, 1L << 21, 1L << 30)) {
                if (r.iova % page == 0 && r.pa % page == 0 && page <= r.size) {
                  expected = page;
                }
              }
              assertThat(PageSizes.largest(SIZES, r.iova, r.pa, r.size)).isEqualTo(expected);
            });
  }

  @Test
  void a_run_takes_the_same_pages_as_one_by_one() {
    Property.of("run", 20_000, RANGES)
        .holdsForEach(
            r -> {
              long page = PageSizes.largest(SIZES, r.iova, r.pa, r.size);
              long run = PageSizes.run(SIZES, page, r.iova, r.pa, r.size);
              long bytes = 0;
              while (bytes < r.size
                  && PageSizes.largest(SIZES, r.iova + bytes, r.pa + bytes, r.size - bytes)
                      == page) {
                bytes += page;
              }
              assertThat(run).isEqualTo(bytes);
            });
  }

  @Test
  void sizes_are_written_as_people_write_them() {
    assertThat(PageSizes.describe(PageSizes.of(12, 16, 21, 30, 39, 48)))
        .isEqualTo("4K, 64K, 2M, 1G, 512G, 256T");
  }
}
