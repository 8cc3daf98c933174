package org.iommu4j.amdvi.firmware;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.random.RandomGenerator;
import org.iommu4j.amdvi.Captures;
import org.iommu4j.amdvi.firmware.DeviceEntry.AcpiDevice;
import org.iommu4j.amdvi.firmware.DeviceEntry.Special;
import org.iommu4j.amdvi.firmware.IvrsBlock.Ivhd;
import org.iommu4j.amdvi.firmware.IvrsBlock.Ivmd;
import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.IvrsFields;
import org.iommu4j.core.testing.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;

class IvrsTest {
  static final List<String> CAPTURES = Captures.ALL;

  @ParameterizedTest
  @FieldSource("CAPTURES")
  void a_captured_table_is_read_and_written_byte_for_byte(String capture) throws IOException {
    byte[] bytes = Captures.ivrs(capture);
    Ivrs ivrs = Ivrs.parse(bytes);
    assertThat(ivrs.toBytes()).isEqualTo(bytes);
    assertThat(ivrs.header().oemId()).isEqualTo("BOCHS ");
    assertThat(IvrsFields.EFR_SUP.isSet(ivrs.ivInfo())).isTrue();
    assertThat(IvrsFields.PA_SIZE.get(ivrs.ivInfo())).isEqualTo(40);
    assertThat(ivrs.warnings()).isEmpty();
  }

  /** Against an independent disassembly of the table. */
  @Test
  void the_unit_of_a_captured_table_has_the_devices_of_its_disassembly() throws IOException {
    Ivrs ivrs = Ivrs.parse(Captures.ivrs("amd-v1"));
    assertThat(ivrs.blocks()).extracting(IvrsBlock::type).containsExactly(0x10, 0x11);
    assertThat(ivrs.unitType()).isEqualTo(0x11);
    Ivhd unit = ivrs.units().getFirst();
    assertThat(ivrs.units()).hasSize(1);
    assertThat(unit.base()).isEqualTo(0xfed8_0000L);
    assertThat(unit.deviceId()).isEqualTo(0x0008);
    assertThat(unit.capability()).isEqualTo(0x40);
    assertThat(unit.flags()).isEqualTo(0x11);
    assertThat(unit.efr()).isEqualTo(0x29d7);
    assertThat(unit.registerBytes()).isEqualTo(0x4000);
    assertThat(unit.ranges())
        .extracting(r -> "%04x..%04x".formatted(r.first(), r.last()))
        .containsExactly(
            "0000..0000",
            "0008..0008",
            "0010..0010",
            "0100..01ff",
            "0011..0011",
            "0200..02ff",
            "0012..0012",
            "0300..0300",
            "0400..04ff",
            "0400..0400",
            "0013..0013",
            "0500..05ff",
            "0020..0020",
            "0028..0028",
            "0030..0030",
            "0038..0038",
            "0040..0040",
            "00f8..00f8",
            "00fa..00fa",
            "00fb..00fb",
            "00a0..00a0");
    assertThat(unit.aliasOf(0x0410)).isEqualTo(0x0400);
    assertThat(unit.aliasOf(0x0510)).isEqualTo(0x0510);
    assertThat(ivrs.all(Ivhd.class).getFirst().entries()).isEqualTo(unit.entries());
    assertThat(unit.entries().getLast()).isEqualTo(new Special(0, 0, 0x00a0, Special.IOAPIC));
  }

  @Test
  void every_kind_of_block_and_entry_survives_the_way_to_bytes_and_back() throws IOException {
    Ivrs ivrs = IvrsTables.all();
    byte[] bytes = ivrs.toBytes();
    assertThat(Ivrs.parse(bytes)).isEqualTo(ivrs);
    assertThat(Ivrs.parse(bytes).toBytes()).isEqualTo(bytes);
    assertThat(ivrs.header().revision()).isEqualTo(Ivrs.REVISION_2);
    assertThat(ivrs.warnings())
        .containsExactly("IVHD 0000:00:00.2: a device entry of type 4fh is passed over.");
  }

