package org.iommu4j.conformance.riscvref;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.conformance.Bench;
import org.iommu4j.conformance.Difference;
import org.iommu4j.conformance.Differences;
import org.iommu4j.machine.capture.StrictObject;

/** The unit's fault queue as software sees it: through registers and memory only. FORMAT §7. */
final class FaultQueue {
  private static final int FCTL = 0x08;
  private static final int FQB = 0x28;
  private static final int FQT = 0x34;

  private final Bench bench;

  FaultQueue(Bench bench) {
    this.bench = bench;
  }

  /** The index of the next record that the unit will write. */
  int tail() {
    return (int) bench.unit().read(FQT, 4);
  }

  /** Checks the records written since the tail was {@code before}. */
  List<Difference> check(int before, Expected expected) {
    if (!expected.stated) {
      return List.of();
    }
    int mask = (int) (entries() - 1);
    int written = (tail() - before) & mask;
    List<FaultRecord> wanted = expected.records;
    if (written == 0 && wanted.isEmpty()) {
      return List.of();
    }
    Differences found = new Differences();
    if (written != wanted.size()) {
      found.add("fault records", describe(wanted), describe(written(before, written, mask)));
    } else {
      for (int i = 0; i < written; i++) {
        String prefix = written == 1 ? "fault." : "faults[" + i + "].";
        found.all(wanted.get(i).compare(prefix, record((before + i) & mask), bench.architecture()));
      }
    }
    return found.list();
  }

  private List<FaultRecord> written(int before, int count, int mask) {
    List<FaultRecord> records = new ArrayList<>();
    for (int i = 0; i < Math.min(count, 4); i++) {
      records.add(record((before + i) & mask));
    }
    return records;
  }

  private String describe(List<FaultRecord> records) {
    return records.isEmpty()
        ? "none"
        : records.size()
            + ": "
            + String.join(
                "; ", records.stream().map(r -> r.describe(bench.architecture())).toList());
  }

  /** LOG2SZ-1 is in bits 4:0 of the base register. */
  private long entries() {
    return 1L << ((bench.unit().read(FQB, 8) & 0x1f) + 1);
  }

  /** PPN is in bits 53:10 of the base register. */
  private long base() {
    return (bench.unit().read(FQB, 8) >>> 10 & 0xfff_ffff_ffffL) << 12;
  }

  /** Whether a whole record of this queue lies at {@code pa}. */
  boolean holds(long pa, int length) {
    return length == FaultRecord.BYTES
        && pa % FaultRecord.BYTES == 0
        && Long.compareUnsigned(pa - base(), entries() * FaultRecord.BYTES) < 0;
  }

  private FaultRecord record(int index) {
    return decode(bench.bytes(base() + (long) index * FaultRecord.BYTES, FaultRecord.BYTES));
  }

  /** A record in the byte order that {@code fctl.BE} says. */
  FaultRecord decode(byte[] bytes) {
    return FaultRecord.of(word(bytes, 0), word(bytes, 16), word(bytes, 24));
  }

  private long word(byte[] bytes, int at) {
    long word = 0;
    for (int i = 7; i >= 0; i--) {
      word = word << 8 | bytes[at + i] & 0xff;
    }
    return (bench.unit().read(FCTL, 4) & 1) != 0 ? Long.reverseBytes(word) : word;
  }

  /**
   * What an expectation says of the queue.
   *
   * @param stated whether it says anything
   * @param records the records that have to be written, in order; empty: none may be
   */
  record Expected(boolean stated, List<FaultRecord> records) {
    /** The fields {@code fault} and {@code faults} of an expectation. */
    static Expected read(StrictObject expect) {
      boolean stated = expect.names().contains("fault") || expect.names().contains("faults");
      List<FaultRecord> records = new ArrayList<>(1);
      if (expect.has("fault")) {
        records.add(FaultRecord.read(expect.object("fault")));
      }
      if (expect.has("faults")) {
        expect.objects("faults").forEach(r -> records.add(FaultRecord.read(r)));
      }
      return new Expected(stated, records);
    }
  }
}
