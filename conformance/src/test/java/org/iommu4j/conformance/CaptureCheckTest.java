package org.iommu4j.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A capture is checked page by page, in both directions. */
class CaptureCheckTest {
  /** Identity, but for pages with bit 61, which are read-only, and bit 63, which fault. */
  private static final String MAPPED =
      "{'rid':'00:06.0','pasid':null,'iova':'0x10000','size':8192,'pa':'0x10000','read':true,"
          + "'write':true,'prot':3,'src':'kprobe','seen_by_qemu':0}";

  private static final String READ_ONLY =
      "{'rid':'00:06.0','requester':'00:06.0','pasid':null,'iova':'0x2000000000010000',"
          + "'size':4096,'pa':'0x10000','read':true,'write':false,'prot':1,'src':'kprobe',"
          + "'seen_by_qemu':0}";
  private static final String GAP =
      "{'rid':'00:06.0','pasid':null,'iova':'0x8000000000000000','size':4096,'fault':true,"
          + "'access':'any','src':'gap'}";
  private static final String NO_WRITE =
      "{'rid':'00:06.0','pasid':null,'iova':'0x2000000000010000','size':4096,'fault':true,"
          + "'access':'write','src':'read-only'}";

  private static final String MESSAGE =
      "{'addr':'0xfee03000','data':'0x41','out_addr':'0xfee03000','out_data':'0x41','vector':65,"
          + "'dest':3,'src':'trace','format':'remappable','index':1,"
          + "'irte_at_stop':{'lo':'0x410001','hi':'0x40018'},'still_valid':true}";

  @TempDir Path parent;
  private Path folder;