  @Test
  void blocks_and_entries_stand_where_the_specification_says() {
    Ivhd unit =
        new Ivhd(
            0x40,
            0x0f,
            0x1234,
            0x5678,
            0x1122_3344_5566_7788L,
            0x9abc,
            0x1e0f,
            0xdead_beefL,
            0x0102_0304_0506_0708L,
            0x1112_1314_1516_1718L,
            List.of());
    assertThat(block(unit))
        .isEqualTo(
            "40 0f 28 00 34 12 78 56 88 77 66 55 44 33 22 11 bc 9a 0f 1e ef be ad de"
                + " 08 07 06 05 04 03 02 01 18 17 16 15 14 13 12 11");
    assertThat(block(new Ivhd(0x10, 1, 2, 3, 4, 5, 6, 7, 0, 0, List.of())))
        .isEqualTo("10 01 18 00 02 00 03 00 04 00 00 00 00 00 00 00 05 00 06 00 07 00 00 00");
    assertThat(block(new Ivmd(0x22, 0x0f, 0x1234, 0x5678, 0x9abc, 0x1_2345_6000L, 0x7000)))
        .isEqualTo(
            "22 0f 20 00 34 12 78 56 bc 9a 00 00 00 00 00 00 00 60 45 23 01 00 00 00"
                + " 00 70 00 00 00 00 00 00");
    assertThat(block(new IvrsBlock.Other(0x50, 0x77, new byte[] {1}))).isEqualTo("50 77 05 00 01");
    assertThat(entry(new DeviceEntry.Padding(4))).isEqualTo("00 00 00 00");
    assertThat(entry(new DeviceEntry.All(0xd7))).isEqualTo("01 00 00 d7");
    assertThat(entry(new DeviceEntry.Select(0x1234, 0xd7))).isEqualTo("02 34 12 d7");
    assertThat(entry(new DeviceEntry.RangeStart(0x1234, 0xd7))).isEqualTo("03 34 12 d7");
    assertThat(entry(new DeviceEntry.RangeEnd(0x1234))).isEqualTo("04 34 12 00");
    assertThat(entry(new DeviceEntry.Padding(8))).isEqualTo("40 00 00 00 00 00 00 00");
    assertThat(entry(new DeviceEntry.Alias(0x1234, 0xd7, 0x5678)))
        .isEqualTo("42 34 12 d7 00 78 56 00");
    assertThat(entry(new DeviceEntry.AliasRangeStart(0x1234, 0xd7, 0x5678)))
        .isEqualTo("43 34 12 d7 00 78 56 00");
    assertThat(entry(new DeviceEntry.Extended(0x1234, 0xd7, 0x8000_0001L)))
        .isEqualTo("46 34 12 d7 01 00 00 80");
    assertThat(entry(new DeviceEntry.ExtendedRangeStart(0x1234, 0xd7, 0x8000_0001L)))
        .isEqualTo("47 34 12 d7 01 00 00 80");
    assertThat(entry(new Special(0xd7, 0x20, 0x00a0, Special.HPET)))
        .isEqualTo("48 00 00 d7 20 a0 00 02");
    assertThat(entry(AcpiDevice.of(0x0098, "AMDI009", "1a")))
        .isEqualTo("f0 98 00 00 41 4d 44 49 30 30 39 00 00 00 00 00 00 00 00 00 02 02 31 61");
  }

  private static String block(IvrsBlock block) {
    byte[] table = Ivrs.of(0, List.of(block)).toBytes();
    return HexFormat.ofDelimiter(" ").formatHex(table, 48, table.length);
  }

  private static String entry(DeviceEntry entry) {
    String text = block(IvrsTables.unit(0x40, List.of(entry))).substring(3 * 40);
    assertThat(text).hasSize(3 * entry.bytes() - 1);
    return text;
  }

  @Test
  void random_tables_survive_the_way_to_bytes_and_back() {
    Property.of("IVRS", 3_000, IvrsTables::random)
        .holdsForEach(
            ivrs -> {
              byte[] bytes = ivrs.toBytes();
              Ivrs again = IvrsErrorsTest.parse(bytes);
              assertThat(again).isEqualTo(ivrs);
              assertThat(again.toBytes()).isEqualTo(bytes);
              assertThat(again.warnings()).isEqualTo(ivrs.warnings());
            });
  }

