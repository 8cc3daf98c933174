package org.iommu4j.vtd.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.iommu4j.core.KernelLog;
import org.iommu4j.core.KernelMessage;
import org.iommu4j.core.KernelMessage.Kind;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Fault;
import org.iommu4j.core.dma.UnknownReason;
import org.iommu4j.core.testing.LongLines;
import org.iommu4j.vtd.Captures;
import org.iommu4j.vtd.layout.Reason;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

class VtdKernelLogTest {
  static final List<String> CAPTURES = Captures.ALL;

  private final VtdKernelLog log = new VtdKernelLog();

  private static Fault fault(KernelMessage message) {
    assertThat(message).isNotNull();
    assertThat(message.kind()).isEqualTo(Kind.FAULT);
    assertThat(message.fault()).isNotNull();
    return message.fault();
  }

  @ParameterizedTest
  @FieldSource("CAPTURES")
  void every_line_of_the_drivers_in_a_log_is_known_and_no_other(String capture) throws IOException {
    Pattern driver = Pattern.compile("\\[ *[0-9.]+\\] (?:\\S+ \\S+: )?(?:DMAR|DMAR-IR|dmar).*");
    int found = 0;
    for (String line : Captures.dmesg(capture)) {
      KernelMessage m = log.parse(line);
      assertThat(m != null).as(line).isEqualTo(driver.matcher(line).matches());
      if (m != null) {
        found++;
        assertThat(m.advice()).as(line).isNotBlank().isNotEqualTo(VtdKernelLog.UNKNOWN);
      }
    }
    assertThat(found).isGreaterThanOrEqualTo(30);
  }

  @ParameterizedTest
  @CsvSource({
    "vtd-legacy, 12",
    "vtd-legacy-vmcore, 9",
    "vtd-scalable-fl, 12",
    "vtd-scalable-ss, 13"
  })
  void every_fault_line_of_a_log_gives_its_fault(String capture, int count) throws IOException {
    Pattern parts =
        Pattern.compile(
            ".*\\[(DMA Read NO_PASID|DMA Write NO_PASID|INTR-REMAP)] Request device"
                + " \\[0000:(..):(..)\\.(.)] fault (?:addr|index) 0x(\\S+) \\[fault reason"
                + " 0x(..)] .*");
    int faults = 0;
    for (String line : Captures.dmesg(capture)) {
      Matcher m = parts.matcher(line);
      if (!m.matches()) {
        KernelMessage other = log.parse(line);
        assertThat(other == null || other.fault() == null).as(line).isTrue();
        continue;
      }
      faults++;
      Fault f = fault(log.parse(line));
      int rid =
          Integer.parseInt(m.group(2), 16) << 8
              | Integer.parseInt(m.group(3), 16) << 3
              | Integer.parseInt(m.group(4));
      assertThat(f.source()).as(line).isEqualTo(rid);
      assertThat(f.address()).as(line).isEqualTo(Long.parseLong(m.group(5), 16));
      assertThat(f.reason().code()).as(line).isEqualTo(Integer.parseInt(m.group(6), 16));
      assertThat(f.reason()).as(line).isInstanceOf(Reason.class);
      assertThat(f.pasid()).isEqualTo(DmaRequest.NO_PASID);
      assertThat(f.access())
          .isEqualTo(
              switch (m.group(1)) {
                case "DMA Read NO_PASID" -> Access.READ;
                case "DMA Write NO_PASID" -> Access.WRITE;
                default -> 0;
              });
    }
    assertThat(faults).isEqualTo(count);
  }

