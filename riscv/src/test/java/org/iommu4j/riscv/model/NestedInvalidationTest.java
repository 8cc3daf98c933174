package org.iommu4j.riscv.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.riscv.model.Map39.USER;

import org.iommu4j.core.dma.Access;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What IOTINVAL removes of translations through two stages, and of MSI entries. */
class NestedInvalidationTest {
  private static final long TARGET = Rig.MEMORY + (32L << 20);
  private static final long IOVA = 0x40_0000_0000L >>> 4;
  private static final long GPA = 0x1_0000_0000L;
  private static final long TWO_MIB = 2 << 20;
  private static final int GSCID = 0x77;
  private static final int PSCID = 0x11;

  private static final long AV = 1 << 10;
  private static final long PSCV = 1L << 32;
  private static final long GV = 1L << 33;
  private static final long NL = 1L << 34;
  private static final long VMA = 0x1 | GV | (long) GSCID << 44;
  private static final long GVMA = 0x81 | GV | (long) GSCID << 44;

  private Rig rig;
  private Map39 first;
  private Map39 second;

  @AfterEach
  void close() {
    rig.close();
  }

  private void start(String cache) {
    rig = Rig.standard(cache).queues();
    first = Map39.first(rig);
    second = Map39.second(rig).identity(Rig.MEMORY, Rig.SIZE);
    new Dir(rig).pscid(PSCID).fsc(8, first.root).iohgatp(8, GSCID, second.root).start();
  }

  private boolean reaches(long iova) {
    return rig.access(Dir.DID, iova, Access.READ);
  }

  private static long addr(long address) {
    return address >>> 12 << 10;
  }

  @ParameterizedTest
  @CsvSource({
    // command of the kind, address: whether a page 4 KiB of both stages is gone
    "vma, 1, 0, 77, iova, true",
    "vma, 1, 1, 77, iova, true",
    "vma, 1, 1, 77, gpa, false",
    "vma, 1, 1, 78, iova, false",
    "vma, 1, 0, 78, iova, false",
    "vma, 0, 0, 77, iova, false",
    "gvma, 1, 0, 77, gpa, true",
    "gvma, 1, 1, 77, gpa, true",
    "gvma, 1, 1, 77, iova, false",
    "gvma, 1, 1, 78, gpa, false",
    "gvma, 0, 1, 78, iova, true", // without GV all else is ignored
  })
  void commands_select_by_vm_and_by_the_address_of_their_own_stage(
      String kind, int gv, int av, String gscid, String address, boolean gone) {
    start("normal");
    second.map(GPA, TARGET, USER);
    first.map(IOVA, GPA, USER);
    assertThat(reaches(IOVA)).isTrue();
    rig.memory.writeLong(first.slot(IOVA, 0), 0);
    rig.command(
        (kind.equals("vma") ? 0x1 : 0x81)
            | (gv != 0 ? GV : 0)
            | (av != 0 ? AV : 0)
            | Long.parseLong(gscid, 16) << 44,
        addr(address.equals("iova") ? IOVA : GPA));
    assertThat(reaches(IOVA)).isEqualTo(!gone);
  }

