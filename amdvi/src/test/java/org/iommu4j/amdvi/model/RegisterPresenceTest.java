package org.iommu4j.amdvi.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.iommu4j.amdvi.layout.CapabilityBlock;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Which registers there are follows from the features: the register map, column "present if". */
class RegisterPresenceTest {
  /** Offsets of the map; those of a feature are there if it is. */
  private static final Map<Field, List<Integer>> PRESENT_IF = new LinkedHashMap<>();

  private static final List<Integer> ALWAYS =
      List.of(
          0x0000, 0x0008, 0x0010, 0x0018, 0x0020, 0x0028, 0x0030, 0x0138, 0x0140, 0x0148, 0x01a0,
          0x1ff8, 0x2000, 0x2008, 0x2010, 0x2018, 0x2020);

  static {
    present(ExtendedFeatures.PPR_SUP, 0x0038, 0x2030, 0x2038);
    present(ExtendedFeatures.HE_SUP, 0x0040, 0x0048, 0x0050);
    present(
        ExtendedFeatures.SMIF_SUP,
        Stream.iterate(0x0060, at -> at <= 0x00d8, at -> at + 8).toArray(Integer[]::new));
    present(ExtendedFeatures.GA_SUP, 0x00e0, 0x00e8, 0x2040, 0x2048);
    present(ExtendedFeatures.DUAL_PPR_LOG_SUP, 0x00f0, 0x2050, 0x2058);
    present(ExtendedFeatures.DUAL_EVENT_LOG_SUP, 0x00f8, 0x2070, 0x2078);
    present(
        ExtendedFeatures.DEV_TBL_SEG_SUP, 0x0100, 0x0108, 0x0110, 0x0118, 0x0120, 0x0128, 0x0130);
    present(
        ExtendedFeatures.MSI_CAP_MMIO_SUP, 0x0150, 0x0154, 0x0158, 0x015c, 0x0160, 0x0164, 0x0168);
    present(ExtendedFeatures.PERF_OPT_SUP, 0x016c);
    present(ExtendedFeatures.XT_SUP, 0x0170, 0x0178, 0x0180);
    present(ExtendedFeatures.VIOMMU_SUP, 0x0190);
    present(
        ExtendedFeatures.MARC_SUP,
        Stream.iterate(0x0200, at -> at < 0x0260, at -> at + 8).toArray(Integer[]::new));
    present(ExtendedFeatures.PPR_AUTO_RSP_SUP, 0x2080);
    present(ExtendedFeatures.PPR_OVRFLW_EARLY_SUP, 0x2088, 0x2090);
    present(ExtendedFeatures.PC_SUP, 0x4000, 0x4008, 0x4010, 0x4018);
  }

  private static void present(Field feature, Integer... offsets) {
    PRESENT_IF.put(feature, List.of(offsets));
  }

  static Stream<Arguments> optional() {
    return PRESENT_IF.entrySet().stream()
        .flatMap(e -> e.getValue().stream().map(at -> Arguments.of(register(at), e.getKey())));
  }

  static Stream<Register> always() {
    return ALWAYS.stream().map(RegisterPresenceTest::register);
  }

  private static Register register(int offset) {
    return Registers.ALL.stream().filter(r -> r.offset() == offset).findFirst().orElseThrow();
  }

  /** Everything, as far as it can be had together. */
  private static Rig.Builder full() {
    return Rig.with()
        .efr(ExtendedFeatures.SMIF_RC, 4)
        .efr(ExtendedFeatures.PERF_OPT_SUP, 1)
        .option("misc_0", "0xf8000001")
        .option("misc_1", "0x3");
  }

  /** What a register holds after ones were written. */
  private static long filled(Rig rig, Register r) {
    long ones = r.width() == 8 ? -1L : 0xffff_ffffL;
    // What is on would change what others take.
    rig.write(r, r == Control.REGISTER ? ones & ~Control.IOMMU_EN.mask() : ones);
    return rig.read(r);
  }

  private static long writable(Register r) {
    return r.mask(Field.Kind.RW) | r.mask(Field.Kind.WARL);
  }

  @Test
  void the_table_has_every_register() {
    List<Integer> all = new ArrayList<>(ALWAYS);
    PRESENT_IF.values().forEach(all::addAll);
    assertThat(all).doesNotHaveDuplicates();
    assertThat(new TreeSet<>(all))
        .isEqualTo(new TreeSet<>(Registers.ALL.stream().map(Register::offset).toList()));
  }

  @ParameterizedTest
  @MethodSource("always")
  void what_every_unit_has_is_there_without_any_feature(Register r) {
    try (Rig rig = Rig.with().efr(Field.bits("all", 63, 0), 0).build()) {
      long there = filled(rig, r);
      assertThat(there != 0).isEqualTo(writable(r) != 0 || r == ExtendedFeatures.REGISTER_2);
    }
  }

  @ParameterizedTest
  @MethodSource("optional")
  void without_its_feature_a_register_reads_0_and_ignores_writes(Register r, Field feature) {
    try (Rig rig = full().efr(feature, 0).build()) {
      assertThat(filled(rig, r)).isZero();
    }
  }

  @ParameterizedTest
  @MethodSource("optional")
  void with_its_feature_a_register_is_there(Register r, Field feature) {
    try (Rig rig = full().build()) {
      boolean read = r == Registers.MSI_VECTOR_0 || r == Registers.COUNTER_CONFIGURATION;
      assertThat(filled(rig, r) != 0).isEqualTo(writable(r) != 0 || read);
    }
  }

  @Test
  void there_are_as_many_smi_filters_and_segments_as_the_features_say() {
    for (int n = 0; n <= 4; n++) {
      try (Rig rig = full().efr(ExtendedFeatures.SMIF_RC, n).build()) {
        long there = Registers.SMI_FILTER.stream().filter(r -> filled(rig, r) != 0).count();
        assertThat(there).isEqualTo(1L << n);
      }
    }
    for (int n = 0; n <= 3; n++) {
      try (Rig rig = full().efr(ExtendedFeatures.DEV_TBL_SEG_SUP, n).build()) {
        long there =
            Registers.DEVICE_TABLE_SEGMENT.stream().filter(r -> filled(rig, r) != 0).count();
        assertThat(there).isEqualTo((1L << n) - 1);
      }
    }
  }

  @Test
  void without_extended_features_there_are_only_those_that_every_unit_has() {
    try (Rig rig = full().header(CapabilityBlock.EFR_SUP, 0).build()) {
      assertThat(rig.read(ExtendedFeatures.REGISTER)).isZero();
      optional().map(a -> (Register) a.get()[0]).forEach(r -> assertThat(filled(rig, r)).isZero());
    }
  }
}
