package org.iommu4j.amdvi.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.memory.Mmio;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.DomainType;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.testing.Tampered;
import org.junit.jupiter.api.Test;

/** What the driver does when the command buffer does not get on. */
class CommandRingTest {
  private static final int RW = Access.READ | Access.WRITE;
  private static final int DEVICE = 0x08;
  private static final long IOVA = 0x10_0000;

  /** A unit that does not look at its command buffer for a while. */
  private static final class Sleeper extends Tampered {
    boolean asleep;
    private boolean told;
    private long tail;

    Sleeper(Mmio unit) {
      super(unit);
    }

    @Override
    public void write(long offset, int size, long value) {
      if (offset == Registers.COMMAND_TAIL.offset() && asleep) {
        told = true;
        tail = value;
      } else {
        super.write(offset, size, value);
      }
    }

    void wakeUp() {
      asleep = false;
      if (told) {
        super.write(Registers.COMMAND_TAIL.offset(), 8, tail);
      }
    }
  }

  private Sleeper sleeper;

  private Rig start(Rig.Builder builder) {
    return builder
        .driver("timeout_ms", 1)
        .wrap((unit, memory) -> sleeper = new Sleeper(unit))
        .build();
  }

  /** A domain repeats what it owes: each of these has one command to lose. */
  @Test
  void commands_that_have_no_room_overwrite_none_that_are_not_fetched() {
    int count = 600;
    try (Rig rig = start(Rig.with().driver("tables", "host").unit("cache", "worst-case"))) {
      List<Domain> domains = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
        domain.attach(DEVICE + i);
        domain.map(IOVA, Rig.DATA, 0x1000, RW);
        assertThat(rig.translate(DEVICE + i, IOVA, Access.READ)).isTrue();
        domains.add(domain);
      }
      sleeper.asleep = true;
      for (Domain domain : domains.subList(0, count - 1)) {
        assertThatThrownBy(() -> domain.unmap(IOVA, 0x1000))
            .isInstanceOf(DriverException.class)
            .hasMessageContaining("not completed");
      }
      sleeper.wakeUp();
      domains.getLast().unmap(IOVA, 0x1000);
      for (int i = 0; i < 250; i++) {
        assertThat(rig.translate(DEVICE + i, IOVA, Access.READ))
            .as("domain %d, whose command was in the buffer", i)
            .isFalse();
      }
    }
  }
}
