package org.iommu4j.vtd.model;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The short way from a source to its space is found again after commands about others. */
class ShortcutTest {
  private final Rig rig = Rig.standard();
  private final VtdIommu unit = (VtdIommu) rig.unit;

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void a_command_about_another_source_is_soon_forgotten(boolean scalable) {
    Tables t = new Tables(rig);
    if (scalable) {
      t.scalable(Space.SECOND);
    } else {
      t.legacy(0);
    }
    rig.enable().queue(scalable);
    assertThat(rig.reads(Tables.SID, Tables.IOVA)).isTrue();
    assertThat(unit.contexts().shortcut(Tables.SID)).isNotNull();
    rig.submit(Rig.contextDevice(Tables.SID + 1, Tables.DID + 1, 0));
    assertThat(rig.reads(Tables.SID, Tables.IOVA)).isTrue();
    assertThat(unit.contexts().shortcut(Tables.SID)).isNotNull();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void devices_on_buses_of_their_own_do_not_displace_each_other(boolean scalable) {
    Tables t = new Tables(rig);
    if (scalable) {
      t.scalable(Space.SECOND);
    } else {
      t.legacy(0);
    }
    int function = Tables.SID & 0xff;
    for (int bus = 2; bus <= 32; bus++) {
      rig.store(t.root + 16 * bus, rig.load(t.rootEntry));
    }
    rig.enable();
    for (int bus = 1; bus <= 32; bus++) {
      assertThat(rig.reads(bus << 8 | function, Tables.IOVA)).isTrue();
    }
    for (int bus = 1; bus <= 32; bus++) {
      assertThat(unit.contexts().shortcut(bus << 8 | function)).as("bus %d", bus).isNotNull();
    }
  }
}
