package org.iommu4j.amdvi.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.amdvi.model.Tables.DEVICE;
import static org.iommu4j.amdvi.model.Tables.DOMAIN;
import static org.iommu4j.amdvi.model.Tables.GPA;
import static org.iommu4j.amdvi.model.Tables.GVA;
import static org.iommu4j.amdvi.model.Tables.HOST_RW;
import static org.iommu4j.amdvi.model.Tables.IOVA;
import static org.iommu4j.amdvi.model.Tables.PASID;

import org.iommu4j.amdvi.layout.CapabilityBlock;
import org.iommu4j.amdvi.layout.Command;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.GuestPte;
import org.iommu4j.amdvi.layout.HostPte;
import org.iommu4j.amdvi.layout.Irte;
import org.iommu4j.amdvi.layout.Reason;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a unit may keep, it keeps in worst-case behaviour: a change is not seen without the command
 * for it, and is seen after exactly that command.
 */
class CacheBehaviourTest {
  private static final long PDE = Command.PDE.mask();
  private static final long GN = Command.GN.mask();
  private static final long S = Command.S.mask();
  private static final int OTHER_DOMAIN = DOMAIN + 1;
  private static final long MESSAGE = 0xfee0_0000L;
  private static final int INDEX = 3;

  private Rig rig = Rig.standard("worst-case").start();
  private Tables tables = new Tables(rig);

  @AfterEach
  void close() {
    rig.close();
  }

  private void unit(Rig.Builder builder) {
    rig.close();
    rig = builder.option("cache", "worst-case").build().start();
    tables = new Tables(rig);
  }

  private boolean reaches(long iova, long pa) {
    return rig.reads(DEVICE, iova) && rig.translation.pa() == pa;
  }

  private boolean guestReaches(long iova, long pa) {
    return rig.reads(DEVICE, PASID, iova) && rig.translation.pa() == pa;
  }

  private Rig pages(int domain, long second) {
    return rig.submit(Rig.invalidatePages(domain), second);
  }

  private Rig guestPages(int pasid, long second) {
    return rig.submit(Rig.invalidatePages(DOMAIN) | pasid, second | GN);
  }

  // ---- device table entries

  @Test
  void a_changed_entry_is_seen_after_the_command_for_its_device() {
    tables.host();
    assertThat(reaches(IOVA, tables.data)).isTrue();
    tables.set(0, DeviceTableEntry.TV, 0);
    assertThat(reaches(IOVA, tables.data)).isTrue();
    rig.submit(Rig.invalidateDevice(DEVICE + 1));
    assertThat(reaches(IOVA, tables.data)).isTrue();
    rig.submit(Rig.invalidateDevice(DEVICE));
    assertThat(rig.reads(DEVICE, IOVA)).isFalse();
    assertThat(rig.reason()).isEqualTo(Reason.BLOCKED);
  }

  @Test
  void an_entry_without_v_is_kept_too() {
    assertThat(reaches(IOVA, IOVA)).isTrue();
    tables.host();
    assertThat(reaches(IOVA, IOVA)).isTrue();
    rig.submit(Rig.invalidateDevice(DEVICE));
    assertThat(reaches(IOVA, tables.data)).isTrue();
  }

  @Test
  void other_tables_need_both_the_entry_and_the_pages_invalidated() {
    tables.host();
    long old = tables.data;
    assertThat(reaches(IOVA, old)).isTrue();
    tables.host();
    assertThat(reaches(IOVA, old)).isTrue();
    rig.submit(Rig.invalidateDevice(DEVICE));
    assertThat(reaches(IOVA, old)).isTrue();
    pages(DOMAIN, Command.ALL_PAGES | S | PDE);
    assertThat(reaches(IOVA, tables.data)).isTrue();
  }

  @Test
  void another_domain_needs_the_entry_invalidated_only() {
    tables.host();
    assertThat(reaches(IOVA, tables.data)).isTrue();
    tables.host().set(1, DeviceTableEntry.DOMAIN_ID, OTHER_DOMAIN);
    rig.submit(Rig.invalidateDevice(DEVICE));
    assertThat(reaches(IOVA, tables.data)).isTrue();
  }

