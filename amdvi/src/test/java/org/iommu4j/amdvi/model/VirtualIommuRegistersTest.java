package org.iommu4j.amdvi.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.iommu4j.amdvi.model.GuestRig.GUEST;
import static org.iommu4j.amdvi.model.GuestRig.G_DEVICE;
import static org.iommu4j.amdvi.model.Tables.DEVICE;

import java.util.Objects;
import org.iommu4j.amdvi.layout.Command;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.EventRecord;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.PrivateSpace;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.amdvi.layout.VendorCapability;
import org.iommu4j.amdvi.layout.VirtualFunction;
import org.iommu4j.amdvi.layout.VirtualFunctionControl;
import org.iommu4j.core.Options;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.dma.RegisterWindow;
import org.iommu4j.core.memory.Mmio;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Virtual IOMMUs as software finds them, and the two commands about guests. */
class VirtualIommuRegistersTest {
  private static Rig.Builder placed() {
    return Rig.with()
        .efr(ExtendedFeatures.VIOMMU_SUP, 1)
        .option("vf_base", "0x1240000000")
        .option("vf_control_base", "0xfe400000");
  }

  private static long capability(Rig rig, Register r) {
    Mmio space = Objects.requireNonNull(rig.unit.configuration());
    return space.read(CapabilitySpace.VENDOR + r.offset(), 4);
  }

  @Test
  void the_vendor_specific_capability_tells_where_the_apertures_are() {
    try (Rig rig = placed().build()) {
      assertThat(capability(rig, VendorCapability.HEADER)).isEqualTo(0x18_0009);
      assertThat(capability(rig, VendorCapability.VF_LOW)).isEqualTo(0x4000_0001);
      assertThat(capability(rig, VendorCapability.VF_HIGH)).isEqualTo(0x12);
      assertThat(capability(rig, VendorCapability.VF_CONTROL_LOW)).isEqualTo(0xfe40_0001L);
      assertThat(capability(rig, VendorCapability.VF_CONTROL_HIGH)).isZero();
      assertThat(rig.unit.registerWindows().stream().map(RegisterWindow::name))
          .containsExactly("VF MMIO", "VF Control MMIO");
      RegisterWindow vf = rig.unit.registerWindows().get(0);
      RegisterWindow control = rig.unit.registerWindows().get(1);
      assertThat(vf.base()).isEqualTo(0x12_4000_0000L);
      assertThat(vf.bytes()).isEqualTo(0x1000_0000);
      assertThat(control.base()).isEqualTo(0xfe40_0000L);
      assertThat(control.bytes()).isEqualTo(0x40_0000);
      assertThat(vf.registers().ofUnit() && control.registers().ofUnit()).isTrue();
    }
  }

  @Test
  void apertures_that_firmware_has_not_placed_are_not_enabled() {
    try (Rig rig = Rig.with().efr(ExtendedFeatures.VIOMMU_SUP, 1).build()) {
      assertThat(capability(rig, VendorCapability.VF_LOW)).isZero();
      assertThat(capability(rig, VendorCapability.VF_CONTROL_LOW)).isZero();
    }
  }

  @Test
  void a_guests_registers_are_accessed_by_bytes_like_the_ordinary_ones() {
    try (Rig rig = placed().build()) {
      Mmio pages = rig.unit.registerWindows().get(0).registers();
      Mmio controls = rig.unit.registerWindows().get(1).registers();
      pages.write(VirtualFunction.BYTES + 0x11, 1, 0x12);
      assertThat(pages.read(VirtualFunction.BYTES + 0x10, 8)).isEqualTo(0x1200);
      assertThat(pages.read(VirtualFunction.BYTES + 0x10, 2)).isEqualTo(0x1200);
      controls.write(VirtualFunctionControl.BYTES + 0x12, 2, 0x3456);
      assertThat(controls.read(VirtualFunctionControl.BYTES + 0x10, 8)).isEqualTo(0x3456_0000L);
    }
  }

  @Test
  void apertures_are_aligned_to_their_size() {
    assertThatThrownBy(() -> placed().option("vf_base", "0x8000000").build())
        .isInstanceOf(Options.InvalidOption.class)
        .hasMessageContaining("256 MiB");
    assertThatThrownBy(() -> placed().option("vf_control_base", "0x1000").build())
        .isInstanceOf(Options.InvalidOption.class)
        .hasMessageContaining("4 MiB");
  }

