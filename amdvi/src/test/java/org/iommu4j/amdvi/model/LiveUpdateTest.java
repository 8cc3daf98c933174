package org.iommu4j.amdvi.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.amdvi.model.Tables.DEVICE;
import static org.iommu4j.amdvi.model.Tables.IOVA;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.Irte;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.core.memory.EntryPair;
import org.iommu4j.core.memory.MemoryRegion;
import org.iommu4j.core.testing.WideStore;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Entries that a processor changes with one store of 16 bytes while devices use them. */
class LiveUpdateTest {
  private static final int REQUESTS = 100_000;
  private static final int INDEX = 3;

  private final Rig rig = Rig.standard("off").start();
  private final Tables tables = new Tables(rig);
  private WideStore wide;
  private int passed;

  @BeforeEach
  void findStore() {
    Optional<WideStore> found = WideStore.find();
    assumeTrue(found.isPresent(), "no store of 16 bytes here");
    wide = found.get();
  }

  @AfterEach
  void close() {
    rig.close();
  }

  /** The writer never pauses: an entry may be found not to hold still. */
  private static void unread(@Nullable FaultReason reason, Reason allowed) {
    if (reason != allowed) {
      assertThat(reason).isEqualTo(allowed);
    }
  }

  private MemorySegment entry(long at) {
    MemoryRegion region = rig.memory.region(at);
    return region.segment().asSlice(at - region.base(), EntryPair.BYTES);
  }

  /** Destination and vector, which are in different halves, are of one number. */
  @Test
  void an_interrupt_goes_where_one_entry_says() {
    rig.control(Control.GA_EN, 1).control(Control.XT_EN, 1);
    tables.interrupts(3);
    wide.during(
        entry(tables.interrupts + Irte.LONG_BYTES * INDEX),
        n -> Irte.REMAP_EN.of(1) | Irte.DESTINATION_LOW.of(n & 0xff_ffff),
        n -> Irte.VECTOR.of(n & 0xff),
        () -> {
          for (int n = 0; n < REQUESTS; n++) {
            rig.messages.clear();
            if (!rig.remap(DEVICE, 0xfee0_2000L, INDEX)) {
              unread(rig.delivery.reason(), Reason.INTERRUPT_TABLE_READ);
              continue;
            }
            passed++;
            int destination = (int) (rig.delivery.address() >>> 12 & 0xff);
            if ((rig.delivery.data() & 0xff) != destination) {
              assertThat(rig.delivery.data() & 0xff).isEqualTo(destination);
            }
          }
        });
    assertThat(passed).isPositive();
  }

  /**
   * Every other entry is one that lets all requests pass (V = 0) and has a value of IoCtl that an
   * entry with V = 1 must not have. Requests of another device between make the unit decode it each
   * time.
   */
  @Test
  void a_device_s_memory_requests_are_held_to_one_entry() {
    tables.valid();
    new Tables(rig, DEVICE + 1).valid();
    wide.during(
        entry(tables.entry),
        n ->
            DeviceTableEntry.V.of(n & 1)
                | DeviceTableEntry.TV.of(1)
                | DeviceTableEntry.IR.of(1)
                | DeviceTableEntry.IW.of(1)
                | DeviceTableEntry.ROOT.in(n << 12),
        n -> DeviceTableEntry.IO_CTL.of(3 * (~n & 1)),
        () -> {
          for (int n = 0; n < REQUESTS; n++) {
            rig.reads(DEVICE + 1, IOVA);
            if (rig.reads(DEVICE, IOVA)) {
              passed++;
            } else {
              unread(rig.translation.reason(), Reason.DEVICE_TABLE_READ);
            }
          }
        });
    assertThat(passed).isPositive();
  }

  /** The same of the upper half: IV = 0, and bits that are reserved where IV = 1. */
  @Test
  void a_device_s_interrupts_are_held_to_one_entry() {
    wide.during(
        entry(tables.entry + EntryPair.BYTES),
        n ->
            DeviceTableEntry.IV.of(n & 1)
                | DeviceTableEntry.INT_CTL.of(DeviceTableEntry.INT_FORWARD)
                | DeviceTableEntry.INT_TAB_ROOT.in(n << 6),
        n -> DeviceTableEntry.LAYOUT.reservedMask(3) * (~n & 1),
        () -> {
          for (int n = 0; n < REQUESTS; n++) {
            rig.messages.clear();
            if (rig.remap(DEVICE, 0xfee0_2000L, INDEX)) {
              passed++;
            } else {
              unread(rig.delivery.reason(), Reason.DEVICE_TABLE_READ);
            }
          }
        });
    assertThat(passed).isPositive();
  }
}
