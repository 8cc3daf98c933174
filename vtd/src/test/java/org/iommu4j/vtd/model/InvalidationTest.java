package org.iommu4j.vtd.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.ContextEntry;
import org.iommu4j.vtd.layout.Descriptor;
import org.iommu4j.vtd.layout.FirstStagePte;
import org.iommu4j.vtd.layout.Irte;
import org.iommu4j.vtd.layout.PasidDirectoryEntry;
import org.iommu4j.vtd.layout.PasidEntry;
import org.iommu4j.vtd.layout.Reason;
import org.iommu4j.vtd.layout.Registers;
import org.iommu4j.vtd.layout.RootEntry;
import org.iommu4j.vtd.layout.ScalableContextEntry;
import org.iommu4j.vtd.layout.SecondStagePte;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What each command removes, and what it leaves: tables are changed behind the back of a unit that
 * keeps all it may, and what a device still reaches tells what is cached. The specification's
 * tables of commands and of changes.
 */
class InvalidationTest {
  private static final int SID = 0x0210;
  private static final long A = 0x12_3456_7000L;
  private static final long B = 0x12_3456_a000L;

  /** Shares no table with the others but the uppermost. */
  private static final long FAR = 0x52_3456_7000L;

  private static final int SECOND = 0x21;
  private static final int FIRST = 0x22;
  private static final int NESTED = 0x23;

  private Rig rig = Rig.standard("worst-case");
  private final List<Space> spaces = new ArrayList<>();
  private long context;
  private long directory;
  private long pasidTable;

  @AfterEach
  void close() {
    rig.close();
  }

  /** An address space with the pages A, B and FAR, and where their leaves are. */
  private record Space(int pasid, @Nullable Paging first, @Nullable Paging second) {
    int did() {
      return pasid - SECOND + 11;
    }

    /** The table that leads to the device's pages. */
    Paging paging() {
      return first != null ? first : second;
    }
  }

  /** A table of four levels. */
  private final class Paging {
    final boolean secondStage;
    final @Nullable Paging behind;
    final long root;

    Paging(boolean secondStage, @Nullable Paging behind) {
      this.secondStage = secondStage;
      this.behind = behind;
      root = table();
    }

    private long flags() {
      return secondStage
          ? Tables.SS_RW
          : Tables.FS_ALL | FirstStagePte.A.of(1) | FirstStagePte.D.of(1);
    }

    private long table() {
      long table = rig.frame();
      if (behind != null) {
        behind.map(table, table);
      }
      return table;
    }

    long slot(long address, int level) {
      long at = root + 8 * (address >>> 39 & 0x1ff);
      for (int l = 4; l > level; l--) {
        long entry = rig.load(at);
        if (entry == 0) {
          entry = table() | flags();
          rig.store(at, entry);
        }
        at = (entry & 0xf_ffff_ffff_f000L) + 8 * (address >>> 3 + 9 * (l - 1) & 0x1ff);
      }
      return at;
    }

    void map(long address, long to) {
      rig.store(slot(address, 1), to | flags());
    }
  }

  private Space space(int pasid, boolean first, boolean second) {
    Paging outer = second ? new Paging(true, null) : null;
    Paging inner = first ? new Paging(false, outer) : null;
    long gpa = 0x7_0000_0000L;
    for (long page : new long[] {A, B, FAR}) {
      long data = rig.frame();
      if (inner == null) {
        outer.map(page, data);
      } else if (outer == null) {
        inner.map(page, data);
      } else {
        outer.map(gpa + (page & 0xf000), data);
        inner.map(page, gpa + (page & 0xf000));
      }
    }
    Space space = new Space(pasid, inner, outer);
    spaces.add(space);
    return space;
  }

