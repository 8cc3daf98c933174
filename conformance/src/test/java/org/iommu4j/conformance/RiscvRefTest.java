package org.iommu4j.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.conformance.Rows.FAULT_QUEUE;
import static org.iommu4j.conformance.Rows.ref;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every step of {@code riscv-ref}: passes when it is met, and names what differs when not. */
class RiscvRefTest {
  private static final String DMA =
      "{'do':'dma','devid':32,'pasid':null,'priv':false,'exec':false,'at':'untranslated',"
          + "'iova':'0x5008','op':'read','len':4,'expect':{'status':'success','pa':'0x5008',"
          + "'pbmt':0,'fault':null}}";
  private static final String FAULT =
      "{'do':'dma','devid':32,'pasid':null,'priv':false,'exec':false,'at':'untranslated',"
          + "'iova':'0x8000000000001abc','op':'write','len':4,"
          + "'expect':{'status':'unsupported-request','fault':{'cause':13,'pid':0,'pv':0,'priv':0,"
          + "'ttyp':3,'did':32,'iotval':'0x8000000000001abc','iotval2':'0x0'}}}";
  private static final String ATS =
      "{'do':'dma','devid':32,'pasid':5,'priv':true,'exec':true,'at':'ats-request',"
          + "'no_write':false,'iova':'0x5000','op':'read','len':4,'expect':{'status':'success',"
          + "'r':true,'w':true,'exe':true,'priv':true,'global':false,'u':false,'n':false,'ama':0,"
          + "'cxl_io':true,'pa':'0x5000','size':'0x200000','fault':null}}";
  private static final String MRIF =
      "{'do':'dma','devid':32,'pasid':null,'priv':false,'exec':false,'at':'untranslated',"
          + "'iova':'0x4000000000000000','op':'write','len':4,'expect':{'status':'success',"
          + "'pbmt':0,'msi':true,'mrif':{'addr':'0x4000','nid':6,'notice_pa':'0x5000'}}}";
  private static final String RESPOND = "{'do':'write','off':'0x800','size':4,'value':'0x1'}";
  private static final String RESPONSE =
      "{'do':'expect-message','kind':'prgr','rid':32,'dseg':1,'pasid':7,'prgi':3,'response':1,"
          + "'payload':'0x55'}";
  private static final String INVALIDATE = "{'do':'write','off':'0x800','size':4,'value':'0x2'}";
  private static final String INVALIDATION =
      "{'do':'expect-message','kind':'inval-req','rid':32,'dseg':null,'pasid':null,'tag':'T0',"
          + "'payload':'0x1000'}";
  private static final String COMPLETED =
      "{'do':'ats-inval-completion','rid':32,'dseg':null,'tags':['T0'],'cc':1,"
          + "'expect':{'accepted':true}}";
  private static final String PAGE_REQUEST =
      "{'do':'page-request','rid':32,'dseg':1,'pasid':7,'priv':true,'exec':false,"
          + "'payload':'0x1001','expect':{'queued':true,'fault':null}}";
  private static final String DEBUG_IOVA = "{'do':'write','off':'0x258','size':8,'value':'0x7000'}";
  private static final String DEBUG_GO = "{'do':'write','off':'0x260','size':8,'value':'0x1'}";
  private static final String DEBUG =
      "{'do':'tr-response','iova':'0x7000','raw':'0x1','fault':false,'pbmt':0,'pa':'0x7000',"
          + "'max_size':'0x1000','fault_record':null}";

  @TempDir Path folder;

  private void passes(String... steps) throws IOException {
    FileReport report = Rows.run(folder, ref("riscv-ref/t/1", steps));
    assertThat(report.failures()).isEmpty();
    assertThat(report.passed()).isEqualTo(1);
  }

  private CaseFailure fails(String... steps) throws IOException {
    FileReport report = Rows.run(folder, ref("riscv-ref/t/1", steps));
    assertThat(report.failed()).isEqualTo(1);
    return report.failures().getFirst();
  }

  private static List<String> fields(CaseFailure failure) {
    return failure.differences().stream().map(Difference::field).toList();
  }

