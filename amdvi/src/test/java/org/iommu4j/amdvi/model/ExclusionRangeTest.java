package org.iommu4j.amdvi.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.amdvi.model.Tables.DEVICE;
import static org.iommu4j.amdvi.model.Tables.HOST_RW;

import java.util.Arrays;
import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaPort;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Inspector;
import org.iommu4j.core.dma.Window;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The exclusion range: its addresses pass unchanged, and no others do with them. */
class ExclusionRangeTest {
  private static final int PAGE = 4096;

  private Rig rig = Rig.standard().start();
  private Tables tables = new Tables(rig);
  private long excluded;

  @BeforeEach
  void start() {
    tables.host().set(1, DeviceTableEntry.EX);
    excluded = rig.frames(512) + 5 * PAGE;
    rig.write(Registers.EXCLUSION_LIMIT, excluded);
    rig.write(Registers.EXCLUSION_BASE, excluded | Registers.EX_EN.of(1));
  }

  @AfterEach
  void close() {
    rig.close();
  }

  private static byte[] bytes(int count) {
    byte[] all = new byte[count];
    Arrays.fill(all, (byte) 0x5a);
    return all;
  }

  @Test
  void a_transfer_does_not_run_out_of_the_range() {
    try (DmaPort port = new DmaPort(rig.unit, rig.memory, DEVICE)) {
      assertThat(port.write(excluded, bytes(2 * PAGE))).isFalse();
      assertThat(port.reason()).isEqualTo(Reason.NOT_PRESENT);
      assertThat(port.transferred()).isEqualTo(PAGE);
    }
    assertThat(rig.load(excluded)).isEqualTo(0x5a5a_5a5a_5a5a_5a5aL);
    assertThat(rig.load(excluded + PAGE)).isZero();
  }

  @Test
  void a_transfer_into_the_range_is_not_translated_there() {
    long large = rig.frames(512);
    rig.store(tables.slot(excluded, 2), large | HOST_RW);
    try (DmaPort port = new DmaPort(rig.unit, rig.memory, DEVICE)) {
      assertThat(port.write(excluded - PAGE, bytes(3 * PAGE))).isTrue();
    }
    assertThat(rig.load(large + 4 * PAGE)).isNotZero();
    assertThat(rig.load(large + 5 * PAGE)).isZero();
    assertThat(rig.load(excluded)).isNotZero();
    assertThat(rig.load(large + 6 * PAGE)).isNotZero();
  }

  /** The page that is excluded is the sixth of 2 MiB. */
  @ParameterizedTest
  @CsvSource({"5, 12", "4, 12", "6, 13", "2, 14", "0, 14", "8, 15", "511, 20"})
  void what_a_device_may_keep_is_all_in_the_range_or_beside_it(int page, int shift) {
    rig.store(tables.slot(excluded, 2), rig.frames(512) | HOST_RW);
    long asked = excluded + (page - 5) * PAGE;
    assertThat(rig.asks(DEVICE, DmaRequest.NO_PASID, asked)).isTrue();
    assertThat(rig.translation.permissions() & Access.WRITE).isNotZero();
    assertThat(rig.translation.rangeShift()).isEqualTo(shift);
  }

  /** No command says so, as one does of tables. */
  @Test
  void an_access_that_passed_is_over_when_the_range_is_gone() throws InterruptedException {
    Window device = rig.unit.windows().open();
    device.enter();
    assertThat(rig.writes(DEVICE, excluded)).isTrue();
    assertThat(rig.translation.pa()).isEqualTo(excluded);
    Thread software =
        Thread.ofPlatform().daemon().start(() -> rig.write(Registers.EXCLUSION_BASE, 0));
    software.join(200);
    assertThat(software.isAlive()).isTrue();
    device.exit();
    software.join();
    assertThat(rig.writes(DEVICE, excluded)).isFalse();
  }

  @ParameterizedTest
  @CsvSource({"true, 0", "true, 4", "false, 4"})
  void an_inspector_finds_the_range_whatever_tables_say(boolean translates, int mode) {
    tables.set(0, DeviceTableEntry.TV, translates ? 1 : 0).set(0, DeviceTableEntry.MODE, mode);
    if (translates && mode == 0) {
      tables.set(0, DeviceTableEntry.IR, 0).set(0, DeviceTableEntry.IW, 0);
    }
    Inspector.View view = rig.unit.inspector().view(DEVICE, DmaRequest.NO_PASID, 10);
    assertThat(view.mappings())
        .filteredOn(m -> m.iova() == excluded)
        .singleElement()
        .matches(m -> m.pa() == excluded && m.size() == PAGE);
    assertThat(view.mappings()).hasSize(translates && mode != 0 ? 2 : 1);
    assertThat(view.truncated()).isFalse();
    assertThat(rig.unit.inspector().contexts(10)).hasSize(1);
  }

  @Test
  void without_a_range_no_answer_is_cut() {
    tables.set(0, DeviceTableEntry.MODE, 0);
    rig.write(Registers.EXCLUSION_BASE, 0);
    assertThat(rig.asks(DEVICE, DmaRequest.NO_PASID, excluded)).isTrue();
    assertThat(rig.translation.rangeShift()).isEqualTo(30);
  }
}
