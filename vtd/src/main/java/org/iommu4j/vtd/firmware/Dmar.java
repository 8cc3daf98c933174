package org.iommu4j.vtd.firmware;

import java.util.List;
import java.util.Optional;
import org.iommu4j.core.FormatException;
import org.iommu4j.core.acpi.AcpiHeader;

/**
 * The DMA Remapping Reporting table. VT-d §8.1.
 *
 * <pre>{@code
 * Dmar dmar = Dmar.parse(Files.readAllBytes(Path.of("/sys/firmware/acpi/tables/DMAR")));
 * dmar.unitOf(0, 0x0010, Bridges.none()).ifPresent(unit -> ... unit.base() ...);
 * }</pre>
 *
 * @param header the ACPI header
 * @param hostAddressWidth bits of a physical address, 12..256; the table holds it less 1
 * @param flags {@link #INTR_REMAP}, {@link #X2APIC_OPT_OUT}, {@link #DMA_CTRL_PLATFORM_OPT_IN}
 * @param structures in the table's order
 */
public record Dmar(
    AcpiHeader header, int hostAddressWidth, int flags, List<DmarStructure> structures) {
  /** The table's signature. */
  public static final String SIGNATURE = "DMAR";

  /** The revision that is written here. Later ones are read as well, as Linux does. */
  public static final int REVISION = 1;

  /** Flag: the platform can remap interrupts. */
  public static final int INTR_REMAP = 1;

  /** Flag: firmware asks not to use x2APIC. */
  public static final int X2APIC_OPT_OUT = 2;

  /** Flag: firmware made sure that no device accesses memory outside of RMRRs. */
  public static final int DMA_CTRL_PLATFORM_OPT_IN = 4;

  /** Smaller widths are refused: a page would not fit. Linux refuses them, too. */
  static final int NARROWEST = 12;

  /** Copies the list, and checks that everything fits. */
  public Dmar {
    structures = List.copyOf(structures);
    Range.check("flags", flags, 8);
    if (hostAddressWidth < NARROWEST || hostAddressWidth > 256) {
      throw new IllegalArgumentException(
          "a host address width of %d, needed is %d..256".formatted(hostAddressWidth, NARROWEST));
    }
  }

  /** A table that this program makes. */
  public static Dmar of(int hostAddressWidth, int flags, List<DmarStructure> structures) {
    return new Dmar(
        AcpiHeader.of(SIGNATURE, REVISION), hostAddressWidth, flags, List.copyOf(structures));
  }

  /**
   * Reads a table.
   *
   * @throws FormatException with offset and reason, if it is not a DMAR or contradicts itself
   */
  public static Dmar parse(byte[] table) throws FormatException {
    return DmarReader.table(table);
  }

  /**
   * Reads structures without a table's header: what _DSM {@code
   * D8C1A3A6-BE9B-4C9B-91BF-C3CB81FC5DAF} of a hot-plugged root bridge returns, function 1 DRHDs, 2
   * ATSRs, 3 RHSAs, 4 SATCs. VT-d §8.9.
   *
   * @throws FormatException with offset and reason, if it contradicts itself
   */
  public static List<DmarStructure> parseBuffer(byte[] buffer) throws FormatException {
    return DmarReader.buffer(buffer);
  }

  /** The table's bytes. */
  public byte[] toBytes() {
    return DmarWriter.table(this);
  }

  /** Structures without a table's header, as {@link #parseBuffer} reads them. */
  public static byte[] toBuffer(List<? extends DmarStructure> structures) {
    return DmarWriter.buffer(structures);
  }

  /** The structures of one kind, in the table's order. */
  public <S extends DmarStructure> List<S> all(Class<S> kind) {
    return structures.stream().filter(kind::isInstance).map(kind::cast).toList();
  }

  /**
   * The unit that a PCI function's requests go through: the one that names it or a bridge above it,
   * otherwise the segment's one that includes all. Virtual functions are behind the unit of their
   * physical function, whose requester id has to be given.
   */
  public Optional<DmarStructure.Drhd> unitOf(int segment, int requesterId, Bridges bridges) {
    DmarStructure.Drhd rest = null;
    for (DmarStructure.Drhd unit : all(DmarStructure.Drhd.class)) {
      if (unit.segment() != segment) {
        continue;
      }
      for (DeviceScope scope : unit.scopes()) {
        boolean pci = scope.type() == DeviceScope.ENDPOINT || scope.type() == DeviceScope.BRIDGE;
        if (pci && scope.covers(segment, requesterId, bridges)) {
          return Optional.of(unit);
        }
      }
      if (unit.includesAll() && rest == null) {
        rest = unit;
      }
    }
    return Optional.ofNullable(rest);
  }

  /**
   * What a kernel would complain about and go on with, one sentence each with what to do; empty if
   * all is well.
   */
  public List<String> warnings() {
    return DmarWarnings.of(this);
  }
}
