package org.iommu4j.riscv.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.riscv.model.Map39.G;
import static org.iommu4j.riscv.model.Map39.USER;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.dma.Access;
import org.iommu4j.riscv.layout.DeviceContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Which cached entries every form of IOTINVAL and IODIR removes, and which it leaves: tables are
 * changed behind the unit's back, and what a device still reaches tells what is cached.
 */
class InvalidationTest {
  private static final long TARGET = Rig.MEMORY + (32L << 20);
  private static final long IOVA = 0x4000_0000L;
  private static final long OTHER = 0x4000_3000L;
  private static final long GLOBAL = 0x4000_5000L;
  private static final long SUPER = 0x4040_0000L;

  private static final int VMA = 0x1;
  private static final int GVMA = 0x81;
  private static final long AV = 1 << 10;
  private static final long PSCV = 1L << 32;
  private static final long GV = 1L << 33;
  private static final long NL = 1L << 34;
  private static final long S = 1 << 9;

  private final Rig rig = Rig.standard("worst-case").queues();
  private final List<Space> spaces = new ArrayList<>();

  @AfterEach
  void close() {
    rig.close();
  }

  /** A process of the one device, or the device itself, with a first stage of its own. */
  private record Space(int pasid, int pscid, Map39 first) {}

  /** Two processes on the host, PSCID 0x11 and 0x22, both with four kinds of pages. */
  private Dir host() {
    Dir dir = new Dir(rig).tc(DeviceContext.PDTV);
    long pdt = rig.frame();
    for (int pasid = 1; pasid <= 2; pasid++) {
      Map39 first = Map39.first(rig);
      for (long iova : new long[] {IOVA, OTHER, GLOBAL}) {
        first.map(iova, TARGET, iova == GLOBAL ? USER | G : USER);
      }
      first.map(SUPER, TARGET, 1, USER);
      rig.memory.writeLong(pdt + 16 * pasid, 1 | 0x11L * pasid << 12);
      rig.memory.writeLong(pdt + 16 * pasid + 8, 8L << 60 | first.root >>> 12);
      spaces.add(new Space(pasid, 0x11 * pasid, first));
    }
    return dir.fsc(1, pdt);
  }

  private boolean reaches(int pasid, long iova) {
    return rig.translate(rig.request(Dir.DID, iova, Access.READ).pasid(pasid));
  }

  private void reachAll() {
    for (Space s : spaces) {
      for (long iova : new long[] {IOVA, OTHER, GLOBAL, SUPER, SUPER + 0x1f_f000}) {
        assertThat(reaches(s.pasid, iova)).isTrue();
      }
    }
  }

  /** Takes the leaves of all pages out of the tables, behind the unit's back. */
  private void unmapAll() {
    for (Space s : spaces) {
      for (long iova : new long[] {IOVA, OTHER, GLOBAL}) {
        rig.memory.writeLong(s.first.slot(iova, 0), 0);
      }
      rig.memory.writeLong(s.first.slot(SUPER, 1), 0);
    }
  }

  /** What is still cached: per space the initials of the pages, for example "IOGS IOGS". */
  private String cached() {
    StringBuilder text = new StringBuilder();
    for (Space s : spaces) {
      text.append(text.isEmpty() ? "" : " ");
      text.append(reaches(s.pasid, IOVA) ? 'I' : '-');
      text.append(reaches(s.pasid, OTHER) ? 'O' : '-');
      text.append(reaches(s.pasid, GLOBAL) ? 'G' : '-');
      text.append(reaches(s.pasid, SUPER) ? 'S' : '-');
    }
    return text.toString();
  }

  private static long pscid(int pscid) {
    return PSCV | (long) pscid << 12;
  }

  private static long addr(long address) {
    return address >>> 12 << 10;
  }

  @Test
  void what_was_valid_is_used_until_it_is_invalidated() {
    host().start();
    reachAll();
    unmapAll();
    assertThat(cached()).isEqualTo("IOGS IOGS");
  }

  @ParameterizedTest
  @CsvSource({
    // GV, AV, PSCV, address or "": what is left
    "0, 0, 0, 0,        ---- ----",
    "0, 0, 1, 0,        --G- IOGS",
    "0, 1, 0, 40000000, -OGS -OGS",
    "0, 1, 1, 40000000, -OGS IOGS",
    "0, 1, 0, 40005000, IO-S IO-S",
    "0, 1, 1, 40005000, IOGS IOGS",
    "0, 1, 1, 40400000, IOG- IOGS",
    "0, 1, 1, 405ff000, IOG- IOGS",
    "0, 1, 0, 40600000, IOGS IOGS",
    "1, 0, 0, 0,        IOGS IOGS",
    "1, 1, 0, 40000000, IOGS IOGS",
  })
  void vma_on_host_spaces(int gv, int av, int pscv, String address, String left) {
    host().start();
    reachAll();
    unmapAll();
    long first =
        VMA
            | (gv != 0 ? GV : 0)
            | (av != 0 ? AV : 0)
            | (pscv != 0 ? pscid(0x11) : 0x12_3000); // without PSCV the operand is ignored
    rig.command(first, addr(Long.parseLong(address, 16)));
    assertThat(cached()).isEqualTo(left);
  }