  /** As old and new kernels spell them. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // reason, source, pasid, access, address
        "LGN_3 | 10 | -1 | 1 | 0 | DMAR:[DMA Read] Request device [00:02.0] PASID ffffffff fault"
            + " addr 0 [fault reason 06] PTE Read access is not set",
        "LSS_2 | 10 | -1 | 2 | fffff000 | DMAR: [DMA Write] Request device [00:02.0] PASID ffffffff"
            + " fault addr fffff000 [fault reason 12] non-zero reserved fields in PTE",
        "LGN_2 | 318 | -1 | 2 | 7f6eb2000 | DMAR: [DMA Write] Request device [03:03.0] fault addr"
            + " 7f6eb2000 [fault reason 05] PTE Write access is not set",
        "SFS_2 | 6a10 | 5 | 1 | 7ffff000 | DMAR: [DMA Read] Request device [6a:02.0] PASID 5 fault"
            + " addr 7ffff000 [fault reason 113] SM: Present bit in first-level paging entry is"
            + " clear",
        "SFS_2 | 6a10 | 1048575 | 2 | 7ffff000 | DMAR: [DMA Write PASID 0xfffff] Request device"
            + " [6a:02.0] fault addr 0x7ffff000 [fault reason 0x71] SM: Present bit in first-level"
            + " paging entry is clear",
        "SGN_6 | 16a10 | 5 | 2 | 7ffff000 | DMAR: [DMA Write PASID 0x5] Request device"
            + " [0001:6a:02.0] fault addr 0x7ffff000 [fault reason 0x85] SM: No write permission",
        "IR_COMPATIBILITY | f0ff | -1 | 0 | 21 | DMAR: [INTR-REMAP] Request device [f0:1f.7] fault"
            + " index 21 [fault reason 37] Blocked a compatibility format interrupt request",
        "IR_SOURCE | f0ff | -1 | 0 | 21 | DMAR: [INTR-REMAP] Request device [f0:1f.7] fault index"
            + " 0x21 [fault reason 0x26] Blocked an interrupt request due to source-id verification"
            + " failure",
        "IR_DESCRIPTOR_ACCESS | 10 | -1 | 0 | 1c | DMAR: [DMA Write NO_PASID] Request device"
            + " [00:02.0] fault addr 0x1c000000000000 [fault reason 0x27] Unknown",
        "SGN_10 | 10 | 1 | 1 | 1000 | DMAR: [DMA Read PASID 0x1] Request device [00:02.0] fault"
            + " addr 0x1000 [fault reason 0x89] Unknown",
      })
  void faults_of_every_spelling(
      Reason reason, String source, int pasid, int access, String address, String line) {
    Fault f = fault(log.parse("[   12.345678] " + line));
    assertThat(f.reason()).isEqualTo(reason);
    assertThat(f.source()).isEqualTo(Integer.parseInt(source, 16));
    assertThat(f.pasid()).isEqualTo(pasid);
    assertThat(f.access()).isEqualTo(access);
    assertThat(f.address()).isEqualTo(Long.parseUnsignedLong(address, 16));
    assertThat(fault(log.parse("Nov 24 21:13:00 host kernel: " + line))).isEqualTo(f);
  }

  @Test
  void old_kernels_tell_the_reason_on_the_next_line() {
    KernelMessage where =
        log.parse("dmar: DMAR:[DMA Read] Request device [00:02.0] fault addr ff000 ");
    assertThat(fault(where).reason()).isEqualTo(new UnknownReason(0));
    assertThat(fault(where).address()).isEqualTo(0xff000);
    assertThat(where.advice()).contains("next line");
    KernelMessage why = log.parse("DMAR:[fault reason 06] PTE Read access is not set");
    assertThat(why.kind()).isEqualTo(Kind.FAULT);
    assertThat(why.fault()).isNull();
    assertThat(why.advice()).isEqualTo(Reason.LGN_3.advice());
    KernelMessage interrupt =
        log.parse("dmar: INTR-REMAP: Request device [[f0:1f.7] fault index 1c");
    assertThat(fault(interrupt).source()).isEqualTo(0xf0ff);
    assertThat(fault(interrupt).address()).isEqualTo(0x1c);
    assertThat(log.parse("INTR-REMAP:[fault reason 34] Present field is clear").advice())
        .isEqualTo(Reason.IR_NOT_PRESENT.advice());
  }

  /** Every code that hardware can report, by enumeration. */
  @Test
  void every_reason_is_found_by_its_code() {
    for (int code = 1; code < 256; code++) {
      String form =
          code >= 0x20 && code < 0x27
              ? "DMAR: [INTR-REMAP] Request device [00:02.0] fault index 0x3 [fault reason 0x%02x]"
                  + " x"
              : "DMAR: [DMA Read NO_PASID] Request device [00:02.0] fault addr 0x3000 [fault reason"
                  + " 0x%02x] x";
      KernelMessage m = log.parse(form.formatted(code));
      List<Reason> all = Reason.of(code);
      assertThat(fault(m).reason())
          .isEqualTo(all.isEmpty() ? new UnknownReason(code) : all.getFirst());
      for (Reason r : all) {
        assertThat(m.advice()).contains(r.advice());
      }
    }
  }

