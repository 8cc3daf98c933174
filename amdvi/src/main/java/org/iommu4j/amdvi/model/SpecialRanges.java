package org.iommu4j.amdvi.model;

import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.core.dma.Access;
import org.jspecify.annotations.Nullable;

/**
 * The HyperTransport range, FD_0000_0000h..FF_FFFF_FFFFh, whose parts have meanings of their own.
 * 48882, "Special address controls".
 *
 * <pre>
 *   FD_0000_0000  reserved interrupt addresses    FD_F920_0000  reserved page tables
 *   FD_F800_0000  interrupts and EOI: IntCtl      FD_FB00_0000  address translation
 *   FD_F900_0000  PIC acknowledge                 FD_FC00_0000  port I/O: IoCtl
 *   FD_F910_0000  system management: SysMgt       FD_FE00_0000  configuration, messages, reserved
 * </pre>
 */
final class SpecialRanges {
  private static final int DENY = 0;
  private static final int FORWARD = 1;
  private static final int TRANSLATE = 3;

  private SpecialRanges() {}

  /**
   * What becomes of an access.
   *
   * @return why it is refused; if null, {@code w.passes} says whether it passes unchanged, else it
   *     is translated like any other
   */
  static @Nullable Reason check(DeviceEntry d, Workspace w, long address) {
    w.passes = false;
    int megabyte = (int) (address >>> 20); // FD_F910_0000 is FDF91
    if (megabyte < 0xfdf80) {
      return posted(w) ? Reason.INTERRUPT_RESERVED : other(w, Reason.RESERVED_RANGE);
    }
    if (megabyte < 0xfdf90) {
      if (!posted(w)) {
        return other(w, Reason.INTERRUPT_RANGE);
      }
      w.passes =
          !DeviceTableEntry.IV.isSet(d.word2)
              || DeviceTableEntry.INT_CTL.get(d.word2) == DeviceTableEntry.INT_FORWARD;
      return w.passes ? null : Reason.INTERRUPT_ABORTED;
    }
    if (megabyte == 0xfdf91) {
      return systemManagement(d, w);
    }
    if (megabyte >= 0xfdfc0 && megabyte < 0xfdfe0) {
      int control = DeviceTableEntry.IO_CTL.getInt(d.word1);
      w.passes = control == FORWARD;
      return control == DENY ? other(w, Reason.PORT_IO) : null;
    }
    return other(w, Reason.RESERVED_RANGE);
  }

  /** A write that waits for no answer. */
  private static boolean posted(Workspace w) {
    return !w.ats && w.wanted == Access.WRITE;
  }

  /** A translation request of a range that has none is refused in one way. */
  private static Reason other(Workspace w, Reason reason) {
    return w.ats ? Reason.TRANSLATION_WITHOUT_IOTLB : reason;
  }

  private static @Nullable Reason systemManagement(DeviceEntry d, Workspace w) {
    int control = DeviceTableEntry.SYS_MGT.getInt(d.word1);
    if (control == TRANSLATE) {
      return null;
    }
    if (!posted(w)) {
      return other(w, Reason.SYSTEM_MANAGEMENT_READ);
    }
    w.passes = control == FORWARD;
    return control == FORWARD ? null : Reason.SYSTEM_MANAGEMENT;
  }
}