  // ---- host pages

  @Test
  void an_unmapped_page_is_reached_until_it_is_invalidated() {
    tables.host();
    assertThat(reaches(IOVA, tables.data)).isTrue();
    rig.store(tables.slot(IOVA, 1), 0);
    assertThat(reaches(IOVA, tables.data)).isTrue();
    pages(OTHER_DOMAIN, Command.ALL_PAGES | S | PDE);
    assertThat(reaches(IOVA, tables.data)).isTrue();
    pages(DOMAIN, IOVA + 4096);
    assertThat(reaches(IOVA, tables.data)).isTrue();
    rig.submit(Rig.invalidateDevice(DEVICE));
    assertThat(reaches(IOVA, tables.data)).isTrue();
    pages(DOMAIN, IOVA);
    assertThat(rig.reads(DEVICE, IOVA)).isFalse();
    assertThat(rig.reason()).isEqualTo(Reason.NOT_PRESENT);
  }

  @Test
  void a_permission_that_was_taken_away_is_used_until_it_is_invalidated() {
    tables.host();
    assertThat(rig.writes(DEVICE, IOVA)).isTrue();
    tables.map(IOVA, tables.data, HostPte.PR.of(1) | HostPte.IR.of(1));
    assertThat(rig.writes(DEVICE, IOVA)).isTrue();
    pages(DOMAIN, IOVA);
    assertThat(rig.writes(DEVICE, IOVA)).isFalse();
    assertThat(rig.reason()).isEqualTo(Reason.PERMISSION);
    assertThat(rig.reads(DEVICE, IOVA)).isTrue();
  }

  /** Ranges of section 13.3 that hold IOVA, 12_3456_7000h. */
  @ParameterizedTest
  @ValueSource(
      longs = {
        0x12_3456_7001L & -0x1000L | 1, // no zero below bit 15: 64 KiB
        0x12_3456_6001L, // 8 KiB
        0x12_3456_5001L, // 16 KiB
        0x12_344f_f001L, // 2 MiB
        0x12_1fff_f001L, // 1 GiB
        0x7fff_ffff_ffff_f001L,
        0xffff_ffff_ffff_f001L,
        0x0007_ffff_ffff_f001L // [50:12] ones: everything
      })
  void a_range_that_holds_the_page_invalidates_it(long second) {
    tables.host();
    assertThat(reaches(IOVA, tables.data)).isTrue();
    rig.store(tables.slot(IOVA, 1), 0);
    pages(DOMAIN, second);
    assertThat(rig.reads(DEVICE, IOVA)).isFalse();
  }

  /** Ranges beside it. */
  @ParameterizedTest
  @ValueSource(
      longs = {
        0x12_3456_8001L, // 8 KiB
        0x12_3456_9001L, // 16 KiB
        0x12_346f_f001L, // 2 MiB
        0x12_5fff_f001L, // 1 GiB
        0x12_3456_8000L, // 4 KiB
        0x12_3456_6000L
      })
  void a_range_beside_the_page_does_not(long second) {
    tables.host();
    assertThat(reaches(IOVA, tables.data)).isTrue();
    rig.store(tables.slot(IOVA, 1), 0);
    pages(DOMAIN, second);
    assertThat(reaches(IOVA, tables.data)).isTrue();
  }

  @Test
  void one_page_of_a_large_one_invalidates_it() {
    tables.host();
    rig.store(tables.slot(IOVA, 2), 0x1_4000_0000L | HOST_RW);
    assertThat(reaches(IOVA, 0x1_4016_7000L)).isTrue();
    rig.store(tables.slot(IOVA, 2), 0);
    assertThat(reaches(IOVA + 4096, 0x1_4016_8000L)).isTrue();
    pages(DOMAIN, IOVA & -0x20_0000L);
    assertThat(rig.reads(DEVICE, IOVA)).isFalse();
  }

