package org.iommu4j.amdvi.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.random.RandomGenerator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.iommu4j.amdvi.Captures;
import org.iommu4j.amdvi.layout.EventCode;
import org.iommu4j.amdvi.layout.EventRecord;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.core.KernelLog;
import org.iommu4j.core.KernelMessage;
import org.iommu4j.core.KernelMessage.Kind;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Fault;
import org.iommu4j.core.dma.UnknownReason;
import org.iommu4j.core.testing.LongLines;
import org.iommu4j.core.testing.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

class AmdviKernelLogTest {
  static final List<String> CAPTURES = Captures.ALL;

  private final AmdviKernelLog log = new AmdviKernelLog();

  private static Fault fault(KernelMessage message) {
    assertThat(message).isNotNull();
    assertThat(message.fault()).isNotNull();
    return message.fault();
  }

  @ParameterizedTest
  @FieldSource("CAPTURES")
  void every_line_of_the_driver_in_a_log_is_known_and_no_other(String capture) throws IOException {
    Pattern driver = Pattern.compile("\\[ *[0-9.]+\\] (?:\\S+ \\S+: )?AMD-Vi: .*");
    int found = 0;
    for (String line : Captures.dmesg(capture)) {
      KernelMessage m = log.parse(line);
      assertThat(m != null).as(line).isEqualTo(driver.matcher(line).matches());
      if (m != null) {
        found++;
        assertThat(m.advice()).as(line).isNotBlank().isNotEqualTo(AmdviKernelLog.UNKNOWN);
        assertThat(line).endsWith(m.text());
      }
    }
    assertThat(found).isEqualTo(39);
  }

  /** The access that was provoked is told by the line before. */
  @ParameterizedTest
  @FieldSource("CAPTURES")
  void every_fault_line_of_a_log_gives_its_fault(String capture) throws IOException {
    Pattern parts =
        Pattern.compile(
            ".* 0000:(..):(..)\\.(.): AMD-Vi: Event logged \\[IO_PAGE_FAULT domain=0x0000"
                + " address=0x0 flags=0x000(9|a)\\]");
    Pattern provoked = Pattern.compile(".*LAB: fault \\S+ (read|write) .*");
    int faults = 0;
    String expected = "";
    for (String line : Captures.dmesg(capture)) {
      Matcher p = provoked.matcher(line);
      if (p.matches()) {
        expected = p.group(1);
      }
      Matcher m = parts.matcher(line);
      if (!m.matches()) {
        KernelMessage other = log.parse(line);
        assertThat(other == null || other.fault() == null).as(line).isTrue();
        continue;
      }
      faults++;
      Fault f = fault(log.parse(line));
      int rid =
          Integer.parseInt(m.group(1), 16) << 8
              | Integer.parseInt(m.group(2), 16) << 3
              | Integer.parseInt(m.group(3));
      assertThat(f.source()).as(line).isEqualTo(rid);
      assertThat(f.reason()).as(line).isEqualTo(Reason.NOT_PRESENT);
      assertThat(f.pasid()).isEqualTo(DmaRequest.NO_PASID);
      assertThat(f.access())
          .as(line)
          .isEqualTo(m.group(4).equals("9") ? Access.READ : Access.WRITE);
      if (!line.contains("vfio-pci")) {
        assertThat(f.transaction()).as(line).isEqualTo("DMA " + expected);
      }
    }
    assertThat(faults).isEqualTo(33);
  }

