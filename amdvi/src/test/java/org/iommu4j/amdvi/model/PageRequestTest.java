package org.iommu4j.amdvi.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.amdvi.model.Tables.DEVICE;
import static org.iommu4j.amdvi.model.Tables.IOVA;
import static org.iommu4j.amdvi.model.Tables.PASID;

import java.util.List;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.PprRecord;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.PageRequest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Page requests: the PPR log, its overflow, its second log, and answers that the unit gives. */
class PageRequestTest {
  private static final int GROUP = 0x155;
  private static final long READ = 1;
  private static final long LAST = 4;

  private final Rig rig = Rig.standard().start().startPpr();
  private final Tables tables = new Tables(rig);

  @BeforeEach
  void setUp() {
    tables.guest().set(0, DeviceTableEntry.PPR);
  }

  @AfterEach
  void close() {
    rig.close();
  }

  private static long payload(long flags) {
    return IOVA | (long) GROUP << 3 | flags;
  }

  private void request(int count) {
    for (int i = 0; i < count; i++) {
      rig.pageRequest(DEVICE, PASID, payload(READ | LAST));
    }
  }

  private static long names() {
    return PprRecord.CODE.of(1)
        | PprRecord.DEVICE_ID.of(DEVICE)
        | PprRecord.PASID_15_0.of(PASID)
        | PprRecord.PASID_19_16.of(PASID >>> 16)
        | PprRecord.GN.of(1);
  }

  @ParameterizedTest
  @CsvSource({
    // payload flags, access, R, W, EX, U
    "1, 0, 1, 0, 0, 1",
    "2, 0, 0, 1, 0, 1",
    "3, 4, 1, 1, 1, 1",
    "1, 16, 1, 0, 0, 0",
    "5, 20, 1, 0, 1, 0"
  })
  void a_request_is_logged_bit_by_bit(long flags, int access, int r, int w, int ex, int user) {
    rig.unit.pageRequest(new PageRequest(DEVICE, false, PASID, access, payload(flags)));
    long last = flags >>> 2 & 1;
    assertThat(rig.pageRequests())
        .containsExactly(
            new Rig.Record(
                names()
                    | PprRecord.TAG.of(last << 9 | GROUP)
                    | PprRecord.R.of(r)
                    | PprRecord.W.of(w)
                    | PprRecord.EX.of(ex)
                    | PprRecord.US.of(user),
                IOVA));
    assertThat(rig.status(Registers.PPR_INT)).isTrue();
    assertThat(rig.events()).isEmpty();
    assertThat(rig.responses).isEmpty();
  }

  @Test
  void the_flags_of_the_csv_are_those_of_access() {
    assertThat(Access.EXECUTE).isEqualTo(4);
    assertThat(Access.PRIVILEGED).isEqualTo(16);
  }

  @Test
  void a_request_without_pasid_has_gn_0() {
    rig.pageRequest(DEVICE, DmaRequest.NO_PASID, payload(READ | LAST));
    List<Rig.Record> all = rig.pageRequests();
    assertThat(all).hasSize(1);
    long first = all.getFirst().first();
    assertThat(PprRecord.GN.get(first)).isZero();
    assertThat(PprRecord.PASID_15_0.get(first)).isZero();
    assertThat(PprRecord.DEVICE_ID.get(first)).isEqualTo(DEVICE);
  }

  @Test
  void without_ppr_en_a_request_is_invalid() {
    rig.control(Control.PPR_EN, 0);
    request(1);
    assertThat(rig.read(Registers.PPR_TAIL)).isZero();
    assertThat(rig.codes()).containsExactly(9);
    assertThat(rig.responses.getFirst().code()).isEqualTo(1);
  }

