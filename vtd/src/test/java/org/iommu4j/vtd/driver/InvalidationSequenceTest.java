package org.iommu4j.vtd.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.dma.Access;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.DomainType;
import org.iommu4j.driver.GuestTable;
import org.iommu4j.driver.Interrupt;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.ExtendedCapability;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Which invalidations follow which change: the specification's tables of them, §6.6. */
class InvalidationSequenceTest {
  private static final int RW = Access.READ | Access.WRITE;
  private static final int DEVICE = 8;

  private final List<DescriptorTrace> traces = new ArrayList<>();
  private Rig rig;

  private Domain start(Rig.Builder builder) {
    bring(builder);
    seen();
    return rig.driver.createDomain(DomainType.DMA_STRICT);
  }

  private void bring(Rig.Builder builder) {
    rig =
        builder
            .wrap(
                (unit, memory) -> {
                  traces.add(new DescriptorTrace(unit, memory));
                  return traces.getLast();
                })
            .build();
  }

  private List<String> seen() {
    return traces.getLast().take();
  }

  private static Rig.Builder legacy() {
    return Rig.with().driver("mode", "legacy");
  }

  private static Rig.Builder second() {
    return Rig.with().driver("stage", "second");
  }

  private static Rig.Builder caching(Rig.Builder b) {
    return b.cap(Capability.CM, 1);
  }

  @AfterEach
  void close() {
    if (rig != null) {
      rig.close();
    }
  }

  // Starting

  @Test
  void a_new_root_table_is_announced_unless_the_unit_does_that_itself() {
    bring(Rig.with());
    assertThat(seen()).isEmpty();
    rig.close();
    bring(Rig.with().cap(Capability.ESRTPS, 0).cap(Capability.ESIRTPS, 0));
    assertThat(seen()).containsExactly("IEC", "WAIT", "CC", "PC", "IOTLB", "WAIT");
    rig.close();
    bring(legacy().cap(Capability.ESRTPS, 0));
    assertThat(seen()).containsExactly("CC", "IOTLB", "WAIT");
  }

  // Scalable mode

  @Test
  void what_becomes_present_needs_nothing() {
    Domain domain = start(Rig.with());
    domain.attach(DEVICE);
    domain.attach(DEVICE, 5);
    domain.map(0x1000, Rig.DATA, 0x1000, RW);
    domain.map(0x4000_0000L, 0x1_4000_0000L, 1 << 30, RW);
    assertThat(seen()).isEmpty();
  }

  @Test
  void a_first_stage_goes_with_its_pasid() {
    Domain domain = start(Rig.with());
    domain.attach(DEVICE);
    domain.attach(DEVICE, 5);
    domain.detach(DEVICE, 5);
    assertThat(seen()).containsExactly("PC did=2 pasid=5", "P_IOTLB did=2 pasid=5", "WAIT");
    domain.detach(DEVICE);
    assertThat(seen())
        .containsExactly(
            "PC did=2 pasid=0",
            "P_IOTLB did=2 pasid=0",
            "WAIT",
            "CC did=0 sid=8",
            "IOTLB did=2",
            "WAIT");
    domain.close();
    assertThat(seen()).containsExactly("PC did=2", "IOTLB did=2", "WAIT");
  }

  @Test
  void a_second_stage_goes_with_its_domain() {
    Domain domain = start(second());
    domain.attach(DEVICE);
    Domain other = rig.driver.createDomain(DomainType.DMA_STRICT);
    other.attach(DEVICE);
    assertThat(seen()).containsExactly("PC did=2 pasid=0", "IOTLB did=2", "WAIT");
    other.detach(DEVICE);
    assertThat(seen())
        .containsExactly(
            "PC did=3 pasid=0",
            "IOTLB did=3",
            "WAIT",
            "CC did=0 sid=8",
            "IOTLB did=2",
            "IOTLB did=3",
            "WAIT");
  }

  @Test
  void who_passes_through_goes_with_the_pasid_in_the_domain_of_all_of_them() {
    start(Rig.with());
    Domain identity = rig.driver.createDomain(DomainType.IDENTITY);
    identity.attach(DEVICE);
    identity.detach(DEVICE);
    assertThat(seen())
        .startsWith("PC did=1 pasid=0", "P_IOTLB did=1 pasid=0", "WAIT", "CC did=0 sid=8");
  }

