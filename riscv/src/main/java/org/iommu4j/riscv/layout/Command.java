package org.iommu4j.riscv.layout;

import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;
import static org.iommu4j.core.bits.Field.reserved;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;

/** Commands of the command queue, 16 bytes each. §4.1. */
public final class Command {
  /** Bytes of a command. */
  public static final int BYTES = 16;

  public static final Field OPCODE = bits("opcode", 6, 0);
  public static final Field FUNC3 = bits("func3", 9, 7);

  public static final int IOTINVAL = 1;
  public static final int IOFENCE = 2;
  public static final int IODIR = 3;
  public static final int ATS = 4;

  public static final int FUNC3_VMA = 0;
  public static final int FUNC3_GVMA = 1;
  public static final int FUNC3_C = 0;
  public static final int FUNC3_INVAL_DDT = 0;
  public static final int FUNC3_INVAL_PDT = 1;
  public static final int FUNC3_INVAL = 0;
  public static final int FUNC3_PRGR = 1;

  // IOTINVAL, first word
  public static final Field AV = bit("AV", 10);
  public static final Field PSCID = bits("PSCID", 31, 12);
  public static final Field PSCV = bit("PSCV", 32);
  public static final Field GV = bit("GV", 33);

  /** Non-leaf, if capabilities.NL is 1. */
  public static final Field NL = bit("NL", 34);

  public static final Field GSCID = bits("GSCID", 59, 44);

  // IOTINVAL, second word
  /** Range, if capabilities.S is 1. */
  public static final Field S = bit("S", 9);

  /** Address bits 63:12. */
  public static final Field ADDR = bits("ADDR[63:12]", 61, 10);

  // IOFENCE.C; AV as in IOTINVAL
  public static final Field WSI = bit("WSI", 11);
  public static final Field PR = bit("PR", 12);
  public static final Field PW = bit("PW", 13);
  public static final Field DATA = bits("DATA", 63, 32);

  /** Address bits 63:2. */
  public static final Field FENCE_ADDR = bits("ADDR[63:2]", 61, 0);

  // IODIR
  public static final Field PID = bits("PID", 31, 12);
  public static final Field DV = bit("DV", 33);
  public static final Field DID = bits("DID", 63, 40);

  // ATS; PID as in IODIR
  public static final Field PV = bit("PV", 32);
  public static final Field DSV = bit("DSV", 33);
  public static final Field RID = bits("RID", 55, 40);
  public static final Field DSEG = bits("DSEG", 63, 56);

  // ATS.INVAL, second word: the body of the Invalidation Request
  public static final Field ATS_G = bit("G", 0);
  public static final Field ATS_S = bit("S", 11);
  public static final Field ATS_ADDR = bits("address[63:12]", 63, 12);

  // ATS.PRGR, second word
  public static final Field PRG_INDEX = bits("PRGI", 40, 32);
  public static final Field PRG_CODE = bits("code", 47, 44);

  public static final Layout IOTINVAL_LAYOUT =
      Layout.of(
              "IOTINVAL",
              "RISC-V IOMMU §4.1.1",
              OPCODE,
              FUNC3,
              AV,
              reserved(11, 11),
              PSCID,
              PSCV,
              GV,
              NL,
              reserved(43, 35),
              GSCID,
              reserved(63, 60))
          .then(reserved(8, 0), S, ADDR, reserved(63, 62));

  public static final Layout IOFENCE_LAYOUT =
      Layout.of(
              "IOFENCE.C",
              "RISC-V IOMMU §4.1.2",
              OPCODE,
              FUNC3,
              AV,
              WSI,
              PR,
              PW,
              reserved(31, 14),
              DATA)
          .then(FENCE_ADDR, reserved(63, 62));

  public static final Layout IODIR_LAYOUT =
      Layout.of(
              "IODIR",
              "RISC-V IOMMU §4.1.3",
              OPCODE,
              FUNC3,
              reserved(11, 10),
              PID,
              reserved(32, 32),
              DV,
              reserved(39, 34),
              DID)
          .then(reserved(63, 0));

  public static final Layout ATS_LAYOUT =
      Layout.of(
              "ATS",
              "RISC-V IOMMU §4.1.4",
              OPCODE,
              FUNC3,
              reserved(11, 10),
              PID,
              PV,
              DSV,
              reserved(39, 34),
              RID,
              DSEG)
          .then(bits("payload", 63, 0));

  private Command() {}
}