  @Test
  void a_full_log_overflows_and_stops_until_it_is_restarted() {
    request(Rig.RING - 1);
    assertThat(rig.status(Registers.PPR_OVERFLOW)).isFalse();
    request(1);
    assertThat(rig.status(Registers.PPR_OVERFLOW)).isTrue();
    assertThat(rig.status(Registers.PPR_LOG_RUN)).isFalse();
    assertThat(rig.pageRequests()).hasSize(Rig.RING - 1);
    request(1);
    assertThat(rig.pageRequests()).isEmpty();
    rig.control(Control.PPR_LOG_EN, 0);
    rig.write(Registers.STATUS, Registers.PPR_OVERFLOW.mask());
    rig.control(Control.PPR_LOG_EN, 1);
    assertThat(rig.status(Registers.PPR_LOG_RUN)).isTrue();
    request(2);
    assertThat(rig.pageRequests()).hasSize(2);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 15})
  void with_auto_response_the_unit_answers_what_it_cannot_log(int code) {
    rig.write(Registers.PPR_AUTO_RESPONSE, Registers.AUTO_CODE.of(code));
    rig.control(Control.PPR_AUTO_RSP_EN, 1);
    request(1);
    assertThat(rig.responses).isEmpty();
    request(Rig.RING - 2);
    request(1);
    assertThat(rig.responses).hasSize(1);
    assertThat(rig.responses.getFirst().code()).isEqualTo(code);
    assertThat(rig.responses.getFirst().group()).isEqualTo(GROUP);
    assertThat(rig.responses.getFirst().source()).isEqualTo(DEVICE);
  }

  @Test
  void only_the_last_request_of_a_group_is_answered() {
    rig.control(Control.PPR_AUTO_RSP_EN, 1);
    request(Rig.RING - 1);
    rig.pageRequest(DEVICE, PASID, payload(READ));
    assertThat(rig.responses).isEmpty();
    rig.pageRequest(DEVICE, PASID, payload(READ | LAST));
    assertThat(rig.responses).hasSize(1);
  }

  @Test
  void with_gprp_an_answer_carries_the_pasid() {
    rig.control(Control.PPR_AUTO_RSP_EN, 1);
    request(Rig.RING);
    assertThat(rig.responses.getFirst().pasid()).isEqualTo(DmaRequest.NO_PASID);
    tables.set(0, DeviceTableEntry.GPRP);
    rig.submit(Rig.invalidateDevice(DEVICE));
    request(1);
    assertThat(rig.responses.getLast().pasid()).isEqualTo(PASID);
  }

  @ParameterizedTest
  @ValueSource(strings = {"PPR", "GPRP"})
  void without_enhanced_handling_the_bits_for_page_requests_are_reserved(String bit) {
    rig.control(Control.EPH_EN, 0);
    tables.guest().set(0, bit.equals("PPR") ? DeviceTableEntry.PPR : DeviceTableEntry.GPRP);
    rig.submit(Rig.invalidateDevice(DEVICE));
    rig.reads(DEVICE, IOVA);
    assertThat(rig.reason()).isEqualTo(Reason.DTE_RESERVED);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void without_enhanced_handling_devices_with_a_tlb_may_send_page_requests(int i) {
    rig.control(Control.EPH_EN, 0);
    tables.guest().set(1, DeviceTableEntry.I, i);
    rig.submit(Rig.invalidateDevice(DEVICE));
    request(1);
    assertThat(rig.pageRequests()).hasSize(i);
  }

  @Test
  void with_auto_swap_the_second_log_takes_over() {
    long second = rig.frame();
    rig.control(Control.PPR_LOG_EN, 0);
    rig.write(Registers.PPR_LOG_B, Rig.ring(second));
    rig.control(Control.DUAL_PPR_LOG_EN, 2).control(Control.PPR_LOG_EN, 1);
    request(Rig.RING - 1);
    assertThat(rig.status(Registers.PPR_LOG_ACTIVE)).isFalse();
    request(2);
    assertThat(rig.status(Registers.PPR_LOG_ACTIVE)).isTrue();
    assertThat(rig.log(second, Registers.PPR_B_HEAD, Registers.PPR_B_TAIL)).hasSize(2);
    assertThat(rig.pageRequests()).hasSize(Rig.RING - 1);
  }

  @Test
  void the_early_indicator_tells_of_a_log_that_fills() {
    // Choice of the model: the threshold counts the entries that are in the log.
    rig.write(Registers.PPR_EARLY, Registers.EARLY_EN.of(1) | Registers.EARLY_THRESHOLD.of(4));
    request(3);
    assertThat(rig.status(Registers.PPR_OVERFLOW_EARLY)).isFalse();
    request(2);
    assertThat(rig.status(Registers.PPR_OVERFLOW_EARLY)).isTrue();
  }

  @Test
  void the_ppr_interrupt_has_its_own_switch() {
    rig.write(Registers.XT_PPR, Registers.XT_VECTOR.of(0x55) | Registers.XT_DEST_LOW.of(3));
    rig.control(Control.INT_CAP_XT_EN, 1);
    request(1);
    assertThat(rig.messages).isEmpty();
    rig.write(Registers.STATUS, Registers.PPR_INT.mask());
    rig.control(Control.PPR_INT_EN, 1);
    request(1);
    assertThat(rig.messages).containsExactly(new Rig.Message(0xfee0_3000L, 0x55));
  }

  /** PCIe ATS: a Stop Marker is not part of a group, and nothing answers it. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void a_stop_marker_that_is_refused_is_not_answered(boolean valid) {
    tables.set(0, DeviceTableEntry.PPR, 0).set(0, DeviceTableEntry.V, valid ? 1 : 0);
    rig.submit(Rig.invalidateDevice(DEVICE));
    rig.pageRequest(DEVICE, PASID, payload(LAST));
    assertThat(rig.responses).isEmpty();
    assertThat(rig.codes()).containsExactly(9);
    rig.pageRequest(DEVICE, PASID, payload(READ | LAST));
    assertThat(rig.responses).hasSize(1);
  }
}
