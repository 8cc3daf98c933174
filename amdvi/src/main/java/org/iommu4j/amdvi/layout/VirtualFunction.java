package org.iommu4j.amdvi.layout;

import static org.iommu4j.amdvi.layout.Registers.AUTO_CODE;
import static org.iommu4j.amdvi.layout.Registers.AUTO_MASK_GEN;
import static org.iommu4j.amdvi.layout.Registers.CMD_BUF_RUN;
import static org.iommu4j.amdvi.layout.Registers.COM_WAIT_INT;
import static org.iommu4j.amdvi.layout.Registers.EVENT_LOG_ACTIVE;
import static org.iommu4j.amdvi.layout.Registers.EVENT_LOG_INT;
import static org.iommu4j.amdvi.layout.Registers.EVENT_LOG_RUN;
import static org.iommu4j.amdvi.layout.Registers.EVENT_OVERFLOW;
import static org.iommu4j.amdvi.layout.Registers.EVENT_OVERFLOW_B;
import static org.iommu4j.amdvi.layout.Registers.POINTER;
import static org.iommu4j.amdvi.layout.Registers.PPR_INT;
import static org.iommu4j.amdvi.layout.Registers.PPR_LOG_ACTIVE;
import static org.iommu4j.amdvi.layout.Registers.PPR_LOG_RUN;
import static org.iommu4j.amdvi.layout.Registers.PPR_OVERFLOW;
import static org.iommu4j.amdvi.layout.Registers.PPR_OVERFLOW_B;

import java.util.List;
import org.iommu4j.core.bits.Register;

/**
 * The registers of a guest's IOMMU that the guest itself reaches: a page of 4 KiB for each GuestID
 * in the VF MMIO aperture. A hypervisor maps the page where the guest sees offsets 2000h..2FFFh of
 * its IOMMU's registers, so that heads, tails and Status lie here as they do there, 2000h less.
 *
 * <p>Sources: the page, its place and the command buffer's pointers are as AMD's Linux driver
 * programs them ("iommu/amd: Introduce support for HW accelerated vIOMMU"); "mapped to guest vIOMMU
 * 3rd 4K MMIO address", its comment has (amd_viommu_get_vfmmio_addr), so that a guest's driver
 * finds the other pointers and Status where it is used to. Inferred: PPR Log Auto Response is
 * there, too; the Early Indicators are left out.
 */
public final class VirtualFunction {
  /** GuestIDs that there are, each with a page. */
  public static final int GUESTS = 1 << 16;

  /** Bytes of a guest's page. */
  public static final int BYTES = 0x1000;

  /** Bytes of the aperture: 256 MiB. */
  public static final long APERTURE_BYTES = (long) GUESTS * BYTES;

  public static final Register COMMAND_HEAD = pointer("Guest Command Buffer Head", 0x00);
  public static final Register COMMAND_TAIL = pointer("Guest Command Buffer Tail", 0x08);
  public static final Register EVENT_HEAD = pointer("Guest Event Log Head", 0x10);
  public static final Register EVENT_TAIL = pointer("Guest Event Log Tail", 0x18);

  /** Run, overflow and interrupt bits, at the places of {@link Registers#STATUS}. */
  public static final Register STATUS =
      Register.of64(
          "Guest Status",
          0x20,
          EVENT_OVERFLOW,
          EVENT_LOG_INT,
          COM_WAIT_INT,
          EVENT_LOG_RUN,
          CMD_BUF_RUN,
          PPR_OVERFLOW,
          PPR_INT,
          PPR_LOG_RUN,
          PPR_OVERFLOW_B,
          PPR_LOG_ACTIVE,
          EVENT_OVERFLOW_B,
          EVENT_LOG_ACTIVE);

  public static final Register PPR_HEAD = pointer("Guest PPR Log Head", 0x30);
  public static final Register PPR_TAIL = pointer("Guest PPR Log Tail", 0x38);
  public static final Register PPR_B_HEAD = pointer("Guest PPR Log B Head", 0x50);
  public static final Register PPR_B_TAIL = pointer("Guest PPR Log B Tail", 0x58);
  public static final Register EVENT_B_HEAD = pointer("Guest Event Log B Head", 0x70);
  public static final Register EVENT_B_TAIL = pointer("Guest Event Log B Tail", 0x78);
  public static final Register PPR_AUTO_RESPONSE =
      Register.of64("Guest PPR Log Auto Response", 0x80, AUTO_CODE, AUTO_MASK_GEN);

  /** In the order of their offsets. */
  public static final List<Register> ALL =
      List.of(
          COMMAND_HEAD,
          COMMAND_TAIL,
          EVENT_HEAD,
          EVENT_TAIL,
          STATUS,
          PPR_HEAD,
          PPR_TAIL,
          PPR_B_HEAD,
          PPR_B_TAIL,
          EVENT_B_HEAD,
          EVENT_B_TAIL,
          PPR_AUTO_RESPONSE);

  private VirtualFunction() {}

  private static Register pointer(String name, int offset) {
    return Register.of64(name, offset, POINTER);
  }
}