  @Test
  void one_type_of_block_describes_the_units() {
    Ivhd one10 = IvrsTables.unit(0x10, List.of());
    Ivhd one11 = IvrsTables.unit(0x11, List.of());
    Ivhd one40 = IvrsTables.unit(0x40, List.of());
    Ivhd two10 = IvrsTables.unit(0x10, 0x4002, 0xfec0_0000L, List.of());
    Ivhd two11 = IvrsTables.unit(0x11, 0x4002, 0xfec0_0000L, List.of());
    Ivhd two40 = IvrsTables.unit(0x40, 0x4002, 0xfec0_0000L, List.of());
    assertThat(Ivrs.of(1, List.of()).unitType()).isZero();
    assertThat(Ivrs.of(1, List.of()).units()).isEmpty();
    assertThat(Ivrs.of(1, List.of(one10, two10)).units()).containsExactly(one10, two10);
    assertThat(Ivrs.of(1, List.of(one10, one11, one40, two10, two11, two40)).units())
        .containsExactly(one40, two40);
    assertThat(Ivrs.of(1, List.of(one11, two40, one10)).units())
        .as("the first unit has no block of type 40h")
        .containsExactly(one11);
    assertThat(Ivrs.of(1, List.of(one11, two11, one10)).warnings())
        .anyMatch(w -> w.startsWith("Linux takes the blocks of type 10h"));
    assertThat(
            Ivrs.of(1, List.of(one11, new Ivmd(0x21, 1, 0x0002, 0, 0, 0x1000, 0x1000))).warnings())
        .anyMatch(w -> w.startsWith("Linux takes the blocks of type 21h"));
    assertThat(
            Ivrs.of(1, List.of(one11, new IvrsBlock.Other(0x41, 0, new byte[2]), one40)).warnings())
        .anyMatch(w -> w.startsWith("Linux takes the blocks of type 11h"));
  }

  @Test
  void a_device_is_behind_the_last_unit_that_names_it() {
    Ivhd first = IvrsTables.unit(0x11, List.of(new DeviceEntry.All(0)));
    Ivhd second =
        IvrsTables.unit(
            0x11,
            0x4002,
            0xfec0_0000L,
            List.of(new DeviceEntry.RangeStart(0x4000, 0), new DeviceEntry.RangeEnd(0x7fff)));
    Ivrs ivrs = Ivrs.of(1, List.of(first, second));
    assertThat(ivrs.unitOf(0, 0x0010)).contains(first);
    assertThat(ivrs.unitOf(0, 0x3fff)).contains(first);
    assertThat(ivrs.unitOf(0, 0x4000)).contains(second);
    assertThat(ivrs.unitOf(0, 0x7fff)).contains(second);
    assertThat(ivrs.unitOf(0, 0x8000)).contains(first);
    assertThat(ivrs.unitOf(1, 0x0010)).as("another segment").isEmpty();
    assertThat(ivrs.unitOf(0, 0x4002)).as("a unit is behind none").isEmpty();
    assertThat(ivrs.unitOf(0, first.deviceId())).as("a unit is behind none").isEmpty();
    assertThat(ivrs.unitOf(0, 0x0002)).as("a unit is not behind itself").isEmpty();
  }

  @Test
  void ranges_settings_and_aliases_are_those_of_the_entries() {
    Ivhd unit = IvrsTables.all().units().getFirst();
    assertThat(unit.settingOf(0x0010)).isEqualTo(0x40);
    assertThat(unit.settingOf(0x0008)).isZero();
    assertThat(unit.settingOf(0x0200)).isEqualTo(0x10);
    assertThat(unit.settingOf(0x0300)).as("the alias").isEqualTo(0x10);
    assertThat(unit.aliasOf(0x0200)).isEqualTo(0x0300);
    assertThat(unit.aliasOf(0x04ff)).isEqualTo(0x0480);
    assertThat(unit.aliasOf(0x0500)).isEqualTo(0x0500);
    assertThat(unit.covers(0x0300)).isTrue();
    assertThat(unit.covers(0x0301)).isFalse();
    assertThat(unit.covers(0x0098)).as("an ACPI device").isTrue();
    assertThat(unit.ranges())
        .filteredOn(r -> IvrsFields.ATS_DISABLED.isSet(r.extended()))
        .extracting(DeviceRange::first)
        .containsExactly(0x0500, 0x0600);
    Ivhd nested =
        IvrsTables.unit(
            0x11,
            List.of(
                new DeviceEntry.Select(0x0100, 1),
                new DeviceEntry.All(2),
                new DeviceEntry.RangeStart(0x0100, 4),
                new DeviceEntry.RangeEnd(0x01ff),
                new DeviceEntry.Select(0x0101, 0)));
    assertThat(nested.settingOf(0x0100)).as("the smallest").isEqualTo(1);
    assertThat(nested.settingOf(0x0101)).as("the smallest with a setting").isEqualTo(4);
    assertThat(nested.settingOf(0x0200)).isEqualTo(2);
  }

