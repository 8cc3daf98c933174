package org.iommu4j.vtd.model;

import static org.assertj.core.api.Assertions.assertThat;

import org.iommu4j.core.dma.Access;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.PasidEntry;
import org.iommu4j.vtd.layout.Reason;
import org.iommu4j.vtd.layout.Registers;
import org.junit.jupiter.api.Test;

/**
 * A device's thread that looked at the unit's setup before a command changed it, and walks when the
 * command has already removed what was cached: nothing that it finds may be kept.
 */
class LateWalkTest {
  private final Rig rig = Rig.with().cap(Capability.ESRTPS, 1).build();
  private final VtdIommu unit = (VtdIommu) rig.unit;

  /** The walk of a thread that was held up. */
  private void walkUnder(Setup old) {
    assertThat(
            Translator.translate(
                old,
                unit.attached(rig.translation),
                rig.request(Tables.SID, Tables.IOVA, Access.READ)))
        .isNull();
  }

  @Test
  void a_new_root_table_counts_for_all_requests_that_follow() {
    new Tables(rig).legacy(0);
    rig.enable();
    Setup old = unit.setup();
    Tables other = new Tables(rig).legacy(0);
    walkUnder(old);
    assertThat(rig.reads(Tables.SID, Tables.IOVA)).isTrue();
    assertThat(rig.translation.pa()).isEqualTo(other.data | (Tables.IOVA & 0xfff));
  }

  @Test
  void nothing_of_before_is_known_when_translation_is_on_again() {
    Tables t = new Tables(rig).scalable(PasidEntry.SECOND_STAGE);
    rig.enable();
    Setup old = unit.setup();
    rig.command(Registers.TE, false);
    walkUnder(old);
    t.clear(t.context, 1);
    rig.enable();
    assertThat(rig.reads(Tables.SID, Tables.IOVA)).isFalse();
    assertThat(rig.reason()).isEqualTo(Reason.SCT_2);
  }

  @Test
  void a_thread_under_the_present_setup_keeps_what_it_finds() {
    new Tables(rig).legacy(0);
    rig.enable();
    walkUnder(unit.setup());
    assertThat(unit.iotlb().size()).isEqualTo(1);
  }
}
