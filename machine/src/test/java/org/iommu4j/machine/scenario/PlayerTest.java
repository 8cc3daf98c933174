package org.iommu4j.machine.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Objects;
import org.iommu4j.machine.Platform;
import org.iommu4j.machine.Settings;
import org.iommu4j.machine.description.PlatformDescription;
import org.iommu4j.machine.description.PlatformFile;
import org.iommu4j.machine.description.Step;
import org.iommu4j.machine.reach.Isolation;
import org.iommu4j.machine.scenario.StepResult.Outcome;
import org.junit.jupiter.api.Test;

class PlayerTest {
  private static final Settings FAKE = new Settings("fake", null);

  private static Platform platform(String rest) {
    return Platform.of(description(rest), FAKE);
  }

  private static PlatformDescription description(String rest) {
    return PlatformFile.parse(
        "test.yaml",
        """
        platform: test
        memory: [{base: 0x8000_0000, size: 64M}]
        iommus:
          - {name: u, arch: fake, base: 0x1000_0000, frames: {base: 0x8000_0000, size: 1M}}
        targets: [{name: cpu, base: 0x2000_0000}]
        devices: [{name: a, id: "00:01.0"}, {name: b, id: "00:02.0"}]
        domains:
          - name: da
            maps:
              - {name: ro, iova: 0x1000, pa: 0x8100_0000, size: 4K, allow: r}
              - {name: rw, iova: 0x4000, pa: 0x8200_0000, size: 8K, allow: rw}
              - {iova: 0x9000, target: cpu}
        attach: [{device: a, domain: da}]
        """
            + rest);
  }

  private static List<StepResult> play(String steps) {
    PlatformDescription d = description("scenario:\n" + steps.indent(2));
    try (Platform platform = Platform.of(d, FAKE)) {
      return new Player(platform).play(d.scenario());
    }
  }

  private static StepResult only(String step) {
    return play("- " + step).getFirst();
  }

  @Test
  void an_access_within_its_mapping_passes() {
    StepResult r = only("write: {device: a, iova: 0x4ff8, length: 16, pa: 0x8200_0ff8}");
    assertThat(r.outcome()).isEqualTo(Outcome.OK);
    assertThat(r.objections()).isEmpty();
    assertThat(r.pa()).isEqualTo(0x8200_0ff8L);
    assertThat(r.faults()).isEmpty();
  }

  @Test
  void an_access_across_the_end_transfers_what_it_may() {
    StepResult r = only("write: {device: a, iova: 0x5ff8, length: 16, expect: blocked}");
    assertThat(r.outcome()).isEqualTo(Outcome.BLOCKED);
    assertThat(r.detail()).isEqualTo("after 8 of 16 bytes");
    assertThat(r.faults()).hasSize(1);
    assertThat(r.objections()).isEmpty();
  }

  @Test
  void a_blocked_access_has_its_fault_and_its_walk() {
    StepResult r = only("write: {device: a, iova: 0x1000, length: 8, expect: blocked}");
    assertThat(r.faults().getFirst().reason().name()).isEqualTo("NOT_PERMITTED");
    assertThat(Objects.requireNonNull(r.walk()).steps()).hasSize(2);
    assertThat(r.asExpected()).isTrue();
  }

  @Test
  void a_broken_expectation_is_an_objection() {
    assertThat(only("read: {device: a, iova: 0x8000, length: 8}").objections())
        .containsExactly("expected ok, was blocked");
    assertThat(only("read: {device: a, iova: 0x1000, length: 8, expect: blocked}").objections())
        .containsExactly("expected blocked, was ok");
    assertThat(only("read: {device: a, iova: 0x1000, length: 8, pa: 0x42}").objections())
        .containsExactly("expected to lead to 0x42, led to 0x81000000");
  }

  @Test
  void a_message_is_latched_by_its_target() {
    assertThat(only("msi: {device: a, address: 0x9000, data: 7}").detail())
        .isEqualTo("cpu latched 7");
    assertThat(only("msi: {device: b, address: 0x9000, data: 7, expect: blocked}").asExpected())
        .isTrue();
  }

