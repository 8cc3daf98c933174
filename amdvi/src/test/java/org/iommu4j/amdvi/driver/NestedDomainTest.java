package org.iommu4j.amdvi.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.amdvi.layout.EventCode;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.GuestPte;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaPort;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.DomainType;
import org.iommu4j.driver.GuestTable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A guest's GCR3 table and page tables over host tables of the driver's. */
class NestedDomainTest {
  private static final int DEVICE = 0x08;
  private static final int OTHER = 0x09;
  private static final int RW = Access.READ | Access.WRITE;
  private static final long MEMORY = Rig.DATA + 0x100_0000;

  /** Where the guests of the tests keep data. */
  private static final long A = 0x8_0000;

  private static final long B = 0x8_1000;

  /** One guest: a GCR3 table of one level, and page tables for PASIDs 0 and 3. */
  private static final class Guest {
    final GuestMemory memory;
    final long gcr3;
    final long own;
    final long process;
    final int levels;

    Guest(Rig rig, long base, int levels) {
      memory = new GuestMemory(rig, base);
      this.levels = levels;
      gcr3 = memory.table();
      own = memory.table();
      process = memory.table();
      memory.process(gcr3, 1, 0, own);
      memory.process(gcr3, 1, 3, process);
      memory.write(A, 0xa);
      memory.write(B, 0xb);
    }

    void map(long root, long iova, long gpa) {
      memory.map(root, levels, iova, gpa);
    }

    GuestTable table() {
      return new GuestTable(gcr3, levels, 9);
    }
  }

  private static Domain parent(Rig rig, Guest guest) {
    Domain parent = rig.driver.createDomain(DomainType.NESTING_PARENT);
    parent.map(0, guest.memory.base, 0x10_0000, RW);
    return parent;
  }

  private static void reads(DmaPort port, int pasid, long iova, long value) {
    assertThat(port.pasid(pasid).readLong(iova)).as("PASID %d at 0x%x", pasid, iova).isTrue();
    assertThat(port.value()).as("PASID %d at 0x%x", pasid, iova).isEqualTo(value);
  }

