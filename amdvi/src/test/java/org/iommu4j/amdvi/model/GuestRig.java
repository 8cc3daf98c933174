package org.iommu4j.amdvi.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.PrivateSpace;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.amdvi.layout.VirtualFunction;
import org.iommu4j.amdvi.layout.VirtualFunctionControl;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.memory.Mmio;

/**
 * A unit with virtual IOMMUs and a guest on it, set up as a hypervisor does: private address space,
 * mapping tables, a device for the guest's own addresses; and the guest's view of its IOMMU.
 */
final class GuestRig implements AutoCloseable {
  static final int GUEST = 0x123;

  /** The unit's own DeviceID. */
  static final int OWN = 2;

  /** Whose host tables translate the guest's addresses. */
  static final int TRANS = 0x300;

  static final int TRANS_DOMAIN = 0x91;

  /** What the guest calls {@link Tables#DEVICE} and {@link Tables#DOMAIN}. */
  static final int G_DEVICE = 0x18;

  static final int G_DOMAIN = 7;

  // Guest-physical addresses.
  static final long COMMANDS = 0x10_0000;
  static final long EVENTS = 0x20_0000;
  static final long EVENTS_B = 0x21_0000;
  static final long PPR = 0x30_0000;
  static final long PPR_B = 0x31_0000;
  static final long STORE = 0x40_0000;

  final Rig rig;
  final Mmio pages;
  final Mmio controls;
  final Tables own;
  final Tables trans;
  final Tables device;
  final int guest;

  /** The host's domain of the device. */
  private final int domain;

  // Where the guest's addresses are.
  long commands;
  long events;
  long eventsB;
  long pprLog;
  long store;
  private int tail;

  GuestRig(String cache) {
    this(
        Rig.with()
            .efr(ExtendedFeatures.VIOMMU_SUP, 1)
            .option("device_id", OWN)
            .option("cache", cache)
            .build()
            .start());
  }

  private GuestRig(Rig rig) {
    this(rig, GUEST, new Tables(rig, OWN).host(), TRANS, new Tables(rig).nested());
  }

  private GuestRig(Rig rig, int guest, Tables own, int trans, Tables device) {
    this.rig = rig;
    this.guest = guest;
    this.own = own;
    this.trans = new Tables(rig, trans).host();
    this.device = device;
    own.set(1, DeviceTableEntry.DOMAIN_ID, 0x90);
    this.trans.set(1, DeviceTableEntry.DOMAIN_ID, TRANS_DOMAIN + guest - GUEST);
    domain = Tables.DOMAIN + guest - GUEST;
    device.set(1, DeviceTableEntry.DOMAIN_ID, domain);
    pages = rig.unit.registerWindows().get(0).registers();
    controls = rig.unit.registerWindows().get(1).registers();
  }

  /** Another guest of the same unit, with a device of its own. */
  GuestRig another() {
    return new GuestRig(
        rig, guest + 1, own, TRANS + 1, new Tables(rig, Tables.DEVICE + 8).nested());
  }

  // ---- registers

  private long at(Register r) {
    return (long) guest * VirtualFunction.BYTES + r.offset();
  }

  long page(Register r) {
    return pages.read(at(r), r.width());
  }

  void page(Register r, long value) {
    pages.write(at(r), r.width(), value);
  }

  boolean status(Field bit) {
    return bit.isSet(page(VirtualFunction.STATUS));
  }

  long control(Register r) {
    return controls.read((long) guest * VirtualFunctionControl.BYTES + r.offset(), r.width());
  }

  GuestRig control(Register r, long value) {
    controls.write((long) guest * VirtualFunctionControl.BYTES + r.offset(), r.width(), value);
    return this;
  }

  GuestRig control(Register r, Field f, long value) {
    return control(r, f.set(control(r), value));
  }

  // ---- what a hypervisor does

  /** A page of the guest. */
  private long memory(long gpa) {
    long frame = rig.frame();
    trans.map(gpa, frame, Tables.HOST_RW);
    return frame;
  }