  @Test
  void another_table_is_seen_after_a_command_with_pde() {
    tables.host();
    long old = tables.data;
    assertThat(reaches(IOVA, old)).isTrue();
    rig.store(tables.slot(IOVA, 2), 0);
    long data = rig.frame();
    tables.map(IOVA, data, HOST_RW);
    pages(DOMAIN, IOVA);
    assertThat(reaches(IOVA, old)).isTrue();
    pages(DOMAIN, IOVA | PDE);
    assertThat(reaches(IOVA, data)).isTrue();
  }

  @Test
  void a_new_page_needs_no_command() {
    tables.host();
    assertThat(rig.reads(DEVICE, IOVA + 4096)).isFalse();
    tables.map(IOVA + 4096, tables.data, HOST_RW);
    assertThat(reaches(IOVA + 4096, tables.data)).isTrue();
  }

  @Test
  void with_np_cache_a_new_page_needs_one() {
    unit(Rig.with().header(CapabilityBlock.NP_CACHE, 1));
    tables.host();
    assertThat(rig.reads(DEVICE, IOVA + 4096)).isFalse();
    tables.map(IOVA + 4096, tables.data, HOST_RW);
    assertThat(rig.reads(DEVICE, IOVA + 4096)).isFalse();
    assertThat(rig.reason()).isEqualTo(Reason.NOT_PRESENT);
    pages(DOMAIN, IOVA | PDE);
    assertThat(rig.reads(DEVICE, IOVA + 4096)).isFalse();
    pages(OTHER_DOMAIN, IOVA + 4096 | PDE);
    assertThat(rig.reads(DEVICE, IOVA + 4096)).isFalse();
    pages(DOMAIN, IOVA + 4096 | PDE);
    assertThat(reaches(IOVA + 4096, tables.data)).isTrue();
  }

  @Test
  void a_cleared_d_is_set_again_after_the_page_was_invalidated() {
    tables.host().set(0, DeviceTableEntry.HAD, 3);
    long at = tables.slot(IOVA, 1);
    assertThat(rig.writes(DEVICE, IOVA)).isTrue();
    assertThat(HostPte.D.isSet(rig.load(at))).isTrue();
    rig.store(at, rig.load(at) & ~HostPte.D.mask());
    assertThat(rig.writes(DEVICE, IOVA)).isTrue();
    assertThat(HostPte.D.isSet(rig.load(at))).isFalse();
    pages(DOMAIN, IOVA);
    assertThat(rig.writes(DEVICE, IOVA)).isTrue();
    assertThat(HostPte.D.isSet(rig.load(at))).isTrue();
  }

  @Test
  void a_write_sets_d_though_a_read_filled_the_cache() {
    tables.host().set(0, DeviceTableEntry.HAD, 3);
    long at = tables.slot(IOVA, 1);
    assertThat(rig.reads(DEVICE, IOVA)).isTrue();
    assertThat(HostPte.A.isSet(rig.load(at))).isTrue();
    assertThat(HostPte.D.isSet(rig.load(at))).isFalse();
    assertThat(rig.writes(DEVICE, IOVA)).isTrue();
    assertThat(HostPte.D.isSet(rig.load(at))).isTrue();
  }

  @Test
  void devices_of_one_domain_share_its_pages() {
    tables.host();
    Tables other = new Tables(rig, DEVICE + 1).valid();
    other.set(0, DeviceTableEntry.MODE, 4).or(other.entry, tables.root);
    assertThat(rig.reads(DEVICE, IOVA)).isTrue();
    rig.store(tables.slot(IOVA, 1), 0);
    assertThat(rig.reads(other.device, IOVA)).isTrue();
    pages(DOMAIN, IOVA);
    assertThat(rig.reads(other.device, IOVA)).isFalse();
    assertThat(rig.reads(DEVICE, IOVA)).isFalse();
  }

  // ---- guest pages