  @ParameterizedTest
  @CsvSource({
    "4, 40000000, --GS IOGS", // 16 KiB
    "2, 40000000, -OGS IOGS", // 8 KiB
    "2, 40002000, I-GS IOGS",
    "200, 40000000, --GS IOGS", // 2 MiB, not the superpage behind it
    "400, 40400000, IOG- IOGS",
    "800, 40000000, --G- IOGS", // 8 MiB
  })
  void a_range_takes_all_that_it_overlaps(String pages, String address, String left) {
    host().start();
    reachAll();
    unmapAll();
    long count = Long.parseLong(pages, 16);
    long page = Long.parseLong(address, 16) >>> 12;
    rig.command(VMA | AV | pscid(0x11), (page | (count / 2 - 1)) << 10 | S);
    assertThat(cached()).isEqualTo(left);
  }

  @Test
  void the_largest_range_is_everything_and_so_is_one_of_all_ones() {
    for (long ones : new long[] {-1L >>> 13, -1L >>> 12}) {
      spaces.clear();
      host().start();
      rig.invalidateAll();
      reachAll();
      unmapAll();
      rig.command(VMA | AV, ones << 10 | S);
      assertThat(cached()).isEqualTo("---- ----");
    }
  }

  @Test
  void gvma_leaves_host_spaces_alone() {
    host().start();
    reachAll();
    unmapAll();
    rig.command(GVMA).command(GVMA | GV, 0);
    assertThat(cached()).isEqualTo("IOGS IOGS");
  }

  @Test
  void an_address_alone_leaves_pointers_and_nl_takes_them() {
    host().start();
    Map39 first = spaces.getFirst().first;
    assertThat(reaches(1, IOVA)).isTrue();
    // The pointer to the last table is taken out; the tables below it stay.
    long pointer = first.slot(IOVA, 1);
    rig.memory.writeLong(pointer, 0);
    rig.command(VMA | AV | pscid(0x11), addr(IOVA));
    assertThat(reaches(1, IOVA)).isTrue();
    rig.command(VMA | AV | NL | pscid(0x11), addr(IOVA + (4 << 20)));
    rig.command(VMA | AV | pscid(0x11), addr(IOVA));
    assertThat(reaches(1, IOVA)).isTrue();
    rig.command(VMA | AV | NL | pscid(0x11), addr(OTHER));
    assertThat(reaches(1, IOVA)).isTrue(); // its own leaf is still there
    rig.command(VMA | AV | NL | pscid(0x11), addr(IOVA));
    assertThat(reaches(1, IOVA)).isFalse();
  }

  @Test
  void a_whole_space_goes_with_its_pointers_but_not_the_global_ones() {
    host().start();
    Map39 first = spaces.getFirst().first;
    assertThat(reaches(1, IOVA)).isTrue();
    rig.memory.writeLong(first.slot(IOVA, 1), 0);
    rig.command(VMA | pscid(0x11));
    assertThat(reaches(1, IOVA)).isFalse();
    // A global pointer makes all below it global.
    Map39 second = spaces.getLast().first;
    long pointer = second.slot(IOVA, 1);
    rig.memory.writeLong(pointer, rig.memory.readLong(pointer) | G);
    rig.command(VMA);
    assertThat(reaches(2, IOVA)).isTrue();
    rig.memory.writeLong(pointer, 0);
    rig.command(VMA | pscid(0x22));
    assertThat(reaches(2, IOVA)).isTrue();
    rig.command(VMA | AV, addr(IOVA));
    assertThat(reaches(2, IOVA)).isTrue(); // by the pointer
    rig.command(VMA);
    assertThat(reaches(2, IOVA)).isFalse();
  }

  @Test
  void context_and_page_commands_do_not_touch_each_others_caches() {
    Dir dir = host().start();
    reachAll();
    dir.words[DeviceContext.TC] = 0;
    dir.store();
    rig.command(VMA).command(GVMA);
    assertThat(reaches(1, IOVA)).isTrue();
    dir.words[DeviceContext.TC] = 1 | DeviceContext.PDTV.mask();
    dir.store();
    unmapAll();
    reachOnlyWhatIsCached();
    rig.command(0x3);
    reachOnlyWhatIsCached();
  }

  private void reachOnlyWhatIsCached() {
    assertThat(reaches(1, IOVA)).isTrue();
    assertThat(reaches(1, OTHER)).isFalse();
  }

  @Test
  void ddt_commands_take_the_device_and_all_its_processes() {
    Dir dir = host().start();
    assertThat(reaches(1, IOVA)).isTrue();
    long pdt = dir.words[DeviceContext.FSC] << 12;
    rig.memory.writeLong(pdt + 16, 0);
    rig.command(0x2_0000_0003L | (long) (Dir.DID ^ 1) << 40);
    assertThat(reaches(1, IOVA)).isTrue();
    rig.command(0x2_0000_0003L | (long) Dir.DID << 40);
    assertThat(reaches(1, IOVA)).isFalse();
  }

  @Test
  void pdt_commands_take_one_process() {
    Dir dir = host().start();
    reachAll();
    long pdt = dir.words[DeviceContext.FSC] << 12;
    rig.memory.writeLong(pdt + 16, 0);
    rig.memory.writeLong(pdt + 32, 0);
    rig.command(0x2_0000_0083L | (long) Dir.DID << 40 | 2 << 12);
    assertThat(reaches(1, IOVA)).isTrue();
    assertThat(reaches(2, IOVA)).isFalse();
  }
}