  /** One function with three PASIDs of all kinds of spaces, and one more as RID_PASID. */
  private void scalable() {
    space(SECOND, false, true);
    space(FIRST, true, false);
    space(NESTED, true, true);
    long root = rig.frame();
    long table = rig.frame();
    rig.store(root + 16L * (SID >>> 8), table | RootEntry.LP.of(1));
    directory = rig.frame();
    pasidTable = rig.frame();
    rig.store(directory, pasidTable | PasidDirectoryEntry.P.of(1));
    context = table + 32L * (SID & 0x7f);
    rig.store(
        context,
        directory
            | ScalableContextEntry.P.of(1)
            | ScalableContextEntry.DTE.of(1)
            | ScalableContextEntry.PASIDE.of(1));
    for (Space s : spaces) {
      rig.store(
          pasidTable + 64L * s.pasid,
          (s.second == null ? 0 : s.second.root)
              | PasidEntry.P.of(1)
              | PasidEntry.AW.of(2)
              | PasidEntry.PGTT.of((s.first == null ? 0 : 1) | (s.second == null ? 0 : 2)),
          PasidEntry.DID.of(s.did()) | PasidEntry.PWSNP.of(1),
          s.first == null ? 0 : s.first.root);
    }
    rig.queue(true).root(root, Registers.TTM_SCALABLE).invalidateAll().enable();
  }

  private boolean reaches(int pasid, long iova) {
    return rig.reads(SID, pasid, iova);
  }

  private void reachAll() {
    for (Space s : spaces) {
      for (long page : new long[] {A, B, FAR}) {
        assertThat(reaches(s.pasid, page + 0x123)).isTrue();
      }
    }
  }

  /** Takes the leaves out of the tables, behind the unit's back. */
  private void unmapAll() {
    for (Space s : spaces) {
      for (long page : new long[] {A, B, FAR}) {
        rig.store(s.paging().slot(page, 1), 0);
      }
    }
  }

  /** What is still cached, per space the letters of its pages. */
  private String cached() {
    StringBuilder text = new StringBuilder();
    for (Space s : spaces) {
      text.append(text.isEmpty() ? "" : " ");
      text.append(reaches(s.pasid, A) ? 'A' : '-');
      text.append(reaches(s.pasid, B) ? 'B' : '-');
      text.append(reaches(s.pasid, FAR) ? 'F' : '-');
    }
    return text.toString();
  }

  /** By the names that the table of the specification has; the address is A. */
  private void command(String name, int did, int pasid, int am) {
    long address = A & -4096L << am | Descriptor.AM.of(am);
    switch (name) {
      case "nothing" -> rig.submit(Descriptor.WAIT);
      case "CC-global" -> rig.submit(Rig.contextGlobal());
      case "PC-global" -> rig.submit(Rig.pasidGlobal());
      case "IOTLB-global" -> rig.submit(Rig.iotlbGlobal());
      case "IOTLB-domain" -> rig.submit(Rig.iotlbDomain(did));
      case "IOTLB-page" -> rig.submit(Rig.iotlbPage(did), address);
      case "P_IOTLB-PASID" -> rig.submit(Rig.pasidIotlb(did, pasid));
      case "P_IOTLB-page" -> rig.submit(Rig.pasidIotlbPage(did, pasid), address);
      default -> throw new AssertionError(name);
    }
  }

