package org.iommu4j.conformance.riscvref;

import java.util.List;
import org.iommu4j.conformance.Difference;
import org.iommu4j.conformance.Differences;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.machine.capture.StrictObject;

/** One record of the fault queue. FORMAT §7: 32 bytes, the second doubleword is not looked at. */
record FaultRecord(
    int cause, int pid, int pv, int priv, int ttyp, int did, long iotval, long iotval2) {
  static final int BYTES = 32;

  private static final Field CAUSE = Field.bits("CAUSE", 11, 0);
  private static final Field PID = Field.bits("PID", 31, 12);
  private static final Field PV = Field.bit("PV", 32);
  private static final Field PRIV = Field.bit("PRIV", 33);
  private static final Field TTYP = Field.bits("TTYP", 39, 34);
  private static final Field DID = Field.bits("DID", 63, 40);

  private static final long PAGE_OFFSET = 0xfff;

  /** {@code iotval2} bits 11:2 are not compared: they belong to an address that may be cut. */
  private static final long IOTVAL2 = ~0xffcL;

  /** A record as it lies in memory, each doubleword in the byte order of the queue. */
  static FaultRecord of(long first, long iotval, long iotval2) {
    return new FaultRecord(
        CAUSE.getInt(first),
        PID.getInt(first),
        PV.getInt(first),
        PRIV.getInt(first),
        TTYP.getInt(first),
        DID.getInt(first),
        iotval,
        iotval2);
  }

  /** An expected record. */
  static FaultRecord read(StrictObject fields) {
    FaultRecord record =
        new FaultRecord(
            fields.integer("cause", 0, 0xfff),
            fields.integer("pid", 0, 0xfffff),
            fields.integer("pv", 0, 1),
            fields.integer("priv", 0, 1),
            fields.integer("ttyp", 0, 0x3f),
            fields.integer("did", 0, 0xffffff),
            fields.number("iotval"),
            fields.number("iotval2"));
    fields.finish();
    return record;
  }

  /** What differs in {@code actual}; page offsets may be missing in the addresses (FORMAT §4). */
  List<Difference> compare(String prefix, FaultRecord actual, Architecture names) {
    Differences found =
        new Differences()
            .same(prefix + "cause", cause(cause, names), cause(actual.cause, names))
            .decimal(prefix + "pid", pid, actual.pid)
            .decimal(prefix + "pv", pv, actual.pv)
            .decimal(prefix + "priv", priv, actual.priv)
            .decimal(prefix + "ttyp", ttyp, actual.ttyp)
            .hex(prefix + "did", did, actual.did);
    if (actual.iotval != (iotval & ~PAGE_OFFSET)) {
      found.hex(prefix + "iotval", iotval, actual.iotval);
    }
    if (((iotval2 ^ actual.iotval2) & IOTVAL2) != 0) {
      found.hex(prefix + "iotval2", iotval2, actual.iotval2);
    }
    return found.list();
  }

  private static String cause(int code, Architecture names) {
    for (FaultReason r : names.faultReasons()) {
      if (r.code() == code) {
        return code + " (" + r.title() + ")";
      }
    }
    return Integer.toString(code);
  }

  String describe(Architecture names) {
    return "cause %s pid %d pv %d priv %d ttyp %d did 0x%x iotval 0x%x iotval2 0x%x"
        .formatted(cause(cause, names), pid, pv, priv, ttyp, did, iotval, iotval2);
  }
}