  @BeforeEach
  void a_capture() throws Exception {
    folder = Files.createDirectory(parent.resolve("box"));
    byte[] page = new byte[4096];
    Files.write(folder.resolve("memory.img"), page);
    String sha256 = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(page));
    write(
        "memory.json",
        """
        {"page_size":4096,"guest_ram":{"base":"0x0","size":1048576},"pages":1,"sha256":"%s",
         "extents":[{"pa":"0x10000","pages":1,"offset":0}]}
        """
            .formatted(sha256));
    write(
        "regs.json",
        "[{'name':'unit0','base':'0x0','regs':[{'offset':'0x0','size':4,'value':'0xfa4e'}]}]");
    expect(MAPPED, READ_ONLY, GAP, NO_WRITE);
  }

  private void write(String name, String text) throws IOException {
    Files.writeString(folder.resolve(name), text.replace('\'', '"'));
  }

  private void expect(String... lines) throws IOException {
    write("expected.jsonl", String.join("\n", lines) + "\n");
  }

  private FileReport check() {
    return Rows.run(parent).files().getFirst();
  }

  private CaseFailure failure(String line) throws IOException {
    expect(line);
    FileReport report = check();
    assertThat(report.error()).isNull();
    assertThat(report.failed()).isEqualTo(1);
    return report.failures().getFirst();
  }

  @Test
  void what_the_kernel_had_mapped_passes() {
    FileReport report = check();
    assertThat(report.error()).isNull();
    assertThat(report.failures()).isEmpty();
    assertThat(report.passed()).isEqualTo(4);
    assertThat(report.name()).isEqualTo(folder.toString());
  }

  @Test
  void a_wrong_address_is_told_for_both_directions() throws IOException {
    CaseFailure failure = failure(MAPPED.replace("'pa':'0x10000'", "'pa':'0x20000'"));
    assertThat(failure.id()).isEqualTo("box/expected/1");
    assertThat(failure.text()).isEqualTo("00:06.0 iova 0x10000 size 0x2000: pa 0x20000 rw-");
    assertThat(failure.differences())
        .containsExactly(
            new Difference("read of 0x10000", "pa 0x20000", "pa 0x10000"),
            new Difference("write of 0x10000", "pa 0x20000", "pa 0x10000"),
            new Difference("pages of this range", "2 as expected", "2 otherwise"));
  }

  @Test
  void a_page_in_the_middle_is_looked_at_too() throws IOException {
    // The last page of this range lies where the fake refuses to go.
    CaseFailure failure =
        failure(
            MAPPED
                .replace("'iova':'0x10000'", "'iova':'0x7fffffffffffe000'")
                .replace("'pa':'0x10000'", "'pa':'0x1'")
                .replace("'size':8192", "'size':12288"));
    assertThat(failure.differences())
        .last()
        .satisfies(d -> assertThat(d.field()).isEqualTo("pages of this range"));
  }

  @Test
  void a_range_that_nobody_could_wait_for_is_refused() throws IOException {
    expect(GAP.replace("'size':4096", "'size':'0x4000000000000000'"));
    assertThat(check().error())
        .contains("expected.jsonl: line 1: line: a range has at most 64 GiB")
        .contains("found 0x4000000000000000 bytes at 0x8000000000000000; take the capture again");
    expect(GAP.replace("0x8000000000000000", "0xffffffffffffe000").replace("4096", "12288"));
    assertThat(check().error()).contains("none beyond the last address");
    expect(GAP.replace("0x8000000000000000", "0xfffffffffffff000"));
    assertThat(check().error()).isNull();
  }

  @Test
  void lines_that_are_no_text_are_named() throws IOException {
    Files.write(folder.resolve("expected.jsonl"), new byte[] {'\n', (byte) 0xff});
    assertThat(check().error())
        .contains("expected.jsonl: line 2 is not UTF-8 text: byte 0 is 0xff; take the capture");
    Files.delete(folder.resolve("expected.jsonl"));
    Files.createDirectory(folder.resolve("expected.jsonl"));
    assertThat(check().error()).contains("expected.jsonl: is a folder; what the kernel had mapped");
  }

  @Test
  void a_permission_that_is_too_wide_is_told() throws IOException {
    assertThat(failure(MAPPED.replace("'write':true", "'write':false")).differences())
        .contains(new Difference("write of 0x10000", "a fault", "pa 0x10000"));
  }

  @Test
  void a_permission_that_is_too_narrow_is_told() throws IOException {
    assertThat(failure(READ_ONLY.replace("'write':false", "'write':true")).differences())
        .containsExactly(
            new Difference("write of 0x2000000000010000", "pa 0x10000", "a fault: Forbidden"));
  }

  @Test
  void what_must_fault_and_passes_is_told() throws IOException {
    assertThat(failure(NO_WRITE.replace("'write','src'", "'any','src'")).differences())
        .containsExactly(new Difference("read of 0x2000000000010000", "a fault", "pa 0x10000"));
  }

  @Test
  void a_message_has_to_arrive_as_it_did() throws IOException {
    write("msi.jsonl", MESSAGE);
    assertThat(check().failures()).isEmpty();
    assertThat(check().passed()).isEqualTo(5);
    write("msi.jsonl", MESSAGE.replace("'vector':65", "'vector':66"));
    CaseFailure failure = check().failures().getFirst();
    assertThat(failure.id()).isEqualTo("box/msi/1");
    assertThat(failure.text()).isEqualTo("message 0x41 to 0xfee03000 by 00:03.0");
    assertThat(failure.differences())
        .containsExactly(new Difference("interrupts", "cpu 3 vector 66", "cpu 3 vector 65 edge"));
    write("msi.jsonl", MESSAGE.replace("0x41", "0x0"));
    assertThat(check().failures().getFirst().differences())
        .containsExactly(
            new Difference("status", "delivered", "blocked: Forbidden"),
            new Difference("interrupts", "cpu 3 vector 65", "none"));
  }

  @Test
  void a_message_that_the_tables_no_longer_bear_out_is_counted_apart() throws IOException {
    String other = MESSAGE.replace("'vector':65", "'vector':66");
    String plain =
        "{'addr':'0xfee03000','data':'0x41','out_addr':'0xfee03000','out_data':'0x41','vector':65,"
            + "'dest':3,'src':'trace','format':'compatibility'}";
    write(
        "msi.jsonl",
        other.replace("'still_valid':true", "'still_valid':false") + "\n" + plain + "\n" + MESSAGE);
    FileReport report = check();
    assertThat(report.failed()).isZero();
    assertThat(report.passed()).isEqualTo(5);
    assertThat(report.advisory()).isEqualTo(2);
    assertThat(report.advisoryHeld()).isEqualTo(1);
  }

  @Test
  void a_message_that_cannot_be_read_names_its_line() throws IOException {
    write("msi.jsonl", MESSAGE + "\n" + MESSAGE.replace("'dest':3", "'dest':-1"));
    assertThat(check().error())
        .startsWith(folder.resolve("msi.jsonl") + ": line 2: ")
        .contains("'dest'");
  }

  @Test
  void an_unknown_field_names_the_line() throws IOException {
    expect(MAPPED, GAP.replace("'src'", "'colour':1,'src'"));
    assertThat(check().error())
        .startsWith(folder.resolve("expected.jsonl") + ": line 2: ")
        .contains("unknown field 'colour'");
    expect(MAPPED.replace("00:06.0", "6"));
    assertThat(check().error()).contains("line 1").contains("'6' is not a PCI address");
    expect(MAPPED.replace("8192", "100"));
    assertThat(check().error()).contains("whole pages");
  }

  @Test
  void a_missing_file_is_named() throws IOException {
    Files.delete(folder.resolve("expected.jsonl"));
    assertThat(check().error()).startsWith(folder.resolve("expected.jsonl") + ": is missing");
    Files.delete(folder.resolve("memory.json"));
    assertThat(check().error()).startsWith(folder.resolve("memory.json") + ": is missing");
  }

  @Test
  void a_unit_that_no_architecture_knows_is_named() throws IOException {
    write("regs.json", "[{'name':'vax0','base':'0x0','regs':[]}]");
    assertThat(check().error())
        .startsWith(folder.resolve("regs.json") + ": unit 'vax0': no architecture knows");
  }

  @Test
  void with_several_units_each_line_names_its_own() throws IOException {
    write(
        "regs.json",
        "[{'name':'a','base':'0x0','regs':[{'offset':'0x0','size':4,'value':'0xfa4e'}]},"
            + "{'name':'b','base':'0x0','regs':[{'offset':'0x0','size':4,'value':'0xfa4e'}]}]");
    assertThat(check().error()).contains("line 1").contains("'unit'");
    expect(MAPPED.replace("{'rid'", "{'unit':'b','rid'"));
    write("msi.jsonl", MESSAGE.replace("{'addr'", "{'unit':'a','addr'"));
    assertThat(check().error()).isNull();
    assertThat(check().passed()).isEqualTo(2);
    expect(MAPPED.replace("{'rid'", "{'unit':'c','rid'"));
    assertThat(check().error()).contains("line 1").contains("'unit'");
  }
}