  @ParameterizedTest
  @CsvFileSource(resources = "known-lines.txt", delimiter = '|', quoteCharacter = '`')
  void what_the_drivers_write_is_known(String kind, String unit, String line, String advice) {
    KernelMessage m = log.parse("[    1.234567] " + line);
    assertThat(m).as(line).isNotNull();
    assertThat(m.advice()).as(line).contains(advice).isNotEqualTo(VtdKernelLog.UNKNOWN);
    assertThat(m.kind()).as(line).isEqualTo(Kind.valueOf(kind));
    assertThat(m.unit()).as(line).isEqualTo(unit);
    assertThat(line).endsWith(m.text());
  }

  @Test
  void a_new_line_of_the_drivers_is_not_taken_for_known() {
    KernelMessage m = log.parse("DMAR: something new");
    assertThat(m.advice()).isEqualTo(VtdKernelLog.UNKNOWN);
    assertThat(m.kind()).isEqualTo(Kind.STATE);
    assertThat(m.text()).isEqualTo("something new");
    assertThat(log.parse("pci 0000:00:02.0: DMAR: something new").unit()).isEqualTo("0000:00:02.0");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "ACPI: DMAR 0x000000001FFE37EC 0000B0 (v01 BOCHS  BXPC     00000001 BXPC 00000001)",
        "ACPI: Reserving DMAR table memory at [mem 0x1ffe37ec-0x1ffe389b]",
        "[    1.825125] iommu: Default domain type: Translated",
        "[    2.463278] pci 0000:00:00.0: Adding to iommu group 0",
        "[    0.000000] Command line: intel_iommu=on,sm_on iommu=pt",
        "IOMMU: something of another driver",
        "AMD-Vi: Event logged [IO_PAGE_FAULT device=00:00.0]",
        "riscv,iommu RSCV0004:00: Fault 13 devid: 0x30 iotval: 1000 iotval2: 0",
      })
  void other_lines_are_not_of_these_drivers(String line) {
    assertThat(log.parse(line)).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "%sx|[1] ",
        "DMAR: %sx|DMAR: ",
        "DMAR:%sx| ",
        "%s|>",
        "DMAR: [DMA Read NO_PASID] Request device [00:02.0] fault addr 0x%s|1",
        "DMAR: [DMA Read NO_PASID] Request device [00:02.0] fault addr 0x0 [fault reason 0x%s] x|7",
        "DMAR: DRHD base: 0x%s flags: 0x0|1",
        "DMAR: VT-d detected Invalidation Queue Error: Reason %s|f",
        "DMAR: No nested translation support%s on dmar0| on"
      })
  @Timeout(5)
  void no_line_is_too_long_to_be_read(String pattern) {
    LongLines.areRead(log, pattern);
  }

  @Test
  void the_reader_is_found_as_a_service() {
    assertThat(KernelLog.all()).extracting(KernelLog::architecture).contains("vtd");
    assertThat(KernelLog.all().stream().map(l -> l.parse("DMAR: No RMRR found")))
        .filteredOn(Objects::nonNull)
        .hasSize(1);
  }
}
