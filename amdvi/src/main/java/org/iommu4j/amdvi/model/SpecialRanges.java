package org.iommu4j.amdvi.model;

import org.iommu4j.amdvi.layout.CapabilityBlock;
import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.core.dma.Access;
import org.jspecify.annotations.Nullable;

/**
 * The HyperTransport range, FD_0000_0000h..FF_FFFF_FFFFh, parts of which have controls of their own
 * for requests without PASID. 48882, "Special address controls (GPA)".
 *
 * <pre>
 *   FD_0000_0000  reserved interrupt addresses   FD_FB00_0000  address translation: HtAtsResv
 *   FD_F800_0000  interrupts and EOI: IntCtl     FD_FC00_0000  port I/O: IoCtl
 *   FD_F900_0000  PIC acknowledge                FD_FE00_0000  configuration, messages, reserved
 *   FD_F910_0000  system management: SysMgt
 *   FD_F920_0000  reserved: page tables
 * </pre>
 *
 * <p>What is refused is the list of illumos, {@code get_illegal_req} of amd_iommu_log.c. It knows
 * no error for what lies at FD_FE00_0000h and above. Inferred: page tables rule there, too; and PIC
 * acknowledge is a reserved interrupt address.
 */
final class SpecialRanges {
  private static final int FORWARD = 1;
  private static final int TRANSLATE_PORTS = 2;
  private static final int TRANSLATE = 3;

  private SpecialRanges() {}

  /**
   * What becomes of an access.
   *
   * @return why it is refused; if null, {@code w.passes} says whether it passes unchanged, else it
   *     is translated like any other
   */
  static @Nullable Reason check(Setup s, DeviceEntry d, Workspace w, long address) {
    w.passes = false;
    int megabyte = (int) (address >>> 20); // FD_F910_0000 is FDF91
    if (megabyte < 0xfdf91) {
      boolean reserved = megabyte < 0xfdf80 || megabyte >= 0xfdf90;
      return posted(w) ? interrupt(d, w, reserved) : other(w, Reason.INTERRUPT_RANGE);
    }
    if (megabyte == 0xfdf91) {
      return systemManagement(d, w);
    }
    if (megabyte >= 0xfdfb0 && megabyte < 0xfdfc0) {
      boolean free = !CapabilityBlock.HT_ATS_RESV.isSet(s.config.misc0());
      return free ? null : other(w, posted(w) ? Reason.ATS_RANGE : Reason.ATS_RANGE_READ);
    }
    return megabyte >= 0xfdfc0 && megabyte < 0xfdfe0 ? portIo(d, w) : null;
  }

  /** A write that waits for no answer. */
  private static boolean posted(Workspace w) {
    return !w.ats && w.wanted == Access.WRITE;
  }

  /** Translation requests of all ranges are refused in one way. */
  private static Reason other(Workspace w, Reason reason) {
    return w.ats ? Reason.TRANSLATION_OF_SPECIAL_RANGE : reason;
  }

  private static @Nullable Reason interrupt(DeviceEntry d, Workspace w, boolean reserved) {
    if (reserved) {
      return Reason.INTERRUPT_RESERVED;
    }
    w.passes =
        !DeviceTableEntry.IV.isSet(d.word2)
            || DeviceTableEntry.INT_CTL.get(d.word2) == DeviceTableEntry.INT_FORWARD;
    return w.passes ? null : Reason.INTERRUPT_ABORTED;
  }

  private static @Nullable Reason systemManagement(DeviceEntry d, Workspace w) {
    int control = DeviceTableEntry.SYS_MGT.getInt(d.word1);
    if (control == TRANSLATE) {
      return translated(d, w);
    }
    if (!posted(w)) {
      return other(w, Reason.SYSTEM_MANAGEMENT_READ);
    }
    w.passes = control == FORWARD;
    return control == FORWARD ? null : Reason.SYSTEM_MANAGEMENT;
  }

  private static @Nullable Reason portIo(DeviceEntry d, Workspace w) {
    int control = DeviceTableEntry.IO_CTL.getInt(d.word1);
    if (control == TRANSLATE_PORTS) {
      return translated(d, w);
    }
    w.passes = control == FORWARD && !w.ats;
    return w.passes ? null : other(w, Reason.PORT_IO);
  }

  /** The entry wants a range translated, and may lack what for. */
  private static @Nullable Reason translated(DeviceEntry d, Workspace w) {
    return d.translates ? null : other(w, Reason.RANGE_WITHOUT_TRANSLATION);
  }
}