  /** An oracle that marks devices one by one, as a driver fills its tables. */
  @Test
  void ranges_cover_what_marking_one_by_one_marks() {
    Property.of("device entries", 300, IvrsTest::entries)
        .holdsForEach(
            entries -> {
              int[] alias = new int[0x1_0000];
              boolean[] marked = new boolean[0x1_0000];
              for (int i = 0; i < alias.length; i++) {
                alias[i] = i;
              }
              int from = -1;
              int to = -1;
              for (DeviceEntry e : entries) {
                switch (e) {
                  case DeviceEntry.All a -> java.util.Arrays.fill(marked, true);
                  case DeviceEntry.Select s -> marked[s.deviceId()] = true;
                  case DeviceEntry.Alias a -> {
                    marked[a.deviceId()] = true;
                    marked[a.alias()] = true;
                    alias[a.deviceId()] = a.alias();
                  }
                  case DeviceEntry.RangeStart r -> {
                    from = r.deviceId();
                    to = -1;
                  }
                  case DeviceEntry.AliasRangeStart r -> {
                    from = r.deviceId();
                    to = r.alias();
                  }
                  case DeviceEntry.RangeEnd r -> {
                    if (from >= 0 && r.deviceId() >= from) {
                      for (int i = from; i <= r.deviceId(); i++) {
                        marked[i] = true;
                        alias[i] = to < 0 ? alias[i] : to;
                      }
                      if (to >= 0) {
                        marked[to] = true;
                      }
                    }
                    from = -1;
                  }
                  default -> throw new AssertionError(e);
                }
              }
              Ivhd unit = IvrsTables.unit(0x11, 0xffff, 0x4000, entries);
              for (int i = 0; i < 0xffff; i += 7) {
                assertThat(unit.covers(i)).as("%04x", i).isEqualTo(marked[i]);
                assertThat(unit.aliasOf(i)).as("%04x", i).isEqualTo(alias[i]);
              }
            });
  }

  private static List<DeviceEntry> entries(RandomGenerator r) {
    return java.util.stream.Stream.generate(() -> IvrsTables.entry(r))
        .filter(e -> e.type() > 0 && e.type() <= 0x43 && e.type() != 0x40)
        .filter(e -> !(e instanceof DeviceEntry.Other))
        .limit(r.nextInt(1, 12))
        .toList();
  }

  @Test
  void memory_is_for_the_devices_that_its_block_names() {
    Ivrs ivrs = IvrsTables.all();
    assertThat(ivrs.regionsOf(0, 0x0010)).extracting(Ivmd::type).containsExactly(0x20, 0x21);
    assertThat(ivrs.regionsOf(0, 0x0011)).extracting(Ivmd::type).containsExactly(0x20);
    assertThat(ivrs.regionsOf(1, 0x0100)).extracting(Ivmd::type).containsExactly(0x22);
    assertThat(ivrs.regionsOf(1, 0x01ff)).hasSize(1);
    assertThat(ivrs.regionsOf(1, 0x0200)).isEmpty();
    Ivmd readOnly = ivrs.regionsOf(1, 0x0100).getFirst();
    assertThat(readOnly.isReadable()).isTrue();
    assertThat(readOnly.isWritable()).isFalse();
    Ivmd exclusion = ivrs.regionsOf(0, 0x0011).getFirst();
    assertThat(exclusion.isReadable()).as("exclusion ranges are open").isTrue();
    assertThat(exclusion.isWritable()).isTrue();
    Ivmd none = new Ivmd(Ivmd.ALL, 0x06, 0, 0, 0, 0x1000, 0x1000);
    assertThat(none.isMapped() || none.isReadable() || none.isWritable()).isFalse();
  }

