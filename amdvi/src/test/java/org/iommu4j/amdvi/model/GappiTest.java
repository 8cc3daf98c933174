package org.iommu4j.amdvi.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.amdvi.model.Tables.DEVICE;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.Irte;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.memory.Mmio;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Guest APIC physical processor interrupts: a processor is told of a guest that does not run. */
class GappiTest {
  private static final long MESSAGE = 0xfee0_2000L;
  private static final int INDEX = 3;

  private Rig rig = with(1).build().start();
  private Tables tables = new Tables(rig);
  private long page;

  private static Rig.Builder with(int disSup) {
    return Rig.with()
        .efr(ExtendedFeatures.GAPPI_SUP, 1)
        .efr2(ExtendedFeatures.GAPPI_DIS_SUP, disSup);
  }

  @BeforeEach
  void start() {
    page = rig.frame();
    rig.startGuestApic().control(Control.GAPPI_EN, 1);
    tables.interrupts(3);
  }

  @AfterEach
  void close() {
    rig.close();
  }

  private void entry(int vector, long flags) {
    rig.store(
        tables.interrupts + 16 * INDEX,
        Irte.REMAP_EN.of(1)
            | Irte.GUEST_MODE.of(1)
            | Irte.GA_LOG_INTR.of(1)
            | Irte.GA_TAG.of(0xffff_fff2L)
            | Irte.DESTINATION_LOW.of(6)
            | flags,
        page | vector);
  }

  private void arrives(boolean told) {
    rig.messages.clear();
    assertThat(rig.remap(DEVICE, MESSAGE, INDEX)).isTrue();
    assertThat(rig.delivery.kind()).isEqualTo(InterruptDelivery.Kind.RECORDED);
    if (told) {
      assertThat(rig.messages).containsExactly(new Rig.Message(0xfee0_6000L, 0x40f2));
    } else {
      assertThat(rig.messages).isEmpty();
    }
    // The log's place is taken.
    assertThat(rig.read(Registers.GA_TAIL)).isZero();
    assertThat(rig.events()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 0x41, 0xff})
  void the_first_interrupt_of_a_guest_that_does_not_run_is_told(int vector) {
    entry(vector, 0);
    arrives(true);
    assertThat(rig.load(page + 0x200 + 16 * (vector / 32))).isEqualTo(1L << vector % 32);
    assertThat(rig.delivery.notice()).isZero();
  }

  @Test
  void those_after_it_are_not_until_the_guest_has_taken_all() {
    entry(0x41, 0);
    arrives(true);
    arrives(false);
    entry(0xe3, 0);
    rig.submit(Rig.invalidateInterrupts(DEVICE));
    arrives(false);
    rig.store(page + 0x220, 0);
    arrives(false); // the other one is still pending
    rig.store(page + 0x270, 0);
    arrives(true);
  }

  @Test
  void a_guest_that_runs_gets_its_doorbell() {
    entry(0x41, Irte.IS_RUN.of(1));
    arrives(false);
    assertThat(rig.delivery.notice()).isEqualTo(0xfee0_6000L);
  }

  @Test
  void an_entry_can_do_without() {
    entry(0x41, Irte.GAPPI_DIS.of(1));
    arrives(false);
    assertThat(rig.load(page + 0x220)).isEqualTo(2);
  }

  @Test
  void what_is_not_cached_counts_at_once() {
    entry(0x41, Irte.GAPPI_DIS.of(1));
    arrives(false);
    rig.store(page + 0x220, 0);
    entry(0x41, 0);
    arrives(true);
  }

  @Test
  void without_its_feature_the_entry_s_bit_means_nothing() {
    rig.close();
    rig = with(0).build().start();
    tables = new Tables(rig);
    start();
    entry(0x41, Irte.GAPPI_DIS.of(1));
    arrives(true);
  }

  @Test
  void with_xt_the_destination_has_32_bits() {
    rig.control(Control.XT_EN, 1);
    entry(0x41, 0);
    rig.store(tables.interrupts + 16 * INDEX + 8, page | 0x41 | Irte.DESTINATION_HIGH.of(0x12));
    assertThat(rig.remap(DEVICE, MESSAGE, INDEX)).isTrue();
    assertThat(rig.messages)
        .containsExactly(new Rig.Message(0xfee0_6000L | 0x12_0000L << 40, 0x40f2));
  }

  @Test
  void the_bit_of_control_needs_its_feature() {
    rig.close();
    rig = Rig.standard().start();
    rig.control(Control.GAPPI_EN, 1);
    assertThat(rig.read(Control.REGISTER, Control.GAPPI_EN)).isZero();
  }

  /** A backing page that registers lie in: they may do what a lock is held for. */
  @Test
  void registers_in_the_backing_page_are_not_read() {
    List<Long> reads = new ArrayList<>();
    rig.memory.addDevice(
        page + 0x240,
        16,
        new Mmio() {
          @Override
          public long read(long offset, int size) {
            reads.add(offset);
            return -1;
          }

          @Override
          public void write(long offset, int size, long value) {}
        });
    entry(1, 0);
    arrives(true);
    assertThat(reads).isEmpty();
  }
}
