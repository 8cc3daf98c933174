package org.iommu4j.vtd.firmware;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import org.iommu4j.core.FormatException;
import org.iommu4j.core.testing.Property;
import org.iommu4j.vtd.Captures;
import org.iommu4j.vtd.firmware.DmarStructure.Drhd;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

class DmarTest {
  static final List<String> CAPTURES = Captures.ALL;

  @ParameterizedTest
  @FieldSource("CAPTURES")
  void a_captured_table_is_read_and_written_byte_for_byte(String capture) throws IOException {
    byte[] bytes = Captures.dmar(capture);
    Dmar dmar = Dmar.parse(bytes);
    assertThat(dmar.toBytes()).isEqualTo(bytes);
    assertThat(dmar.header().oemId()).isEqualTo("BOCHS ");
    assertThat(dmar.hostAddressWidth()).isEqualTo(48);
    assertThat(dmar.flags()).isEqualTo(Dmar.INTR_REMAP);
    assertThat(dmar.structures()).hasSize(1);
    assertThat(dmar.warnings()).isEmpty();
  }

  /** Against an independent disassembly of the table. */
  @Test
  void the_unit_of_a_captured_table_has_the_devices_of_its_disassembly() throws IOException {
    Drhd unit = Dmar.parse(Captures.dmar("vtd-legacy")).all(Drhd.class).getFirst();
    assertThat(unit.base()).isEqualTo(0xfed9_0000L);
    assertThat(unit.includesAll()).isFalse();
    assertThat(unit.registerBytes()).isEqualTo(4096);
    assertThat(unit.scopes())
        .extracting(DeviceScope::toString)
        .containsExactly(
            "I/O APIC 0 ff:00.0",
            "PCI endpoint 00:00.0",
            "PCI bridge 00:02.0",
            "PCI bridge 00:02.1",
            "PCI bridge 00:02.2",
            "PCI bridge 00:02.3",
            "PCI endpoint 00:04.0",
            "PCI endpoint 00:05.0",
            "PCI endpoint 00:06.0",
            "PCI endpoint 00:07.0",
            "PCI endpoint 00:08.0",
            "PCI endpoint 00:1f.0",
            "PCI endpoint 00:1f.2",
            "PCI endpoint 00:1f.3");
  }

  @Test
  void every_kind_of_structure_survives_the_way_to_bytes_and_back() throws IOException {
    Dmar dmar = Dmars.all();
    byte[] bytes = dmar.toBytes();
    assertThat(Dmar.parse(bytes)).isEqualTo(dmar);
    assertThat(Dmar.parse(bytes).toBytes()).isEqualTo(bytes);
    assertThat(dmar.warnings())
        .containsExactly(
            "SATC and SIDP are both present: SATC is to be ignored. Linux up to 7.2 reads only"
                + " SATC.");
  }

  @Test
  void structures_stand_where_the_specification_says() throws IOException {
    byte[] bytes = Dmars.all().toBytes();
    assertThat(bytes[36]).as("host address width, minus 1").isEqualTo((byte) 45);
    assertThat(bytes[37]).isEqualTo((byte) 5);
    byte[] rmrr =
        Dmar.toBuffer(
            List.of(
                new DmarStructure.Rmrr(
                    0x1234,
                    0x1122_3344_5566_7000L,
                    0x1122_3344_5566_7fffL,
                    List.of(
                        new DeviceScope(
                            1, 0x1f, 0x22, 0x33, List.of(new DeviceScope.Hop(0x1e, 7)))))));
    assertThat(rmrr)
        .isEqualTo(
            bytes(
                "01 00 20 00 00 00 34 12 00 70 66 55 44 33 22 11 ff 7f 66 55 44 33 22 11"
                    + " 01 08 1f 00 22 33 1e 07"));
    assertThat(Dmar.toBuffer(List.of(new DmarStructure.Rhsa(0xfed9_0000L, 0x0102_0304))))
        .isEqualTo(bytes("03 00 14 00 00 00 00 00 00 00 d9 fe 00 00 00 00 04 03 02 01"));
    assertThat(Dmar.toBuffer(List.of(new DmarStructure.Andd(7, "\\A", 4))))
        .isEqualTo(bytes("04 00 0c 00 00 00 00 07 5c 41 00 00"));
    assertThat(Dmar.toBuffer(List.of(new DmarStructure.Drhd(1, 2, 3, 0x4000, List.of()))))
        .isEqualTo(bytes("00 00 10 00 01 02 03 00 00 40 00 00 00 00 00 00"));
    for (int type : new int[] {2, 5}) {
      DmarStructure s =
          type == 2
              ? new DmarStructure.Atsr(1, 0x102, List.of())
              : new DmarStructure.Satc(1, 0x102, List.of());
      assertThat(Dmar.toBuffer(List.of(s))).isEqualTo(bytes("0" + type + " 00 08 00 01 00 02 01"));
    }
    assertThat(Dmar.toBuffer(List.of(new DmarStructure.Sidp(0x102, List.of()))))
        .isEqualTo(bytes("06 00 08 00 00 00 02 01"));
  }

  private static byte[] bytes(String hex) {
    return java.util.HexFormat.ofDelimiter(" ").parseHex(hex);
  }

  @Test
  void random_tables_survive_the_way_to_bytes_and_back() {
    Property.of("DMAR", 3_000, Dmars::random)
        .holdsForEach(
            dmar -> {
              byte[] bytes = dmar.toBytes();
              Dmar again = DmarErrorsTest.parse(bytes);
              assertThat(again).isEqualTo(dmar);
              assertThat(again.toBytes()).isEqualTo(bytes);
              assertThat(again.warnings()).isEqualTo(dmar.warnings());
            });
  }

