package org.iommu4j.amdvi.driver;

import static org.assertj.core.api.Assertions.assertThat;

import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AtsFabric;
import org.iommu4j.core.dma.AtsInvalidation;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.core.dma.PageResponse;
import org.iommu4j.core.memory.Mmio;
import org.iommu4j.driver.DomainType;
import org.iommu4j.driver.testing.Tampered;
import org.junit.jupiter.api.Test;

/** How the driver reads the unit's logs, while the unit goes on writing them. */
class LogTest {
  private static final int DEVICE = 0x08;

  /** Does something each time after a register was read. */
  private static final class Meanwhile extends Tampered {
    long register = -1;
    Runnable what = () -> {};

    Meanwhile(Mmio unit) {
      super(unit);
    }

    @Override
    public long read(long offset, int size) {
      long value = super.read(offset, size);
      if (offset == register) {
        register = -1;
        what.run();
      }
      return value;
    }
  }

  /** A device that answers. */
  private static final class Answering implements AtsFabric {
    Rig rig;

    @Override
    public void invalidate(AtsInvalidation request) {
      rig.unit.invalidationCompleted(request.source(), false, 1 << request.tag(), 1);
    }

    @Override
    public void respond(PageResponse response) {}
  }

  private Meanwhile meanwhile;

  private Rig.Builder builder() {
    return Rig.with().wrap((unit, memory) -> meanwhile = new Meanwhile(unit));
  }

  @Test
  void a_log_that_fills_up_while_it_is_read_loses_nothing_that_it_has() {
    try (Rig rig = builder().build()) {
      rig.translate(DEVICE, 0x9000, Access.READ);
      meanwhile.what =
          () -> {
            for (int i = 0; i < 600; i++) {
              rig.translate(DEVICE, 0x9000, Access.READ);
            }
          };
      meanwhile.register = Registers.EVENT_TAIL.offset();
      assertThat(rig.driver.service()).singleElement().asString().contains("overflow");
      assertThat(rig.faults).as("as many as the log has room for").hasSize(511);
      rig.faults.clear();
      rig.translate(DEVICE, 0xa000, Access.READ);
      assertThat(rig.newFaults())
          .singleElement()
          .satisfies(f -> assertThat(f.address()).isEqualTo(0xa000));
    }
  }

  @Test
  void a_page_request_that_the_full_log_has_is_told() {
    Answering fabric = new Answering();
    try (Rig rig = builder().fabric(fabric).driver("ats", true).driver("pri", true).build()) {
      fabric.rig = rig;
      rig.driver.createDomain(DomainType.DMA_STRICT).attach(DEVICE, 7);
      Runnable ask = () -> rig.unit.pageRequest(new PageRequest(DEVICE, false, 7, 0, 0x7005));
      ask.run();
      meanwhile.what =
          () -> {
            for (int i = 0; i < 600; i++) {
              ask.run();
            }
          };
      meanwhile.register = Registers.PPR_TAIL.offset();
      assertThat(rig.driver.service()).singleElement().asString().contains("overflow");
      assertThat(rig.requests).hasSize(511);
    }
  }

  /** A unit that takes a while to stop what is switched off. */
  private static final class Slow extends Tampered {
    boolean active;
    private boolean pending;
    private long control;

    Slow(Mmio unit) {
      super(unit);
    }

    @Override
    public long read(long offset, int size) {
      long value = super.read(offset, size);
      if (pending && offset == Control.REGISTER.offset()) {
        return control;
      }
      if (offset == Registers.STATUS.offset()) {
        settle();
      }
      return value;
    }

    @Override
    public void write(long offset, int size, long value) {
      if (active && offset == Control.REGISTER.offset()) {
        pending = true;
        control = value;
      } else {
        super.write(offset, size, value);
      }
    }

    void settle() {
      if (pending) {
        pending = false;
        super.write(Control.REGISTER.offset(), 8, control);
      }
    }
  }

  @Test
  void memory_is_given_back_only_when_the_unit_has_stopped_using_it() {
    Slow[] slow = new Slow[1];
    Rig.Builder b = Rig.with().driver("ats", true).driver("pri", true);
    try (Rig rig = b.wrap((unit, memory) -> slow[0] = new Slow(unit)).build()) {
      slow[0].active = true;
      rig.driver.close();
      long status = rig.unit.read(Registers.STATUS.offset(), 8);
      assertThat(Registers.EVENT_LOG_RUN.isSet(status)).isFalse();
      assertThat(Registers.PPR_LOG_RUN.isSet(status)).isFalse();
      assertThat(Registers.CMD_BUF_RUN.isSet(status)).isFalse();
    }
  }
}
