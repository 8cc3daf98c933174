package org.iommu4j.conformance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.iommu4j.conformance.qemu.QemuFormat;
import org.iommu4j.conformance.qemu.QemuMachine;
import org.iommu4j.conformance.qemu.QemuMachine.Range;
import org.iommu4j.conformance.riscvref.RiscvRefFormat;

/** Writes vector files for tests, and runs them on a {@link FakeArchitecture}. */
final class Rows {
  static final String REF_SETUP =
      """
      {"capabilities":"0x10","fctl":"0x0","fctl_writable":{"be":false,"wsi":true,"gxl":false},
      "reset_iommu_mode":0,"max_iommu_mode":4,"max_devid_mask":"0xffffff","vector_bits":4,
      "event_counters":0,"counter_bits":0,"event_id_limit":0,"qosid_mask":"0x0",
      "bare_range":"0x4000000000000","ats_fills_ioatc":0}\
      """
          .replace("\n", "");

  /** The fault queue: 16 records at 0x10000. */
  static final String FAULT_QUEUE = "{'do':'write','off':'0x28','size':8,'value':'0x4003'}";

  static final QemuMachine MACHINE =
      new QemuMachine(
          "fake",
          List.of(new Range(0x1000, 0xffff), new Range(0x1_0000_0000L, 0x1_0000_ffffL)),
          new Range(0xfee0_0000L, 0xfeef_ffffL),
          Map.of(),
          Map.of("quirk", "true"),
          Map.of("CAP", "capabilities"),
          List.of("config"));

  private Rows() {}

  /** A row of riscv-ref; single quotes are double ones. */
  static String ref(String id, String... steps) {
    return "{'id':'%s','arch':'fake','note':'a note','setup':%s,'steps':[%s]}"
        .formatted(id, REF_SETUP, String.join(",", steps))
        .replace('\'', '"');
  }

  static String qemu(String... steps) {
    return "{'id':'qemu-fake/1','arch':'fake','note':'','setup':{'config':'x','CAP':'0x1'},'steps':[%s]}"
        .formatted(String.join(",", steps))
        .replace('\'', '"');
  }

  static Path file(Path folder, String name, String... rows) throws IOException {
    return Files.writeString(folder.resolve(name), String.join("\n", rows) + "\n");
  }

  static Conformance runner(FakeArchitecture architecture, Disputes disputes) {
    return new Conformance(
        List.of(architecture),
        List.of(
            new RiscvRefFormat(),
            QemuFormat.ofQemu(List.of(MACHINE)),
            QemuFormat.ofSpecifications(List.of(MACHINE))),
        disputes);
  }

  static Report run(Path... paths) {
    return runner(new FakeArchitecture(), Disputes.none())
        .run(List.of(paths), Conformance.Settings.standard(), Conformance.Progress.NONE);
  }

  /** Runs one row; it has to pass or fail. */
  static FileReport run(Path folder, String row) throws IOException {
    FileReport report = run(file(folder, "one.jsonl", row)).files().getFirst();
    if (report.error() != null) {
      throw new AssertionError(report.error());
    }
    return report;
  }
}