  @Test
  void the_buffers_of_hot_plug_are_structures_without_a_header() throws IOException {
    List<DmarStructure> all = Dmars.all().structures();
    byte[] buffer = Dmar.toBuffer(all);
    assertThat(Dmar.parseBuffer(buffer)).isEqualTo(all);
    assertThat(Dmar.parseBuffer(new byte[0])).isEmpty();
    for (int n = 1; n < buffer.length; n++) {
      byte[] less = java.util.Arrays.copyOf(buffer, n);
      try {
        List<DmarStructure> some = Dmar.parseBuffer(less);
        assertThat(some).isEqualTo(all.subList(0, some.size()));
      } catch (FormatException e) {
        assertThat(e).hasMessageStartingWith("DMAR _DSM buffer, offset 0x");
      }
    }
  }

  @Test
  void a_function_is_behind_the_unit_that_names_it_or_a_bridge_above_it() {
    Dmar dmar = Dmars.all();
    Bridges bridges =
        (segment, f) ->
            switch (f) {
              case 0x00e0 -> new Bridges.Buses(1, 4);
              case 0x00e8 -> new Bridges.Buses(8, 9);
              default -> null;
            };
    assertThat(unit(dmar, 0, 0x0010, bridges)).as("named").isEqualTo(0xfed9_0000L);
    assertThat(unit(dmar, 0, 0x00e0, bridges)).as("the bridge").isEqualTo(0xfed9_0000L);
    assertThat(unit(dmar, 0, 0x0100, bridges)).as("below it").isEqualTo(0xfed9_0000L);
    assertThat(unit(dmar, 0, 0x04ff, bridges)).as("the last below").isEqualTo(0xfed9_0000L);
    assertThat(unit(dmar, 0, 0x0500, bridges)).as("beyond").isEqualTo(0xfed9_2000L);
    assertThat(unit(dmar, 0, 0x0819, bridges)).as("by a path").isEqualTo(0xfed9_0000L);
    assertThat(unit(dmar, 0, 0x0818, bridges)).as("its neighbour").isEqualTo(0xfed9_2000L);
    assertThat(unit(dmar, 0, 0x0819, Bridges.none())).as("no bridges").isEqualTo(0xfed9_2000L);
    assertThat(dmar.unitOf(1, 0x0010, bridges)).as("another segment").isEmpty();
  }

  private static long unit(Dmar dmar, int segment, int requester, Bridges bridges) {
    return dmar.unitOf(segment, requester, bridges).orElseThrow().base();
  }

  @Test
  void what_linux_complains_about_is_a_warning() {
    DeviceScope gfx = DeviceScope.endpoint(0, 2, 0);
    Dmar odd =
        Dmar.of(
            39,
            0,
            List.of(
                new Drhd(1, 0, 0, 0xfed9_0800L, List.of()),
                new Drhd(0, 0, 0, 0xfed9_0800L, List.of()),
                new DmarStructure.Rmrr(0, 0x1000, 0x17ff, List.of(gfx)),
                new DmarStructure.Rmrr(0, 0x2000, 0x1fff, List.of()),
                new DmarStructure.Rhsa(0x1000, 0),
                new DmarStructure.Atsr(0, 0, List.of(gfx)),
                DmarStructure.Andd.of(3, "\\_SB.DEV"),
                new DmarStructure.Satc(
                    0,
                    0,
                    List.of(
                        new DeviceScope(5, 1, 4, 0, List.of(new DeviceScope.Hop(32, 8))),
                        new DeviceScope(6, 0, 0, 0, List.of(new DeviceScope.Hop(0, 0)))))));
    assertThat(odd.warnings())
        .extracting(w -> w.substring(0, Math.min(w.length(), 40)))
        .containsExactly(
            "DRHD 0xfed90800: registers of 4096 bytes",
            "DRHD 0xfed90800: registers of 4096 bytes",
            "DRHD 0xfed90800: there are two of them, ",
            "DRHD 0xfed90800: it follows 0xfed90800, ",
            "RMRR 0x1000..0x17ff: it has to begin and",
            "RMRR 0x2000..0x1fff: it has to begin and",
            "RMRR 0x2000: no device uses it, so it is",
            "RHSA 0x1000: there is no such unit, so i",
            "Scope ACPI device 4 00:20.8 flags 0x1: n",
            "ANDD 3: no unit has the device in its sc",
            "Scope PCI endpoint 00:02.0: ATSR, where ",
            "Scope ACPI device 4 00:20.8 flags 0x1: d",
            "Scope ACPI device 4 00:20.8 flags 0x1: f",
            "Scope ACPI device 4 00:20.8 flags 0x1: S",
            "Scope type 6 00:00.0: the kernel says 'U",
            "Scope type 6 00:00.0: SATC, where only s");
    assertThat(Dmar.of(39, 0, List.of()).warnings()).singleElement().asString().contains("No DRHD");
  }

  @Test
  void what_does_not_fit_is_a_mistake_of_the_program() {
    assertThatThrownBy(() -> Dmar.of(11, 0, List.of()))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Drhd(0, 0, 0, 0, List.of()))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Drhd(0, 0, 0x1_0000, 1, List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("segment 0x10000 does not fit into 16 bits");
    assertThatThrownBy(() -> new DeviceScope(1, 0, 0, 0, List.of()))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new DmarStructure.Andd(0, "\\A", 2))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new DmarStructure.Other(6, new byte[0]))
        .isInstanceOf(IllegalArgumentException.class);
    List<DeviceScope> many = java.util.Collections.nCopies(9000, DeviceScope.endpoint(0, 0, 0));
    assertThatThrownBy(() -> Dmar.toBuffer(List.of(new DmarStructure.Sidp(0, many))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("at most 65535");
  }
}
