package org.iommu4j.vtd.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.iommu4j.core.FormatException;
import org.iommu4j.core.SysfsDecoder;
import org.iommu4j.core.SysfsUnit;
import org.iommu4j.core.SysfsUnit.Attribute;
import org.iommu4j.core.bits.Layout;
import org.iommu4j.vtd.Captures;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.ExtendedCapability;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;

class VtdSysfsTest {
  static final List<String> CAPTURES = Captures.ALL;

  @ParameterizedTest
  @FieldSource("CAPTURES")
  void a_captured_unit_is_found_and_decoded_field_by_field(String capture) throws IOException {
    SysfsUnit unit = SysfsDecoder.read(Captures.path(capture, "dmar0")).orElseThrow();
    assertThat(unit.name()).isEqualTo("dmar0");
    assertThat(unit.architecture()).isEqualTo("vtd");
    assertThat(unit.attributes())
        .extracting(Attribute::name)
        .containsExactly("version", "address", "cap", "ecap", "domains_supported", "domains_used");
    assertThat(attribute(unit, "version").meaning()).isEqualTo("VER_REG: version 1.0.");
    assertThat(attribute(unit, "address").meaning()).contains("0xfed90000");
    assertThat(attribute(unit, "domains_supported").meaning()).isEqualTo("65536 domain ids.");
    long cap = assemble(attribute(unit, "cap"));
    long ecap = assemble(attribute(unit, "ecap"));
    assertThat(Long.toHexString(cap)).isEqualTo(attribute(unit, "cap").text());
    assertThat(Long.toHexString(ecap)).isEqualTo(attribute(unit, "ecap").text());
    assertThat(attribute(unit, "cap").fields()).hasSameSizeAs(Capability.FIELDS);
    assertThat(attribute(unit, "ecap").fields()).hasSameSizeAs(ExtendedCapability.FIELDS);
  }

  private static Attribute attribute(SysfsUnit unit, String name) {
    return unit.attributes().stream().filter(a -> a.name().equals(name)).findFirst().orElseThrow();
  }

  /** All that these registers have set is in a field: nothing is lost in decoding. */
  private static long assemble(Attribute a) {
    long word = 0;
    for (Layout.Value v : a.fields()) {
      word |= v.field().of(v.value());
    }
    return word;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "vtd-legacy | 65536 domains, legacy mode only, second stage 39/48 bits with 2 MiB and 1 GiB"
            + " pages, pass-through, queued invalidation, interrupt remapping without x2APIC,"
            + " tables are read past the processor's caches, 1 fault record",
        "vtd-scalable-fl | 65536 domains, scalable mode, first stage 48 bits with 2 MiB and 1 GiB"
            + " pages, pass-through, queued invalidation, interrupt remapping without x2APIC,"
            + " tables are read past the processor's caches, 1 fault record",
        "vtd-scalable-ss | 65536 domains, scalable mode, second stage 39/48 bits with 2 MiB and 1"
            + " GiB pages, pass-through, queued invalidation, interrupt remapping without x2APIC,"
            + " tables are read past the processor's caches, 1 fault record",
      })
  void the_summary_says_what_the_unit_can_do(String capture, String summary) throws IOException {
    SysfsUnit unit = SysfsDecoder.read(Captures.path(capture, "dmar0")).orElseThrow();
    assertThat(unit.summary()).isEqualTo(summary);
  }

  @Test
  void devices_are_listed_and_links_are_not_files(@TempDir Path folder) throws IOException {
    Path unit = folder.resolve("dmar7");
    Path group = Files.createDirectories(unit.resolve("intel-iommu"));
    Files.writeString(group.resolve("cap"), "80d2008c222f0606\n");
    Files.createSymbolicLink(group.resolve("ecap"), Path.of("cap"));
    Files.createDirectories(unit.resolve("devices/0000:00:1f.0"));
    Files.createDirectories(unit.resolve("devices/0000:00:02.0"));
    SysfsUnit found = SysfsDecoder.read(unit).orElseThrow();
    assertThat(found.name()).isEqualTo("dmar7");
    assertThat(found.devices()).containsExactly("0000:00:02.0", "0000:00:1f.0");
    assertThat(found.attributes()).extracting(Attribute::name).containsExactly("cap");
    assertThat(found.summary()).contains("not told");
    assertThat(SysfsDecoder.read(folder)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "cap, xyz, a hexadecimal number of 64 bits",
    "ecap, 1234567890abcdef0, a hexadecimal number of 64 bits",
    "cap, '', a hexadecimal number of 64 bits",
    "domains_used, -1, a decimal number of 64 bits",
    "version, 1.0, MAJOR:MINOR",
    "address, fed90010, not the start of a page",
  })
  void what_the_driver_does_not_write_is_said(String name, String text, String reason) {
    Map<String, String> files = new TreeMap<>();
    files.put(name, text);
    assertThatThrownBy(() -> new VtdSysfs().decode("dmar3", files))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith("dmar3/intel-iommu/" + name + ", offset 0x0: found is '" + text)
        .hasMessageContaining(reason)
        .hasMessageEndingWith("copy the file again");
  }

  @Test
  void what_contradicts_the_capabilities_is_said() throws IOException {
    SysfsUnit unit =
        new VtdSysfs()
            .decode("dmar0", Map.of("cap", "2", "domains_supported", "65536", "new", "x"));
    assertThat(attribute(unit, "domains_supported").meaning())
        .isEqualTo("65536 domain ids, but CAP.ND means 256.");
  }
}