  @Test
  void what_is_met_passes() throws IOException {
    passes(
        "{'do':'mem','pa':'0x3000','hex':'0102030405060708090a'}",
        "{'do':'peek','pa':'0x3001','hex':'02030405060708090a'}",
        "{'do':'peek','pa':'0x3000','hex':'00ff','mask':'0000'}",
        "{'do':'write','off':'0x4c','size':4,'value':'0x101'}",
        "{'do':'read','off':'0x4c','size':4,'value':'0x1','mask':'0xff'}",
        FAULT_QUEUE,
        DMA,
        FAULT,
        ATS,
        MRIF,
        RESPOND,
        RESPONSE,
        INVALIDATE,
        INVALIDATION,
        COMPLETED,
        "{'do':'ats-inval-timeout','tags':['T0']}",
        "{'do':'read','off':'0x300','size':4,'value':'0x200'}",
        PAGE_REQUEST,
        DEBUG_IOVA,
        DEBUG_GO,
        DEBUG,
        "{'do':'mem-fault','pa':'0x3000','len':8,'kind':'access'}",
        "{'do':'mem','pa':'0x3000','hex':'aa'}",
        "{'do':'peek','pa':'0x3000','hex':'aa02'}",
        "{'do':'mem-fault-clear'}");
  }

  @Test
  void a_register_is_told_by_its_fields() throws IOException {
    CaseFailure failure =
        fails(
            "{'do':'write','off':'0x4c','size':4,'value':'0x200'}",
            "{'do':'read','off':'0x4c','size':4,'value':'0x101','mask':'0xff01'}");
    assertThat(failure.id()).isEqualTo("riscv-ref/t/1");
    assertThat(failure.note()).isEqualTo("a note");
    assertThat(failure.step()).isEqualTo(1);
    assertThat(failure.text()).contains("\"do\":\"read\"");
    assertThat(failure.differences())
        .containsExactly(
            new Difference("status (0x4c, 4 bytes)", "0x101 (under mask 0xff01)", "0x200"),
            new Difference("status.on", "1", "0"),
            new Difference("status.count", "1", "2"));
  }

  @Test
  void memory_is_told_as_bytes() throws IOException {
    assertThat(fails("{'do':'peek','pa':'0x3000','hex':'0100'}").differences())
        .containsExactly(new Difference("memory at 0x3000", "0100", "0000"));
  }

