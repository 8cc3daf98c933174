package org.iommu4j.vtd.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.vtd.model.Tables.IOVA;
import static org.iommu4j.vtd.model.Tables.PASID;
import static org.iommu4j.vtd.model.Tables.SID;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.core.dma.PageResponse;
import org.iommu4j.core.memory.Failure;
import org.iommu4j.vtd.layout.Descriptor;
import org.iommu4j.vtd.layout.PageRequestDescriptor;
import org.iommu4j.vtd.layout.PasidEntry;
import org.iommu4j.vtd.layout.Registers;
import org.iommu4j.vtd.layout.ScalableContextEntry;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Page requests of devices, their queue, and the responses of software and of the unit. */
class PageRequestTest {
  private static final int READ = 1;
  private static final int LAST = 4;
  private static final int GROUP = 0x155;

  private final Rig rig = Rig.standard();
  private final Tables tables = new Tables(rig);

  @AfterEach
  void close() {
    rig.close();
  }

  @BeforeEach
  void start() {
    tables.scalable(PasidEntry.FIRST_STAGE);
    rig.queue(true).pageRequests().enable();
    rig.write(Registers.PEDATA, 0x66);
    rig.write(Registers.PEADDR, 0xfee0_5000L);
    rig.write(Registers.PECTL, 0);
  }

  private void ask(int pasid, int flags) {
    rig.unit.pageRequest(
        new PageRequest(
            SID, false, pasid, pasid < 0 ? 0 : Access.PRIVILEGED, IOVA | GROUP << 3 | flags));
  }

  private long tail() {
    return rig.read(Registers.PQT);
  }

  private boolean overflow() {
    return rig.read(Registers.PRS, Registers.PRO) != 0;
  }

  /** 127 requests: one slot of the page stays free. */
  private void fill() {
    for (int i = 0; i < 127; i++) {
      ask(PASID, READ);
    }
    assertThat(tail()).isEqualTo(127 * 32);
    assertThat(overflow()).isFalse();
  }

  @Test
  void a_request_is_put_into_the_queue_and_reported_once() {
    ask(PASID, READ | LAST);
    assertThat(tail()).isEqualTo(32);
    long at = rig.pageRequestQueue();
    assertThat(rig.load(at))
        .isEqualTo(
            PageRequestDescriptor.TYPE.of(PageRequestDescriptor.PAGE_REQUEST)
                | PageRequestDescriptor.PP.of(1)
                | PageRequestDescriptor.RID.of(SID)
                | PageRequestDescriptor.PASID.of(PASID)
                | PageRequestDescriptor.PMR.of(1));
    assertThat(rig.load(at + 8))
        .isEqualTo(
            PageRequestDescriptor.RDR.of(1)
                | PageRequestDescriptor.LPIG.of(1)
                | PageRequestDescriptor.PRGI.of(GROUP)
                | IOVA);
    assertThat(rig.load(at + 16)).isZero();
    assertThat(rig.load(at + 24)).isZero();
    assertThat(rig.read(Registers.PRS)).isEqualTo(1);
    assertThat(rig.messages).containsExactly(new Rig.Message(0xfee0_5000L, 0x66));
    ask(DmaRequest.NO_PASID, READ);
    assertThat(tail()).isEqualTo(64);
    assertThat(rig.load(at + 32))
        .isEqualTo(
            PageRequestDescriptor.TYPE.of(PageRequestDescriptor.PAGE_REQUEST)
                | PageRequestDescriptor.RID.of(SID));
    assertThat(rig.messages).hasSize(1);
    rig.write(Registers.PRS, 1);
    ask(PASID, READ);
    assertThat(rig.messages).hasSize(2);
    assertThat(rig.responses).isEmpty();
  }

  @Test
  void a_full_queue_overflows_and_the_unit_answers_in_softwares_place() {
    fill();
    ask(PASID, READ);
    assertThat(overflow()).isTrue();
    assertThat(rig.responses).isEmpty();
    ask(PASID, READ | LAST);
    assertThat(rig.responses).hasSize(1);
    PageResponse r = rig.responses.getFirst();
    assertThat(r.source()).isEqualTo(SID);
    assertThat(r.group()).isEqualTo(GROUP);
    assertThat(r.code()).isZero();
    assertThat(tail()).isEqualTo(127 * 32);
    // Room alone does not help: the overflow has to be acknowledged.
    rig.write(Registers.PQH, tail());
    ask(PASID, READ | LAST);
    assertThat(rig.responses).hasSize(2);
    rig.write(Registers.PRS, Registers.PRO.of(1));
    ask(PASID, READ | LAST);
    assertThat(rig.responses).hasSize(2);
    assertThat(tail()).isZero();
  }

  @Test
  void a_queue_that_cannot_be_written_overflows() {
    rig.memory.inject(rig.pageRequestQueue(), 32, Failure.WRITE_ACCESS);
    ask(PASID, READ | LAST);
    assertThat(overflow()).isTrue();
    assertThat(tail()).isZero();
  }

  @Test
  void a_request_that_is_not_allowed_is_answered_only_if_it_is_the_last_of_its_group() {
    tables.clear(tables.context, ScalableContextEntry.PRE.of(1));
    ask(PASID, READ);
    assertThat(rig.responses).isEmpty();
    ask(PASID, READ | LAST);
    assertThat(rig.responses).hasSize(1);
    assertThat(rig.responses.getFirst().code()).isEqualTo(1);
    assertThat(rig.responses.getFirst().group()).isEqualTo(GROUP);
    assertThat(tail()).isZero();
    assertThat(rig.codes()).containsOnly(0x47);
  }

  @Test
  void software_answers_with_a_descriptor() {
    ask(PASID, READ | LAST);
    rig.submit(
        Descriptor.PAGE_GROUP_RESPONSE
            | Descriptor.PP.of(1)
            | Descriptor.RC.of(15)
            | Descriptor.RID.of(SID)
            | Descriptor.PASID.of(PASID),
        Descriptor.PRGI.of(GROUP));
    assertThat(rig.responses).hasSize(1);
    PageResponse r = rig.responses.getFirst();
    assertThat(r.source()).isEqualTo(SID);
    assertThat(r.pasid()).isEqualTo(PASID);
    assertThat(r.group()).isEqualTo(GROUP);
    assertThat(r.code()).isEqualTo(15);
  }

  @Test
  void a_stop_marker_is_queued_and_wants_no_answer() {
    ask(PASID, LAST);
    assertThat(tail()).isEqualTo(32);
    assertThat(rig.load(rig.pageRequestQueue() + 8) & 7).isEqualTo(LAST);
    assertThat(rig.responses).isEmpty();
  }

  @Test
  void before_the_answer_a_page_is_looked_at_anew() {
    assertThat(rig.reads(SID, PASID, IOVA)).isTrue();
    rig.store(tables.firstSlot(IOVA, 1), 0);
    ask(PASID, READ | LAST);
    rig.submit(
        Descriptor.PAGE_GROUP_RESPONSE
            | Descriptor.PP.of(1)
            | Descriptor.RID.of(SID)
            | Descriptor.PASID.of(PASID),
        Descriptor.PRGI.of(GROUP));
    assertThat(rig.reads(SID, PASID, IOVA)).isFalse();
  }
}