  /** As old and new kernels spell them. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // reason, kind, source, pasid, transaction, address
        "NOT_PRESENT | FAULT | 0010 | -1 | DMA read | 1000 | amdgpu 0000:00:02.0: AMD-Vi: Event"
            + " logged [IO_PAGE_FAULT domain=0x000d address=0x1000 flags=0x0000]",
        "NOT_PRESENT | FAULT | 0020 | -1 | DMA write | cafe0000 | AMD-Vi: Event logged"
            + " [IO_PAGE_FAULT device=00:04.0 domain=0x000d address=0x00000000cafe0000"
            + " flags=0x0020]",
        "PERMISSION | FAULT | 10020 | -1 | DMA write | cafe0000 | AMD-Vi: Event logged"
            + " [IO_PAGE_FAULT device=0001:00:04.0 domain=0x000d address=0xcafe0000 flags=0x0070]",
        "MODE_UNSUPPORTED | FAULT | 0020 | -1 | DMA read | fffffffdf8000000 | AMD-Vi: Event logged"
            + " [IO_PAGE_FAULT device=00:04.0 domain=0x000d address=0xfffffffdf8000000"
            + " flags=0x0010]",
        "GUEST_NOT_PRESENT | FAULT | 0100 | 5 | DMA write | 7f001000 | AMD-Vi: Event logged"
            + " [IO_PAGE_FAULT device=0000:01:00.0 domain=0x0005 address=0x7f001000 flags=0x0021]",
        "INTERRUPT_DISABLED | FAULT | 00a0 | -1 | interrupt | fdf8000400 | AMD-Vi: Event logged"
            + " [IO_PAGE_FAULT device=00:14.0 domain=0x0000 address=0xfdf8000400 flags=0x0008]",
        "DTE_RESERVED | FAULT | 0300 | -1 | DMA read | 2000 | iommu ivhd0: AMD-Vi: Event logged"
            + " [ILLEGAL_DEV_TABLE_ENTRY device=0000:03:00.0 pasid=0x00000 address=0x2000"
            + " flags=0x0080]",
        "DTE_INT_LENGTH | FAULT | 0300 | -1 | interrupt | fee00000 | AMD-Vi: Event logged"
            + " [ILLEGAL_DEV_TABLE_ENTRY device=03:00.0 address=0x00000000fee00000 flags=0x0008]",
        "DEVICE_TABLE_READ | ERROR | 0300 | -1 | DMA write | 104000 | iommu ivhd1: AMD-Vi: Event"
            + " logged [DEV_TAB_HARDWARE_ERROR device=0000:03:00.0 address=0x104000 flags=0x0220]",
        "PAGE_TABLE_READ | ERROR | 0300 | -1 | DMA read | 104000 | iommu ivhd1: AMD-Vi: Event"
            + " logged [PAGE_TAB_HARDWARE_ERROR device=0000:03:00.0 pasid=0x0005 address=0x104000"
            + " flags=0x0400]",
        "GUEST_TABLE_READ | ERROR | 0300 | 65541 | DMA read | 104000 | iommu ivhd1: AMD-Vi: Event"
            + " logged [PAGE_TAB_HARDWARE_ERROR device=0000:03:00.0 pasid=0x10005"
            + " address=0x104000 flags=0x0001]",
        "ILLEGAL_COMMAND | ERROR | 0 | -1 | command | 10a0040 | iommu ivhd0: AMD-Vi: Event logged"
            + " [ILLEGAL_COMMAND_ERROR address=0x10a0040]",
        "COMMAND_HARDWARE | ERROR | 0 | -1 | command | 10a0040 | iommu ivhd0: AMD-Vi: Event logged"
            + " [COMMAND_HARDWARE_ERROR address=0x10a0040 flags=0x0600]",
        "IOTLB_TIMEOUT | ERROR | 0100 | -1 | invalidation | 10a0050 | iommu ivhd0: AMD-Vi: Event"
            + " logged [IOTLB_INV_TIMEOUT device=0000:01:00.0 address=0x10a0050]",
        "INTERRUPT_ABORTED | FAULT | 00a0 | -1 | request | fdf8020200 | iommu ivhd0: AMD-Vi: Event"
            + " logged [INVALID_DEVICE_REQUEST device=0000:00:14.0 pasid=0x00000"
            + " address=0xfdf8020200 flags=0x0a00]",
        "TRANSLATION_NOT_ALLOWED | FAULT | 0100 | -1 | translation request | 1000 | iommu ivhd0:"
            + " AMD-Vi: Event logged [INVALID_DEVICE_REQUEST device=0000:01:00.0 pasid=0x00000"
            + " address=0x1000 flags=0x0100]",
        "PPR_NOT_ALLOWED | FAULT | 0100 | 7 | page request | 7f0000001000 | iommu ivhd0: AMD-Vi:"
            + " Event logged [INVALID_PPR_REQUEST device=0000:01:00.0 pasid=0x00007"
            + " address=0x7f0000001000 flags=0x0160 tag=0x201]",
        "PPR_NOT_ALLOWED | FAULT | 0100 | -1 | page request | 1000 | AMD-Vi: Event logged"
            + " [INVALID_PPR_REQUEST device=01:00.0 pasid=0x00000 tag=0x0001 address=0x1000"
            + " flags=0x0040]",
        "RMP_PAGE_FAULT | FAULT | 0100 | -1 | DMA write | 1000 | nvme 0000:01:00.0: AMD-Vi: Event"
            + " logged [RMP_PAGE_FAULT vmg_tag=0x0001, gpa=0x1000, flags_rmp=0x0003,"
            + " flags=0x0030]",
        "RMP_PAGE_FAULT | FAULT | 0100 | -1 | DMA read | 1000 | AMD-Vi: Event logged"
            + " [RMP_PAGE_FAULT device=0000:01:00.0, vmg_tag=0x0001, gpa=0x1000,"
            + " flags_rmp=0x0003, flags=0x0010]",
        "RMP_HARDWARE | ERROR | 0100 | -1 | DMA read | 104000 | AMD-Vi: Event logged [RMP_HW_ERROR"
            + " device=0000:01:00.0, vmg_tag=0x0001, spa=0x104000, flags=0x0000]",
        "COUNTER_ZERO | STATE | 0 | -1 | counter | 0 | iommu ivhd0: AMD-Vi: Event logged [UNKNOWN"
            + " event[0]=0x00000000 event[1]=0xa0000000 event[2]=0x00000000 event[3]=0x00000000",
        "GUEST_EVENT | ERROR | 0100 | -1 | virtual IOMMU | 200001000 | iommu ivhd0: AMD-Vi: Event"
            + " logged [UNKNOWN event[0]=0x00000100 event[1]=0xb0000000 event[2]=0x00001000"
            + " event[3]=0x00000002",
        "VIRTUAL_IOMMU | ERROR | 0 | -1 | virtual IOMMU | 0 | AMD-Vi: Event logged [UNKNOWN"
            + " type=0x0c]",
      })
  void events_of_every_spelling(
      String reason,
      Kind kind,
      String source,
      int pasid,
      String transaction,
      String address,
      String line) {
    KernelMessage m = log.parse("[   12.345678] " + line);
    Fault f = fault(m);
    assertThat(f.reason().name()).isEqualTo(reason);
    assertThat(m.kind()).isEqualTo(kind);
    assertThat(f.source()).isEqualTo(Integer.parseInt(source, 16));
    assertThat(f.pasid()).isEqualTo(pasid);
    assertThat(f.transaction()).isEqualTo(transaction);
    assertThat(f.address()).isEqualTo(Long.parseUnsignedLong(address, 16));
    assertThat(m.advice()).startsWith(f.reason().title() + ": " + f.reason().advice());
    assertThat(fault(log.parse("Nov 24 21:13:00 host kernel: " + line))).isEqualTo(f);
    assertThat(fault(log.parse("<3>" + line))).isEqualTo(f);
  }

  @Test
  void hardware_errors_tell_how_the_access_ended() {
    String line = "AMD-Vi: Event logged [COMMAND_HARDWARE_ERROR address=0x1000 flags=0x0%x00]";
    assertThat(log.parse(line.formatted(0)).advice()).endsWith("no memory.");
    assertThat(log.parse(line.formatted(2)).advice()).endsWith("It ended with a master abort.");
    assertThat(log.parse(line.formatted(4)).advice()).endsWith("It ended with a target abort.");
    assertThat(log.parse(line.formatted(6)).advice()).endsWith("The data were bad.");
  }

  @Test
  void old_kernels_tell_the_event_on_the_next_line() {
    KernelMessage head = log.parse("[    7.000000] AMD-Vi: Event logged [");
    assertThat(head.kind()).isEqualTo(Kind.FAULT);
    assertThat(head.fault()).isNull();
    assertThat(head.advice()).contains("next line");
    KernelMessage rest =
        log.parse(
            "[    7.000001] IO_PAGE_FAULT device=00:04.0 domain=0x0001"
                + " address=0x00000000000a0000 flags=0x0000]");
    assertThat(fault(rest).source()).isEqualTo(0x20);
    assertThat(fault(rest).address()).isEqualTo(0xa_0000);
    assertThat(rest.unit()).isEqualTo("00:04.0");
    assertThat(
            fault(log.parse("iommu ivhd0: COMMAND_HARDWARE_ERROR address=0x1000 flags=0x0000]"))
                .reason())
        .isEqualTo(Reason.COMMAND_HARDWARE);
  }

  /** Every cause, by enumeration, through the line that the kernel makes of its record. */
  @ParameterizedTest
  @EnumSource(Reason.class)
  void every_reason_is_found_by_its_flags(Reason reason) {
    long flags = EventRecord.FLAGS.get(reason.flags());
    String line =
        reason == Reason.COUNTER_ZERO
            ? "AMD-Vi: Event logged [UNKNOWN type=0x0a]"
            : "AMD-Vi: Event logged [%s device=00:02.0 address=0x3000 flags=0x%04x]"
                .formatted(reason == Reason.RMP_HARDWARE ? "RMP_HW_ERROR" : reason.event(), flags);
    KernelMessage m = log.parse(line);
    assertThat(fault(m).reason()).isInstanceOf(Reason.class);
    assertThat(fault(m).reason().code()).isEqualTo(reason.code());
    assertThat(m.advice()).contains(reason.advice()).doesNotContain("No cause has these flags");
  }