  @Test
  void an_interrupt_arrives_where_it_was_made_to() {
    String more =
        """
        interrupts: [{name: rx, device: a, target: cpu, data: 33}]
        scenario:
          - msi: {device: a, interrupt: rx}
          - msi: {device: b, interrupt: rx, expect: blocked}
          - msi: {device: a, target: cpu, data: 33, expect: blocked}
        """;
    PlatformDescription d = description(more);
    try (Platform platform = Platform.of(d, FAKE)) {
      List<StepResult> all = new Player(platform).play(d.scenario());
      assertThat(all).allSatisfy(r -> assertThat(r.objections()).isEmpty());
      assertThat(all.getFirst().action()).isEqualTo("msi rx: 33 to 0x8000000");
      assertThat(all.getFirst().detail()).isEqualTo("cpu latched 33");
      assertThat(platform.target("cpu").count(33)).isEqualTo(1);
      assertThat(Isolation.of(platform, 100).differences()).isEmpty();
    }
  }

  @Test
  void a_processor_takes_messages_where_the_architecture_says() {
    String text =
        """
        platform: cpus
        memory: [{base: 0x8000_0000, size: 64M}]
        iommus:
          - {name: u, arch: fake, base: 0x1000_0000, frames: {base: 0x8000_0000, size: 1M}}
          - {name: v, arch: fake, base: 0x1001_0000, frames: {base: 0x8010_0000, size: 1M}}
        targets: [{name: cpu0, cpu: 0}, {name: cpu2, cpu: 2}]
        devices: [{name: a, id: "00:01.0", iommu: u}]
        """;
    PlatformDescription d = PlatformFile.parse("c.yaml", text);
    try (Platform platform = Platform.of(d, Settings.NONE)) {
      assertThat(platform.target("cpu0").base()).isEqualTo(0x2000_0000L);
      assertThat(platform.target("cpu2").base()).isEqualTo(0x2000_2000L);
    }
    PlatformDescription two =
        PlatformFile.parse("c.yaml", text.replace("v, arch: fake", "v, arch: riscv"));
    assertThatThrownBy(() -> Platform.of(two, Settings.NONE).close())
        .hasMessage(
            "c.yaml:6:11: cpu0: the architectures of this platform differ in where processor 0"
                + " takes messages; give an address: base: 0x20000000");
  }

  @Test
  void a_spoofed_requester_id_is_what_the_unit_sees() {
    StepResult r =
        only("write: {device: a, as: \"00:05.0\", iova: 0x4000, length: 8, expect: blocked}");
    assertThat(r.asExpected()).isTrue();
    assertThat(r.faults().getFirst().source()).isEqualTo(0x28);
    assertThat(r.actor()).isEqualTo("a");
  }

  @Test
  void drivers_map_unmap_attach_and_detach() {
    List<StepResult> all =
        play(
            """
            - attach: {device: b, domain: da}
            - cas: {device: b, iova: 0x4000, length: 4}
            - unmap: {domain: da, iova: 0x4000, size: 4K}
            - read: {device: b, iova: 0x4000, length: 8, expect: blocked}
            - read: {device: b, iova: 0x5000, length: 8}
            - map: {domain: da, iova: 0x5000, pa: 0x8300_0000, size: 4K, allow: r, expect: refused}
            - detach: {device: b}
            - read: {device: b, iova: 0x5000, length: 8, expect: blocked}
            - detach: {device: b, expect: refused}
            - fetch: {device: a, iova: 0x1000, length: 8, expect: blocked}
            """);
    assertThat(all).allSatisfy(r -> assertThat(r.objections()).isEmpty());
  }

  @Test
  void a_mapping_to_nowhere_aborts() {
    List<StepResult> all =
        play(
            """
            - map: {domain: da, iova: 0x10_0000, pa: 0x4000_0000, size: 4K, allow: rw}
            - read: {device: a, iova: 0x10_0000, length: 8, expect: aborted}
            """);
    assertThat(all).allSatisfy(r -> assertThat(r.objections()).isEmpty());
  }

  @Test
  void the_example_keeps_its_promises_on_the_fake() {
    PlatformDescription d = PlatformFile.example();
    try (Platform platform = Platform.of(d, FAKE)) {
      List<StepResult> results = new Player(platform).play(d.scenario());
      assertThat(results).allSatisfy(r -> assertThat(r.objections()).isEmpty());
      assertThat(results).anyMatch(r -> r.outcome() == Outcome.SKIPPED);
      assertThat(Isolation.of(platform, 1000).differences()).isEmpty();
    }
  }

