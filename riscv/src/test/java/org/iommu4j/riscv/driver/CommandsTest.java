package org.iommu4j.riscv.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.Consumer;
import java.util.stream.Stream;
import org.iommu4j.core.dma.DmaRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Encodings, against values worked out by hand from the specification's drawings. */
class CommandsTest {
  private static final int NONE = DmaRequest.NO_PASID;
  private static final Space HOST = new Space(5, 0, 1, 0);
  private static final Space GUEST = new Space(5, 0x12, 1, 1);
  private static final Space SECOND = new Space(0, 0x12, 0, 1);

  private static Arguments row(String name, Consumer<Commands> command, long first, long second) {
    return Arguments.of(name, command, first, second);
  }

  static Stream<Arguments> encodings() {
    return Stream.of(
        row("directories", Commands::forgetDirectories, 0x3, 0),
        row("device 8", c -> c.forgetDevice(8), 0x802_0000_0003L, 0),
        row("process 5 of device 8", c -> c.forgetProcess(8, 5), 0x802_0000_5083L, 0),
        row("host", Commands::forgetHost, 0x1, 0),
        row("guests", Commands::forgetGuests, 0x81, 0),
        row("PSCID 5", c -> c.forgetSpace(HOST), 0x1_0000_5001L, 0),
        row("PSCID 5 of GSCID 12", c -> c.forgetSpace(GUEST), 0x1_2003_0000_5001L, 0),
        row("GSCID 12", c -> c.forgetSpace(SECOND), 0x1_2002_0000_0081L, 0),
        row("page", c -> c.forgetPage(HOST, 0x4000_1000L, false), 0x1_0000_5401L, 0x1000_0400L),
        row(
            "page and the way to it",
            c -> c.forgetPage(HOST, 0x4000_1000L, true),
            0x5_0000_5401L,
            0x1000_0400L),
        row(
            "guest page",
            c -> c.forgetPage(SECOND, 0x8000_1000L, false),
            0x1_2002_0000_0481L,
            0x2000_0400L),
        row(
            "8 KiB",
            c -> c.forgetRange(HOST, 0x4000_0000L, 13, false),
            0x1_0000_5401L,
            0x1000_0200L),
        row(
            "2 MiB",
            c -> c.forgetRange(HOST, 0x4000_0000L, 21, false),
            0x1_0000_5401L,
            0x1003_fe00L),
        row(
            "page in device 100, PASID 5",
            c -> c.forgetInDevice(0x100, 5, 0x4000_1000L, 12),
            0x1_0001_0000_5004L,
            0x4000_1000L),
        row(
            "2 MiB in device 100, PASID 5",
            c -> c.forgetInDevice(0x100, 5, 0x4000_0000L, 21),
            0x1_0001_0000_5004L,
            0x400f_f800L),
        row(
            "all of PASID 5 in device 100",
            c -> c.forgetInDevice(0x100, 5, 0, 64),
            0x1_0001_0000_5004L,
            0x7fff_ffff_ffff_f800L),
        row(
            "all in device 100",
            c -> c.forgetAllInDevice(0x100),
            0x1_0000_0000_0004L,
            0x7fff_ffff_ffff_f801L),
        row(
            "all in device 2:100",
            c -> c.forgetAllInDevice(0x2_0100),
            0x201_0002_0000_0004L,
            0x7fff_ffff_ffff_f801L),
        row(
            "success for group 3 of device 100, PASID 5",
            c -> c.respond(0x100, 5, 3, 0),
            0x1_0001_0000_5084L,
            0x3_0000_0000L),
        row(
            "failure for group 3 of device 100",
            c -> c.respond(0x100, NONE, 3, 15),
            0x1_0000_0000_0084L,
            0xf003_0000_0000L));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("encodings")
  void encoded(String name, Consumer<Commands> command, long first, long second) {
    Commands c = new Commands();
    command.accept(c);
    assertThat(c.size()).isEqualTo(1);
    assertThat(Long.toHexString(c.first(0))).isEqualTo(Long.toHexString(first));
    assertThat(Long.toHexString(c.second(0))).isEqualTo(Long.toHexString(second));
  }

  @Test
  void a_guest_is_forgotten_in_both_stages() {
    Commands c = new Commands().forgetGuest(0x12);
    assertThat(c.size()).isEqualTo(2);
    assertThat(c.first(0)).isEqualTo(0x1_2002_0000_0001L);
    assertThat(c.first(1)).isEqualTo(0x1_2002_0000_0081L);
  }
}