  @Test
  void in_caching_mode_what_becomes_present_is_said_too() {
    Domain domain = start(caching(second()));
    domain.attach(DEVICE);
    assertThat(seen())
        .containsExactly(
            "CC",
            "PC",
            "IOTLB", // the root entry
            "CC did=0 sid=8",
            "PC did=0",
            "IOTLB did=0", // the context entry
            "PC did=0 pasid=0",
            "PC did=2 pasid=0",
            "P_IOTLB did=2 pasid=0",
            "WAIT");
    domain.map(0x3000, Rig.DATA, 0x1000, RW);
    assertThat(seen()).containsExactly("IOTLB did=2 0x3000", "WAIT");
    domain.attach(DEVICE, 3);
    assertThat(seen())
        .containsExactly("PC did=0 pasid=3", "PC did=2 pasid=3", "P_IOTLB did=2 pasid=3", "WAIT");
    rig.close();
    Domain first = start(caching(Rig.with()));
    first.attach(DEVICE);
    seen();
    first.map(0x3000, Rig.DATA, 0x1000, RW);
    assertThat(seen()).as("absence is never cached of a first stage").isEmpty();
  }

  @Test
  void first_stage_pages_go_for_each_pasid_that_uses_them() {
    Domain domain = start(Rig.with());
    domain.map(0x3000, Rig.DATA, 0x1000, RW);
    domain.unmap(0x3000, 0x1000);
    assertThat(seen()).as("nobody uses them").isEmpty();
    domain.attach(DEVICE);
    domain.attach(9);
    domain.attach(9, 4);
    domain.map(0x3000, Rig.DATA, 0x5000, RW);
    domain.unmap(0x3000, 0x5000);
    assertThat(seen())
        .containsExactly(
            "P_IOTLB did=2 pasid=0 0x3000 leaf",
            "P_IOTLB did=2 pasid=0 0x4000+0x4000 leaf",
            "P_IOTLB did=2 pasid=4 0x3000 leaf",
            "P_IOTLB did=2 pasid=4 0x4000+0x4000 leaf",
            "WAIT");
  }

  @Test
  void second_stage_pages_go_by_domain_and_address() {
    Domain domain = start(second());
    domain.attach(DEVICE);
    domain.map(0x3000, Rig.DATA, 0x5000, RW);
    domain.unmap(0x3000, 0x5000);
    assertThat(seen())
        .containsExactly("IOTLB did=2 0x3000 leaf", "IOTLB did=2 0x4000+0x4000 leaf", "WAIT");
  }

  @Test
  void a_table_takes_the_ways_to_it_along() {
    Domain domain = start(second());
    domain.attach(DEVICE);
    domain.map(0x20_3000, Rig.DATA, 0x1000, RW);
    domain.unmap(0x20_0000, 0x20_0000);
    assertThat(seen()).containsExactly("IOTLB did=2 0x200000+0x200000", "WAIT");
    rig.close();
    Domain first = start(Rig.with());
    first.attach(DEVICE);
    first.map(0x20_3000, Rig.DATA, 0x1000, RW);
    first.unmap(0x20_0000, 0x20_0000);
    assertThat(seen()).containsExactly("P_IOTLB did=2 pasid=0 0x200000+0x200000", "WAIT");
  }

  @Test
  void blocks_are_no_larger_than_the_unit_takes_them_and_not_too_many() {
    Domain domain = start(second().cap(Capability.MAMV, 1).driver("flush_limit", 3));
    domain.attach(DEVICE);
    domain.map(0x4000, Rig.DATA, 0x4000, RW);
    domain.unmap(0x4000, 0x4000);
    assertThat(seen())
        .containsExactly(
            "IOTLB did=2 0x4000+0x2000 leaf", "IOTLB did=2 0x6000+0x2000 leaf", "WAIT");
    domain.map(0x8000, Rig.DATA, 0x8000, RW);
    domain.unmap(0x8000, 0x8000);
    assertThat(seen()).containsExactly("IOTLB did=2", "WAIT");
    rig.close();
    Domain limited = start(second().driver("max_address_mask", 9));
    limited.attach(DEVICE);
    limited.map(0, Rig.DATA, 0x40_0000, RW);
    limited.unmap(0, 0x40_0000);
    assertThat(seen()).filteredOn(s -> s.contains("+0x400000")).isEmpty();
  }

  @Test
  void without_page_selective_invalidation_the_domain_goes() {
    Domain domain = start(second().cap(Capability.PSI, 0).cap(Capability.MAMV, 0));
    domain.attach(DEVICE);
    domain.map(0x3000, Rig.DATA, 0x1000, RW);
    domain.unmap(0x3000, 0x1000);
    assertThat(seen()).containsExactly("IOTLB did=2", "WAIT");
  }

  // Legacy mode