  /** A page of the private address space. */
  long privatePage(long ipa) {
    long frame = rig.frame();
    own.map(ipa & -4096L, frame, Tables.HOST_RW);
    return frame;
  }

  static long map(int guestId, int hostId) {
    return VirtualFunctionControl.VALID.mask()
        | VirtualFunctionControl.WRITE.mask()
        | VirtualFunctionControl.GUEST_ID.of(guestId)
        | VirtualFunctionControl.HOST_ID.of(hostId);
  }

  static long ring(long base) {
    return VirtualFunctionControl.BASE.of(base >>> 12) | VirtualFunctionControl.LEN.of(8);
  }

  /** Everything on. */
  GuestRig start() {
    commands = memory(COMMANDS);
    events = memory(EVENTS);
    eventsB = memory(EVENTS_B);
    pprLog = memory(PPR);
    memory(PPR_B);
    store = memory(STORE);
    privatePage(PrivateSpace.deviceEntry(guest, G_DEVICE));
    privatePage(PrivateSpace.deviceEntry(guest, 0x4321));
    privatePage(PrivateSpace.domainEntry(guest, G_DOMAIN));
    device
        .set(3, DeviceTableEntry.VIMU_EN)
        .set(3, DeviceTableEntry.G_DEVICE_ID, G_DEVICE)
        .set(3, DeviceTableEntry.GUEST_ID, guest);
    rig.control(Control.VIOMMU_EN, 1).control(Control.VCMD_EN, 1);
    rig.control(Control.GST_BUFFER_TRP_MODE, 1);
    control(
        VirtualFunctionControl.MISC_CONTROL,
        VirtualFunctionControl.TRANSLATE_DEVICE_ID.of(trans.device));
    control(VirtualFunctionControl.DEVICE_MAP, map(G_DEVICE, device.device));
    control(VirtualFunctionControl.DOMAIN_MAP, map(G_DOMAIN, domain));
    control(
        VirtualFunctionControl.COMMAND_CONTROL,
        ring(COMMANDS) | VirtualFunctionControl.CMD_BUF_EN.mask());
    control(
        VirtualFunctionControl.EVENT_CONTROL,
        ring(EVENTS) | VirtualFunctionControl.EVENT_LOG_EN.mask());
    assertThat(status(Registers.CMD_BUF_RUN)).isTrue();
    assertThat(status(Registers.EVENT_LOG_RUN)).isTrue();
    return this;
  }

  /** Turns on the PPR log. */
  GuestRig startPpr() {
    rig.startPpr();
    device.set(0, DeviceTableEntry.PPR);
    control(
        VirtualFunctionControl.PPR_CONTROL,
        VirtualFunctionControl.PPR_BASE.of(PPR >>> 12)
            | VirtualFunctionControl.LEN.of(8)
            | VirtualFunctionControl.PPR_EN.mask()
            | VirtualFunctionControl.PPR_LOG_EN.mask());
    assertThat(status(Registers.PPR_LOG_RUN)).isTrue();
    return this;
  }

  // ---- what the guest does

  /** Puts a command into the guest's buffer and tells the unit. */
  GuestRig command(long first, long second) {
    rig.store(commands + 16L * tail, first, second);
    tail = (tail + 1) % Rig.RING;
    page(VirtualFunction.COMMAND_TAIL, 16L * tail);
    return this;
  }

  boolean idle() {
    return page(VirtualFunction.COMMAND_HEAD) == 16L * tail;
  }

  /** The guest's event log. */
  List<Rig.Record> events() {
    List<Rig.Record> all = log(events, VirtualFunction.EVENT_HEAD, VirtualFunction.EVENT_TAIL);
    page(VirtualFunction.EVENT_HEAD, page(VirtualFunction.EVENT_TAIL));
    return all;
  }

  List<Rig.Record> log(long base, Register head, Register end) {
    List<Rig.Record> all = new ArrayList<>();
    long last = page(end);
    for (long at = page(head); at != last; at = (at + 16) % (16L * Rig.RING)) {
      all.add(new Rig.Record(rig.load(base + at), rig.load(base + at + 8)));
    }
    return all;
  }

  @Override
  public void close() {
    rig.close();
  }
}