  @Test
  void traffic_is_counted() {
    PlatformDescription d =
        description(
            """
            traffic:
              - {device: a, iova: 0x4000, size: 8K, access: 8, count: 5000, threads: 2}
              - {device: a, iova: 0x8000, size: 4K, access: 64, pattern: random}
            """);
    try (Platform platform = Platform.of(d, FAKE)) {
      TrafficRunner runner = new TrafficRunner(platform);
      Throughput good = runner.run(d.traffic().getFirst(), 0.01);
      assertThat(good.accesses()).isEqualTo(10_000);
      assertThat(good.bareNanos()).isPositive();
      assertThat(good.blocked()).isNull();
      Throughput bad = runner.run(d.traffic().getLast(), 0.01);
      assertThat(bad.accesses()).isZero();
      assertThat(Objects.requireNonNull(bad.blocked()).name()).isEqualTo("NOT_MAPPED");
    }
  }

  @Test
  void a_platform_finds_its_devices_by_name_function_and_number() {
    try (Platform platform = platform("")) {
      for (String s : List.of("a", "A", "00:01.0", "0000:00:01.0", "8", "0x8")) {
        assertThat(platform.endpoint(s)).as(s).isPresent();
      }
      assertThat(platform.endpoint("c")).isEmpty();
      assertThat(platform.endpoint("99:99.9")).isEmpty();
    }
  }

  @Test
  void two_units_of_different_architectures_share_a_platform() {
    PlatformDescription d =
        PlatformFile.parse(
            "two.yaml",
            """
            platform: two
            memory: [{base: 0x8000_0000, size: 64M}]
            iommus:
              - {name: u, arch: fake, base: 0x1000_0000, frames: {base: 0x8000_0000, size: 1M}}
              - {name: v, arch: riscv, base: 0x1001_0000, frames: {base: 0x8010_0000, size: 1M}}
            devices:
              - {name: a, id: "00:01.0", iommu: u}
              - {name: b, id: "00:01.0", iommu: v}
            domains:
              - {name: da, iommu: u, maps: [{iova: 0x1000, pa: 0x8100_0000, size: 4K, allow: rw}]}
              - {name: db, iommu: v, maps: [{iova: 0x1000, pa: 0x8200_0000, size: 4K, allow: rw}]}
            attach: [{device: a, domain: da}, {device: b, domain: db}]
            scenario:
              - write: {device: a, iova: 0x1000, length: 8, pa: 0x8100_0000}
              - write: {device: b, iova: 0x1000, length: 8, pa: 0x8200_0000}
              - write: {device: b, iova: 0x1001_0010, length: 8, expect: blocked}
            """);
    try (Platform platform = Platform.of(d, Settings.NONE)) {
      assertThat(new Player(platform).play(d.scenario()))
          .allSatisfy(r -> assertThat(r.objections()).isEmpty());
      assertThat(Isolation.of(platform, 100).differences()).isEmpty();
    }
  }

  @Test
  void a_device_with_ats_completes_invalidations() {
    String text =
        """
        platform: ats
        memory: [{base: 0x8000_0000, size: 64M}]
        iommus:
          - name: u
            arch: riscv
            base: 0x1000_0000
            frames: {base: 0x8000_0000, size: 1M}
            driver: {ats: true, timeout_ms: 100}
        devices: [{name: a, id: "00:01.0", ats: true}]
        domains: [{name: d, maps: [{iova: 0x1000, pa: 0x8100_0000, size: 4K, allow: rw}]}]
        attach: [{device: a, domain: d}]
        scenario:
          - write: {device: a, iova: 0x1000, length: 8}
          - unmap: {domain: d, iova: 0x1000, size: 4K}
          - write: {device: a, iova: 0x1000, length: 8, expect: blocked}
        """;
    PlatformDescription d = PlatformFile.parse("ats.yaml", text);
    try (Platform platform = Platform.of(d, Settings.NONE)) {
      assertThat(new Player(platform).play(d.scenario()))
          .allSatisfy(r -> assertThat(r.objections()).isEmpty());
    }
    PlatformDescription silent = PlatformFile.parse("ats.yaml", text.replace(", ats: true}", "}"));
    try (Platform platform = Platform.of(silent, Settings.NONE)) {
      StepResult unmap = new Player(platform).play(silent.scenario()).get(1);
      assertThat(unmap.outcome()).isEqualTo(Outcome.REFUSED); // the device never answers
    }
  }

  @Test
  void steps_know_where_they_stand() {
    Step step =
        description("scenario: [{note: x, read: {device: a, iova: 1, length: 1}}]")
            .scenario()
            .getFirst();
    assertThat(step.at()).hasToString("14:28");
    assertThat(step.note()).isEqualTo("x");
  }
}
