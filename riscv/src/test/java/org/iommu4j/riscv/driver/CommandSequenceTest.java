package org.iommu4j.riscv.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.dma.Access;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.DomainType;
import org.iommu4j.riscv.layout.Capabilities;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Which commands follow which change: §6.2, and the table of what has to be invalidated. */
class CommandSequenceTest {
  private static final int RW = Access.READ | Access.WRITE;
  private static final int DEVICE = 8;

  private final List<CommandTrace> traces = new ArrayList<>();
  private Rig rig;

  private Domain start(Rig.Builder builder) {
    rig =
        builder
            .wrap(
                (unit, memory) -> {
                  traces.add(new CommandTrace(unit, memory));
                  return traces.getLast();
                })
            .build();
    commands();
    Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
    return domain;
  }

  private Domain start(Field... capabilities) {
    return start(Rig.with().capabilities(Rig.BASE, capabilities));
  }

  private List<String> commands() {
    return traces.getLast().take();
  }

  @AfterEach
  void close() {
    if (rig != null) {
      rig.close();
    }
  }

  @Test
  void starting_forgets_everything_twice() {
    rig =
        Rig.with()
            .wrap(
                (unit, memory) -> {
                  traces.add(new CommandTrace(unit, memory));
                  return traces.getLast();
                })
            .build();
    assertThat(commands())
        .containsExactly("DDT", "VMA", "GVMA", "FENCE", "DDT", "VMA", "GVMA", "FENCE");
  }

  @Test
  void what_becomes_valid_needs_no_command() {
    Domain domain = start(Capabilities.SV39, Capabilities.PD8);
    domain.attach(DEVICE);
    domain.map(0x1000, Rig.DATA, 0x1000, RW);
    domain.map(0x4000_0000L, 0x1_0000_0000L, 1 << 30, RW);
    assertThat(commands()).isEmpty();
    Domain other = rig.driver.createDomain(DomainType.IDENTITY);
    other.attach(9);
    other.attach(9, 3); // makes a process directory: this changes the device context
    assertThat(commands()).containsExactly("DDT did=9", "FENCE");
    domain.attach(9, 4);
    assertThat(commands()).isEmpty();
  }

  @Test
  void a_device_context_goes_with_the_translations_under_it() {
    Domain domain = start(Capabilities.SV39);
    domain.attach(DEVICE);
    Domain other = rig.driver.createDomain(DomainType.DMA_STRICT);
    other.attach(DEVICE);
    assertThat(commands()).containsExactly("DDT did=8", "VMA pscid=1", "FENCE");
    other.detach(DEVICE);
    assertThat(commands()).containsExactly("DDT did=8", "VMA pscid=2", "FENCE");
  }

  @Test
  void an_untranslated_device_leaves_only_its_context_behind() {
    start(Capabilities.SV39);
    Domain identity = rig.driver.createDomain(DomainType.IDENTITY);
    identity.attach(DEVICE);
    identity.detach(DEVICE);
    assertThat(commands()).containsExactly("DDT did=8", "FENCE");
  }

  @Test
  void a_device_with_processes_takes_all_host_spaces_along() {
    Domain domain = start(Capabilities.SV39, Capabilities.PD20);
    domain.attach(DEVICE, 5);
    assertThat(commands()).isEmpty();
    domain.detach(DEVICE, 5);
    assertThat(commands())
        .containsExactly("PDT pid=5 did=8", "VMA pscid=1", "FENCE", "DDT did=8", "VMA", "FENCE");
  }

  @Test
  void a_device_of_a_second_stage_takes_its_whole_guest_along() {
    Domain domain = start(Capabilities.SV39X4);
    assertThat(commands()).containsExactly("VMA gscid=1", "GVMA gscid=1", "FENCE");
    domain.attach(DEVICE);
    domain.detach(DEVICE);
    assertThat(commands()).containsExactly("DDT did=8", "VMA gscid=1", "GVMA gscid=1", "FENCE");
  }

  @Test
  void an_identity_is_cleaned_in_a_fence_of_its_own_before_it_is_reused() {
    Domain domain = start(Capabilities.SV39);
    domain.attach(DEVICE);
    domain.close();
    assertThat(commands())
        .containsExactly("DDT did=8", "VMA pscid=1", "FENCE", "VMA pscid=1", "FENCE");
  }

  @Test
  void a_page_goes_by_its_address() {
    Domain domain = start(Capabilities.SV39);
    domain.map(0x3000, Rig.DATA, 0x1000, RW);
    domain.map(0x4000_0000L, 0x1_0000_0000L, 1 << 30, RW);
    domain.unmap(0x3000, 0x1000);
    assertThat(commands()).containsExactly("VMA pscid=1 0x3000", "FENCE");
    domain.unmap(0x4000_0000L, 1 << 30);
    assertThat(commands()).containsExactly("VMA pscid=1 0x40000000", "FENCE");
    domain.unmap(0x5000_0000L, 0x1000);
    assertThat(commands()).isEmpty();
  }

