package org.iommu4j.amdvi.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.amdvi.model.Tables.DEVICE;
import static org.iommu4j.amdvi.model.Tables.IOVA;

import java.util.List;
import java.util.stream.Stream;
import org.iommu4j.amdvi.layout.CapabilityBlock;
import org.iommu4j.amdvi.layout.Command;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What writes to registers leave behind. */
class RegisterRulesTest {
  private Rig rig = Rig.standard();

  @AfterEach
  void close() {
    rig.close();
  }

  private void unit(Rig.Builder builder) {
    rig.close();
    rig = builder.build();
  }

  @Test
  void after_reset_registers_are_as_the_table_says() {
    assertThat(rig.control()).isEqualTo(Control.COHERENT.mask());
    assertThat(rig.read(Registers.STATUS)).isZero();
    assertThat(rig.read(ExtendedFeatures.REGISTER)).isEqualTo(Rig.EFR);
    assertThat(rig.read(ExtendedFeatures.REGISTER_2)).isEqualTo(Rig.EFR_2);
    for (Register ring :
        List.of(
            Registers.COMMAND_BUFFER,
            Registers.EVENT_LOG,
            Registers.PPR_LOG,
            Registers.GA_LOG,
            Registers.PPR_LOG_B,
            Registers.EVENT_LOG_B)) {
      assertThat(rig.read(ring)).as(ring.name()).isEqualTo(8L << 56);
    }
    assertThat(rig.read(Registers.DEVICE_TABLE)).isZero();
  }

  /** Section 2.6: the bit, and the feature that it requires. */
  static Stream<Arguments> gated() {
    return Stream.of(
        Arguments.of(Control.PPR_LOG_EN, ExtendedFeatures.PPR_SUP),
        Arguments.of(Control.PPR_INT_EN, ExtendedFeatures.PPR_SUP),
        Arguments.of(Control.PPR_EN, ExtendedFeatures.PPR_SUP),
        Arguments.of(Control.GT_EN, ExtendedFeatures.GT_SUP),
        Arguments.of(Control.GA_EN, ExtendedFeatures.GA_SUP),
        Arguments.of(Control.SMIF_EN, ExtendedFeatures.SMIF_SUP),
        Arguments.of(Control.SMIF_LOG_EN, ExtendedFeatures.SMIF_SUP),
        Arguments.of(Control.GAM_EN, ExtendedFeatures.GAM_SUP),
        Arguments.of(Control.GA_LOG_EN, ExtendedFeatures.GA_SUP),
        Arguments.of(Control.GA_INT_EN, ExtendedFeatures.GA_SUP),
        Arguments.of(Control.DUAL_PPR_LOG_EN, ExtendedFeatures.DUAL_PPR_LOG_SUP),
        Arguments.of(Control.DUAL_EVENT_LOG_EN, ExtendedFeatures.DUAL_EVENT_LOG_SUP),
        Arguments.of(Control.DEV_TBL_SEG_EN, ExtendedFeatures.DEV_TBL_SEG_SUP),
        Arguments.of(Control.PRIV_ABRT_EN, ExtendedFeatures.US_SUP),
        Arguments.of(Control.PPR_AUTO_RSP_EN, ExtendedFeatures.PPR_AUTO_RSP_SUP),
        Arguments.of(Control.MARC_EN, ExtendedFeatures.MARC_SUP),
        Arguments.of(Control.PPR_AUTO_RSP_AON, ExtendedFeatures.PPR_AUTO_RSP_SUP),
        Arguments.of(Control.EPH_EN, ExtendedFeatures.EPH_SUP),
        Arguments.of(Control.GD_UPDATE_DIS, ExtendedFeatures.GA_UPDATE_DIS_SUP),
        Arguments.of(Control.XT_EN, ExtendedFeatures.XT_SUP),
        Arguments.of(Control.INT_CAP_XT_EN, ExtendedFeatures.XT_SUP),
        Arguments.of(Control.GA_UPDATE_DIS, ExtendedFeatures.GA_UPDATE_DIS_SUP));
  }

  @ParameterizedTest
  @MethodSource("gated")
  void a_bit_of_control_is_not_writable_without_its_feature(Field bit, Field feature) {
    rig.control(Control.GA_EN, 1).control(bit, 1);
    assertThat(rig.read(Control.REGISTER, bit)).isEqualTo(1);
    unit(Rig.with().efr(feature, 0));
    rig.control(Control.GA_EN, 1).control(bit, 1);
    assertThat(rig.read(Control.REGISTER, bit)).isZero();
  }

