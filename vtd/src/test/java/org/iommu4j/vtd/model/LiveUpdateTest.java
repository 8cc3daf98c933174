package org.iommu4j.vtd.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.iommu4j.core.memory.EntryPair;
import org.iommu4j.core.memory.MemoryRegion;
import org.iommu4j.core.testing.WideStore;
import org.iommu4j.vtd.layout.ContextEntry;
import org.iommu4j.vtd.layout.Irte;
import org.iommu4j.vtd.layout.Reason;
import org.iommu4j.vtd.layout.Registers;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Entries that a processor changes with one store of 16 bytes while devices use them. */
class LiveUpdateTest {
  private static final int REQUESTS = 100_000;
  private static final int SID = 0x0108;
  private static final int OTHER_SID = 0x0209;
  private static final int INDEX = 3;

  private final Rig rig = Rig.standard("off");
  private WideStore wide;

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

  private MemorySegment entry(long at) {
    MemoryRegion region = rig.memory.region(at);
    return region.segment().asSlice(at - region.base(), EntryPair.BYTES);
  }

  /**
   * Entries with even destinations are one device's, those with odd ones another's: SID and DST are
   * in different halves.
   */
  @Test
  void a_device_sends_no_interrupt_of_another() {
    long table = new Tables(rig).interrupts(true);
    rig.command(Registers.IRE, true);
    wide.during(
        entry(table + Irte.BYTES * INDEX),
        n -> Irte.P.of(1) | Irte.FPD.of(1) | Irte.V.of(0x41) | Irte.DST.of(n & 0xffff_ffffL),
        n -> Irte.SVT.of(Irte.SVT_SID) | Irte.SID.of((n & 1) == 0 ? SID : OTHER_SID),
        () -> {
          int sent = 0;
          for (int n = 0; n < REQUESTS || (sent == 0 && n < 100 * REQUESTS); n++) {
            rig.messages.clear();
            if (rig.interrupt(SID, INDEX)) {
              sent++;
              if ((rig.messages.getFirst().address() >>> 12 & 1) != 0) {
                assertThat(rig.messages).isEmpty();
              }
            }
          }
          assertThat(sent).isPositive();
        });
  }

  /** Every other entry is not present and has an address width that a present one must not have. */
  @Test
  void a_device_is_held_to_one_context_entry() {
    long context = rig.frame();
    long root = rig.frame();
    rig.store(root + 16 * (SID >>> 8), context | 1);
    rig.write(Registers.RTADDR, root);
    rig.command(Registers.SRTP, true);
    rig.command(Registers.TE, true);
    wide.during(
        entry(context + ContextEntry.BYTES * (SID & 0xff)),
        n ->
            ContextEntry.P.of(n & 1)
                | ContextEntry.FPD.of(1)
                | ContextEntry.TT.of(ContextEntry.TT_PASS_THROUGH)
                | ContextEntry.SSPTPTR.in(n << 12 & (1L << Rig.HAW) - 1),
        n -> ContextEntry.AW.of((n & 1) != 0 ? 3 : 7) | ContextEntry.DID.of(1),
        () -> {
          int passed = 0;
          for (int n = 0; n < REQUESTS || (passed == 0 && n < 100 * REQUESTS); n++) {
            if (rig.reads(SID, 0x1000)) {
              passed++;
            } else if (rig.translation.reason() != Reason.LCT_2) {
              // The writer never pauses: the entry may be found not to hold still.
              assertThat(rig.translation.reason()).isEqualTo(Reason.LCT_1);
            }
          }
          assertThat(passed).isPositive();
        });
  }
}
