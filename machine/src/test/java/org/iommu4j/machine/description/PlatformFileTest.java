package org.iommu4j.machine.description;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.networknt.schema.InputFormat;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.iommu4j.machine.Platform;
import org.iommu4j.machine.Settings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlatformFileTest {
  private static final String GOOD =
      """
      platform: test
      memory:
        - {base: 0x8000_0000, size: 64M}
      iommus:
        - {name: u, arch: fake, base: 0x1000_0000, frames: {base: 0x8000_0000, size: 1M}}
      devices:
        - {name: a, id: "00:01.0", pasids: [1]}
      domains:
        - name: da
          maps:
            - {iova: 0x1000, pa: 0x8100_0000, size: 4K, allow: r}
      attach:
        - {device: a, domain: da}
      scenario:
        - read: {device: a, iova: 0x1000, length: 8}
      """;

  private static String complaint(String text) {
    return catchThrowableOfType(InvalidPlatform.class, () -> PlatformFile.parse("f.yaml", text))
        .getMessage();
  }

  /** What the reader says when {@code find} in the good file is replaced. */
  private static String complaint(String find, String replacement) {
    assertThat(GOOD).contains(find);
    return complaint(GOOD.replace(find, replacement));
  }

  @Test
  void the_good_file_is_good() {
    PlatformDescription d = PlatformFile.parse("f.yaml", GOOD);
    assertThat(d.memory().getFirst().size()).isEqualTo(64L << 20);
    assertThat(d.devices().getFirst().source()).isEqualTo(8);
    assertThat(d.domains().getFirst().maps().getFirst().at()).hasToString("11:9");
  }

  @Test
  void the_example_is_good() {
    assertThat(PlatformFile.example().scenario()).hasSizeGreaterThan(30);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          size: 64M          | siez: 64M          | f.yaml:3:5: 'size' is missing in a memory range {name, base, size}; add it: size: <a size in bytes
          size: 64M          | siez: 64M          | f.yaml:3:25: key 'siez' is unknown in a memory range {name, base, size}; did you mean 'size'?
          size: 64M          | size: 64X          | f.yaml:3:31: size: found '64X'; expected a size in bytes: decimal or 0x-hexadecimal
          base: 0x8000_0000, size: 64M | base: {}, size: 64M | f.yaml:3:12: base: found a map of keys; expected an address
          allow: r           | allow: wx          | f.yaml:11:58: allow: 'wx' is not permissions: r, w, rw, rx or rwx; use one of r, w, rw, rx, rwx
          00:01.0            | 00:41.0            | f.yaml:7:19: id: found '00:41.0'; expected a requester id: a PCI function such as 00:03.0
          pasids: [1]        | pasids: [1, 1]     | f.yaml:7:38: pasids: names something twice
          pasids: [1]        | pasids: [1048576]  | f.yaml:7:39: found '1048576'; expected a PASID, 0..1048575
          device: a, domain  | device: b, domain  | f.yaml:13:5: device 'b' does not exist; did you mean 'a'?
          domain: da         | domain: dx         | f.yaml:13:5: domain 'dx' does not exist; did you mean 'da'?
          device: a, domain  | device: a, pasid: 2, domain | f.yaml:13:5: device a has no PASID 2; add it to the device: pasids: [2]
          iova: 0x1000, pa   | iova: 0x1001, pa   | f.yaml:11:9: iova 0x1001 of 4K is not page aligned; use multiples of 4K
          pa: 0x8100_0000    | target: cpu        | f.yaml:11:32: interrupt target 'cpu' does not exist; there is none to choose from
          pa: 0x8100_0000,   | ''                 | f.yaml:11:9: a mapping leads to an address or to an interrupt target; give one, pa or target
          size: 1M           | size: 1G           | f.yaml:5:54: the frames 0x80000000 of 1G are not in one memory range; choose a part of 0x80000000 of 64M
          base: 0x1000_0000  | base: 0x8000_1000  | f.yaml:5:54: the registers of an IOMMU lie in these frames; move one of them
          '- read:'          | '- reed:'          | f.yaml:15:5: key 'reed' is unknown in a step: one of read, write
          length: 8}         | length: 2M}        | f.yaml:15:11: an access has at most 1M bytes; make it several steps
          '- {base: 0x8000'  | '- {base: 0x8000_0000, size: 4K}\\n  - {base: 0x8000' | f.yaml:4:5: memory at 0x80000000 overlaps that at 0x80000000
          platform: test     | platform: *x       | f.yaml:1:11:
          platform: test     | platform: {        | f.yaml:3:3: not YAML: while parsing a flow node
          platform: test     | platform: test\\nplatform: again | f.yaml:2:1: key 'platform' was given before, at 1:1; remove one of them
          platform: test     | platform:          | f.yaml:1:10: platform: found nothing; expected a name of 1 to 60 characters
          """)
  void a_problem_is_named_with_its_place_and_a_way_out(
      String find, String replacement, String expected) {
    assertThat(complaint(find, replacement.replace("\\n", "\n")).lines())
        .anySatisfy(line -> assertThat(line).startsWith(expected));
  }

  @Test
  void all_problems_are_reported_in_the_order_of_the_file() {
    String text = GOOD.replace("size: 64M", "size: x").replace("allow: r", "allow: q");
    assertThat(complaint(text).lines().map(l -> l.substring(0, 10)))
        .containsExactly("f.yaml:3:3", "f.yaml:11:");
  }

  @Test
  void a_step_does_one_thing() {
    assertThat(complaint("- read:", "- detach: {device: a}\n    read:"))
        .contains("f.yaml:15:5: this step does several things: read, detach");
    assertThat(complaint(GOOD + "  - {note: nothing}\n"))
        .contains("f.yaml:16:5: this step does nothing; give each step one of read, write");
  }

  @Test
  void what_is_no_platform_file_is_refused(@TempDir Path folder) throws IOException {
    assertThat(complaint("")).contains("1:1: the file is empty");
    assertThat(complaint("- a\n- b\n")).contains("found a list; expected");
    assertThat(complaint(GOOD + "---\nmore: 1\n")).contains("a second document begins here");
    Path binary = folder.resolve("x");
    Files.write(binary, new byte[] {(byte) 0xff, (byte) 0xfe, 0, 1});
    assertThat(catchThrowableOfType(InvalidPlatform.class, () -> PlatformFile.read(binary)))
        .hasMessageContaining("the file is not UTF-8 text");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          cpu: 0             | about: none        | f.yaml:18:5: an interrupt target belongs to a processor or is at an address; give one, cpu: 0 or base:
          cpu: 0             | cpu: 0, base: 0x0  | f.yaml:18:5: an interrupt target belongs to a processor or is at an address
          cpu: 0             | cpu: 256           | f.yaml:18:20: cpu: found '256'; expected a processor, 0..255
          device: a, target  | device: b, target  | f.yaml:20:5: device 'b' does not exist; did you mean 'a'?
          target: c, data: 3 | target: d, data: 3 | f.yaml:20:5: interrupt target 'd' does not exist; did you mean 'c'?
          ', data: 33'       | ''                 | f.yaml:20:5: 'data' is missing in an interrupt of a device
          interrupt: i       | interrupt: j       | f.yaml:16:10: interrupt 'j' does not exist; did you mean 'i'?
          interrupt: i       | interrupt: i, data: 3 | f.yaml:16:10: an interrupt has its data; remove data
          interrupt: i       | interrupt: i, address: 0 | f.yaml:16:10: a message is that of an interrupt, or goes to a target or to an address; give one
          interrupt: i       | target: c          | f.yaml:16:10: a message needs data; add data: 33
          interrupt: i       | target: d, data: 1 | f.yaml:16:30: interrupt target 'd' does not exist; did you mean 'c'?
          """)
  void a_problem_with_interrupts_is_named(String find, String replacement, String expected) {
    String text =
        GOOD
            + """
              - msi: {device: a, interrupt: i}
            targets:
              - {name: c, cpu: 0}
            interrupts:
              - {name: i, device: a, target: c, data: 33}
            """
                .indent(0);
    assertThat(PlatformFile.parse("f.yaml", text).interrupts()).hasSize(1);
    assertThat(text).contains(find);
    assertThat(complaint(text.replace(find, replacement)).lines())
        .anySatisfy(line -> assertThat(line).startsWith(expected));
  }

  @Test
  void messages_do_not_arrive_in_memory() {
    String text = GOOD + "targets: [{name: c, base: 0x8010_0000}]\n";
    assertThat(refusal(PlatformFile.parse("f.yaml", text)))
        .isEqualTo(
            "f.yaml:3:5: this memory covers 0x80100000, where c takes messages;"
                + " end it before, and go on behind");
  }

  @Test
  void what_the_unit_refuses_names_the_unit() {
    PlatformDescription unknown =
        PlatformFile.parse("f.yaml", GOOD.replace("arch: fake", "arch: none"));
    assertThat(refusal(unknown)).contains("f.yaml:5:5: u: architecture 'none' is not present");
    PlatformDescription option =
        PlatformFile.parse("f.yaml", GOOD.replace("arch: fake", "arch: fake, options: {lvl: 1}"));
    assertThat(refusal(option)).contains("f.yaml:5:5: u: option 'lvl': is unknown; known are");
  }

  @Test
  void memory_that_the_host_does_not_have_names_its_range() {
    PlatformDescription d =
        PlatformFile.parse("f.yaml", GOOD.replace("size: 64M", "size: 4000000T"));
    assertThat(refusal(d)).startsWith("f.yaml:3:5: memory of 4000000T cannot be had: ");
  }

  private static String refusal(PlatformDescription d) {
    return catchThrowableOfType(InvalidPlatform.class, () -> Platform.of(d, Settings.NONE).close())
        .getMessage();
  }

  @Test
  void the_schema_is_valid_draft_2020_12() {
    String meta = "{\"$ref\": \"https://json-schema.org/draft/2020-12/schema\"}";
    assertThat(
            SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
                .getSchema(meta, InputFormat.JSON)
                .validate(PlatformFile.schema(), InputFormat.JSON))
        .isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"4096,4K", "2097152,2M", "1073741824,1G", "5000,5000", "1099511627776,1T", "0,0"})
  void sizes_are_written_as_they_are_read(long bytes, String text) {
    assertThat(Units.size(bytes)).isEqualTo(text);
    assertThat(Units.parseSize(text)).isEqualTo(bytes);
  }
}
