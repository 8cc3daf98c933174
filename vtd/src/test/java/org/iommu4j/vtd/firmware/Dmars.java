package org.iommu4j.vtd.firmware;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.iommu4j.core.acpi.AcpiHeader;

/** Tables for tests: one of everything, and random ones. */
final class Dmars {
  private Dmars() {}

  /** One structure of every type; every offset and length of it is in the tests. */
  static Dmar all() {
    DeviceScope.Hop root = new DeviceScope.Hop(0x1c, 0);
    return Dmar.of(
        46,
        Dmar.INTR_REMAP | Dmar.DMA_CTRL_PLATFORM_OPT_IN,
        List.of(
            new DmarStructure.Drhd(
                0,
                0,
                0,
                0xfed9_0000L,
                List.of(
                    DeviceScope.endpoint(0, 2, 0),
                    new DeviceScope(DeviceScope.BRIDGE, 0, 0, 0, List.of(root)),
                    new DeviceScope(
                        DeviceScope.ENDPOINT,
                        0,
                        0,
                        0,
                        List.of(new DeviceScope.Hop(0x1d, 0), new DeviceScope.Hop(3, 1))))),
            new DmarStructure.Drhd(
                1,
                1,
                0,
                0xfed9_2000L,
                List.of(
                    new DeviceScope(
                        DeviceScope.IOAPIC, 0, 2, 0xf0, List.of(new DeviceScope.Hop(0x1f, 0))),
                    new DeviceScope(
                        DeviceScope.HPET, 0, 0, 0, List.of(new DeviceScope.Hop(0x1f, 0))),
                    new DeviceScope(
                        DeviceScope.NAMESPACE, 0, 1, 0xf0, List.of(new DeviceScope.Hop(0x15, 0))))),
            new DmarStructure.Rmrr(
                0, 0x7b80_0000L, 0x7fff_ffffL, List.of(DeviceScope.endpoint(0, 2, 0))),
            new DmarStructure.Atsr(
                0, 0, List.of(new DeviceScope(DeviceScope.BRIDGE, 0, 0, 0, List.of(root)))),
            new DmarStructure.Rhsa(0xfed9_2000L, 1),
            DmarStructure.Andd.of(1, "\\_SB.PC00.I2C0"),
            new DmarStructure.Satc(1, 0, List.of(DeviceScope.endpoint(0x6a, 2, 0))),
            new DmarStructure.Sidp(
                0,
                List.of(
                    new DeviceScope(
                        DeviceScope.ENDPOINT,
                        DeviceScope.ATC_REQUIRED | DeviceScope.ATC_HARDENED,
                        0,
                        0x6a,
                        List.of(new DeviceScope.Hop(2, 0))))),
            new DmarStructure.Other(9, new byte[] {1, 2, 3, 4, 5})));
  }

  static Dmar random(RandomGenerator r) {
    List<DmarStructure> structures = new ArrayList<>();
    for (int i = r.nextInt(8); i > 0; i--) {
      structures.add(structure(r));
    }
    AcpiHeader header =
        new AcpiHeader(
            Dmar.SIGNATURE,
            r.nextInt(1, 256),
            text(r, 6),
            text(r, 8),
            r.nextInt() & 0xffff_ffffL,
            text(r, 4),
            r.nextInt() & 0xffff_ffffL);
    return new Dmar(header, r.nextInt(12, 257), r.nextInt(256), structures);
  }

  static DmarStructure structure(RandomGenerator r) {
    int segment = r.nextInt(0x1_0000);
    return switch (r.nextInt(8)) {
      case 0 ->
          new DmarStructure.Drhd(
              r.nextInt(256), r.nextInt(256), segment, r.nextLong() | 1, scopes(r));
      case 1 -> new DmarStructure.Rmrr(segment, r.nextLong(), r.nextLong(), scopes(r));
      case 2 -> new DmarStructure.Atsr(r.nextInt(256), segment, scopes(r));
      case 3 -> new DmarStructure.Rhsa(r.nextLong(), r.nextInt() & 0xffff_ffffL);
      case 4 -> {
        String path = path(r);
        yield new DmarStructure.Andd(r.nextInt(256), path, path.length() + r.nextInt(1, 9));
      }
      case 5 -> new DmarStructure.Satc(r.nextInt(256), segment, scopes(r));
      case 6 -> new DmarStructure.Sidp(segment, scopes(r));
      default -> {
        byte[] body = new byte[r.nextInt(40)];
        r.nextBytes(body);
        yield new DmarStructure.Other(r.nextInt(7, 0x1_0000), body);
      }
    };
  }

  private static List<DeviceScope> scopes(RandomGenerator r) {
    List<DeviceScope> scopes = new ArrayList<>();
    for (int i = r.nextInt(4); i > 0; i--) {
      int steps = r.nextInt(10) == 0 ? DeviceScope.LONGEST_PATH : r.nextInt(1, 5);
      List<DeviceScope.Hop> path = new ArrayList<>();
      for (int j = 0; j < steps; j++) {
        path.add(new DeviceScope.Hop(r.nextInt(256), r.nextInt(256)));
      }
      scopes.add(
          new DeviceScope(r.nextInt(256), r.nextInt(256), r.nextInt(256), r.nextInt(256), path));
    }
    return scopes;
  }

  private static String path(RandomGenerator r) {
    StringBuilder s = new StringBuilder();
    for (int i = r.nextInt(20); i > 0; i--) {
      s.append((char) r.nextInt(1, 256));
    }
    return s.toString();
  }

  private static String text(RandomGenerator r, int size) {
    StringBuilder s = new StringBuilder();
    for (int i = 0; i < size; i++) {
      s.append((char) r.nextInt(' ', 127));
    }
    return s.toString();
  }
}