  @Test
  void a_peeked_fault_record_is_told_by_its_fields() throws IOException {
    CaseFailure failure =
        fails(
            FAULT_QUEUE,
            FAULT,
            "{'do':'peek','pa':'0x10000','hex':'0c0000000c210000"
                + "00".repeat(24)
                + "',"
                + "'mask':'"
                + "ff".repeat(8)
                + "00".repeat(24)
                + "'}");
    assertThat(fields(failure))
        .containsExactly("memory at 0x10000", "fault record.cause", "fault record.did");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "'cause':13 | 'cause':12 | fault.cause | 12 | 13 (Forbidden)",
        "'pid':0 | 'pid':9 | fault.pid | 9 | 0",
        "'pv':0 | 'pv':1 | fault.pv | 1 | 0",
        "'ttyp':3 | 'ttyp':2 | fault.ttyp | 2 | 3",
        "'did':32 | 'did':33 | fault.did | 0x21 | 0x20",
        "'iotval':'0x8000000000001abc' | 'iotval':'0x8000000000001abd' | fault.iotval |"
            + " 0x8000000000001abd | 0x8000000000001abc",
        "'iotval2':'0x0' | 'iotval2':'0x2' | fault.iotval2 | 0x2 | 0x0"
      })
  void a_fault_is_told_by_the_field(
      String from, String to, String field, String expected, String actual) throws IOException {
    assertThat(fails(FAULT_QUEUE, FAULT.replace(from, to)).differences())
        .containsExactly(new Difference(field, expected, actual));
  }

  @Test
  void page_offsets_in_a_fault_may_be_missing_but_not_wrong() throws IOException {
    passes(FAULT_QUEUE, FAULT.replace("'iotval2':'0x0'", "'iotval2':'0xffc'"));
    assertThat(fields(fails(FAULT_QUEUE, FAULT.replace("'iotval2':'0x0'", "'iotval2':'0x1000'"))))
        .containsExactly("fault.iotval2");
  }

  @Test
  void a_fault_record_that_should_not_be_there_is_told() throws IOException {
    CaseFailure failure = fails(FAULT_QUEUE, FAULT.replaceAll("'fault':\\{[^}]*}", "'fault':null"));
    assertThat(failure.differences()).hasSize(1);
    Difference difference = failure.differences().getFirst();
    assertThat(difference.expected()).isEqualTo("none");
    assertThat(difference.actual())
        .isEqualTo(
            "1: cause 13 (Forbidden) pid 0 pv 0 priv 0 ttyp 3 did 0x20"
                + " iotval 0x8000000000001abc iotval2 0x0");
  }

  @Test
  void a_missing_fault_record_is_told() throws IOException {
    String expected = FAULT.substring(FAULT.indexOf("'fault':"), FAULT.length() - 2);
    assertThat(fails(FAULT_QUEUE, DMA.replace("'fault':null", expected)).differences())
        .singleElement()
        .satisfies(d -> assertThat(d.field()).isEqualTo("fault records"))
        .satisfies(d -> assertThat(d.actual()).isEqualTo("none"));
  }

  @Test
  void several_fault_records_are_looked_at_one_by_one() throws IOException {
    String record = FAULT.substring(FAULT.indexOf("{'cause'"), FAULT.length() - 2);
    String list = "'faults':[" + record + "]";
    passes(FAULT_QUEUE, FAULT.replaceAll("'fault':\\{[^}]*}", list));
    passes(FAULT_QUEUE, DMA.replace("'fault':null", "'faults':[]"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "'pa':'0x5008' | 'pa':'0x6008' | pa | 0x6008 | 0x5008",
        "'pbmt':0 | 'pbmt':2 | pbmt | 2 | 0",
        "'success' | 'unsupported-request' | status | unsupported-request | success, pa 0x5008 r--"
      })
  void an_untranslated_access_is_told_by_the_field(
      String from, String to, String field, String expected, String actual) throws IOException {
    String step = DMA.replace(from, to);
    if (to.contains("unsupported")) {
      step = step.replace("'pa':'0x5008','pbmt':0,", "");
    }
    assertThat(fails(FAULT_QUEUE, step).differences())
        .containsExactly(new Difference(field, expected, actual));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "'r':true | 'r':false | r",
        "'w':true | 'w':false | w",
        "'exe':true | 'exe':false | exe",
        "'priv':true,'global' | 'priv':false,'global' | priv",
        "'global':false | 'global':true | global",
        "'u':false | 'u':true | u",
        "'n':false | 'n':true | n",
        "'ama':0 | 'ama':1 | ama",
        "'cxl_io':true | 'cxl_io':false | cxl_io",
        "'pa':'0x5000' | 'pa':'0x6000' | pa",
        "'size':'0x200000' | 'size':'0x1000' | size"
      })
  void a_translation_completion_is_told_by_the_field(String from, String to, String field)
      throws IOException {
    String step = ATS.replace(from, to);
    assertThat(step).isNotEqualTo(ATS);
    assertThat(fields(fails(FAULT_QUEUE, step))).containsExactly(field);
  }

  @Test
  void a_completion_may_tell_a_smaller_size_and_leave_attributes_open() throws IOException {
    passes(FAULT_QUEUE, ATS.replace("'size':'0x200000'", "'size':'0x40000000'"));
    passes(
        FAULT_QUEUE,
        ATS.replaceAll("'(exe|priv|global|u|n|ama|cxl_io|pa|size)':[^,}]*,(?=.*'fault')", "")
            .replace("'pasid':5,", "'pasid':5,'priv':true,"));
  }

  @Test
  void a_completer_abort_is_not_an_unsupported_request() throws IOException {
    String ats =
        ATS.replace("'iova':'0x5000'", "'iova':'0x8000000000000000'")
            .replaceAll("'expect':.*", "'expect':{'status':'%s'}}");
    passes(FAULT_QUEUE, ats.formatted("completer-abort"));
    assertThat(fails(FAULT_QUEUE, ats.formatted("unsupported-request")).differences())
        .containsExactly(new Difference("status", "unsupported-request", "completer-abort"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "'addr':'0x4000' | 'addr':'0x4200' | mrif.addr",
        "'nid':6 | 'nid':7 | mrif.nid",
        "'notice_pa':'0x5000' | 'notice_pa':'0x6000' | mrif.notice_pa"
      })
  void an_interrupt_file_is_told_by_the_field(String from, String to, String field)
      throws IOException {
    assertThat(fields(fails(MRIF.replace(from, to)))).containsExactly(field);
  }

  @Test
  void a_message_that_nobody_asked_for_fails_the_step_that_caused_it() throws IOException {
    for (List<String> steps :
        List.of(
            List.of(RESPOND),
            List.of(RESPOND, DMA),
            List.of(RESPOND, "{'do':'mem','pa':'0x0','hex':'00'}", RESPONSE))) {
      CaseFailure failure = fails(steps.toArray(String[]::new));
      assertThat(failure.step()).isZero();
      assertThat(failure.differences().getFirst().field()).isEqualTo("message");
      assertThat(failure.differences().getFirst().actual())
          .isEqualTo(
              "Page Request Group Response to segment 1 rid 0x20 pasid 7 group 3 code 1"
                  + " payload 0x55");
    }
  }

  @Test
  void a_message_that_does_not_come_is_told() throws IOException {
    CaseFailure failure = fails(DMA, RESPONSE);
    assertThat(failure.step()).isEqualTo(1);
    assertThat(failure.differences())
        .containsExactly(new Difference("message", "Page Request Group Response", "no message"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "'rid':32 | 'rid':33 | response.source",
        "'dseg':1 | 'dseg':null | response.source",
        "'pasid':7 | 'pasid':null | response.pasid",
        "'prgi':3 | 'prgi':4 | response.prgi",
        "'response':1 | 'response':0 | response.response",
        "'payload':'0x55' | 'payload':'0x56' | response.payload"
      })
  void a_response_is_told_by_the_field(String from, String to, String field) throws IOException {
    assertThat(fields(fails(RESPOND, RESPONSE.replace(from, to)))).contains(field);
  }

  @Test
  void an_invalidation_is_told_by_the_field() throws IOException {
    assertThat(fields(fails(INVALIDATE, INVALIDATION.replace("0x1000", "0x2000"))))
        .containsExactly("invalidation.payload");
    assertThat(fields(fails(INVALIDATE, INVALIDATION, COMPLETED.replace("true", "false"))))
        .containsExactly("accepted");
    assertThat(fields(fails(RESPOND, INVALIDATION))).containsExactly("message");
  }

  @Test
  void a_page_request_has_to_be_queued_as_expected() throws IOException {
    assertThat(fails(PAGE_REQUEST.replace("'queued':true", "'queued':false")).differences())
        .containsExactly(new Difference("queued", "false", "true"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "'fault':false | 'fault':true | tr_response.fault",
        "'pbmt':0 | 'pbmt':1 | tr_response.PBMT",
        "'pa':'0x7000' | 'pa':'0x8000' | page that iova translates to",
        "'max_size':'0x1000' | 'max_size':'0x800' | size that tr_response tells"
      })
  void a_debug_answer_is_told_by_the_field(String from, String to, String field)
      throws IOException {
    String step = DEBUG.replace(from, to);
    if (to.equals("'fault':true")) {
      step = step.replace("'pbmt':0,'pa':'0x7000','max_size':'0x1000',", "");
    }
    assertThat(fields(fails(DEBUG_IOVA, DEBUG_GO, step))).containsExactly(field);
  }

  @Test
  void the_record_of_a_debug_request_is_looked_for_where_the_request_put_it() throws IOException {
    String iova = DEBUG_IOVA.replace("0x7000", "0x8000000000007000");
    String record =
        FAULT
            .substring(FAULT.indexOf("{'cause'"), FAULT.length() - 2)
            .replace("'ttyp':3", "'ttyp':2")
            .replace("1abc", "7000");
    String step =
        "{'do':'tr-response','iova':'0x7000','raw':'0x1','fault':true,'fault_record':%s}"
            .formatted(record);
    passes(
        FAULT_QUEUE,
        FAULT,
        iova,
        DEBUG_GO,
        "{'do':'read','off':'0x260','size':4,'value':'0x1'}",
        step);
    assertThat(fields(fails(FAULT_QUEUE, iova, DEBUG_GO, step.replace(record, "null"))))
        .containsExactly("fault records");
  }

  @Test
  void a_model_that_throws_has_failed() throws IOException {
    CaseFailure failure = fails(RESPOND.replace("0x1", "0x3"));
    assertThat(failure.step()).isZero();
    assertThat(failure.differences().getFirst().actual())
        .contains("a bug of the fake")
        .contains("FakeIommu.act");
  }

  @Test
  void a_unit_that_cannot_be_built_has_failed() throws IOException {
    String row = ref("riscv-ref/t/1", DMA).replace("\"0x10\"", "\"0xbad\"");
    CaseFailure failure = Rows.run(folder, row).failures().getFirst();
    assertThat(failure.place()).isEqualTo("setup");
    assertThat(failure.differences().getFirst().actual()).contains("option '");
  }

  @Test
  void each_case_has_a_unit_and_memory_of_its_own() throws IOException {
    String dirty =
        ref(
            "riscv-ref/t/1",
            "{'do':'mem','pa':'0x3000','hex':'ff'}",
            "{'do':'write','off':'0x100','size':4,'value':'0x1'}");
    String clean =
        ref(
            "riscv-ref/t/2",
            "{'do':'peek','pa':'0x3000','hex':'00'}",
            "{'do':'read','off':'0x100','size':4,'value':'0x0'}");
    Report report = Rows.run(Rows.file(folder, "two.jsonl", dirty, clean, dirty, clean));
    assertThat(report.passed()).isEqualTo(4);
  }
}