  @ParameterizedTest
  @CsvSource({
    // command, domain, PASID, address mask: what is left of second stage, first stage, nested
    "nothing,       0,  0,    0, ABF ABF ABF",
    "CC-global,     0,  0,    0, ABF ABF ABF",
    "PC-global,     0,  0,    0, ABF ABF ABF",
    "IOTLB-global,  0,  0,    0, --- --- ---",
    "IOTLB-domain,  11, 0,    0, --- ABF ABF",
    "IOTLB-domain,  12, 0,    0, ABF --- ABF",
    "IOTLB-domain,  13, 0,    0, ABF ABF ---",
    "IOTLB-domain,  14, 0,    0, ABF ABF ABF",
    "IOTLB-page,    11, 0,    0, -BF ABF ABF",
    "IOTLB-page,    11, 0,    4, --F ABF ABF",
    "IOTLB-page,    11, 0,    2, -BF ABF ABF",
    "IOTLB-page,    12, 0,    0, ABF --- ABF",
    "IOTLB-page,    13, 0,    0, ABF ABF ---",
    "P_IOTLB-PASID, 11, 0x21, 0, --- ABF ABF",
    "P_IOTLB-PASID, 12, 0x22, 0, ABF --- ABF",
    "P_IOTLB-PASID, 13, 0x23, 0, ABF ABF ---",
    "P_IOTLB-PASID, 12, 0x23, 0, ABF ABF ABF",
    "P_IOTLB-PASID, 11, 0x22, 0, ABF ABF ABF",
    "P_IOTLB-page,  11, 0x21, 0, ABF ABF ABF",
    "P_IOTLB-page,  12, 0x22, 0, ABF -BF ABF",
    "P_IOTLB-page,  12, 0x22, 4, ABF --F ABF",
    "P_IOTLB-page,  13, 0x23, 0, ABF ABF -BF",
    "P_IOTLB-page,  13, 0x22, 0, ABF ABF ABF",
  })
  void a_command_removes_translations_by_what_it_names(
      String name, int did, String pasid, int am, String left) {
    scalable();
    reachAll();
    unmapAll();
    assertThat(cached()).isEqualTo("ABF ABF ABF");
    command(name, did, Integer.decode(pasid), am);
    assertThat(cached()).isEqualTo(left);
  }

  @ParameterizedTest
  @CsvSource({
    "IOTLB-page,    11, 0x21, 0, false",
    "IOTLB-page,    11, 0x21, 1, true",
    "IOTLB-domain,  11, 0x21, 0, false",
    "P_IOTLB-PASID, 11, 0x21, 0, true",
    "P_IOTLB-page,  12, 0x22, 0, false",
    "P_IOTLB-page,  12, 0x22, 1, true",
    "P_IOTLB-PASID, 12, 0x22, 0, false",
    "IOTLB-page,    12, 0x22, 1, false",
    "IOTLB-domain,  12, 0x22, 0, false",
  })
  void the_hint_that_only_leaves_changed_keeps_upper_entries(
      String name, int did, String pasidText, int hint, boolean kept) {
    scalable();
    int pasid = Integer.decode(pasidText);
    assertThat(reaches(pasid, A)).isTrue();
    // The page table is taken out; the entry in it is as it was.
    Space s = spaces.get(pasid - SECOND);
    rig.store(s.paging().slot(A, 2), 0);
    assertThat(reaches(pasid, A)).isTrue();
    long address = A | Descriptor.IH.of(hint);
    switch (name) {
      case "IOTLB-page" -> rig.submit(Rig.iotlbPage(did), address);
      case "P_IOTLB-page" -> rig.submit(Rig.pasidIotlbPage(did, pasid), address);
      default -> command(name, did, pasid, 0);
    }
    assertThat(reaches(pasid, A)).isEqualTo(kept);
  }

  @ParameterizedTest
  @CsvSource({
    // what is given for the domain 11 and PASID 21h after its entry went away; what is reached then
    "nothing,  0,  0,    true",
    "IOTLB,    11, 0,    true",
    "global,   0,  0,    false",
    "domain,   11, 0,    false",
    "domain,   12, 0,    true",
    "pasid,    11, 0x21, false",
    "pasid,    12, 0x21, true",
    "pasid,    11, 0x22, true",
    "context,  0,  0,    true",
  })
  void a_pasid_entry_goes_with_its_domain_and_pasid(
      String name, int did, String pasid, boolean kept) {
    scalable();
    reachAll();
    rig.store(pasidTable + 64L * SECOND, 0);
    pasidCommand(name, did, Integer.decode(pasid));
    assertThat(reaches(SECOND, A)).isEqualTo(kept);
    if (!kept) {
      assertThat(rig.reason()).isEqualTo(Reason.SPT_2);
    }
    assertThat(reaches(FIRST, A)).isTrue();
  }

