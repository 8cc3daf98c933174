package org.iommu4j.amdvi.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.StringJoiner;
import org.iommu4j.amdvi.layout.Command;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.dma.Access;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.DomainType;
import org.iommu4j.driver.GuestTable;
import org.iommu4j.driver.Interrupt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each change is followed by the commands that it requires, and by no others. */
class InvalidationSequenceTest {
  private static final int RW = Access.READ | Access.WRITE;
  private static final int DEVICE = 0x08;

  /** Reads what the driver put into the command buffer since it was last asked. */
  static final class Commands {
    private final Rig rig;
    private long at;

    Commands(Rig rig) {
      this.rig = rig;
      at = tail();
    }

    private long tail() {
      return rig.unit.read(Registers.COMMAND_TAIL.offset(), 8);
    }

    /** The commands, those for pages with the DomainID. */
    List<String> takeWithDomains() {
      return take(true);
    }

    List<String> take() {
      return take(false);
    }

    private List<String> take(boolean domains) {
      long base = Registers.COMMAND_BUFFER.offset();
      long buffer = rig.unit.read(base, 8) & 0x000f_ffff_ffff_f000L;
      long bytes = (long) Command.BYTES << (rig.unit.read(base, 8) >>> 56 & 0xf);
      List<String> all = new ArrayList<>();
      for (; at != tail(); at = (at + Command.BYTES) % bytes) {
        long first = rig.memory.readLong(buffer + at);
        String command = describe(first, rig.memory.readLong(buffer + at + 8));
        boolean pages = Command.OPCODE.getInt(first) == Command.INVALIDATE_IOMMU_PAGES;
        all.add(command + (domains && pages ? " of " + Command.DOMAIN_ID.get(first) : ""));
      }
      return all;
    }

    private static String describe(long first, long second) {
      StringJoiner s = new StringJoiner(" ");
      int opcode = Command.OPCODE.getInt(first);
      switch (opcode) {
        case Command.COMPLETION_WAIT -> s.add("wait");
        case Command.INVALIDATE_DEVTAB_ENTRY -> s.add("device " + Command.DEVICE_ID.get(first));
        case Command.INVALIDATE_INTERRUPT_TABLE ->
            s.add("interrupts " + Command.DEVICE_ID.get(first));
        case Command.INVALIDATE_IOMMU_PAGES -> {
          s.add("pages").add("0x%x".formatted(second & ~0xfffL));
          s.add(Command.S.isSet(second) ? "S" : "4K");
          if (Command.PDE.isSet(second)) {
            s.add("PDE");
          }
          if (Command.GN.isSet(second)) {
            s.add("PASID " + Command.PASID.get(first));
          }
        }
        case Command.INVALIDATE_IOTLB_PAGES -> {
          s.add("device cache").add("0x%x".formatted(second & ~0xfffL));
          s.add(Command.S.isSet(second) ? "S" : "4K");
          if (Command.GN.isSet(second)) {
            s.add("PASID " + Command.iotlbPasid(first));
          }
        }
        case Command.INVALIDATE_IOMMU_ALL -> s.add("all");
        default -> s.add("opcode " + opcode);
      }
      return s.toString();
    }
  }

  private static final String EVERYTHING = "0x%x".formatted(Command.ALL_PAGES);

  @ParameterizedTest
  @CsvSource({"host, ''", "guest, ' PASID 0'"})
  void pages(String tables, String tag) {
    try (Rig rig = Rig.with().driver("tables", tables).build()) {
      Commands commands = new Commands(rig);
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.map(0x1000, Rig.DATA, 0x1000, RW);
      domain.unmap(0x1000, 0x1000);
      assertThat(commands.take()).as("nobody uses the domain").isEmpty();
      domain.attach(DEVICE);
      commands.take();
      domain.map(0x4000, Rig.DATA, 0x4000, RW);
      assertThat(commands.take()).as("what was absent is not cached").isEmpty();
      domain.unmap(0x4000, 0x1000);
      assertThat(commands.take()).containsExactly("pages 0x4000 4K" + tag, "wait");
      domain.unmap(0x6000, 0x2000);
      assertThat(commands.take())
          .as("8 KiB: no ones")
          .containsExactly("pages 0x6000 S" + tag, "wait");
      try (Domain.Batch batch = domain.batch()) {
        domain.map(0x8000, Rig.DATA, 0x1000, RW);
        batch.unmap(0x5000, 0x1000);
        batch.unmap(0x8000, 0x1000);
        assertThat(commands.take()).isEmpty();
      }
      assertThat(commands.take())
          .containsExactly("pages 0x5000 4K" + tag, "pages 0x8000 4K" + tag, "wait");
    }
  }