  @Test
  void a_guest_page_is_invalidated_by_its_pasid_and_address() {
    tables.guest();
    assertThat(guestReaches(GVA, tables.data)).isTrue();
    rig.store(tables.guestSlot(GVA, 1), 0);
    assertThat(guestReaches(GVA, tables.data)).isTrue();
    guestPages(PASID + 1, GVA);
    assertThat(guestReaches(GVA, tables.data)).isTrue();
    guestPages(PASID, GVA + 4096);
    assertThat(guestReaches(GVA, tables.data)).isTrue();
    guestPages(PASID, GVA);
    assertThat(rig.reads(DEVICE, PASID, GVA)).isFalse();
    assertThat(rig.reason()).isEqualTo(Reason.GUEST_NOT_PRESENT);
  }

  @Test
  void other_tables_of_a_pasid_are_seen_after_all_its_pages_were_invalidated() {
    tables.guest();
    long old = tables.data;
    assertThat(guestReaches(GVA, old)).isTrue();
    tables.guestRoot = rig.frame();
    tables.data = rig.frame();
    tables.mapGuest(GVA, tables.data, Tables.GUEST_RW);
    rig.store(tables.gcr3Slot(PASID), tables.guestRoot | 1);
    assertThat(guestReaches(GVA, old)).isTrue();
    guestPages(PASID, Command.ALL_PAGES | S | PDE);
    assertThat(guestReaches(GVA, tables.data)).isTrue();
  }

  @Test
  void a_host_page_under_a_guest_is_invalidated_by_its_guest_physical_address() {
    tables.nested();
    long old = tables.data;
    assertThat(guestReaches(GVA, old)).isTrue();
    long data = rig.frame();
    tables.map(GPA, data, HOST_RW);
    assertThat(guestReaches(GVA, old)).isTrue();
    pages(DOMAIN, Command.ALL_PAGES | S | PDE);
    assertThat(guestReaches(GVA, data)).isTrue();
  }

  @Test
  void guest_a_and_d_are_set_again_after_invalidation() {
    tables.guest();
    long at = tables.guestSlot(GVA, 1);
    assertThat(rig.writes(DEVICE, PASID, GVA)).isTrue();
    long set = GuestPte.A.of(1) | GuestPte.D.of(1);
    assertThat(rig.load(at) & set).isEqualTo(set);
    rig.store(at, rig.load(at) & ~set);
    guestPages(PASID, GVA);
    assertThat(rig.writes(DEVICE, PASID, GVA)).isTrue();
    assertThat(rig.load(at) & set).isEqualTo(set);
  }

  // ---- interrupts

  private long shortEntry(int vector) {
    return Irte.REMAP_EN.of(1) | Irte.SHORT_DESTINATION.of(5) | Irte.SHORT_VECTOR.of(vector);
  }

  private int vector() {
    assertThat(rig.remap(DEVICE, MESSAGE, INDEX)).isTrue();
    return rig.messages.getLast().data() & 0xff;
  }

  private void irte(long entry) {
    rig.store(tables.interrupts + 4 * (INDEX & ~1), entry << 32);
  }

  @Test
  void an_interrupt_entry_is_kept_until_its_table_is_invalidated() {
    tables.interrupts(3);
    irte(shortEntry(0x41));
    assertThat(vector()).isEqualTo(0x41);
    irte(shortEntry(0x52));
    assertThat(vector()).isEqualTo(0x41);
    rig.submit(Rig.invalidateInterrupts(DEVICE + 1));
    assertThat(vector()).isEqualTo(0x41);
    pages(DOMAIN, Command.ALL_PAGES | S | PDE);
    assertThat(vector()).isEqualTo(0x41);
    rig.submit(Rig.invalidateInterrupts(DEVICE));
    assertThat(vector()).isEqualTo(0x52);
  }

  @Test
  void with_irt_cache_dis_entries_are_read_every_time() {
    rig.control(Control.IRT_CACHE_DIS, 1);
    tables.interrupts(3);
    irte(shortEntry(0x41));
    assertThat(vector()).isEqualTo(0x41);
    irte(shortEntry(0x52));
    assertThat(vector()).isEqualTo(0x52);
  }