  @Test
  void events_about_guests_are_known_as_amds_series_prints_them() {
    KernelMessage m =
        log.parse("AMD-Vi: Event logged [GUEST_EVENT_FAULT gid=#7 flags=0x0000 vflags=0x4]");
    assertThat(fault(m).reason()).isEqualTo(Reason.GUEST_EVENT);
    m =
        log.parse(
            "AMD-Vi: Event logged [VIOMMU_HW_ERR gid=0x7 address=0x1000700180 src=0 flags=0"
                + " vflags=0x10]");
    assertThat(fault(m).reason()).isEqualTo(Reason.VIRTUAL_IOMMU);
    assertThat(fault(m).address()).isEqualTo(0x10_0070_0180L);
    m =
        log.parse(
            "AMD-Vi: Event logged [IO_PAGE_FAULT device=0000:60:00.0 domain=0x0001 address=0x1000"
                + " flags=0x0020 vflags=0x4]");
    assertThat(fault(m).source()).isEqualTo(0x6000);
  }

  @Test
  void the_likeliest_cause_of_those_with_the_same_flags_comes_first() {
    KernelMessage m =
        log.parse("AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0001 address=0x1 flags=0x0000]");
    assertThat(m.advice())
        .startsWith("Page is not present: the address is not mapped")
        .contains("; or DeviceID is beyond", "; or Device is blocked: no driver attached");
  }