  @ParameterizedTest
  @CsvSource({"host, ''", "guest, ' PASID 0'"})
  void a_freed_table_is_forgotten_with_the_entries_that_lead_to_it(String tables, String tag) {
    try (Rig rig = Rig.with().driver("tables", tables).build()) {
      Commands commands = new Commands(rig);
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      domain.map(0, Rig.DATA + 0x1000, 1 << 21, RW);
      commands.take();
      domain.unmap(0, 1 << 21);
      assertThat(commands.take()).containsExactly("pages 0xff000 S PDE" + tag, "wait");
    }
  }

  @Test
  void a_device_that_moves() {
    try (Rig rig = Rig.with().driver("tables", "host").build()) {
      Commands commands = new Commands(rig);
      Domain one = rig.driver.createDomain(DomainType.DMA_STRICT);
      Domain two = rig.driver.createDomain(DomainType.DMA_STRICT);
      one.attach(DEVICE);
      assertThat(commands.take()).containsExactly("device 8", "wait");
      two.attach(DEVICE);
      assertThat(commands.take())
          .as("blocked and forgotten, then allowed")
          .containsExactly(
              "device 8", "pages " + EVERYTHING + " S PDE", "wait", "device 8", "wait");
      two.detach(DEVICE);
      assertThat(commands.take()).startsWith("device 8", "pages " + EVERYTHING + " S PDE", "wait");
      two.close();
      assertThat(commands.take())
          .as("its domain id may be used again")
          .containsExactly("pages " + EVERYTHING + " S PDE", "wait");
    }
  }

  @Test
  void a_pasid_that_comes_and_goes() {
    try (Rig rig = Rig.with().build()) {
      Commands commands = new Commands(rig);
      Domain base = rig.driver.createDomain(DomainType.DMA_STRICT);
      Domain process = rig.driver.createDomain(DomainType.DMA_STRICT);
      base.attach(DEVICE);
      commands.take();
      process.attach(DEVICE, 5);
      assertThat(commands.take()).as("what was absent is not cached").isEmpty();
      process.detach(DEVICE, 5);
      assertThat(commands.take()).containsExactly("pages " + EVERYTHING + " S PDE PASID 5", "wait");
    }
  }

  private static final long MEMORY = Rig.DATA + 0x100_0000;

  private static Domain parent(Rig rig) {
    Domain parent = rig.driver.createDomain(DomainType.NESTING_PARENT);
    parent.map(0, MEMORY, 0x10_0000, RW);
    return parent;
  }

  @ParameterizedTest
  @CsvSource({"host, false", "guest, false", "guest, true"})
  void what_a_parent_unmaps_is_forgotten_under_the_id_of_each_domain(String tables, boolean np) {
    // Domain ids are handed out from 2 on.
    try (Rig rig = Rig.with().driver("tables", tables).driver("np_cache", np).build()) {
      Commands commands = new Commands(rig);
      Domain parent = parent(rig);
      Domain one = rig.driver.createNestedDomain(parent, new GuestTable(0x1000, 4, 9));
      Domain two = rig.driver.createNestedDomain(parent, new GuestTable(0x2000, 4, 9));
      Domain idle = rig.driver.createNestedDomain(parent, new GuestTable(0x2000, 4, 9));
      assertThat(idle.type()).isEqualTo(DomainType.NESTED);
      assertThat(commands.take()).as("nobody uses them").isEmpty();
      parent.attach(7);
      one.attach(8);
      assertThat(commands.take()).containsExactly("device 7", "wait", "device 8", "wait");
      two.attach(9);
      two.attach(10);
      commands.take();
      parent.unmap(0x8000, 0x1000);
      assertThat(commands.takeWithDomains())
          .containsExactly(
              "pages 0x8000 4K of 2", "pages 0x8000 4K of 3", "pages 0x8000 4K of 4", "wait");
      parent.map(0x8000, MEMORY, 0x1000, RW);
      if (np) {
        assertThat(commands.takeWithDomains())
            .containsExactly(
                "pages 0x8000 4K PDE of 2",
                "pages 0x8000 4K PDE of 3",
                "pages 0x8000 4K PDE of 4",
                "wait");
      } else {
        assertThat(commands.take()).as("what was absent is not cached").isEmpty();
      }
      parent.detach(7);
      one.detach(8);
      String all = "pages " + EVERYTHING + " S PDE of ";
      assertThat(commands.takeWithDomains())
          .containsExactly(
              "device 7",
              all + 2,
              "wait",
              "device 7",
              "wait",
              "device 8",
              all + 3,
              "wait",
              "device 8",
              "wait");
      parent.unmap(0, 0x1000);
      assertThat(commands.takeWithDomains()).containsExactly("pages 0x0 4K of 4", "wait");
    }
  }

