package org.iommu4j.machine.reach;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Iterator;
import java.util.List;
import org.iommu4j.core.dma.Access;
import org.iommu4j.machine.Platform;
import org.iommu4j.machine.Resource;
import org.iommu4j.machine.Settings;
import org.iommu4j.machine.description.PlatformFile;
import org.junit.jupiter.api.Test;

class IsolationTest {
  private static final String TEXT =
      """
      platform: test
      memory: [{base: 0x8000_0000, size: 64M}]
      iommus:
        - {name: u, arch: fake, base: 0x1000_0000, frames: {base: 0x8000_0000, size: 1M}}
      targets: [{name: cpu, base: 0x2000_0000}]
      devices:
        - {name: a, id: "00:01.0"}
        - {name: b, id: "00:02.0"}
        - {name: c, id: "00:03.0"}
        - {name: d, id: "00:04.0"}
      domains:
        - name: one
          maps:
            - {name: mine, iova: 0x1000, pa: 0x8100_0000, size: 8K, allow: rw}
            - {iova: 0x9000, target: cpu}
        - name: two
          maps:
            - {name: half, iova: 0x1000, pa: 0x8100_1000, size: 4K, allow: r}
        - {name: all, type: identity}
      attach:
        - {device: a, domain: one}
        - {device: b, domain: two}
        - {device: c, domain: all}
      """;

  private static Platform platform() {
    return Platform.of(PlatformFile.parse("test.yaml", TEXT), Settings.NONE);
  }

  private static Reach.Cell cell(Isolation isolation, String device, String resource) {
    Reach reach =
        isolation.reaches().stream().filter(r -> r.label().equals(device)).findFirst().get();
    Resource wanted =
        isolation.resources().stream().filter(r -> r.name().equals(resource)).findFirst().get();
    return reach.of(wanted);
  }

  @Test
  void the_matrix_says_what_the_tables_say() {
    try (Platform platform = platform()) {
      Isolation i = Isolation.of(platform, 100);
      int rw = Access.READ | Access.WRITE;
      assertThat(cell(i, "a", "mine")).isEqualTo(new Reach.Cell(rw, 8192));
      assertThat(cell(i, "a", "half")).isEqualTo(new Reach.Cell(rw, 4096));
      assertThat(cell(i, "b", "mine")).isEqualTo(new Reach.Cell(Access.READ, 4096));
      assertThat(cell(i, "a", "cpu")).isEqualTo(new Reach.Cell(Access.WRITE, 4096));
      assertThat(cell(i, "b", "cpu")).isEqualTo(new Reach.Cell(0, 0));
      assertThat(cell(i, "c", "u registers").permissions()).isEqualTo(7);
      assertThat(cell(i, "d", "mine")).isEqualTo(new Reach.Cell(0, 0));
      assertThat(i.differences()).isEmpty();
      assertThat(i.shared())
          .singleElement()
          .satisfies(
              s -> {
                assertThat(s.bytes()).isEqualTo(4096);
                assertThat(s.writable()).isEqualTo(4096);
              });
    }
  }

  @Test
  void what_is_not_looked_at_in_time_is_marked_as_truncated() {
    try (Platform platform = platform()) {
      // Asked at the start and for each device: the second one is late.
      Iterator<Long> seconds = List.of(0L, 1L, 21L, 22L, 23L).iterator();
      Isolation i = Isolation.of(platform, 100, () -> seconds.next() * 1_000_000_000L);
      assertThat(i.reaches().stream().map(r -> r.view().truncated()))
          .containsExactly(false, true, false, false);
      assertThat(i.reaches().get(1).view().mappings()).isEmpty();
      assertThat(i.differences()).isEmpty();
      assertThat(i.shared()).isEmpty();
    }
  }

  @Test
  void a_table_that_was_tampered_with_is_a_breach() {
    try (Platform platform = platform()) {
      long table = platform.units().getFirst().iommu().read(0, 8);
      long list = platform.memory().readLong(table + 0x10 * 8);
      platform.memory().writeLong(list + 16, 8192); // b's only range, twice as long
      platform.memory().writeLong(list + 24, 3); // and writable
      Isolation i = Isolation.of(platform, 100);
      assertThat(i.differences()).singleElement();
      assertThat(i.differences().getFirst().excess()).isTrue();
      assertThat(cell(i, "b", "mine")).isEqualTo(new Reach.Cell(3, 4096));
      Reach b = i.differences().getFirst().reach();
      assertThat(i.breached(b, i.resources().getFirst())).isTrue();
    }
  }

  @Test
  void a_lost_entry_is_a_difference_too() {
    try (Platform platform = platform()) {
      long table = platform.units().getFirst().iommu().read(0, 8);
      platform.memory().writeLong(table + 0x10 * 8, 0);
      Isolation i = Isolation.of(platform, 100);
      assertThat(i.differences())
          .singleElement()
          .hasToString("b: 4K at 0x1000, r-- to 0x81001000, was mapped and is not in reach");
    }
  }

  @Test
  void spans_add_and_subtract() {
    Spans s =
        Spans.union(
            java.util.List.of(
                new Spans.Span(0x10, 0x1f), new Spans.Span(0x20, 0x2f), new Spans.Span(-16, -1)));
    assertThat(s.list()).hasSize(2);
    assertThat(s.bytes()).isEqualTo(0x30);
    assertThat(s.minus(Spans.of(0x18, 8)).list())
        .containsExactly(
            new Spans.Span(0x10, 0x17), new Spans.Span(0x20, 0x2f), new Spans.Span(-16, -1));
    assertThat(s.and(Spans.of(-8, 8)).list()).containsExactly(new Spans.Span(-8, -1));
    assertThat(s.minus(s).isEmpty()).isTrue();
  }
}