  @Test
  void a_second_stage_page_goes_by_its_guest_address() {
    Domain domain = start(Capabilities.SV39X4, Capabilities.S);
    commands();
    domain.map(0x3000, Rig.DATA + 0x1000, 0x3000, RW);
    domain.unmap(0x3000, 0x3000);
    assertThat(commands())
        .containsExactly("GVMA gscid=1 0x3000", "GVMA gscid=1 0x4000+0x2000", "FENCE");
  }

  @Test
  void pages_side_by_side_go_one_by_one_or_as_blocks() {
    Domain domain = start(Capabilities.SV39);
    domain.map(0x3000, Rig.DATA + 0x1000, 0x3000, RW);
    domain.unmap(0x3000, 0x3000);
    assertThat(commands())
        .containsExactly("VMA pscid=1 0x3000", "VMA pscid=1 0x4000", "VMA pscid=1 0x5000", "FENCE");
    rig.close();
    Domain ranges = start(Capabilities.SV39, Capabilities.S);
    ranges.map(0x3000, Rig.DATA + 0x1000, 0xd000, RW);
    ranges.unmap(0x3000, 0xd000);
    assertThat(commands())
        .containsExactly(
            "VMA pscid=1 0x3000",
            "VMA pscid=1 0x4000+0x4000",
            "VMA pscid=1 0x8000+0x8000",
            "FENCE");
  }

  @Test
  void too_many_addresses_become_the_whole_space() {
    Domain domain =
        start(Rig.with().capabilities(Rig.BASE, Capabilities.SV39).driver("flush_limit", 4));
    domain.map(0x3000, Rig.DATA + 0x1000, 0x5000, RW);
    domain.unmap(0x3000, 0x5000);
    assertThat(commands()).containsExactly("VMA pscid=1", "FENCE");
  }

  @Test
  void a_table_goes_with_its_address_or_with_the_whole_space() {
    Domain domain = start(Capabilities.SV39);
    domain.map(0x20_3000, Rig.DATA + 0x1000, 0x1000, RW);
    domain.unmap(0x20_0000, 0x20_0000);
    assertThat(commands()).containsExactly("VMA pscid=1", "FENCE");
    rig.close();
    Domain exact = start(Capabilities.SV39, Capabilities.NL);
    exact.map(0x20_3000, Rig.DATA + 0x1000, 0x1000, RW);
    exact.unmap(0x20_0000, 0x20_0000);
    assertThat(commands())
        .containsExactly("VMA pscid=1 0x203000", "VMA pscid=1 0x200000 nl", "FENCE");
  }

  @Test
  void an_empty_table_is_forgotten_before_a_large_page_takes_its_place() {
    Domain domain = start(Capabilities.SV39, Capabilities.NL);
    domain.map(0x20_3000, Rig.DATA + 0x1000, 0x1000, RW);
    domain.unmap(0x20_3000, 0x1000);
    commands();
    domain.map(0x20_0000, 0x1_0000_0000L, 0x20_0000, RW);
    assertThat(commands()).containsExactly("VMA pscid=1 0x200000 nl", "FENCE");
  }

  @Test
  void the_hole_in_a_large_page_is_one_address() {
    Domain domain = start(Capabilities.SV39);
    domain.map(0x4000_0000L, 0x1_0000_0000L, 1 << 30, RW);
    domain.unmap(0x4012_3000L, 0x1000);
    assertThat(commands()).containsExactly("VMA pscid=1 0x40123000", "FENCE");
    assertThat(domain.mapped()).isEqualTo((1 << 30) - 0x1000);
  }

  @Test
  void a_batch_is_waited_for_once() {
    Domain domain = start(Capabilities.SV39);
    domain.map(0, Rig.DATA, 0x10_0000, RW);
    try (Domain.Batch batch = domain.batch()) {
      batch.unmap(0x5000, 0x1000);
      batch.unmap(0x6000, 0x1000);
      batch.unmap(0x9000, 0x1000);
      assertThat(commands()).isEmpty();
    }
    assertThat(commands())
        .containsExactly("VMA pscid=1 0x5000", "VMA pscid=1 0x6000", "VMA pscid=1 0x9000", "FENCE");
  }

  @Test
  void with_two_stages_the_first_is_forgotten_within_its_guest() {
    Domain domain = start(Rig.with().driver("stage", "nested"));
    domain.attach(DEVICE);
    domain.map(0x3000, Rig.DATA, 0x1000, RW);
    domain.unmap(0x3000, 0x1000);
    assertThat(commands()).containsExactly("VMA gscid=1 pscid=1 0x3000", "FENCE");
    domain.detach(DEVICE);
    assertThat(commands()).containsExactly("DDT did=8", "VMA gscid=1", "GVMA gscid=1", "FENCE");
  }
}