  @Test
  void what_a_guest_invalidates() {
    try (Rig rig = Rig.with().build()) {
      Domain nested = rig.driver.createNestedDomain(parent(rig), new GuestTable(0x1000, 4, 9));
      nested.attach(DEVICE);
      Commands commands = new Commands(rig);
      nested.invalidate(0x5000, 0x1000, true);
      assertThat(commands.takeWithDomains())
          .containsExactly("pages 0x5000 4K PASID 0 of 3", "wait");
      nested.invalidate(7, 0x4000, 0x4000, false);
      assertThat(commands.takeWithDomains())
          .containsExactly("pages 0x5000 S PDE PASID 7 of 3", "wait");
      nested.invalidate(7, -0x1000, 0x1000, true);
      assertThat(commands.takeWithDomains())
          .as("the upper half")
          .containsExactly("pages 0xfffffffffffff000 4K PASID 7 of 3", "wait");
      nested.invalidate(7, 0, 0, false);
      assertThat(commands.takeWithDomains())
          .containsExactly("pages " + EVERYTHING + " S PDE PASID 7 of 3", "wait");
      nested.invalidate(0, 0, false);
      assertThat(commands.take()).as("512 PASIDs are too many").containsExactly("all", "wait");
      nested.close();
      assertThat(commands.take())
          .as("left, then its id may be used again")
          .containsExactly(
              "device 8",
              "pages " + EVERYTHING + " S PDE",
              "wait",
              "device 8",
              "wait",
              "all",
              "wait");
    }
  }

  @Test
  void without_a_command_for_everything_each_pasid_is_named() {
    try (Rig rig =
        Rig.with().efr(ExtendedFeatures.IA_SUP, 0).efr(ExtendedFeatures.PAS_MAX, 2).build()) {
      Domain nested = rig.driver.createNestedDomain(parent(rig), new GuestTable(0x1000, 4, 2));
      Commands commands = new Commands(rig);
      nested.invalidate(0, 0, false);
      List<String> all = new ArrayList<>();
      for (int pasid = 0; pasid < 8; pasid++) {
        all.add("pages " + EVERYTHING + " S PDE PASID " + pasid + " of 3");
      }
      all.add("pages " + EVERYTHING + " S PDE of 3");
      all.add("wait");
      assertThat(commands.takeWithDomains()).isEqualTo(all);
    }
  }

  @Test
  void interrupts() {
    try (Rig rig = Rig.with().build()) {
      Commands commands = new Commands(rig);
      Interrupt irq = rig.driver.interrupt(DEVICE, 0xfee0_1000L, 0x41);
      assertThat(commands.take())
          .as("the table, then the entry")
          .containsExactly("device 8", "interrupts 8", "wait", "interrupts 8", "wait");
      irq.retarget(0xfee0_2000L, 0x42);
      assertThat(commands.take()).as("another entry").containsExactly("interrupts 8", "wait");
      irq.retarget(0xfee0_2000L, 0x43);
      assertThat(commands.take())
          .as("the former one is free, then the change")
          .containsExactly("interrupts 8", "wait", "interrupts 8", "wait");
      irq.close();
      assertThat(commands.take()).containsExactly("interrupts 8", "wait");
    }
  }

  @Test
  void what_is_mapped_in_guest_tables_is_announced_where_absence_is_cached() {
    try (Rig rig = Rig.with().driver("tables", "guest").driver("np_cache", true).build()) {
      Commands commands = new Commands(rig);
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      assertThat(commands.take())
          .containsExactly("device 8", "pages 0x7ffffffffffff000 S PDE PASID 0", "wait");
      domain.attach(DEVICE, 7);
      commands.take();
      domain.map(0x8000, MEMORY, 0x1000, RW);
      assertThat(commands.take())
          .containsExactlyInAnyOrder(
              "pages 0x8000 4K PDE PASID 0", "pages 0x8000 4K PDE PASID 7", "wait");
    }
  }
}