  @Test
  void what_no_feature_gives_is_not_writable() {
    rig.write(Control.REGISTER, -1L & ~Control.IOMMU_EN.mask());
    assertThat(rig.read(Control.REGISTER, Control.VCMD_EN)).isZero();
    assertThat(rig.read(Control.REGISTER, Control.VIOMMU_EN)).isZero();
    assertThat(rig.read(Control.REGISTER, Control.GAPPI_EN)).isZero();
    assertThat(rig.read(Control.REGISTER, Control.TMPM_EN)).isZero();
    assertThat(rig.read(Control.REGISTER, Control.SNP_AVIC_EN)).isZero();
    assertThat(rig.read(Control.REGISTER, Control.BLK_STOP_MRK_EN)).isZero();
    assertThat(rig.control() >>> 49 & 1).isZero();
    assertThat(rig.control() >>> 57 & 1).isZero();
  }

  @Test
  void bits_of_the_capability_s_features_need_them() {
    rig.control(Control.HT_TUN_EN, 1).control(Control.INV_TIME_OUT, 4);
    assertThat(rig.read(Control.REGISTER, Control.HT_TUN_EN)).isZero();
    assertThat(rig.read(Control.REGISTER, Control.INV_TIME_OUT)).isEqualTo(4);
    unit(Rig.with().header(CapabilityBlock.HT_TUNNEL, 1).header(CapabilityBlock.IOTLB_SUP, 0));
    rig.control(Control.HT_TUN_EN, 1).control(Control.INV_TIME_OUT, 4);
    assertThat(rig.read(Control.REGISTER, Control.HT_TUN_EN)).isEqualTo(1);
    assertThat(rig.read(Control.REGISTER, Control.INV_TIME_OUT)).isZero();
  }

  @Test
  void a_log_swaps_only_if_the_unit_can() {
    unit(
        Rig.with()
            .efr(ExtendedFeatures.DUAL_EVENT_LOG_SUP, 1)
            .efr(ExtendedFeatures.DUAL_PPR_LOG_SUP, 2));
    for (int mode : new int[] {1, 2, 3}) {
      rig.control(Control.DUAL_EVENT_LOG_EN, mode).control(Control.DUAL_PPR_LOG_EN, mode);
      assertThat(rig.read(Control.REGISTER, Control.DUAL_EVENT_LOG_EN)).isEqualTo(1);
      assertThat(rig.read(Control.REGISTER, Control.DUAL_PPR_LOG_EN)).isEqualTo(Math.min(mode, 2));
    }
  }

  @Test
  void v2_hd_dis_sup_gives_gd_update_dis_alone() {
    unit(
        Rig.with()
            .efr(ExtendedFeatures.GA_UPDATE_DIS_SUP, 0)
            .efr(ExtendedFeatures.V2_HD_DIS_SUP, 1));
    rig.control(Control.GD_UPDATE_DIS, 1).control(Control.GA_UPDATE_DIS, 1);
    assertThat(rig.read(Control.REGISTER, Control.GD_UPDATE_DIS)).isEqualTo(1);
    assertThat(rig.read(Control.REGISTER, Control.GA_UPDATE_DIS)).isZero();
  }

  @Test
  void num_int_remap_mode_needs_its_feature() {
    rig.control(Control.NUM_INT_REMAP_MODE, 1);
    assertThat(rig.read(Control.REGISTER, Control.NUM_INT_REMAP_MODE)).isEqualTo(1);
    unit(Rig.with().efr2(ExtendedFeatures.NUM_INT_REMAP_SUP, 0));
    rig.control(Control.NUM_INT_REMAP_MODE, 1);
    assertThat(rig.read(Control.REGISTER, Control.NUM_INT_REMAP_MODE)).isZero();
  }

  @Test
  void more_segments_than_there_are_cannot_be_chosen() {
    unit(Rig.with().efr(ExtendedFeatures.DEV_TBL_SEG_SUP, 1));
    rig.control(Control.DEV_TBL_SEG_EN, 1);
    assertThat(rig.read(Control.REGISTER, Control.DEV_TBL_SEG_EN)).isEqualTo(1);
    rig.control(Control.DEV_TBL_SEG_EN, 2);
    assertThat(rig.read(Control.REGISTER, Control.DEV_TBL_SEG_EN)).isEqualTo(1);
  }

  // ---- status

  static final List<Field> CLEARED_BY_ONE =
      List.of(Registers.EVENT_LOG_INT, Registers.COM_WAIT_INT, Registers.PPR_INT);

  @ParameterizedTest
  @FieldSource("CLEARED_BY_ONE")
  void writing_one_to_status_clears_only_the_bits_written(Field bit) {
    rig.start().startPpr();
    new Tables(rig).guest().set(0, org.iommu4j.amdvi.layout.DeviceTableEntry.PPR);
    rig.reads(DEVICE, IOVA);
    rig.reads(0x900, IOVA);
    rig.submit(Rig.completionWait() | Command.I.of(1));
    rig.pageRequest(DEVICE, Tables.PASID, IOVA | 5);
    long before = rig.read(Registers.STATUS);
    long all =
        Registers.EVENT_LOG_INT.mask() | Registers.COM_WAIT_INT.mask() | Registers.PPR_INT.mask();
    assertThat(before & all).isEqualTo(all);
    rig.write(Registers.STATUS, bit.mask());
    assertThat(rig.read(Registers.STATUS)).isEqualTo(before & ~bit.mask());
  }

