package org.iommu4j.riscv.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.iommu4j.core.KernelLog;
import org.iommu4j.core.KernelMessage;
import org.iommu4j.core.KernelMessage.Kind;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.Fault;
import org.iommu4j.core.dma.UnknownReason;
import org.iommu4j.core.testing.LongLines;
import org.iommu4j.riscv.layout.Cause;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RiscvKernelLogTest {
  private static final Path CAPTURES = Path.of("../conformance/captures");

  private final RiscvKernelLog log = new RiscvKernelLog();

  private static Fault fault(KernelMessage message) {
    assertThat(message).isNotNull();
    assertThat(message.kind()).isEqualTo(Kind.FAULT);
    return message.fault();
  }

  @ParameterizedTest
  @ValueSource(strings = {"riscv-sys", "riscv-sys-dt", "riscv-pci"})
  void every_fault_line_of_a_capture_is_understood(String capture) throws IOException {
    List<String> lines = Files.readAllLines(CAPTURES.resolve(capture).resolve("faults.txt"));
    List<String> faults = lines.stream().filter(l -> l.contains(": Fault ")).toList();
    assertThat(faults).hasSize(10);
    for (String line : faults) {
      Fault f = fault(log.parse(line));
      assertThat(f.reason()).isIn(Cause.READ_PAGE_FAULT, Cause.WRITE_PAGE_FAULT);
      assertThat(f.source()).isIn(0x30, 0x38);
      assertThat(f.access()).isIn(Access.READ, Access.WRITE);
      assertThat(line).contains("iotval: %x ".formatted(f.address()));
      assertThat(f.detail()).isZero();
    }
    for (String line : lines) {
      assertThat(log.parse(line) != null).as(line).isEqualTo(line.contains(": Fault "));
    }
  }

  @Test
  void the_driver_is_told_from_everything_else_in_a_log() throws IOException {
    List<String> dmesg = Files.readAllLines(CAPTURES.resolve("riscv-sys/dmesg.txt"));
    List<KernelMessage> found =
        dmesg.stream().map(log::parse).filter(java.util.Objects::nonNull).toList();
    assertThat(found).hasSize(12);
    assertThat(found.getFirst().text()).isEqualTo("using MSIs");
    assertThat(found.getFirst().unit()).isEqualTo("RSCV0004:00");
    assertThat(found.get(1).unit())
        .as("its bus has one id for all devices")
        .isEqualTo("0000:04:02.0");
    assertThat(found.subList(2, 12)).extracting(KernelMessage::kind).containsOnly(Kind.FAULT);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "riscv,iommu RSCV0004:00: Fault 21 devid: 0x10008 iotval: 1000 iotval2: 80001003",
        "[   59.789190] riscv,iommu RSCV0004:00: Fault 21 devid: 0x10008 iotval: 1000 iotval2:"
            + " 80001003",
        "<4>[59.789190] riscv,iommu RSCV0004:00: Fault 21 devid: 0x10008 iotval: 1000 iotval2:"
            + " 80001003\n",
        "Nov 24 21:13:00 host kernel: riscv,iommu RSCV0004:00: Fault 21 devid: 0x10008 iotval:"
            + " 1000 iotval2: 80001003"
      })
  void whatever_the_log_puts_in_front(String line) {
    KernelMessage m = log.parse(line);
    Fault f = fault(m);
    assertThat(m.unit()).isEqualTo("RSCV0004:00");
    assertThat(f.reason()).isEqualTo(Cause.READ_GUEST_PAGE_FAULT);
    assertThat(f.source()).isEqualTo(0x1_0008);
    assertThat(f.address()).isEqualTo(0x1000);
    assertThat(f.detail()).isEqualTo(0x8000_1000L);
    assertThat(m.advice()).isEqualTo(Cause.READ_GUEST_PAGE_FAULT.advice());
  }

  @Test
  void a_cause_that_nobody_defined_is_still_a_fault() {
    Fault f =
        fault(
            log.parse(
                "iommu_pci 0000:00:01.0: Fault 2050 devid: 0x30 iotval: ffffffffffff0000 iotval2:"
                    + " 0"));
    assertThat(f.reason()).isEqualTo(new UnknownReason(2050));
    assertThat(f.address()).isEqualTo(0xffff_ffff_ffff_0000L);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "Queue #1 error; memory fault:0 overflow:1 | ERROR | fault queue was full",
        "Queue #1 error; memory fault:1 overflow:0 | ERROR | could not write to its fault queue",
        "Queue #2 error; memory fault:0 overflow:1 | ERROR | page-request queue was full",
        "Queue #0 error; fault:1 timeout:0 illegal:0 fence_w_ip:0 | ERROR | read its command queue",
        "Queue #0 error; fault:0 timeout:1 illegal:0 fence_w_ip:0 | ERROR | did not answer",
        "Queue #0 error; fault:0 timeout:0 illegal:1 fence_w_ip:0 | ERROR | illegal",
        "Queue #0 error; fault:0 timeout:0 illegal:0 fence_w_ip:1 | ERROR | fence",
        "Hardware error: command execution timeout | ERROR | 90 s",
        "Hardware error: command enqueue failed | ERROR | stayed full",
        "using wire-signaled interrupts | STATE | wire",
        "failed to find an MSI domain | WARNING | msi-parent",
        "error -ENODEV: unable to use wire-signaled interrupts | ERROR | not translated",
        "error -EBUSY: unexpected device state | ERROR | on already",
        "timeout when setting ddtp (ddt mode: 4, read: 200c0014) | ERROR | busy",
        "DDTP hw mode 0, failed to set 4 | ERROR | no device directory"
      })
  void other_lines_say_what_they_mean(String text, Kind kind, String advice) {
    KernelMessage m = log.parse("[    1.549768] riscv,iommu 3010000.iommu: " + text);
    assertThat(m).isNotNull();
    assertThat(m.kind()).isEqualTo(kind);
    assertThat(m.advice()).contains(advice);
    assertThat(m.unit()).isEqualTo("3010000.iommu");
    assertThat(m.fault()).isNull();
    assertThat(text).endsWith(m.text());
  }

  @Test
  void a_device_whose_context_was_valid_is_named() {
    KernelMessage m =
        log.parse("[ 1.5] e1000e 0000:00:02.0: already attached to IOMMU device directory");
    assertThat(m.unit()).isEqualTo("0000:00:02.0");
    assertThat(m.kind()).isEqualTo(Kind.WARNING);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "iommu_pci 0000:00:01.0: enabling device (0000 -> 0002)",
        "pci 0000:00:02.1: Adding to iommu group 2",
        "DMAR: [DMA Read NO_PASID] Request device [00:02.0] fault addr 0x1000",
        "arm-smmu-v3 arm-smmu-v3.0.auto: event 0x10 received:"
      })
  void lines_of_others_are_left_to_them(String line) {
    assertThat(log.parse(line)).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "%s|> ",
        "%s|>",
        "%s|x: ",
        "%s|riscv,iommu a: ",
        "riscv,iommu a:%sx| ",
        "riscv,iommu a: Fault %s devid: 0x30 iotval: 1000 iotval2: 0|1",
        "riscv,iommu a: Fault 13 devid: 0x%s iotval: 1000 iotval2: 0|3",
        "riscv,iommu a: Fault 13 devid: 0x30 iotval: %s iotval2: 0|1",
        "riscv,iommu a: Fault 13 devid: 0x30 iotval: 0 iotval2: %s|1"
      })
  @Timeout(5)
  void no_line_is_too_long_to_be_read(String pattern) {
    LongLines.areRead(log, pattern);
  }

  @Test
  void it_is_found_by_its_architecture() {
    assertThat(KernelLog.all()).extracting(KernelLog::architecture).contains("riscv");
  }
}