  @Test
  void settings_go_to_the_bits_of_a_device_table_entry() {
    assertThat(IvrsFields.settingWord1(0x30)).isEqualTo(DeviceTableEntry.SYS_MGT.mask());
    assertThat(IvrsFields.settingWord1(0x10)).isEqualTo(1L << 40);
    assertThat(IvrsFields.settingWord1(0xcf)).isZero();
    assertThat(IvrsFields.settingWord2(0xff)).isEqualTo(0xc700_0000_0000_0000L);
    assertThat(IvrsFields.settingWord2(0x02)).isEqualTo(1L << 57);
  }

  @Test
  void feature_reporting_of_type_10h_tells_of_counters() {
    Ivhd with = new Ivhd(0x10, 0, 2, 0x40, 0x4000, 0, 0, 1 << 13 | 1 << 17, 0, 0, List.of());
    Ivhd without = new Ivhd(0x10, 0, 2, 0x40, 0x4000, 0, 0, 1 << 13, 0, 0, List.of());
    assertThat(with.registerBytes()).isEqualTo(0x8_0000);
    assertThat(without.registerBytes()).isEqualTo(0x4000);
    assertThat(IvrsTables.unit(0x11, List.of()).registerBytes()).isEqualTo(0x4000);
    assertThat(new Ivhd(0x11, 0, 2, 0x40, 0x4000, 0, 0, 1, 0x200, 0, List.of()).registerBytes())
        .isEqualTo(0x8_0000);
    assertThat(new Ivhd(0x11, 0, 2, 0x40, 0x4000, 0, 0, 1, 0, 0, List.of()).hostTablesDisabled())
        .isTrue();
    assertThat(with.hostTablesDisabled()).isFalse();
  }

  @Test
  void unique_ids_are_shown_as_acpi_shows_them() {
    assertThat(AcpiDevice.of(0, "A", "x1").uidText()).isEqualTo("x1");
    assertThat(new AcpiDevice(0, 0, "A", "", 2, new byte[] {'7', 0, 0}).uidText()).isEqualTo("7");
    assertThat(new AcpiDevice(0, 0, "A", "", 0, new byte[0]).uidText()).isEmpty();
    assertThat(new AcpiDevice(0, 0, "A", "", 1, new byte[] {5, 1, 0, 0, 0, 0, 0, 0}).uidText())
        .isEqualTo("261");
    assertThat(new AcpiDevice(0, 0, "A", "", 1, new byte[] {5}).uidText()).isEqualTo("5");
  }

