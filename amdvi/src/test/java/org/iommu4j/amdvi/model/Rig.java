package org.iommu4j.amdvi.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.iommu4j.amdvi.layout.CapabilityBlock;
import org.iommu4j.amdvi.layout.Command;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.EventRecord;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.Options;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.dma.AtsInvalidation;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.core.testing.UnitRig;

/**
 * A unit with memory, rings and devices around it, driven from outside: through registers, memory
 * and requests, as hardware would be.
 */
final class Rig extends UnitRig {
  static final long BEYOND_MEMORY = 0xf000_0000L;

  /** Entries of every ring: the smallest that there is. */
  static final int RING = 256;

  /** Everything that can be had together. */
  static final long EFR =
      ExtendedFeatures.PREF_SUP.of(1)
          | ExtendedFeatures.PPR_SUP.of(1)
          | ExtendedFeatures.XT_SUP.of(1)
          | ExtendedFeatures.NX_SUP.of(1)
          | ExtendedFeatures.GT_SUP.of(1)
          | ExtendedFeatures.IA_SUP.of(1)
          | ExtendedFeatures.GA_SUP.of(1)
          | ExtendedFeatures.HE_SUP.of(1)
          | ExtendedFeatures.PC_SUP.of(1)
          | ExtendedFeatures.HATS.of(2)
          | ExtendedFeatures.GATS.of(1)
          | ExtendedFeatures.GLX_SUP.of(2)
          | ExtendedFeatures.SMIF_SUP.of(1)
          | ExtendedFeatures.SMIF_RC.of(2)
          | ExtendedFeatures.GAM_SUP.of(1)
          | ExtendedFeatures.DUAL_PPR_LOG_SUP.of(2)
          | ExtendedFeatures.DUAL_EVENT_LOG_SUP.of(2)
          | ExtendedFeatures.PAS_MAX.of(19)
          | ExtendedFeatures.US_SUP.of(1)
          | ExtendedFeatures.DEV_TBL_SEG_SUP.of(3)
          | ExtendedFeatures.PPR_OVRFLW_EARLY_SUP.of(1)
          | ExtendedFeatures.PPR_AUTO_RSP_SUP.of(1)
          | ExtendedFeatures.MARC_SUP.of(1)
          | ExtendedFeatures.MSI_CAP_MMIO_SUP.of(1)
          | ExtendedFeatures.GIO_SUP.of(1)
          | ExtendedFeatures.HA_SUP.of(1)
          | ExtendedFeatures.EPH_SUP.of(1)
          | ExtendedFeatures.HD_SUP.of(1)
          | ExtendedFeatures.INV_IOTLB_TYPE_SUP.of(1)
          | ExtendedFeatures.GA_UPDATE_DIS_SUP.of(1);

  static final long EFR_2 =
      ExtendedFeatures.NUM_INT_REMAP_SUP.of(1) | ExtendedFeatures.GCR3_TRP_MODE_SUP.of(1);

  static final long HEADER =
      CapabilityBlock.CAP_ID.of(0xf)
          | CapabilityBlock.CAP_TYPE.of(3)
          | CapabilityBlock.CAP_REV.of(1)
          | CapabilityBlock.IOTLB_SUP.of(1)
          | CapabilityBlock.EFR_SUP.of(1)
          | CapabilityBlock.CAP_EXT.of(1);

  /** What is on after {@link #start}. */
  static final long ON =
      Control.IOMMU_EN.of(1)
          | Control.EVENT_LOG_EN.of(1)
          | Control.COHERENT.of(1)
          | Control.CMD_BUF_EN.of(1)
          | Control.GT_EN.of(1)
          | Control.EPH_EN.of(1);

  /** Two words: an event, or an entry of the PPR log. */
  record Record(long first, long second) {
    int code() {
      return EventRecord.CODE.getInt(first);
    }

    @Override
    public String toString() {
      return "%016x %016x".formatted(first, second);
    }
  }

  /** Settings that differ from the usual, then {@link #build}. */
  static final class Builder {
    private final Map<String, String> options = new LinkedHashMap<>();
    private long efr = EFR;
    private long efr2 = EFR_2;
    private long header = HEADER;

    Builder efr(Field field, long value) {
      efr = field.set(efr, value);
      return this;
    }

    Builder efr2(Field field, long value) {
      efr2 = field.set(efr2, value);
      return this;
    }

    Builder header(Field field, long value) {
      header = field.set(header, value);
      return this;
    }

    Builder option(String name, Object value) {
      options.put(name, value.toString());
      return this;
    }

    Rig build() {
      options.put("efr", "0x" + Long.toHexString(efr));
      options.put("efr2", "0x" + Long.toHexString(efr2));
      options.put("cap_header", "0x" + Long.toHexString(header));
      return new Rig(Options.of(options));
    }
  }

  /** Whether devices answer invalidations at once. */
  boolean answers = true;

  long deviceTable;
  long commands;
  long events;
  long pprLog;
  long gaLog;
  private int tail;

  private Rig(Options options) {
    super("amdvi", options);
  }

  @Override
  protected void invalidated(AtsInvalidation request) {
    if (answers) {
      unit.invalidationCompleted(request.source(), request.segmented(), 1 << request.tag(), 1);
    }
  }

  static Builder with() {
    return new Builder();
  }

  static Rig standard(String cache) {
    return with().option("cache", cache).build();
  }

