package org.iommu4j.amdvi.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.amdvi.model.GuestRig.G_DEVICE;

import java.util.stream.IntStream;
import org.iommu4j.amdvi.layout.Command;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.PrivateSpace;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.amdvi.layout.VirtualFunction;
import org.iommu4j.amdvi.layout.VirtualFunctionControl;
import org.iommu4j.core.bits.Register;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Many buffers at once: a register access stays short, and everybody has a turn. */
class CommandTurnsTest {
  /** Where all of these guests have their rings. */
  private static final long RINGS = 0x100_0000;

  /** The code of 32,768 entries. */
  private static final int LONGEST = 15;

  private static final int ENTRIES = 1 << LONGEST;
  private static final int BATCH = 1 << 15;

  private final GuestRig guest = new GuestRig("normal").start();
  private final Rig rig = guest.rig;

  /** Control without VCmdEn. */
  private long off;

  @BeforeEach
  void stop() {
    off = Control.VCMD_EN.set(rig.control(), 0);
    rig.write(Control.REGISTER, off);
    guest.control(VirtualFunctionControl.COMMAND_CONTROL, 0); // it is one of many
  }

  /** One access. */
  private void go() {
    rig.write(Control.REGISTER, off | Control.VCMD_EN.mask());
  }

  @AfterEach
  void close() {
    rig.close();
  }

  /** Rings that have the same command everywhere. */
  private void rings(long first, long second) {
    long frame = rig.frame();
    for (int at = 0; at < 4096; at += 16) {
      rig.store(frame + at, first, second);
    }
    for (long page = 0; page < 16L << LONGEST; page += 4096) {
      guest.trans.map(RINGS + page, frame, Tables.HOST_RW);
    }
  }

  private void control(int id, Register r, long value) {
    guest.controls.write((long) id * VirtualFunctionControl.BYTES + r.offset(), 8, value);
  }

  private long page(int id, Register r) {
    return guest.pages.read((long) id * VirtualFunction.BYTES + r.offset(), 8);
  }

  /** A guest with so many commands in its ring. */
  private void guest(int id, int commands) {
    control(
        id,
        VirtualFunctionControl.MISC_CONTROL,
        VirtualFunctionControl.TRANSLATE_DEVICE_ID.of(GuestRig.TRANS));
    control(
        id,
        VirtualFunctionControl.COMMAND_CONTROL,
        VirtualFunctionControl.BASE.of(RINGS >>> 12)
            | VirtualFunctionControl.LEN.of(LONGEST)
            | VirtualFunctionControl.CMD_BUF_EN.mask());
    guest.pages.write(
        (long) id * VirtualFunction.BYTES + VirtualFunction.COMMAND_TAIL.offset(),
        8,
        16L * commands);
  }

  /** Commands that guests have had executed; while this is asked, nothing is. */
  private int[] executed(int guests) {
    rig.write(Control.REGISTER, off);
    return IntStream.range(0, guests)
        .map(id -> (int) page(id, VirtualFunction.COMMAND_HEAD) / 16)
        .toArray();
  }

  @Test
  void an_access_executes_as_many_commands_as_one_buffer_has_however_many_there_are() {
    rings(Rig.completionWait(), 0);
    for (int id = 0; id < 5; id++) {
      guest(id, ENTRIES - 1);
    }
    go();
    int[] first = executed(5);
    assertThat(IntStream.of(first).sum()).isEqualTo(BATCH);
    assertThat(first).as("one after the other").doesNotContain(0);
    // Turning them on is an access, too. What is left follows with accesses to any register.
    go();
    for (int access = 0; access < 3; access++) {
      rig.read(Registers.STATUS);
    }
    assertThat(executed(5)).containsOnly(ENTRIES - 1);
  }

  @Test
  void the_units_own_buffer_goes_first_and_counts() {
    rings(Rig.completionWait(), 0);
    guest(0, ENTRIES - 1);
    guest(1, 10);
    rig.control(Control.CMD_BUF_EN, 0);
    rig.append(Rig.completionWait(), 0).append(Rig.completionWait(), 0).kick();
    assertThat(rig.idle()).isFalse();
    go();
    assertThat(IntStream.of(executed(2)).sum()).isEqualTo(BATCH - 2);
    assertThat(rig.idle()).isTrue();
  }

  /** Each answer lets others go on: that must not lead from one buffer into the next. */
  @Test
  void devices_of_thousands_of_guests_answer_at_once() {
    int guests = 3000;
    rings(Rig.opcode(Command.INVALIDATE_IOTLB_PAGES) | G_DEVICE, 0x5000);
    long table = rig.frame();
    for (int id = 0; id < guests; id++) {
      guest.own.map(PrivateSpace.deviceEntry(id, G_DEVICE) & -4096L, table, Tables.HOST_RW);
    }
    rig.invalidateAll();
    control(0, VirtualFunctionControl.DEVICE_MAP, GuestRig.map(G_DEVICE, Tables.DEVICE));
    for (int id = 0; id < guests; id++) {
      guest(id, 1);
    }
    go();
    assertThat(executed(guests)).containsOnly(1);
    assertThat(rig.invalidations).hasSize(guests);
  }
}