  private static void fails(DmaPort port, int pasid, long iova) {
    assertThat(port.pasid(pasid).readLong(iova)).as("PASID %d at 0x%x", pasid, iova).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "normal, guest, 9",
    "worst-case, guest, 9",
    "worst-case, guest, d",
    "off, guest, 9",
    "normal, host, 9",
    "worst-case, host, d"
  })
  void a_guest_changes_its_table_and_says_so(String cache, String tables, String header) {
    try (Rig rig =
            Rig.with()
                .unit("cache", cache)
                .unit("cap_header", "0x1%s0b000f".formatted(header))
                .driver("tables", tables)
                .driver("np_cache", header.equals("d"))
                .build();
        DmaPort port = rig.port(DEVICE)) {
      Guest guest = new Guest(rig, MEMORY, 4);
      Domain parent = parent(rig, guest);
      Domain nested = rig.driver.createNestedDomain(parent, guest.table());
      guest.map(guest.own, 0x5000, A);
      guest.map(guest.process, 0x5000, B);
      fails(port, -1, 0x5000);
      nested.attach(DEVICE);
      assertThat(rig.driver.domainOf(DEVICE)).isSameAs(nested);
      reads(port, -1, 0x5000, 0xa);
      reads(port, 0, 0x5000, 0xa);
      reads(port, 3, 0x5000, 0xb);
      guest.map(guest.own, 0x5000, B);
      nested.invalidate(0x5000, 0x1000, true);
      reads(port, -1, 0x5000, 0xb);
      guest.map(guest.process, 0x5000, A);
      nested.invalidate(3, 0x5000, 0x1000, true);
      reads(port, 3, 0x5000, 0xa);
      // A page of the host goes: whoever came to it by whatever tables does not any more.
      parent.unmap(A, 0x1000);
      fails(port, 3, 0x5000);
      reads(port, -1, 0x5000, 0xb);
      parent.map(A, MEMORY + B, 0x1000, RW);
      reads(port, 3, 0x5000, 0xb);
      // A table of the guest's goes from under it: what came of it before may stay, new walks fail.
      parent.unmap(guest.process, 0x1000);
      nested.invalidate(3, 0, 0, false);
      fails(port, 3, 0x5000);
      reads(port, -1, 0x5000, 0xb);
      parent.map(guest.process, MEMORY + guest.process, 0x1000, RW);
      reads(port, 3, 0x5000, 0xb);
      // The guest moves a PASID to other tables, and takes one away.
      guest.memory.process(guest.gcr3, 1, 3, guest.own);
      nested.invalidate(3, 0, 0, false);
      reads(port, 3, 0x5000, 0xb);
      guest.memory.write(guest.own, 0);
      nested.invalidate(0, 0, false);
      fails(port, -1, 0x5000);
      fails(port, 3, 0x5000);
      assertThatThrownBy(parent::close).isInstanceOf(IllegalStateException.class);
      nested.close();
      fails(port, -1, 0x5000);
      parent.attach(DEVICE);
      reads(port, -1, B, 0xb);
      parent.close();
      rig.driver.close();
      assertThat(rig.frames.inUse()).as("the device table stays").isEqualTo(2 << 20);
    }
  }

  @ParameterizedTest
  @CsvSource({"host, 3, 4", "host, 5, 5", "guest, 4, 5", "guest, 5, 4", "guest, 5, 5"})
  void tables_of_every_depth(String tables, int levels, int guestLevels) {
    try (Rig rig =
            Rig.with()
                .efr(ExtendedFeatures.HATS, 1)
                .efr(ExtendedFeatures.GATS, 1)
                .driver("tables", tables)
                .driver("levels", levels)
                .build();
        DmaPort port = rig.port(DEVICE)) {
      Guest guest = new Guest(rig, MEMORY, guestLevels);
      Domain nested = rig.driver.createNestedDomain(parent(rig, guest), guest.table());
      long far = 1L << 8 + 9 * guestLevels;
      guest.map(guest.own, far, A);
      nested.attach(DEVICE);
      reads(port, -1, far, 0xa);
      // Back to the driver's own tables, which may be of another depth.
      Domain flat = rig.driver.createDomain(DomainType.DMA_STRICT);
      flat.map(0x1000, MEMORY + B, 0x1000, RW);
      flat.attach(DEVICE);
      reads(port, -1, 0x1000, 0xb);
      nested.attach(DEVICE);
      reads(port, -1, far, 0xa);
    }
  }

  @Test
  void a_gcr3_table_of_three_levels() {
    try (Rig rig = Rig.with().efr(ExtendedFeatures.PAS_MAX, 19).build();
        DmaPort port = rig.port(DEVICE)) {
      assertThat(rig.driver.capabilities().guestPasidBits()).isEqualTo(20);
      Guest guest = new Guest(rig, MEMORY, 4);
      long gcr3 = guest.memory.table();
      guest.memory.process(gcr3, 3, 0xf_4321, guest.process);
      guest.map(guest.process, 0x5000, B);
      Domain nested =
          rig.driver.createNestedDomain(parent(rig, guest), new GuestTable(gcr3, 4, 20));
      nested.attach(DEVICE);
      reads(port, 0xf_4321, 0x5000, 0xb);
      fails(port, 0xf_4322, 0x5000);
    }
  }

  @ParameterizedTest
  @CsvSource({"normal", "worst-case"})
  void guests_over_one_parent_do_not_meet(String cache) {
    try (Rig rig = Rig.with().unit("cache", cache).build();
        DmaPort port = rig.port(DEVICE);
        DmaPort other = rig.port(OTHER);
        DmaPort third = rig.port(0x208)) {
      Guest guest = new Guest(rig, MEMORY, 4);
      Domain parent = parent(rig, guest);
      Domain one = rig.driver.createNestedDomain(parent, guest.table());
      long gcr3 = guest.memory.table();
      long root = guest.memory.table();
      guest.memory.process(gcr3, 1, 0, root);
      guest.memory.process(gcr3, 1, 3, root);
      Domain two = rig.driver.createNestedDomain(parent, new GuestTable(gcr3, 4, 9));
      guest.map(guest.own, 0x5000, A);
      guest.map(guest.process, 0x5000, A);
      guest.map(root, 0x5000, B);
      one.attach(DEVICE);
      two.attach(OTHER);
      two.attach(0x208);
      for (int pasid : new int[] {-1, 3}) {
        reads(port, pasid, 0x5000, 0xa);
        reads(other, pasid, 0x5000, 0xb);
        reads(third, pasid, 0x5000, 0xb);
      }
      parent.unmap(B, 0x1000);
      fails(other, -1, 0x5000);
      fails(other, 3, 0x5000);
      fails(third, 3, 0x5000);
      reads(port, 3, 0x5000, 0xa);
      parent.map(B, MEMORY + B, 0x1000, RW);
      one.attach(OTHER);
      reads(other, 3, 0x5000, 0xa);
      reads(third, 3, 0x5000, 0xb);
      one.close();
      fails(port, -1, 0x5000);
      fails(other, 3, 0x5000);
      reads(third, -1, 0x5000, 0xb);
    }
  }

  @Test
  void a_wrong_table_of_the_guest_s_is_a_fault_that_is_reported() {
    try (Rig rig = Rig.with().build();
        DmaPort port = rig.port(DEVICE)) {
      Guest guest = new Guest(rig, MEMORY, 4);
      Domain parent = parent(rig, guest);
      Domain nested = rig.driver.createNestedDomain(parent, guest.table());
      nested.attach(DEVICE);
      fails(port, 5, 0x5000);
      assertFault(rig, 5, 0x5000);
      fails(port, 3, 0x6000);
      assertFault(rig, 3, 0x6000);
      // Beyond what the parent maps: a page, a page table, the GCR3 table itself.
      guest.map(guest.process, 0x5000, 0x20_0000);
      fails(port, 3, 0x5000);
      assertFault(rig, -2, 0x20_0000);
      guest.memory.process(guest.gcr3, 1, 4, 0x7fff_f000L);
      fails(port, 4, 0x5000);
      assertFault(rig, -2, 0x7fff_f000L);
      Domain away = rig.driver.createNestedDomain(parent, new GuestTable(0x7fff_0000L, 4, 9));
      away.attach(DEVICE);
      fails(port, 4, 0x5000);
      assertFault(rig, -2, 0x7fff_0020L);
      // What the guest may not do to its own tables by way of the host.
      nested.attach(DEVICE);
      guest.memory.write(
          guest.memory.entry(guest.process, 4, 0x7000), A | GuestMemory.PAGE & ~GuestPte.RW.mask());
      assertThat(port.pasid(3).writeLong(0x7000, 1)).isFalse();
      assertFault(rig, 3, 0x7000);
    }
  }

  private static void assertFault(Rig rig, int pasid, long address) {
    assertThat(rig.newFaults())
        .singleElement()
        .satisfies(f -> assertThat(f.source()).isEqualTo(DEVICE))
        .satisfies(f -> assertThat(f.reason().code()).isEqualTo(EventCode.IO_PAGE_FAULT.code()))
        .satisfies(f -> assertThat(f.address()).isEqualTo(address))
        .satisfies(f -> assertThat(pasid == -2 || f.pasid() == pasid).isTrue());
  }

  @Test
  void a_device_goes_everywhere_and_back() {
    try (Rig rig = Rig.with().unit("cache", "worst-case").build();
        DmaPort port = rig.port(DEVICE)) {
      Guest guest = new Guest(rig, MEMORY, 4);
      Domain parent = parent(rig, guest);
      guest.map(guest.own, 0x9000, A);
      List<Domain> domains = new ArrayList<>();
      domains.add(rig.driver.createNestedDomain(parent, guest.table()));
      domains.add(rig.driver.createDomain(DomainType.DMA_STRICT));
      domains.add(rig.driver.createDomain(DomainType.IDENTITY));
      domains.add(parent);
      domains.get(1).map(0x9000, MEMORY + B, 0x1000, RW);
      guest.memory.write(0x9000, 0xc);
      for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 4; j++) {
          domains.get(i).attach(DEVICE);
          check(port, i, guest);
          domains.get(j).attach(DEVICE);
          check(port, j, guest);
        }
      }
    }
  }

  private static void check(DmaPort port, int where, Guest guest) {
    switch (where) {
      case 0 -> reads(port, -1, 0x9000, 0xa);
      case 1 -> reads(port, -1, 0x9000, 0xb);
      case 2 -> reads(port, -1, MEMORY + A, 0xa);
      default -> reads(port, -1, 0x9000, guest.memory.read(0x9000));
    }
  }

  @Test
  void host_tables_and_pasids_of_the_driver_s_exclude_each_other() {
    try (Rig rig = Rig.with().build();
        DmaPort port = rig.port(DEVICE)) {
      Guest guest = new Guest(rig, MEMORY, 4);
      Domain parent = parent(rig, guest);
      Domain nested = rig.driver.createNestedDomain(parent, guest.table());
      Domain flat = rig.driver.createDomain(DomainType.DMA_STRICT);
      flat.map(0x5000, MEMORY + B, 0x1000, RW);
      for (Domain base : List.of(nested, parent)) {
        assertThatThrownBy(() -> base.attach(OTHER, 3))
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("GCR3");
        base.attach(DEVICE);
        assertThatThrownBy(() -> flat.attach(DEVICE, 3))
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("0x8");
        assertThat(rig.driver.domainOf(DEVICE)).isSameAs(base);
      }
      parent.detach(DEVICE);
      flat.attach(DEVICE, 3);
      for (Domain base : List.of(nested, parent)) {
        assertThatThrownBy(() -> base.attach(DEVICE))
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("PASIDs");
      }
      reads(port, 3, 0x5000, 0xb);
      flat.detach(DEVICE, 3);
      guest.map(guest.own, 0x5000, A);
      nested.attach(DEVICE);
      reads(port, -1, 0x5000, 0xa);
    }
  }

  @Test
  void what_cannot_be_nested_is_said() {
    try (Rig rig = Rig.with().efr(ExtendedFeatures.GATS, 0).driver("pasid_bits", 9).build()) {
      Domain parent = rig.driver.createDomain(DomainType.NESTING_PARENT);
      assertThat(rig.driver.capabilities().guestPasidBits()).isEqualTo(9);
      refused(rig, parent, new GuestTable(0x1000, 4), "process table with PASIDs of 1..9 bits");
      refused(rig, parent, new GuestTable(0x1000, 4, 10), "1..9 bits");
      refused(rig, parent, new GuestTable(0x1000, 5, 9), "4..4 levels");
      refused(rig, parent, new GuestTable(0x1000, 3, 9), "not of 3");
      refused(rig, parent, new GuestTable(0x1010, 4, 9), "0x1010");
      refused(rig, parent, new GuestTable(1L << 48, 4, 9), "below 0x1000000000000");
      Domain nested = rig.driver.createNestedDomain(parent, new GuestTable(0x1000, 4, 5));
      assertThatThrownBy(() -> nested.invalidate(32, 0, 0, false))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("PASID 32");
      assertThatThrownBy(() -> parent.invalidate(1, 0, 0, false))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("NESTING_PARENT");
    }
    for (Rig.Builder without :
        List.of(
            Rig.with().unit("efr2", 0x100), // GCR3TRPModeSup
            Rig.with().efr(ExtendedFeatures.GIO_SUP, 0),
            Rig.with().efr(ExtendedFeatures.GT_SUP, 0).efr(ExtendedFeatures.GIO_SUP, 0),
            Rig.with().efr(ExtendedFeatures.HATS, 3).unit("hat_dis", true),
            Rig.with().driver("pasid_bits", 0))) {
      try (Rig rig = without.build()) {
        assertThat(rig.driver.capabilities().domainTypes())
            .as(without.toString())
            .containsExactlyInAnyOrder(
                DomainType.BLOCKED, DomainType.IDENTITY, DomainType.DMA_STRICT);
        assertThat(rig.driver.capabilities().guestPasidBits()).isZero();
      }
    }
  }

  private static void refused(Rig rig, Domain parent, GuestTable table, String message) {
    assertThatThrownBy(() -> rig.driver.createNestedDomain(parent, table))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }
}