  @Test
  void what_linux_complains_about_is_a_warning() {
    Ivhd odd =
        new Ivhd(
            0x11,
            0,
            0x0002,
            0x40,
            0x1000,
            0,
            0,
            0,
            0xc00,
            0,
            List.of(
                new DeviceEntry.RangeEnd(0x00ff),
                new DeviceEntry.RangeStart(0x0100, 0),
                new DeviceEntry.AliasRangeStart(0x0200, 0, 0),
                new DeviceEntry.RangeEnd(0x01ff),
                new DeviceEntry.ExtendedRangeStart(0x0300, 0, 0),
                new Special(0, 1, 0, Special.HPET),
                new Special(0, 1, 0, Special.HPET),
                new Special(0, 1, 0, 3),
                AcpiDevice.of(0x0400, "AMDI0095", "1"),
                new AcpiDevice(0x0400, 0, "", "", 1, new byte[1]),
                new DeviceEntry.Other(0x80, new byte[15])));
    Ivhd twin =
        new Ivhd(0x11, 0, 0x0004, 0x40, 0x1000, 0, 0, 0, 0, 1, List.of(new DeviceEntry.All(0)));
    Ivrs ivrs =
        new Ivrs(
            org.iommu4j.core.acpi.AcpiHeader.of("IVRS", 0),
            0,
            List.of(
                odd,
                twin,
                new Ivmd(Ivmd.RANGE, 0, 0x0200, 0x0100, 0, 0x1001, 0x1000),
                new IvrsBlock.Other(0x41, 0, new byte[0])));
    assertThat(ivrs.warnings())
        .extracting(w -> w.substring(0, Math.min(w.length(), 48)))
        .containsExactly(
            "Revision 0: there is none below 1.",
            "IVHD 0000:00:00.2: registers at 0x1000; they beg",
            "IVHD 0000:00:00.2: IVinfo.EFRSup is 0, so Linux ",
            "IVHD 0000:00:00.2: HATS of the image is reserved",
            "IVHD 0000:00:00.2: a range ends at 00:1f.7 and b",
            "IVHD 0000:00:00.2: the range from 01:00.0 has no",
            "IVHD 0000:00:00.2: a range from 02:00.0 to 01:1f",
            "IVHD 0000:00:00.2: special device of variety 3, ",
            "IVHD 0000:00:00.2: ACPI device AMDI0095 at 04:00",
            "IVHD 0000:00:00.2: ACPI device  at 04:00.0 in a ",
            "IVHD 0000:00:00.2: ACPI device  at 04:00.0: Linu",
            "IVHD 0000:00:00.2: ACPI device  at 04:00.0: a un",
            "IVHD 0000:00:00.2: a device entry of type 80h; L",
            "IVHD 0000:00:00.2: the range from 03:00.0 has no",
            "IVHD 0000:00:00.4: registers at 0x1000; they beg",
            "IVHD 0000:00:00.4: registers at 0x1000 are anoth",
            "IVHD 0000:00:00.4: features 0x0, 0x1 differ from",
            "IVHD 0000:00:00.4: IVinfo.EFRSup is 0, so Linux ",
            "HPET 1: there are two of it; Linux takes the fir",
            "No I/O APIC is behind a unit: Linux says 'No sou",
            "IVMD 0x1001, 0x1000 bytes: it has to begin and t",
            "IVMD 0x1001: a range from 02:00.0 to 01:00.0 has",
            "IVMD 0x1001: neither unity nor exclusion range, ");
    assertThat(Ivrs.of(1, List.of()).warnings())
        .singleElement()
        .asString()
        .startsWith("No IVHD: the table names no unit");
    assertThat(
            new Ivrs(
                    org.iommu4j.core.acpi.AcpiHeader.of("IVRS", 1),
                    1,
                    List.of(IvrsTables.unit(0x40, List.of(new Special(0, 1, 0xa0, 1)))))
                .warnings())
        .singleElement()
        .asString()
        .startsWith("Revision 1: blocks of type 40h");
  }

  @Test
  void what_does_not_fit_is_a_mistake_of_the_program() {
    assertThatThrownBy(() -> Ivrs.of(1L << 32, List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("IVinfo 0x100000000 does not fit into 32 bits");
    assertThatThrownBy(() -> IvrsTables.unit(0x12, List.of()))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Ivhd(0x10, 0, 0, 0, 1, 0, 0, 0, 1, 0, List.of()))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Ivmd(0x23, 0, 0, 0, 0, 0, 0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new IvrsBlock.Other(0x40, 0, new byte[0]))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new DeviceEntry.Padding(16))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new DeviceEntry.Select(0x1_0000, 0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new DeviceEntry.Other(0x05, new byte[7]))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new DeviceEntry.Other(0x02, new byte[3]))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> AcpiDevice.of(0, "AMDI00955", ""))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> AcpiDevice.of(0, "A", "x".repeat(256)))
        .isInstanceOf(IllegalArgumentException.class);
    List<DeviceEntry> many = Collections.nCopies(17_000, new DeviceEntry.All(0));
    assertThatThrownBy(() -> Ivrs.of(0, List.of(IvrsTables.unit(0x10, many))).toBytes())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("at most 65535");
  }

  @ParameterizedTest
  @CsvSource({"0x00a0, 0, false", "0x0058, 0, false", "0x00a1, 0, true", "0x00a0, 1, true"})
  void without_an_io_apic_at_the_southbridge_linux_remaps_no_interrupts(
      String source, int segment, boolean warns) {
    DeviceEntry ioapic =
        new DeviceEntry.Special(0, 4, Integer.decode(source), DeviceEntry.Special.IOAPIC);
    Ivhd unit = new Ivhd(0x11, 0, 2, 0x40, 0xfeb8_0000L, segment, 0, 0, 0, 0, List.of(ioapic));
    assertThat(
            Ivrs.of(1, List.of(unit)).warnings().stream()
                .anyMatch(w -> w.contains("No southbridge IOAPIC found")))
        .isEqualTo(warns);
  }
}