  @Test
  void a_unit_without_the_feature_has_nothing_of_it() {
    try (Rig rig = Rig.standard().start()) {
      assertThat(rig.unit.registerWindows()).isEmpty();
      assertThat(capability(rig, VendorCapability.HEADER)).isZero();
      rig.write(Control.REGISTER, -1L & ~Control.IOMMU_EN.mask());
      assertThat(rig.read(Control.REGISTER, Control.GST_BUFFER_TRP_MODE)).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {Command.INSERT_GUEST_EVENT, Command.RESET_VMMIO})
  void commands_about_guests_are_illegal_without_the_feature(int opcode) {
    try (Rig rig = Rig.standard().start()) {
      long at = rig.commandSlot();
      rig.append(Rig.opcode(opcode), 0).kick();
      assertThat(rig.events()).containsExactly(new Rig.Record(EventRecord.CODE.of(5), at));
    }
    try (Rig rig = placed().build().start()) {
      rig.submit(Rig.opcode(opcode));
      assertThat(rig.events()).isEmpty();
    }
  }

  @Test
  void control_takes_the_bits_and_the_status_register_reads_zero() {
    try (Rig rig = placed().build().start()) {
      rig.control(Control.VIOMMU_EN, 1).control(Control.VCMD_EN, 1);
      rig.control(Control.GST_BUFFER_TRP_MODE, 1);
      assertThat(rig.read(Control.REGISTER, Control.VIOMMU_EN)).isEqualTo(1);
      assertThat(rig.read(Control.REGISTER, Control.VCMD_EN)).isEqualTo(1);
      assertThat(rig.read(Control.REGISTER, Control.GST_BUFFER_TRP_MODE)).isEqualTo(1);
      rig.write(Registers.VIOMMU_STATUS, -1L);
      assertThat(rig.read(Registers.VIOMMU_STATUS)).isZero();
    }
  }

  @Test
  void vimuen_is_reserved_without_the_feature() {
    for (boolean has : new boolean[] {false, true}) {
      Rig.Builder builder = Rig.with().efr(ExtendedFeatures.VIOMMU_SUP, has ? 1 : 0);
      try (Rig rig = builder.build().start()) {
        new Tables(rig).host().interrupts(3).set(3, DeviceTableEntry.VIMU_EN);
        assertThat(rig.remap(DEVICE, 0xfee0_0000L, 0)).isFalse();
        assertThat(rig.codes()).containsExactly(has ? 2 : 1);
      }
    }
  }

  @Test
  void registers_of_a_guest_that_nobody_touched_read_zero_and_are_each_guests_own() {
    try (GuestRig guest = new GuestRig("normal")) {
      for (Register r : VirtualFunction.ALL) {
        assertThat(guest.page(r)).as(r.name()).isZero();
      }
      for (Register r : VirtualFunctionControl.ALL) {
        assertThat(guest.control(r)).as(r.name()).isZero();
      }
      guest.page(VirtualFunction.COMMAND_TAIL, -1L);
      assertThat(guest.page(VirtualFunction.COMMAND_TAIL)).isEqualTo(0x7_fff0);
      assertThat(guest.pages.read((GUEST + 1) * 4096L + 8, 8)).isZero();
      assertThat(guest.pages.read(GUEST * 4096L + 0x800, 8)).isZero();
    }
  }

  @Test
  void guests_that_the_unit_does_not_serve_have_no_registers() {
    try (Rig rig = placed().option("guests", "2").build().start()) {
      Mmio pages = rig.unit.registerWindows().get(0).registers();
      for (long guest = 0; guest < 3; guest++) {
        pages.write(guest * VirtualFunction.BYTES + 8, 8, 0x40);
      }
      assertThat(pages.read(VirtualFunction.BYTES + 8, 8)).isEqualTo(0x40);
      assertThat(pages.read(2 * VirtualFunction.BYTES + 8, 8)).isZero();
      rig.submit(Rig.opcode(Command.RESET_VMMIO) | Command.RESET_ALL.mask() | 0xffff);
      rig.submit(Rig.opcode(Command.INSERT_GUEST_EVENT) | Command.GUEST_ID.of(0xffff));
    }
  }

  @Test
  void mapping_tables_are_written_where_the_driver_reads_them() {
    try (GuestRig guest = new GuestRig("off").start()) {
      long table = guest.privatePage(PrivateSpace.deviceEntry(GUEST, 0x2000));
      long domains = guest.privatePage(PrivateSpace.domainEntry(GUEST, 0x2000));
      guest.control(VirtualFunctionControl.DEVICE_MAP, GuestRig.map(0x2001, 0xabcd));
      guest.control(VirtualFunctionControl.DOMAIN_MAP, GuestRig.map(0x2001, 0xabcd));
      assertThat(guest.rig.load(table + 16) >>> 24 & 0xffff).isEqualTo(0xabcd);
      assertThat(guest.rig.load(domains + 8) >>> 24 & 0xffff).isEqualTo(0xabcd);
      guest.control(
          VirtualFunctionControl.DEVICE_MAP,
          GuestRig.map(0x2002, 0xabcd) & ~VirtualFunctionControl.WRITE.mask());
      assertThat(guest.rig.load(table + 32)).isZero();
      guest.control(VirtualFunctionControl.DEVICE_MAP, GuestRig.map(0x8000, 1));
      assertThat(guest.rig.events())
          .containsExactly(
              new Rig.Record(
                  EventRecord.CODE.of(12) | GUEST, PrivateSpace.deviceEntry(GUEST, 0x8000)));
    }
  }

  @Test
  void a_ring_that_runs_stays_where_it_is() {
    try (GuestRig guest = new GuestRig("off").start()) {
      guest.page(VirtualFunction.COMMAND_HEAD, 0x40);
      guest.page(VirtualFunction.EVENT_TAIL, 0x40);
      assertThat(guest.page(VirtualFunction.COMMAND_HEAD)).isZero();
      assertThat(guest.page(VirtualFunction.EVENT_TAIL)).isZero();
      long before = guest.control(VirtualFunctionControl.COMMAND_CONTROL);
      guest.control(VirtualFunctionControl.COMMAND_CONTROL, before | 0xf000_000f);
      assertThat(guest.control(VirtualFunctionControl.COMMAND_CONTROL)).isEqualTo(before);
      guest.control(VirtualFunctionControl.COMMAND_CONTROL, VirtualFunctionControl.CMD_BUF_EN, 0);
      guest.page(VirtualFunction.COMMAND_HEAD, 0x40);
      assertThat(guest.page(VirtualFunction.COMMAND_HEAD)).isEqualTo(0x40);
      guest.control(VirtualFunctionControl.COMMAND_CONTROL, GuestRig.ring(0x7000));
      assertThat(guest.page(VirtualFunction.COMMAND_HEAD)).as("moved").isZero();
    }
  }

  @Test
  void a_ring_of_fewer_than_256_entries_does_not_start() {
    try (GuestRig guest = new GuestRig("off")) {
      guest.control(
          VirtualFunctionControl.COMMAND_CONTROL,
          VirtualFunctionControl.LEN.of(7) | VirtualFunctionControl.CMD_BUF_EN.mask());
      assertThat(guest.status(Registers.CMD_BUF_RUN)).isFalse();
    }
  }

  /** Bit 27 as FreeBSD has it, 28 as Linux sends it. */
  @ParameterizedTest
  @ValueSource(ints = {27, 28})
  void reset_of_all_clears_a_guests_registers_and_no_others(int bit) {
    try (GuestRig guest = new GuestRig("off").start()) {
      GuestRig other = guest.another().start();
      guest.command(Rig.completionWait() | Command.I.mask(), 0);
      guest.rig.submit(Rig.opcode(Command.RESET_VMMIO) | 1L << bit | 1L << 31 | GUEST);
      for (Register r : VirtualFunction.ALL) {
        assertThat(guest.page(r)).as(r.name()).isZero();
      }
      for (Register r : VirtualFunctionControl.ALL) {
        assertThat(guest.control(r)).as(r.name()).isZero();
      }
      assertThat(other.status(Registers.CMD_BUF_RUN)).isTrue();
      long mapped = guest.rig.load(entryOf(guest));
      assertThat(PrivateSpace.HOST_ID.get(mapped)).as("tables stay").isEqualTo(DEVICE);
    }
  }

  private static long entryOf(GuestRig guest) {
    long ipa = PrivateSpace.deviceEntry(GUEST, G_DEVICE);
    long pte = guest.rig.load(guest.own.slot(ipa, 1));
    return (pte & 0xf_ffff_ffff_f000L) + (ipa & 0xfff);
  }

  @Test
  void reset_of_the_command_buffer_leaves_the_logs() {
    try (GuestRig guest = new GuestRig("off").start()) {
      guest.command(Rig.completionWait(), 0);
      guest.rig.submit(Rig.opcode(Command.RESET_VMMIO) | GUEST);
      assertThat(guest.status(Registers.CMD_BUF_RUN)).as("neither").isTrue();
      guest.rig.submit(Rig.opcode(Command.RESET_VMMIO) | Command.RESET_VCMD.mask() | GUEST);
      assertThat(guest.status(Registers.CMD_BUF_RUN)).isFalse();
      assertThat(guest.page(VirtualFunction.COMMAND_HEAD)).isZero();
      assertThat(guest.control(VirtualFunctionControl.COMMAND_CONTROL)).isZero();
      assertThat(guest.status(Registers.EVENT_LOG_RUN)).isTrue();
    }
  }
}