  @Test
  void a_legacy_context_goes_with_its_domain_id() {
    Domain domain = start(legacy());
    domain.attach(DEVICE);
    assertThat(seen()).isEmpty();
    domain.map(0x3000, Rig.DATA, 0x1000, RW);
    assertThat(seen()).isEmpty();
    domain.detach(DEVICE);
    assertThat(seen()).containsExactly("CC did=2 sid=8", "IOTLB did=2", "WAIT");
    domain.close();
    assertThat(seen()).containsExactly("CC did=2", "IOTLB did=2", "WAIT");
  }

  @Test
  void in_caching_mode_an_absent_legacy_context_has_domain_id_0() {
    Domain domain = start(caching(legacy()));
    domain.attach(DEVICE);
    assertThat(seen()).containsExactly("CC", "IOTLB", "CC did=0 sid=8", "IOTLB did=2", "WAIT");
    domain.attach(9);
    assertThat(seen()).containsExactly("CC did=0 sid=9", "IOTLB did=2", "WAIT");
    domain.map(0x3000, Rig.DATA, 0x1000, RW);
    assertThat(seen()).containsExactly("IOTLB did=2 0x3000", "WAIT");
  }

  @Test
  void write_buffers_are_flushed_where_nothing_else_does_it() {
    Domain domain = start(legacy().driver("force_rwbf", true));
    domain.attach(DEVICE);
    assertThat(seen()).containsExactly("WBF");
    domain.map(0x3000, Rig.DATA, 0x1000, RW);
    assertThat(seen()).containsExactly("WBF");
    domain.unmap(0x3000, 0x1000);
    assertThat(seen()).containsExactly("IOTLB did=2 0x3000 leaf", "WAIT");
  }

  @Test
  void without_a_queue_it_is_done_through_registers() {
    Domain domain = start(legacy().driver("invalidation", "registers").cap(Capability.ESRTPS, 0));
    domain.attach(DEVICE);
    domain.map(0x3000, Rig.DATA, 0x1000, RW);
    domain.unmap(0x3000, 0x1000);
    assertThat(seen()).containsExactly("IVA 0x3040", "IOTLB_REG 3 did=2");
    domain.detach(DEVICE);
    assertThat(seen()).containsExactly("CCMD 3 did=2 sid=8", "IOTLB_REG 2 did=2");
  }

  // Interrupts

  @Test
  void an_interrupt_entry_goes_when_it_changes() {
    start(Rig.with());
    Interrupt irq = rig.driver.interrupt(DEVICE, 0xfee0_1000L, 0x41);
    assertThat(seen()).isEmpty();
    irq.retarget(0xfee0_2000L, 0x42);
    assertThat(seen()).containsExactly("IEC 0", "WAIT");
    irq.close();
    assertThat(seen()).containsExactly("IEC 0", "WAIT");
    rig.close();
    start(caching(Rig.with()));
    rig.driver.interrupt(DEVICE, 0xfee0_1000L, 0x41);
    assertThat(seen()).containsExactly("IEC 0", "WAIT");
  }

  // Nested

  @Test
  void a_guests_changes_go_by_pasid_and_the_parents_by_domain() {
    start(Rig.with());
    Domain parent = rig.driver.createDomain(DomainType.NESTING_PARENT);
    Domain nested = rig.driver.createNestedDomain(parent, new GuestTable(0x1000, 4));
    parent.map(0, Rig.DATA, 0x10_0000, RW);
    nested.attach(DEVICE);
    assertThat(seen()).isEmpty();
    nested.invalidate(0x7000, 0x1000, true);
    assertThat(seen()).containsExactly("P_IOTLB did=4 pasid=0 0x7000 leaf", "WAIT");
    nested.invalidate(0x8000, 0x2000, false);
    assertThat(seen()).containsExactly("P_IOTLB did=4 pasid=0 0x8000+0x2000", "WAIT");
    nested.invalidate(0, 0, false);
    assertThat(seen()).containsExactly("P_IOTLB did=4 pasid=0", "WAIT");
    parent.unmap(0x5000, 0x1000);
    assertThat(seen()).containsExactly("IOTLB did=4 0x5000 leaf", "WAIT");
    nested.detach(DEVICE);
    assertThat(seen()).startsWith("PC did=4 pasid=0", "IOTLB did=4", "WAIT");
  }

  @Test
  void a_unit_without_pasids_has_its_requests_under_pasid_0() {
    Domain domain =
        start(
            Rig.with()
                .ecap(ExtendedCapability.PASID, 0)
                .ecap(ExtendedCapability.PTRS, 0)
                .ecap(ExtendedCapability.RPS, 0));
    domain.attach(DEVICE);
    domain.map(0x3000, Rig.DATA, 0x1000, RW);
    domain.unmap(0x3000, 0x1000);
    assertThat(seen()).containsExactly("P_IOTLB did=2 pasid=0 0x3000 leaf", "WAIT");
  }
}