  private void pasidCommand(String name, int did, int pasid) {
    switch (name) {
      case "nothing" -> rig.submit(Descriptor.WAIT);
      case "IOTLB" -> rig.submit(Rig.iotlbDomain(did));
      case "global" -> rig.submit(Rig.pasidGlobal());
      case "domain" -> rig.submit(Rig.pasidDomain(did));
      case "pasid" -> rig.submit(Rig.pasidOne(did, pasid));
      case "context" -> rig.submit(Rig.contextGlobal());
      default -> throw new AssertionError(name);
    }
  }

  @Test
  void a_directory_entry_goes_with_the_pasids_that_it_leads_to() {
    scalable();
    reachAll();
    rig.store(directory, 0);
    assertThat(reaches(SECOND, A)).isTrue();
    rig.submit(Rig.pasidOne(11, SECOND)).submit(Rig.iotlbDomain(11));
    assertThat(reaches(SECOND, A)).isFalse();
    assertThat(rig.reason()).isEqualTo(Reason.SPD_2);
    assertThat(reaches(FIRST, A)).isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    // SID and function mask of the command; whether the context of 0210h stays
    "none,   0,      0, true",
    "pasid,  0,      0, true",
    "global, 0,      0, false",
    "domain, 0,      0, false",
    "device, 0x0210, 0, false",
    "device, 0x0211, 0, true",
    "device, 0x0211, 3, false",
    "device, 0x0214, 1, false",
    "device, 0x0214, 0, true",
    "device, 0x0212, 1, true",
    "device, 0x0212, 2, false",
    "device, 0x0211, 2, true",
  })
  void a_scalable_context_entry_goes_with_its_source(
      String name, String sid, int mask, boolean kept) {
    scalable();
    reachAll();
    rig.store(context, 0);
    switch (name) {
      case "none" -> rig.submit(Rig.iotlbGlobal());
      case "pasid" -> rig.submit(Rig.pasidGlobal());
      case "global" -> rig.submit(Rig.contextGlobal());
      case "domain" -> rig.submit(Rig.contextDomain(0x777));
      default -> rig.submit(Rig.contextDevice(Integer.decode(sid), 0x777, mask));
    }
    // All that is needed besides: a domain is not told from the source's.
    rig.submit(Rig.pasidDomain(12)).submit(Rig.iotlbDomain(12));
    assertThat(reaches(FIRST, A)).isEqualTo(kept);
  }

  // ---- legacy mode

  private long rootEntry;

  private void legacy() {
    Space s = space(SECOND, false, true);
    long root = rig.frame();
    long table = rig.frame();
    rootEntry = root + 16L * (SID >>> 8);
    rig.store(rootEntry, table | RootEntry.P.of(1));
    context = table + 16L * (SID & 0xff);
    rig.store(
        context,
        s.second.root | ContextEntry.P.of(1) | ContextEntry.TT.of(1),
        ContextEntry.AW.of(2) | ContextEntry.DID.of(11));
    rig.root(root, Registers.TTM_LEGACY);
  }

  private void legacyQueue() {
    legacy();
    rig.queue(false).invalidateAll().enable();
    assertThat(rig.reads(SID, A)).isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    "none,   0,  0,      0, true",
    "global, 0,  0,      0, false",
    "domain, 11, 0,      0, false",
    "domain, 12, 0,      0, true",
    "device, 11, 0x0210, 0, false",
    "device, 12, 0x0210, 0, true",
    "device, 11, 0x0211, 0, true",
    "device, 11, 0x0217, 3, false",
    "device, 11, 0x0310, 3, true",
  })
  void a_legacy_context_entry_goes_with_its_source_and_domain(
      String name, int did, String sid, int mask, boolean kept) {
    legacyQueue();
    rig.store(context, 0, 0);
    switch (name) {
      case "none" -> rig.submit(Descriptor.WAIT);
      case "global" -> rig.submit(Rig.contextGlobal());
      case "domain" -> rig.submit(Rig.contextDomain(did));
      default -> rig.submit(Rig.contextDevice(Integer.decode(sid), did, mask));
    }
    rig.submit(Rig.iotlbDomain(11));
    assertThat(rig.reads(SID, A)).isEqualTo(kept);
  }

  @Test
  void a_root_entry_goes_with_all_contexts() {
    legacyQueue();
    rig.store(rootEntry, 0);
    assertThat(rig.reads(SID, A)).isTrue();
    rig.submit(Rig.contextGlobal()).submit(Rig.iotlbGlobal());
    assertThat(rig.reads(SID, A)).isFalse();
    assertThat(rig.reason()).isEqualTo(Reason.LRT_2);
  }

  @Test
  void a_page_of_a_legacy_domain_goes_alone() {
    legacyQueue();
    assertThat(rig.reads(SID, B)).isTrue();
    unmapAll();
    rig.submit(Rig.iotlbPage(11), A);
    assertThat(rig.reads(SID, A)).isFalse();
    assertThat(rig.reads(SID, B)).isTrue();
    rig.submit(Rig.iotlbDomain(11));
    assertThat(rig.reads(SID, B)).isFalse();
  }

  // ---- pointers and enables

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void a_new_root_pointer_removes_everything_only_with_esrtps(boolean supported) {
    rig.close();
    rig =
        Rig.with().cap(Capability.ESRTPS, supported ? 1 : 0).option("cache", "worst-case").build();
    legacyQueue();
    rig.root(rig.frame(), Registers.TTM_LEGACY);
    assertThat(rig.reads(SID, A)).isEqualTo(!supported);
    rig.submit(Rig.contextGlobal()).submit(Rig.iotlbGlobal());
    assertThat(rig.reads(SID, A)).isFalse();
  }

  @Test
  void disabling_translation_removes_everything() {
    scalable();
    reachAll();
    unmapAll();
    rig.command(Registers.TE, false);
    assertThat(rig.status(Registers.TES)).isFalse();
    rig.enable();
    assertThat(cached()).isEqualTo("--- --- ---");
  }

  // ---- what was not present

  private void cachingMode(boolean on) {
    rig.close();
    rig = Rig.with().cap(Capability.CM, on ? 1 : 0).option("cache", "worst-case").build();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void a_context_entry_that_was_not_present_is_kept_in_caching_mode_under_domain_0(boolean cm) {
    cachingMode(cm);
    legacy();
    rig.queue(false).invalidateAll().enable();
    long low = rig.load(context);
    rig.store(context, low & ~1);
    assertThat(rig.reads(SID, A)).isFalse();
    rig.store(context, low);
    assertThat(rig.reads(SID, A)).isEqualTo(!cm);
    rig.submit(Rig.contextDevice(SID, 11, 0));
    assertThat(rig.reads(SID, A)).isEqualTo(!cm);
    rig.submit(Rig.contextDevice(SID, 0, 0));
    assertThat(rig.reads(SID, A)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void a_pasid_entry_that_was_not_present_is_kept_in_caching_mode_under_domain_0(boolean cm) {
    cachingMode(cm);
    scalable();
    long at = pasidTable + 64L * SECOND;
    long low = rig.load(at);
    rig.store(at, low & ~1);
    assertThat(reaches(SECOND, A)).isFalse();
    rig.store(at, low);
    assertThat(reaches(SECOND, A)).isEqualTo(!cm);
    rig.submit(Rig.pasidOne(11, SECOND));
    assertThat(reaches(SECOND, A)).isEqualTo(!cm);
    rig.submit(Rig.pasidOne(0, SECOND));
    assertThat(reaches(SECOND, A)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void a_second_stage_entry_that_was_not_present_is_kept_in_caching_mode(boolean cm) {
    cachingMode(cm);
    scalable();
    long at = spaces.getFirst().second.slot(A, 1);
    long entry = rig.load(at);
    rig.store(at, 0);
    assertThat(reaches(SECOND, A)).isFalse();
    rig.store(at, entry);
    assertThat(reaches(SECOND, A)).isEqualTo(!cm);
    rig.submit(Rig.iotlbPage(11), B);
    assertThat(reaches(SECOND, A)).isEqualTo(!cm);
    rig.submit(Rig.iotlbPage(11), A);
    assertThat(reaches(SECOND, A)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void a_first_stage_entry_that_was_not_present_is_never_kept(boolean cm) {
    cachingMode(cm);
    scalable();
    long at = spaces.get(1).first.slot(A, 1);
    long entry = rig.load(at);
    rig.store(at, 0);
    assertThat(reaches(FIRST, A)).isFalse();
    rig.store(at, entry);
    assertThat(reaches(FIRST, A)).isTrue();
  }

  @Test
  void a_page_that_refused_a_write_may_be_kept_as_it_was() {
    scalable();
    long at = spaces.getFirst().second.slot(A, 1);
    rig.store(at, rig.load(at) & ~SecondStagePte.W.mask());
    assertThat(reaches(SECOND, A)).isTrue();
    assertThat(rig.writes(SID, SECOND, A)).isFalse();
    rig.store(at, rig.load(at) | SecondStagePte.W.mask());
    assertThat(rig.writes(SID, SECOND, A)).isFalse();
    rig.submit(Rig.iotlbPage(11), A);
    assertThat(rig.writes(SID, SECOND, A)).isTrue();
  }

  // ---- interrupt entries

  private long interrupts() {
    long table = rig.frame();
    for (int i = 0; i < 8; i++) {
      rig.store(table + 16 * i, Irte.P.of(1) | Irte.V.of(0x40 + i) | Irte.XAPIC_DST.of(1));
    }
    rig.write(Registers.IRTA, table | Registers.IRTA_S.of(7));
    rig.command(Registers.SIRTP, true);
    rig.queue(false).submit(Rig.interruptsGlobal());
    rig.command(Registers.IRE, true);
    return table;
  }

  private String vectors() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 8; i++) {
      rig.messages.clear();
      text.append(rig.interrupt(SID, i) ? "+" : "-");
    }
    return text.toString();
  }

  @ParameterizedTest
  @CsvSource({
    "-1, 0, --------",
    "3,  0, +++-++++",
    "3,  1, ++--++++",
    "4,  2, ++++----",
    "7,  2, ++++----",
    "9,  0, ++++++++",
  })
  void an_interrupt_entry_goes_with_its_index(int index, int mask, String left) {
    long table = interrupts();
    assertThat(vectors()).isEqualTo("++++++++");
    for (int i = 0; i < 8; i++) {
      rig.store(table + 16 * i, 0);
    }
    assertThat(vectors()).isEqualTo("++++++++");
    rig.submit(index < 0 ? Rig.interruptsGlobal() : Rig.interruptIndex(index, mask));
    assertThat(vectors()).isEqualTo(left);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void an_interrupt_entry_that_was_not_present_is_kept_in_caching_mode(boolean cm) {
    cachingMode(cm);
    long table = interrupts();
    long entry = rig.load(table);
    rig.store(table, 0);
    assertThat(rig.interrupt(SID, 0)).isFalse();
    rig.store(table, entry);
    assertThat(rig.interrupt(SID, 0)).isEqualTo(!cm);
    rig.submit(Rig.interruptIndex(0, 0));
    assertThat(rig.interrupt(SID, 0)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void an_interrupt_entry_with_reserved_bits_is_kept_in_caching_mode(boolean cm) {
    cachingMode(cm);
    long table = interrupts();
    long entry = rig.load(table);
    rig.store(table, entry | 1L << 12);
    assertThat(rig.interrupt(SID, 0)).isFalse();
    assertThat(rig.delivery.reason()).isEqualTo(Reason.IR_RESERVED);
    rig.store(table, entry);
    assertThat(rig.interrupt(SID, 0)).isEqualTo(!cm);
    rig.submit(Rig.interruptIndex(0, 0));
    assertThat(rig.interrupt(SID, 0)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void a_new_interrupt_table_removes_entries_only_with_esirtps(boolean supported) {
    rig.close();
    rig =
        Rig.with().cap(Capability.ESIRTPS, supported ? 1 : 0).option("cache", "worst-case").build();
    interrupts();
    assertThat(rig.interrupt(SID, 0)).isTrue();
    rig.write(Registers.IRTA, rig.frame() | Registers.IRTA_S.of(7));
    rig.command(Registers.SIRTP, true);
    assertThat(rig.interrupt(SID, 0)).isEqualTo(!supported);
    rig.submit(Rig.interruptsGlobal());
    assertThat(rig.interrupt(SID, 0)).isFalse();
  }

  // ---- the registers of old

  private long contextCommand(long value) {
    rig.write(Registers.CCMD, Registers.ICC.of(1) | value);
    long after = rig.read(Registers.CCMD);
    assertThat(Registers.ICC.get(after)).isZero();
    return Registers.CAIG.get(after);
  }

  private long iotlbCommand(long address, long value) {
    rig.write(Registers.iva(rig.ecap()), address);
    rig.write(Registers.iotlb(rig.ecap()), Registers.IVT.of(1) | value);
    long after = rig.read(Registers.iotlb(rig.ecap()));
    assertThat(Registers.IVT.get(after)).isZero();
    return Registers.IAIG.get(after);
  }

  private static long iotlb(int granularity, int did) {
    return Registers.IIRG.of(granularity) | Registers.IOTLB_DID.of(did);
  }

  private static long context(int granularity, int did, int sid) {
    return Registers.CIRG.of(granularity) | Registers.CCMD_DID.of(did) | Registers.CCMD_SID.of(sid);
  }

  @Test
  void register_commands_remove_contexts_and_pages_and_tell_how_coarsely() {
    legacy();
    rig.enable();
    assertThat(rig.reads(SID, A)).isTrue();
    assertThat(rig.reads(SID, B)).isTrue();
    unmapAll();
    assertThat(iotlbCommand(A, iotlb(3, 11))).isEqualTo(3);
    assertThat(rig.reads(SID, A)).isFalse();
    assertThat(rig.reads(SID, B)).isTrue();
    assertThat(iotlbCommand(0, iotlb(2, 12))).isEqualTo(2);
    assertThat(rig.reads(SID, B)).isTrue();
    assertThat(iotlbCommand(0, iotlb(2, 11))).isEqualTo(2);
    assertThat(rig.reads(SID, B)).isFalse();
    rig.store(context, 0, 0);
    assertThat(contextCommand(context(3, 11, SID ^ 1))).isEqualTo(3);
    assertThat(contextCommand(context(2, 12, 0))).isEqualTo(2);
    assertThat(rig.reads(SID, A)).isFalse();
    assertThat(rig.reason()).isEqualTo(Reason.LGN_3);
    assertThat(contextCommand(context(3, 11, SID))).isEqualTo(3);
    assertThat(rig.reads(SID, A)).isFalse();
    assertThat(rig.reason()).isEqualTo(Reason.LCT_2);
    assertThat(contextCommand(context(1, 0, 0))).isEqualTo(1);
    assertThat(iotlbCommand(0, iotlb(1, 0))).isEqualTo(1);
  }

  @Test
  void register_commands_that_cannot_be_are_reported_and_do_nothing() {
    legacy();
    rig.enable();
    assertThat(rig.reads(SID, A)).isTrue();
    unmapAll();
    rig.store(context, 0, 0);
    assertThat(contextCommand(context(0, 11, SID))).isZero();
    assertThat(iotlbCommand(A, iotlb(0, 11))).isZero();
    assertThat(iotlbCommand(A | 19, iotlb(3, 11))).isZero();
    assertThat(rig.reads(SID, A)).isTrue();
  }

  @Test
  void from_version_6_on_register_commands_are_reported_as_errors() {
    rig.close();
    rig = Rig.with().version(0x60).option("cache", "worst-case").build();
    legacy();
    rig.enable();
    assertThat(contextCommand(context(1, 0, 0))).isZero();
    assertThat(iotlbCommand(0, iotlb(1, 0))).isZero();
  }

  @Test
  void in_scalable_mode_register_commands_are_reported_as_errors() {
    rig.root(rig.frame(), Registers.TTM_SCALABLE);
    assertThat(contextCommand(context(1, 0, 0))).isZero();
    assertThat(iotlbCommand(0, iotlb(1, 0))).isZero();
  }
}
