package org.iommu4j.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.conformance.Rows.qemu;
import static org.iommu4j.conformance.Rows.ref;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a file says is understood, or is an error that names the line: nothing is passed over. */
class StrictnessTest {
  private static final String GOOD = ref("riscv-ref/t/1", "{'do':'mem','pa':'0x3000','hex':'01'}");

  @TempDir Path folder;

  private FileReport report(String... rows) throws IOException {
    Report report = Rows.run(Rows.file(folder, "v.jsonl", rows));
    assertThat(report.exitStatus()).isEqualTo(2);
    FileReport file = report.files().getFirst();
    assertThat(file.error()).contains(folder.resolve("v.jsonl") + ":");
    return file;
  }

  private String error(String... rows) throws IOException {
    return String.valueOf(report(rows).error());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'do':'mem','pa':'0x0','hex':'00'}",
        "{'do':'write','off':'0x0','size':4,'value':'0x0'}",
        "{'do':'read','off':'0x0','size':4,'value':'0x0'}",
        "{'do':'peek','pa':'0x0','hex':'00'}",
        "{'do':'mem-fault','pa':'0x0','len':1,'kind':'access'}",
        "{'do':'mem-fault-clear'}",
        "{'do':'ats-inval-timeout','tags':[]}",
        "{'do':'tr-response','iova':'0x0','raw':'0x0','fault':true,'fault_record':null}",
        "{'do':'expect-message','kind':'prgr','rid':1,'dseg':1,'pasid':1,'prgi':1,'response':1}"
      })
  void an_unknown_field_in_any_step_names_line_step_and_field(String step) throws IOException {
    String odd = step.substring(0, step.length() - 1) + ",'colour':1}";
    String action = step.split("'")[3];
    assertThat(error(GOOD, ref("riscv-ref/t/2", "{'do':'mem-fault-clear'}", odd)))
        .contains("v.jsonl:2: steps[1] '" + action + "': unknown field 'colour'; known here are");
  }

  @Test
  void an_unknown_field_inside_an_expectation_is_an_error() throws IOException {
    String dma =
        "{'do':'dma','devid':1,'pasid':null,'priv':false,'exec':false,'at':'untranslated',"
            + "'iova':'0x0','op':'read','len':4,'expect':%s}";
    assertThat(
            error(
                ref(
                    "riscv-ref/t/1",
                    dma.formatted("{'status':'success','pa':'0x0'," + "'pbmt':0,'ama':1}"))))
        .contains("v.jsonl:1: steps[0] 'dma'.expect: unknown field 'ama'");
    assertThat(
            error(
                ref(
                    "riscv-ref/t/1",
                    dma.formatted(
                        "{'status':'unsupported-request',"
                            + "'fault':{'cause':1,'pid':0,'pv':0,'priv':0,'ttyp':1,'did':1,'iotval':'0x0',"
                            + "'iotval2':'0x0','custom':1}}"))))
        .contains("'dma'.expect.fault: unknown field 'custom'");
  }

  @Test
  void an_unknown_step_is_an_error() throws IOException {
    assertThat(error(GOOD, GOOD, ref("riscv-ref/t/3", "{'do':'dance'}")))
        .contains("v.jsonl:3: steps[0]: unknown step 'dance' in case riscv-ref/t/3");
  }

  @Test
  void the_cases_before_the_bad_line_are_counted() throws IOException {
    assertThat(report(GOOD, GOOD, "{}").passed()).isEqualTo(2);
  }

  @Test
  void an_unknown_field_of_the_row_or_its_setup_is_an_error() throws IOException {
    assertThat(error(GOOD.replace("\"note\"", "\"spec_expects\":[],\"note\"")))
        .contains("v.jsonl:1: case: unknown field 'spec_expects'");
    assertThat(error(GOOD.replace("\"fctl\":", "\"turbo\":1,\"fctl\":")))
        .contains("case.setup: unknown field 'turbo'");
    assertThat(error(GOOD.replace("\"be\":false,", ""))).contains("field 'be' is missing");
    assertThat(error(qemu().replace("\"CAP\"", "\"ECAP\":\"0x1\",\"CAP\"")))
        .contains("case.setup: unknown field 'ECAP'");
    assertThat(error(qemu().replace("\"note\"", "\"deviation\":\"\",\"note\"")))
        .contains("unknown field 'deviation'");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'do':'read','off':'0x0','size':3,'value':'0x0'}",
        "{'do':'read','off':'0x0','size':4,'value':'zero'}",
        "{'do':'read','off':'0x0','size':4}",
        "{'do':'mem','pa':'0x0','hex':'0'}",
        "{'do':'mem','pa':-1,'hex':'00'}",
        "{'do':'peek','pa':'0x0','hex':'00','mask':'0000'}",
        "{'do':'mem-fault','pa':'0x0','len':1,'kind':'loud'}",
        "{'pa':'0x0'}",
        "7"
      })
  void a_wrong_value_is_an_error(String step) throws IOException {
    assertThat(error(ref("riscv-ref/t/1", step))).contains("v.jsonl:1: ").contains("steps");
  }

  @Test
  void what_is_no_case_is_an_error() throws IOException {
    assertThat(error(GOOD, "{\"id\":")).contains("v.jsonl:2: case is not JSON");
    assertThat(error("[]")).contains("an object was expected");
    assertThat(error(GOOD.replace("riscv-ref/t/1", "other/1")))
        .contains("case 'other/1': its id tells no known format");
    assertThat(error(GOOD.replace("\"fake\"", "\"vax\"")))
        .contains("architecture 'vax' is not present; present are: fake");
    assertThat(error(qemu().replace("\"fake\"", "\"vax\"")))
        .contains("QEMU's machine for 'vax' is not known; known are fake");
  }

  @Test
  void packed_files_are_known_by_their_content() throws IOException {
    byte[] packed = gzip(GOOD + "\n" + GOOD + "\n");
    Path file = Files.write(folder.resolve("v.jsonl.gz"), packed);
    assertThat(Rows.run(file).passed()).isEqualTo(2);
    Files.write(file, Arrays.copyOf(packed, packed.length - 9));
    assertThat(Rows.run(file).files().getFirst().error())
        .contains("v.jsonl.gz: cannot be read after line");
  }

  @Test
  void bytes_that_are_not_utf_8_are_an_error() throws IOException {
    Path file =
        Files.write(
            folder.resolve("v.jsonl"),
            GOOD.replace("a note", "\u00ff").getBytes(StandardCharsets.ISO_8859_1));
    assertThat(Rows.run(file).files().getFirst().error())
        .contains("v.jsonl:1: the line is not UTF-8 text: byte ");
  }

  private static byte[] gzip(String text) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream packed = new GZIPOutputStream(out)) {
      packed.write(text.getBytes(StandardCharsets.UTF_8));
    }
    return out.toByteArray();
  }
}