  @Test
  void flags_that_no_cause_has_give_the_causes_of_the_event() {
    KernelMessage m =
        log.parse("AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0001 address=0x1 flags=0x00c0]");
    assertThat(m.advice()).startsWith("No cause has these flags together");
    assertThat(fault(m).reason()).isInstanceOf(Reason.class);
    KernelMessage type =
        log.parse("AMD-Vi: Event logged [INVALID_DEVICE_REQUEST device=00:02.0 flags=0x0f00]");
    assertThat(type.advice()).startsWith("No cause has these flags together");
    KernelMessage length =
        log.parse("AMD-Vi: Event logged [DEV_TAB_HARDWARE_ERROR device=00:02.0 flags=0x0008]");
    assertThat(length.advice()).contains(Reason.DEVICE_TABLE_READ.advice());
  }

  @Test
  void codes_that_are_not_known_stay_codes() {
    KernelMessage m =
        log.parse(
            "iommu ivhd0: AMD-Vi: Event logged [UNKNOWN event[0]=0x00000100 event[1]=0xf0000000"
                + " event[2]=0x00001000 event[3]=0x00000000");
    assertThat(fault(m).reason()).isEqualTo(new UnknownReason(15));
    assertThat(m.kind()).isEqualTo(Kind.ERROR);
    assertThat(m.unit()).isEqualTo("ivhd0");
    assertThat(EventCode.of(15)).isNull();
  }

