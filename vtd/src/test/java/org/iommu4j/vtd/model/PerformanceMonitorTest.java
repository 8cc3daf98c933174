package org.iommu4j.vtd.model;

import static org.assertj.core.api.Assertions.assertThat;

import org.iommu4j.core.bits.Register;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.CounterBlock;
import org.iommu4j.vtd.layout.ExtendedCapability;
import org.iommu4j.vtd.layout.Irte;
import org.iommu4j.vtd.layout.PageRequestDescriptor;
import org.iommu4j.vtd.layout.PasidEntry;
import org.iommu4j.vtd.layout.Registers;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Events that the unit announces, and what its counters make of them. */
class PerformanceMonitorTest {
  private static final int ENABLE = 0xf0;
  private static final int DISABLE = 0xf1;
  private static final int RESET_VALUES = 0xf3;

  private final Rig rig =
      Rig.with().cap(Capability.ECMDS, 1).ecap(ExtendedCapability.PMS, 1).build();

  @AfterEach
  void close() {
    rig.close();
  }

  private CounterBlock block(int n) {
    return new CounterBlock(n, (int) rig.read(Registers.PERFCFGOFF) + 0x100 * n);
  }

  private void command(int code, int operand) {
    rig.write(Registers.ECMD, Registers.ECMD_CMD.of(code) | Registers.ECMD_OA.of(operand));
    assertThat(rig.read(Registers.ECRSP)).isZero();
  }

  private void count(int n, int group, int event) {
    assertThat(rig.read(Registers.PERFEVNTCAP.get(group)) >>> event & 1).isOne();
    rig.write(
        block(n).configuration(), CounterBlock.EGI.of(group) | CounterBlock.ES.of(1L << event));
    command(ENABLE, n);
  }

  private long value(int n) {
    return rig.unit.read(rig.read(Registers.PERFCNTROFF) + 1024L * n, 8);
  }

  @Test
  void lookups_and_hits_of_interrupt_entries() {
    long table = new Tables(rig).interrupts(true);
    rig.store(table, Irte.P.of(1) | Irte.V.of(0x41));
    rig.command(Registers.IRE, true);
    count(0, 4, 0);
    count(1, 4, 1);
    count(2, 4, 2);
    for (int n = 0; n < 3; n++) {
      assertThat(rig.interrupt(Tables.SID, 0)).isTrue();
    }
    assertThat(value(0)).isEqualTo(3);
    assertThat(value(1)).isEqualTo(2);
    assertThat(value(2)).isZero();
  }

  @Test
  void page_requests_that_were_queued_and_those_that_were_not() {
    new Tables(rig).scalable(PasidEntry.FIRST_STAGE);
    rig.enable().pageRequests();
    count(0, 1, 6);
    count(1, 1, 7);
    long payload = PageRequestDescriptor.RDR.of(1) | PageRequestDescriptor.LPIG.of(1);
    for (int n = 0; n < 130; n++) { // the queue takes 127
      rig.unit.pageRequest(
          new PageRequest(Tables.SID, false, Tables.PASID, Access.READ, payload | (long) n << 12));
    }
    assertThat(value(0)).isEqualTo(127);
    assertThat(value(1)).isEqualTo(3);
  }

  @Test
  void the_upper_half_of_a_command_is_an_operand_and_no_command() {
    new Tables(rig).legacy(0);
    rig.enable();
    count(0, 0, 1);
    command(RESET_VALUES, 0);
    assertThat(rig.reads(Tables.SID, Tables.IOVA)).isTrue();
    assertThat(value(0)).isOne();
    Register r = Registers.ECMD;
    rig.unit.write(r.offset() + 4, 4, 0);
    assertThat(value(0)).isOne();
    rig.unit.write(r.offset(), 4, Registers.ECMD_CMD.of(DISABLE));
    assertThat(rig.read(block(0).configuration(), CounterBlock.EN)).isZero();
  }
}