  @Test
  void the_place_of_the_table_is_kept_with_the_device_s_entry() {
    tables.interrupts(3);
    irte(shortEntry(0x41));
    assertThat(vector()).isEqualTo(0x41);
    tables.interrupts(3);
    irte(shortEntry(0x52));
    rig.submit(Rig.invalidateInterrupts(DEVICE));
    assertThat(vector()).isEqualTo(0x41);
    rig.submit(Rig.invalidateDevice(DEVICE)).submit(Rig.invalidateInterrupts(DEVICE));
    assertThat(vector()).isEqualTo(0x52);
  }

  @Test
  void destination_and_is_run_of_a_guest_s_entry_are_not_kept() {
    rig.startGuestApic().control(Control.XT_EN, 1);
    tables.interrupts(3);
    long at = tables.interrupts + 16 * INDEX;
    long page = rig.frame();
    long first =
        Irte.REMAP_EN.of(1)
            | Irte.GUEST_MODE.of(1)
            | Irte.GA_LOG_INTR.of(1)
            | Irte.GA_TAG.of(0x1234_5678);
    rig.store(at, first, page | 0x61);
    assertThat(rig.remap(DEVICE, MESSAGE, INDEX)).isTrue();
    assertThat(rig.delivery.notice()).isZero();
    rig.store(at, first | Irte.IS_RUN.of(1) | Irte.DESTINATION_LOW.of(7), page | 0x61);
    assertThat(rig.remap(DEVICE, MESSAGE, INDEX)).isTrue();
    assertThat(rig.delivery.notice()).isEqualTo(0xfee0_7000L);
    rig.store(at, first | Irte.IS_RUN.of(1) | Irte.DESTINATION_LOW.of(9), page | 0x62);
    assertThat(rig.remap(DEVICE, MESSAGE, INDEX)).isTrue();
    assertThat(rig.delivery.notice()).isEqualTo(0xfee0_9000L);
    // The vector is kept: 62h was not posted.
    assertThat(rig.load(page + 0x200 + 0x30)).isEqualTo(1L << 1);
    rig.submit(Rig.invalidateInterrupts(DEVICE));
    assertThat(rig.remap(DEVICE, MESSAGE, INDEX)).isTrue();
    assertThat(rig.load(page + 0x200 + 0x30)).isEqualTo(3L << 1);
  }

  // ---- everything

  @Test
  void invalidate_all_drops_everything() {
    tables.host().interrupts(3);
    irte(shortEntry(0x41));
    assertThat(reaches(IOVA, tables.data)).isTrue();
    assertThat(vector()).isEqualTo(0x41);
    tables.host().interrupts(3);
    irte(shortEntry(0x52));
    rig.invalidateAll();
    assertThat(reaches(IOVA, tables.data)).isTrue();
    assertThat(vector()).isEqualTo(0x52);
  }

  @ParameterizedTest
  @ValueSource(strings = {"off", "normal", "worst-case"})
  void after_its_command_a_change_is_seen_whatever_is_cached(String cache) {
    rig.close();
    rig = Rig.standard(cache).start();
    tables = new Tables(rig).host();
    assertThat(reaches(IOVA, tables.data)).isTrue();
    long data = rig.frame();
    tables.map(IOVA, data, HOST_RW);
    pages(DOMAIN, IOVA);
    assertThat(reaches(IOVA, data)).isTrue();
  }

  @Test
  void with_the_cache_off_a_change_is_seen_at_once() {
    rig.close();
    rig = Rig.standard("off").start();
    tables = new Tables(rig).host();
    assertThat(reaches(IOVA, tables.data)).isTrue();
    long data = rig.frame();
    tables.map(IOVA, data, HOST_RW);
    assertThat(reaches(IOVA, data)).isTrue();
    tables.set(0, DeviceTableEntry.TV, 0);
    assertThat(rig.reads(DEVICE, IOVA)).isFalse();
  }
}
