package org.iommu4j.amdvi.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.amdvi.model.Tables.DEVICE;
import static org.iommu4j.amdvi.model.Tables.DOMAIN;
import static org.iommu4j.amdvi.model.Tables.GVA;
import static org.iommu4j.amdvi.model.Tables.HOST_RW;
import static org.iommu4j.amdvi.model.Tables.IOVA;
import static org.iommu4j.amdvi.model.Tables.PASID;

import java.util.concurrent.atomic.AtomicBoolean;
import org.iommu4j.amdvi.layout.Command;
import org.iommu4j.amdvi.layout.GuestPte;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Translation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What began before a change fills no cache after it, and what depended on it is gone. */
class StaleFillTest {
  /** A thread that no window accounts for may be as slow as it likes: an interrupt's. */
  @Test
  void an_entry_of_a_table_that_moved_is_not_kept() {
    try (Rig rig = Rig.standard().start()) {
      new Tables(rig).host();
      AmdviIommu unit = (AmdviIommu) rig.unit;
      Setup before = unit.setup();
      rig.write(Registers.DEVICE_TABLE, rig.frames(16) | 15);
      rig.invalidateAll();
      Workspace w = unit.attached(new Translation());
      Translator.begin(before, w, DEVICE, -1);
      assertThat(DeviceTable.locate(before, w)).isNull();
      assertThat(w.device.valid).isTrue();
      // V = 0 in the new table: it passes.
      assertThat(rig.reads(DEVICE, IOVA)).isTrue();
      assertThat(rig.translation.pa()).isEqualTo(IOVA);
    }
  }

  /** The host moves guest memory that has a guest's page table in it. */
  @ParameterizedTest
  @ValueSource(strings = {"normal", "worst-case"})
  void pointers_to_guest_tables_go_with_host_pages_of_their_domain(String cache) {
    try (Rig rig = Rig.standard(cache).start()) {
      Tables tables = new Tables(rig);
      tables.nested();
      assertThat(rig.reads(DEVICE, PASID, GVA)).isTrue();
      assertThat(rig.translation.pa()).isEqualTo(tables.data);

      long upper = tables.guestSlot(GVA, 2);
      long table = upper & -4096L;
      long moved = rig.frame();
      long otherLast = rig.frame();
      long otherGpa = 0x12_3457_0000L;
      long otherData = rig.frame();
      rig.store(moved | upper & 0xfff, otherLast | Tables.GUEST_RW);
      rig.store(otherLast | tables.guestSlot(GVA, 1) & 0xfff, otherGpa | Tables.GUEST_RW);
      tables.map(otherLast, otherLast, HOST_RW).map(otherGpa, otherData, HOST_RW);
      tables.map(table, moved, HOST_RW);
      rig.submit(
          Rig.invalidatePages(DOMAIN), Command.ALL_PAGES | Command.S.mask() | Command.PDE.mask());
      assertThat(rig.reads(DEVICE, PASID, GVA)).isTrue();
      assertThat(rig.translation.pa()).isEqualTo(otherData);
      assertThat(GuestPte.ADDRESS.in(rig.load(upper))).isNotEqualTo(otherLast);
    }
  }

  /** A device walks all the while; its caches are large, so that invalidating them takes time. */
  @Test
  void a_walk_meanwhile_keeps_nothing_that_it_found_by_what_goes() throws InterruptedException {
    int pages = 512;
    try (Rig rig =
        Rig.with()
            .option("iotlb.sets", 1)
            .option("iotlb.ways", 1)
            .option("micro_tlb", 1)
            .option("walk_cache.sets", 1 << 13)
            .build()
            .start()) {
      Tables tables = new Tables(rig);
      tables.nested();
      long otherData = rig.frame();
      long otherGpa = 0x12_3457_0000L;
      tables.map(otherGpa, otherData, HOST_RW);
      long upper = tables.guestSlot(GVA, 2);
      long table = upper & -4096L;
      long moved = rig.frame();
      long otherLast = rig.frame();
      rig.store(moved | upper & 0xfff, otherLast | Tables.GUEST_RW);
      long last = tables.guestSlot(GVA, 1) & -4096L;
      for (int n = 0; n < pages; n++) {
        rig.store(last + 8L * n, Tables.GPA | Tables.GUEST_RW);
        rig.store(otherLast + 8L * n, otherGpa | Tables.GUEST_RW);
      }
      tables.map(otherLast, otherLast, HOST_RW);
      long first = GVA & -0x20_0000L;
      AtomicBoolean ends = new AtomicBoolean();
      Thread device =
          Thread.ofPlatform()
              .daemon()
              .start(
                  () -> {
                    DmaRequest request = new DmaRequest().source(DEVICE).pasid(PASID);
                    Translation answer = new Translation();
                    for (int n = 0; !ends.get(); n++) {
                      rig.unit.translate(request.iova(first + 4096L * (n % pages)), answer);
                    }
                  });
      try {
        for (int n = 0; n < 500; n++) {
          tables.map(table, n % 2 == 0 ? moved : table, HOST_RW);
          rig.invalidateAll().submit(Rig.completionWait());
          assertThat(rig.reads(DEVICE, PASID, first + 4096L * (n % pages))).isTrue();
          assertThat(rig.translation.pa()).isEqualTo(n % 2 == 0 ? otherData : tables.data);
        }
      } finally {
        ends.set(true);
        device.join();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"off", "normal", "worst-case"})
  void a_pasid_of_more_than_20_bits_is_none_that_is_kept(String cache) {
    try (Rig rig = Rig.standard(cache).start()) {
      new Tables(rig).guest();
      for (int n = 0; n < 2; n++) {
        assertThat(rig.reads(DEVICE, PASID, GVA)).isTrue();
        assertThat(rig.reads(DEVICE, 0x10_0000 | PASID, GVA)).isFalse();
        assertThat(rig.reason()).isEqualTo(Reason.GCR3_INVALID);
      }
    }
  }
}