  @ParameterizedTest
  @CsvFileSource(resources = "known-lines.txt", delimiter = '|', quoteCharacter = '`')
  void what_the_driver_writes_is_known(String kind, String unit, String line, String advice) {
    KernelMessage m = log.parse("[    1.234567] " + line);
    assertThat(m).as(line).isNotNull();
    assertThat(m.advice()).as(line).contains(advice).isNotEqualTo(AmdviKernelLog.UNKNOWN);
    assertThat(m.kind()).as(line).isEqualTo(Kind.valueOf(kind));
    assertThat(m.unit()).as(line).isEqualTo(unit);
    assertThat(line).endsWith(m.text());
  }

  @Test
  void a_new_line_of_the_driver_is_not_taken_for_known() {
    KernelMessage m = log.parse("AMD-Vi: something new");
    assertThat(m.advice()).isEqualTo(AmdviKernelLog.UNKNOWN);
    assertThat(m.kind()).isEqualTo(Kind.STATE);
    assertThat(m.text()).isEqualTo("something new");
    assertThat(log.parse("pci 0000:00:02.0: AMD-Vi: something new").unit())
        .isEqualTo("0000:00:02.0");
    assertThat(log.parse("Nov 24 21:13:00 host kernel: AMD-Vi: something new").unit())
        .isEqualTo("AMD-Vi");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "ACPI: IVRS 0x000000001FFE37FD 000140 (v01 BOCHS  BXPC     00000001 BXPC 00000001)",
        "ACPI: Reserving IVRS table memory at [mem 0x1ffe37fd-0x1ffe393c]",
        "[    1.741788] iommu: Default domain type: Translated",
        "[    2.161795] pci 0000:00:00.0: Adding to iommu group 0",
        "[    0.000000] Command line: amd_iommu=on iommu=pt",
        "DMAR: DRHD: handling fault status reg 2",
        "riscv,iommu RSCV0004:00: Fault 13 devid: 0x30 iotval: 1000 iotval2: 0",
        "something UNKNOWN address",
      })
  void other_lines_are_not_of_this_driver(String line) {
    assertThat(log.parse(line)).isNull();
  }

  @Test
  void any_change_of_a_line_is_understood_or_not_and_nothing_else() throws IOException {
    List<String> lines =
        Captures.dmesg("amd-v1").stream().filter(l -> l.contains("AMD-Vi: ")).distinct().toList();
    Property.<String>of("changed lines", 5_000, r -> changed(lines.get(r.nextInt(lines.size())), r))
        .holdsForEach(
            line -> {
              KernelMessage m = log.parse(line);
              assertThat(m == null || !m.advice().isBlank()).as(line).isTrue();
            });
  }

  private static String changed(String line, RandomGenerator r) {
    StringBuilder s = new StringBuilder(line);
    for (int i = r.nextInt(1, 6); i > 0; i--) {
      int at = r.nextInt(s.length());
      if (r.nextInt(3) == 0) {
        s.delete(at, Math.min(s.length(), at + r.nextInt(1, 9)));
        s.append('f');
      } else {
        s.setCharAt(at, "0123456789abcdef[]:. =x\tZ".charAt(r.nextInt(25)));
      }
    }
    return s.toString();
  }

  static final List<String> REPEATED =
      List.of(
          "AMD-Vi:%sx| ",
          "AMD-Vi:%sx|\\x09",
          "AMD-Vi: DEV_SELECT%sdevid: 00:00.0 flags: 0|\t",
          "AMD-Vi: Event logged [IO_PAGE_FAULT%s]| a=1",
          "AMD-Vi: Event logged [IO_PAGE_FAULT%s!| a=1",
          "AMD-Vi: DEV_ACPI_HID(%sx|[",
          "%sx|[1] ");

  @ParameterizedTest
  @FieldSource("REPEATED")
  void no_line_is_too_long_to_be_read(String pattern) {
    LongLines.areRead(log, pattern);
  }

  @Test
  void the_reader_is_found_as_a_service() {
    assertThat(KernelLog.all()).extracting(KernelLog::architecture).contains("amdvi");
    assertThat(KernelLog.all().stream().map(l -> l.parse("AMD-Vi: Interrupt remapping enabled")))
        .filteredOn(Objects::nonNull)
        .hasSize(1);
  }
}