  static Rig standard() {
    return standard("normal");
  }

  // ---- registers

  boolean status(Field bit) {
    return read(Registers.STATUS, bit) != 0;
  }

  long control() {
    return read(Control.REGISTER);
  }

  /** Changes one field of Control. */
  Rig control(Field field, long value) {
    write(Control.REGISTER, field.set(control(), value));
    return this;
  }

  // ---- start

  /** Programs a device table of 2,048 entries, command buffer and event log, and turns all on. */
  Rig start() {
    deviceTable = frames(16);
    commands = frame();
    events = frame();
    tail = 0;
    write(Registers.DEVICE_TABLE, deviceTable | 15);
    write(Registers.COMMAND_BUFFER, ring(commands));
    write(Registers.EVENT_LOG, ring(events));
    write(Control.REGISTER, Control.COHERENT.of(1) | Control.IOMMU_EN.of(1));
    write(Control.REGISTER, ON);
    assertThat(status(Registers.CMD_BUF_RUN)).isTrue();
    assertThat(status(Registers.EVENT_LOG_RUN)).isTrue();
    return this;
  }

  /** Turns on the PPR log. */
  Rig startPpr() {
    pprLog = frame();
    write(Registers.PPR_LOG, ring(pprLog));
    control(Control.PPR_EN, 1).control(Control.PPR_LOG_EN, 1);
    assertThat(status(Registers.PPR_LOG_RUN)).isTrue();
    return this;
  }

  /** Turns on 128-bit entries, guest mode and the guest virtual APIC log. */
  Rig startGuestApic() {
    gaLog = frame();
    write(Registers.GA_LOG, ring(gaLog));
    control(Control.GA_EN, 1).control(Control.GAM_EN, 1).control(Control.GA_LOG_EN, 1);
    assertThat(status(Registers.GA_LOG_RUN)).isTrue();
    return this;
  }

  static long ring(long base) {
    return base | Registers.RING_LEN.of(8);
  }

  // ---- commands

  long commandSlot() {
    return commands + 16L * tail;
  }

  /** Puts a command into the buffer without telling the unit. */
  Rig append(long first, long second) {
    store(commandSlot(), first, second);
    tail = (tail + 1) % RING;
    return this;
  }

  /** Tells the unit how far the buffer is filled. */
  Rig kick() {
    write(Registers.COMMAND_TAIL, 16L * tail);
    return this;
  }

  /** Whether everything in the buffer was fetched. */
  boolean idle() {
    return read(Registers.COMMAND_HEAD) == 16L * tail;
  }

  /** One command, carried out. */
  Rig submit(long first, long second) {
    append(first, second).kick();
    assertThat(idle()).as("status %x", read(Registers.STATUS)).isTrue();
    return this;
  }

  Rig submit(long first) {
    return submit(first, 0);
  }

  /** Software's reaction to an illegal command: everything before {@link #commandSlot} is gone. */
  void restartCommands() {
    control(Control.CMD_BUF_EN, 0);
    write(Registers.COMMAND_HEAD, 0);
    write(Registers.COMMAND_TAIL, 0);
    tail = 0;
    control(Control.CMD_BUF_EN, 1);
    assertThat(status(Registers.CMD_BUF_RUN)).isTrue();
  }

  static long opcode(int code) {
    return Command.OPCODE.of(code);
  }

  static long invalidateDevice(int device) {
    return opcode(Command.INVALIDATE_DEVTAB_ENTRY) | device;
  }

  static long invalidateInterrupts(int device) {
    return opcode(Command.INVALIDATE_INTERRUPT_TABLE) | device;
  }

  /** INVALIDATE_IOMMU_PAGES of a domain's host addresses. */
  static long invalidatePages(int domain) {
    return opcode(Command.INVALIDATE_IOMMU_PAGES) | Command.DOMAIN_ID.of(domain);
  }

  static long completionWait() {
    return opcode(Command.COMPLETION_WAIT);
  }

  Rig invalidateAll() {
    return submit(opcode(Command.INVALIDATE_IOMMU_ALL));
  }

  // ---- requests

  Reason reason() {
    assertThat(translation.reason()).isInstanceOf(Reason.class);
    return (Reason) translation.reason();
  }

  void pageRequest(int device, int pasid, long payload) {
    unit.pageRequest(new PageRequest(device, false, pasid, 0, payload));
  }

  // ---- logs

  /** The event log's new entries; they are taken. */
  List<Record> events() {
    List<Record> all = log(events, Registers.EVENT_HEAD, Registers.EVENT_TAIL);
    write(Registers.EVENT_HEAD, read(Registers.EVENT_TAIL));
    return all;
  }

  /** The PPR log's new entries; they are taken. */
  List<Record> pageRequests() {
    List<Record> all = log(pprLog, Registers.PPR_HEAD, Registers.PPR_TAIL);
    write(Registers.PPR_HEAD, read(Registers.PPR_TAIL));
    return all;
  }

  List<Record> log(long base, Register head, Register tailRegister) {
    List<Record> all = new ArrayList<>();
    long end = read(tailRegister);
    for (long at = read(head); at != end; at = (at + 16) % (16L * RING)) {
      all.add(new Record(load(base + at), load(base + at + 8)));
    }
    return all;
  }

  List<Integer> codes() {
    return events().stream().map(Record::code).toList();
  }
}
