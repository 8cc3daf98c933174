package org.iommu4j.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.conformance.Rows.qemu;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The format of the QEMU vectors: data that moves, holes in memory, interrupts that arrive. */
class QemuTest {
  private static final String WRITE =
      "{'do':'dma','rid':'0x0020','pasid':null,'iova':'0x2004','op':'write','len':4,"
          + "'data':'01020304','expect':{'status':'success','pa':'0x2004'}}";
  private static final String READ =
      "{'do':'dma','rid':'0x0020','pasid':null,'iova':'0x2000','op':'read','len':16,"
          + "'data':'00000000010203040000000000000000',"
          + "'expect':{'status':'success','pa':'0x2000'}}";
  private static final String FAULT =
      "{'do':'dma','rid':'0x0020','pasid':null,'iova':'0x8000000000000000','op':'read','len':4,"
          + "'data':null,'expect':{'status':'fault'}}";
  private static final String MSI =
      "{'do':'msi','rid':'0x18','addr':'0xfee03000','data':'0x8041',"
          + "'expect':{'status':'delivered','to':[{'cpu':3,'vector':65,'trigger':'level'}]}}";

  @TempDir Path folder;

  private void passes(String... steps) throws IOException {
    FileReport report = Rows.run(folder, qemu(steps));
    assertThat(report.failures()).isEmpty();
    assertThat(report.passed()).isEqualTo(1);
  }

  private List<Difference> fails(String... steps) throws IOException {
    return Rows.run(folder, qemu(steps)).failures().getFirst().differences();
  }

  @Test
  void data_really_moves() throws IOException {
    passes(WRITE, "{'do':'peek','pa':'0x2004','hex':'01020304'}", READ, FAULT);
    passes(WRITE.replace("'op'", "'via':'msi','op'"));
    passes("{'do':'mem','pa':'0x2004','hex':'01020304'}", READ);
    assertThat(fails(READ))
        .containsExactly(
            new Difference(
                "data read",
                "00000000010203040000000000000000",
                "00000000000000000000000000000000"));
  }

  @Test
  void where_it_moved_counts() throws IOException {
    assertThat(fails(WRITE.replace("'pa':'0x2004'", "'pa':'0x3004'")))
        .containsExactly(
            new Difference("pa", "0x3004", "0x2004"),
            new Difference("memory at 0x3004", "01020304", "00000000"));
  }

  @Test
  void an_access_that_should_fault_or_pass_is_told() throws IOException {
    assertThat(fails(WRITE.replaceAll("'expect':.*", "'expect':{'status':'fault'}}")))
        .containsExactly(new Difference("status", "fault", "success, pa 0x2004"));
    assertThat(
            fails(
                FAULT
                    .replace("'data':null", "'data':'00000000'")
                    .replace("'fault'", "'success','pa':'0x0'")))
        .containsExactly(new Difference("status", "success", "BLOCKED: Forbidden"));
  }

  @Test
  void nothing_answers_outside_of_memory() throws IOException {
    for (String hole : List.of("0x0", "0xffc", "0x10000", "0xfffffffc", "0x100010000")) {
      passes(FAULT.replace("0x8000000000000000", hole));
    }
    for (String memory : List.of("0x1000", "0xfffc", "0x100000000", "0x10000fffc")) {
      assertThat(fails(FAULT.replace("0x8000000000000000", memory))).hasSize(1);
    }
    Report report =
        Rows.run(Rows.file(folder, "v.jsonl", qemu("{'do':'mem','pa':'0xfff','hex':'0000'}")));
    assertThat(report.files().getFirst().error()).contains("there is no memory at 0xfff");
  }

  @Test
  void an_interrupt_counts_as_it_arrives() throws IOException {
    passes(MSI, "{'do':'irq','expect':[]}");
    assertThat(fails(MSI.replace("'cpu':3", "'cpu':2")))
        .containsExactly(
            new Difference("interrupts", "cpu 2 vector 65 level", "cpu 3 vector 65 level"));
    assertThat(fails(MSI.replaceAll("'expect':.*", "'expect':{'status':'none'}}")))
        .containsExactly(
            new Difference("status", "none", "WRITTEN"),
            new Difference("interrupts", "none", "cpu 3 vector 65 level"));
    passes(MSI.replace("0x8041", "0x0").replaceAll("'expect':.*", "'expect':{'status':'none'}}"));
    assertThat(fails(MSI.replace("0x8041", "0x0")).getFirst().actual())
        .isEqualTo("BLOCKED: FORBIDDEN");
  }

  @Test
  void interrupts_of_the_unit_wait_until_they_are_asked_for() throws IOException {
    String own = "{'do':'write','off':'0x800','size':4,'value':'0x4'}";
    String irq = "{'do':'irq','expect':[{'cpu':1,'vector':34}]}";
    passes(own, MSI, irq, "{'do':'irq','expect':[]}");
    assertThat(fails(irq)).containsExactly(new Difference("interrupts", "cpu 1 vector 34", "none"));
    assertThat(fails(own, "{'do':'irq','expect':[]}"))
        .containsExactly(new Difference("interrupts", "none", "cpu 1 vector 34 edge"));
  }

  @Test
  void cases_of_the_specification_run_on_a_unit_without_quirks() throws IOException {
    FakeArchitecture architecture = new FakeArchitecture();
    for (String row : List.of(qemu(WRITE), qemu(WRITE).replace("qemu-fake", "spec-fake"))) {
      Report report =
          Rows.runner(architecture, Disputes.none())
              .run(
                  List.of(Rows.file(folder, "one.jsonl", row)),
                  Conformance.Settings.standard(),
                  Conformance.Progress.NONE);
      assertThat(report.passed()).isEqualTo(1);
    }
    assertThat(architecture.quirks).containsExactly(true, false);
  }
}