  @Test
  void run_bits_of_status_are_not_software_s() {
    rig.start();
    long before = rig.read(Registers.STATUS);
    rig.write(Registers.STATUS, -1L);
    assertThat(rig.read(Registers.STATUS)).isEqualTo(before);
    rig.write(Registers.STATUS, 0);
    assertThat(rig.read(Registers.STATUS)).isEqualTo(before);
  }

  // ---- bases and pointers

  @Test
  void reserved_bits_of_bases_read_as_0() {
    rig.write(Registers.DEVICE_TABLE, -1L);
    assertThat(rig.read(Registers.DEVICE_TABLE)).isEqualTo(0xf_ffff_ffff_f1ffL);
    rig.write(Registers.DEVICE_TABLE_SEGMENT.get(0), -1L);
    assertThat(rig.read(Registers.DEVICE_TABLE_SEGMENT.get(0))).isEqualTo(0xf_ffff_ffff_f0ffL);
    rig.write(Registers.COMMAND_BUFFER, -1L);
    assertThat(rig.read(Registers.COMMAND_BUFFER)).isEqualTo(0x0f0f_ffff_ffff_f000L);
    rig.write(Registers.EXCLUSION_BASE, -1L);
    assertThat(rig.read(Registers.EXCLUSION_BASE)).isEqualTo(0xf_ffff_ffff_f003L);
    rig.write(Registers.XT_GENERAL, -1L);
    assertThat(rig.read(Registers.XT_GENERAL)).isEqualTo(0xff00_01ff_ffff_ff04L);
  }

  @Test
  void a_base_is_not_changed_while_its_ring_runs() {
    rig.start();
    long before = rig.read(Registers.COMMAND_BUFFER);
    rig.submit(Rig.completionWait());
    rig.write(Registers.COMMAND_BUFFER, Rig.ring(rig.frame()));
    rig.write(Registers.EVENT_LOG, Rig.ring(rig.frame()));
    assertThat(rig.read(Registers.COMMAND_BUFFER)).isEqualTo(before);
    assertThat(rig.read(Registers.EVENT_LOG)).isEqualTo(Rig.ring(rig.events));
    assertThat(rig.read(Registers.COMMAND_HEAD)).isEqualTo(16);
  }

  @Test
  void a_pointer_keeps_the_bits_that_it_has() {
    rig.start();
    rig.write(Registers.EVENT_HEAD, -1L);
    assertThat(rig.read(Registers.EVENT_HEAD) & ~0x7_fff0L).isZero();
    rig.write(Registers.GA_HEAD, -1L);
    assertThat(rig.read(Registers.GA_HEAD) & ~0xfff8L).isZero();
  }

  @Test
  void a_tail_beyond_the_ring_does_no_harm() {
    // What it means is undefined; the unit reads nothing beyond the ring.
    rig.start();
    for (int i = 0; i < Rig.RING; i++) {
      rig.store(rig.commands + 16L * i, Rig.completionWait(), 0);
    }
    rig.store(rig.commands + 4096, Rig.opcode(15), 0);
    rig.write(Registers.COMMAND_TAIL, 1L << 18);
    rig.write(Registers.COMMAND_TAIL, 16L * Rig.RING + 32);
    assertThat(rig.events()).isEmpty();
    assertThat(rig.status(Registers.CMD_BUF_RUN)).isTrue();
  }

  @Test
  void halves_can_be_written() {
    rig.unit.write(0, 4, 0x8000_1003L);
    rig.unit.write(4, 4, 1);
    assertThat(rig.read(Registers.DEVICE_TABLE)).isEqualTo(0x1_8000_1003L);
    assertThat(rig.unit.read(4, 4)).isEqualTo(1);
  }

  @Test
  void nothing_is_where_no_register_is() {
    for (int offset : new int[] {0x58, 0x188, 0x1a8, 0x300, 0x1000, 0x2098, 0x3ff8}) {
      rig.unit.write(offset, 8, -1L);
      assertThat(rig.unit.read(offset, 8)).as("%x", offset).isZero();
    }
  }

  @Test
  void without_counters_the_window_is_smaller() {
    assertThat(rig.unit.registerBytes()).isEqualTo(0x8_0000);
    unit(Rig.with().efr(ExtendedFeatures.PC_SUP, 0));
    assertThat(rig.unit.registerBytes()).isEqualTo(0x4000);
  }
}