  @ParameterizedTest
  @ValueSource(strings = {"normal", "worst-case"})
  void any_address_of_a_large_first_stage_leaf_takes_all_its_small_parts(String cache) {
    start(cache);
    for (int i = 0; i < 512; i++) {
      second.map(GPA + 4096L * i, TARGET + 4096L * i, USER);
    }
    first.map(IOVA, GPA, 1, USER);
    assertThat(reaches(IOVA)).isTrue();
    assertThat(reaches(IOVA + 0x9000)).isTrue();
    assertThat(reaches(IOVA + 0x1f_f000)).isTrue();
    rig.memory.writeLong(first.slot(IOVA, 1), 0);
    rig.command(VMA | AV | PSCV | PSCID << 12, addr(IOVA + TWO_MIB));
    assertThat(reaches(IOVA + 0x9000)).isTrue();
    rig.command(VMA | AV | PSCV | PSCID << 12, addr(IOVA + 0x10_0000));
    assertThat(reaches(IOVA)).isFalse();
    assertThat(reaches(IOVA + 0x9000)).isFalse();
    assertThat(reaches(IOVA + 0x1f_f000)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"normal", "worst-case"})
  void any_address_of_a_large_second_stage_leaf_takes_all_its_small_parts(String cache) {
    start(cache);
    second.map(GPA, TARGET, 1, USER);
    first.map(IOVA, GPA + 0x1000, USER).map(IOVA + 0x5000, GPA + 0x1f_f000, USER);
    assertThat(reaches(IOVA)).isTrue();
    assertThat(reaches(IOVA + 0x5000)).isTrue();
    rig.memory.writeLong(second.slot(GPA, 1), 0);
    rig.command(GVMA | AV, addr(GPA - 0x1000));
    assertThat(reaches(IOVA)).isTrue();
    rig.command(GVMA | AV, addr(GPA + 0x10_0000));
    assertThat(reaches(IOVA)).isFalse();
    assertThat(reaches(IOVA + 0x5000)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"normal", "worst-case"})
  void a_page_of_tables_that_moves_is_found_again(String cache) {
    start(cache);
    second.map(GPA, TARGET, USER);
    first.map(IOVA, GPA, USER);
    assertThat(reaches(IOVA)).isTrue();
    // The guest page that holds its last table is moved; the old place is reused.
    long table = first.slot(IOVA, 0) & -4096L;
    long copy = rig.frame();
    byte[] page = new byte[4096];
    rig.memory.read(table, page, 0, 4096);
    rig.memory.write(copy, page, 0, 4096);
    long superpage = table & -TWO_MIB;
    rig.memory.writeLong(second.slot(superpage, 1), 0);
    for (int i = 0; i < 512; i++) {
      long gpa = superpage + 4096L * i;
      second.map(gpa, gpa == table ? copy : gpa, USER);
    }
    rig.memory.write(table, new byte[4096], 0, 4096);
    rig.command(GVMA | AV | NL, addr(superpage)).command(VMA | AV, addr(IOVA)).command(0x3002);
    assertThat(reaches(IOVA)).isTrue();
    rig.memory.writeLong(copy + (first.slot(IOVA, 0) & 0xfff), 0);
    rig.command(VMA | AV, addr(IOVA));
    assertThat(reaches(IOVA)).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "gvma, true, 100000, true",
    "gvma, true, 101000, false",
    "gvma, false, 0, true",
    "vma, true, 100000, false", // first stage Bare: nothing of it to remove
  })
  void msi_entries_go_with_gvma_by_their_guest_page(
      String kind, boolean av, String address, boolean gone) {
    rig = Rig.standard("normal").queues();
    second = Map39.second(rig);
    long table = rig.frame();
    rig.memory.writeLong(table, 7 | TARGET >>> 12 << 10);
    new Dir(rig).iohgatp(8, GSCID, second.root).msi(table, 0xff, 0x100).start();
    assertThat(rig.access(Dir.DID, 0x10_0000, Access.WRITE)).isTrue();
    assertThat(rig.translation.pa()).isEqualTo(TARGET);
    rig.memory.writeLong(table, 0);
    rig.command(
        (kind.equals("vma") ? VMA : GVMA) | (av ? AV : 0), addr(Long.parseLong(address, 16)));
    assertThat(rig.access(Dir.DID, 0x10_0000, Access.WRITE)).isEqualTo(!gone);
  }

  @ParameterizedTest
  @CsvSource({"gvma, 100000, true", "vma, 1000000, true", "vma, 1001000, false"})
  void msi_entries_reached_through_a_first_stage_go_with_either_stage(
      String kind, String address, boolean gone) {
    rig = Rig.standard("normal").queues();
    first = Map39.first(rig);
    second = Map39.second(rig).identity(Rig.MEMORY, Rig.SIZE);
    long table = rig.frame();
    rig.memory.writeLong(table, 7 | TARGET >>> 12 << 10);
    new Dir(rig)
        .pscid(PSCID)
        .fsc(8, first.root)
        .iohgatp(8, GSCID, second.root)
        .msi(table, 0xff, 0x100)
        .start();
    first.map(0x100_0000, 0x10_0000, USER);
    assertThat(rig.access(Dir.DID, 0x100_0000, Access.WRITE)).isTrue();
    rig.memory.writeLong(table, 0);
    rig.command((kind.equals("vma") ? VMA : GVMA) | AV, addr(Long.parseLong(address, 16)));
    assertThat(rig.access(Dir.DID, 0x100_0000, Access.WRITE)).isEqualTo(!gone);
  }
}
