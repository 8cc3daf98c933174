package org.iommu4j.amdvi.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.iommu4j.amdvi.Captures;
import org.iommu4j.amdvi.layout.CapabilityBlock;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.core.FormatException;
import org.iommu4j.core.SysfsDecoder;
import org.iommu4j.core.SysfsUnit;
import org.iommu4j.core.SysfsUnit.Attribute;
import org.iommu4j.core.bits.Layout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;

class AmdviSysfsTest {
  static final List<String> CAPTURES = Captures.ALL;

  @ParameterizedTest
  @FieldSource("CAPTURES")
  void a_captured_unit_is_found_and_decoded_field_by_field(String capture) throws IOException {
    SysfsUnit unit = SysfsDecoder.read(Captures.path(capture, "ivhd0")).orElseThrow();
    assertThat(unit.name()).isEqualTo("ivhd0");
    assertThat(unit.architecture()).isEqualTo("amdvi");
    assertThat(unit.attributes()).extracting(Attribute::name).containsExactly("cap", "features");
    Attribute cap = unit.attributes().getFirst();
    assertThat(Long.toHexString(assemble(cap, 0))).isEqualTo(cap.text());
    assertThat(cap.fields()).hasSameSizeAs(CapabilityBlock.HEADER.fields());
    assertThat(cap.meaning())
        .isEqualTo("CapId=0xf CapType=0x3 IotlbSup HtTunnel NpCache EFRSup CapExt");
    Attribute features = unit.attributes().getLast();
    assertThat("%x:%x".formatted(assemble(features, 0), assemble(features, 1)))
        .isEqualTo(features.text());
    assertThat(features.fields())
        .hasSize(ExtendedFeatures.FIELDS.size() + ExtendedFeatures.REGISTER_2.fields().size());
    assertThat(features.meaning())
        .isEqualTo("PreFSup PPRSup XTSup GTSup IASup GASup HESup HATS=0x2 GATS=0x2");
    assertThat(unit.summary())
        .isEqualTo(
            "host tables of up to 6 levels, guest tables of up to 6 levels, 1-bit PASIDs, page"
                + " requests, interrupt remapping with x2APIC, 128-bit interrupt entries,"
                + " INVALIDATE_IOMMU_ALL, prefetching, hardware event registers, device IOTLBs"
                + " (ATS), caches what is not present (an emulated unit)");
  }

  /** All that these registers have set is in a field: nothing is lost in decoding. */
  private static long assemble(Attribute a, int word) {
    long value = 0;
    for (Layout.Value v : a.fields()) {
      value |= v.word() == word ? v.field().of(v.value()) : 0;
    }
    return value;
  }

  @Test
  void a_unit_of_real_hardware_is_told_in_words() throws IOException {
    SysfsUnit unit =
        new AmdviSysfs()
            .decode(
                "ivhd1",
                Map.of("cap", "190b640f", "features", "58f77ef22294ade:900", "other", "x"));
    assertThat(unit.summary())
        .contains("guest virtual APIC", "performance counters", "host accessed bits")
        .contains("2048 interrupts a function", "no HyperTransport range", "device IOTLBs (ATS)")
        .doesNotContain("emulated");
    assertThat(unit.attributes().getLast().meaning())
        .endsWith("; NumIntRemapSup=0x1 HTRangeIgnore");
  }

  @Test
  void old_kernels_tell_one_feature_register() throws IOException {
    SysfsUnit unit = new AmdviSysfs().decode("ivhd0", Map.of("features", "f77ef22294ada"));
    assertThat(unit.attributes()).hasSize(1);
    assertThat(unit.summary()).startsWith("host tables of up to 6 levels");
    assertThat(new AmdviSysfs().decode("ivhd0", Map.of("features", "c00")).summary())
        .isEqualTo("no host tables, interrupt remapping without x2APIC");
  }

  @Test
  void devices_are_listed_and_what_is_missing_is_said(@TempDir Path folder) throws IOException {
    Path unit = folder.resolve("ivhd7");
    Path group = Files.createDirectories(unit.resolve("amd-iommu"));
    Files.writeString(group.resolve("cap"), "1f03000f\n");
    Files.createDirectories(unit.resolve("devices/0000:00:02.0"));
    SysfsUnit found = SysfsDecoder.read(unit).orElseThrow();
    assertThat(found.devices()).containsExactly("0000:00:02.0");
    assertThat(found.attributes()).extracting(Attribute::name).containsExactly("cap");
    assertThat(found.summary()).contains("not told");
    assertThat(SysfsDecoder.read(folder)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "cap, xyz, a hexadecimal number of 32 bits",
    "cap, 123456789, a hexadecimal number of 32 bits",
    "cap, '', a hexadecimal number of 32 bits",
    "features, 0x29d7:0, two hexadecimal numbers of 64 bits",
    "features, 29d7:, two hexadecimal numbers of 64 bits",
    "features, 12345678901234567:0, two hexadecimal numbers of 64 bits",
    "features, '', two hexadecimal numbers of 64 bits",
  })
  void what_the_driver_does_not_write_is_said(String name, String text, String reason) {
    assertThatThrownBy(() -> new AmdviSysfs().decode("ivhd3", Map.of(name, text)))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith("ivhd3/amd-iommu/" + name + ", offset 0x0: found is '" + text)
        .hasMessageContaining(reason)
        .hasMessageEndingWith("copy the file again");
  }
}
