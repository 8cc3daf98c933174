package org.iommu4j.riscv.firmware;

import java.util.List;
import java.util.Optional;
import org.iommu4j.core.FormatException;
import org.iommu4j.core.acpi.AcpiHeader;

/**
 * The RISC-V IO Mapping Table.
 *
 * <pre>{@code
 * Rimt rimt = Rimt.parse(Files.readAllBytes(Path.of("/sys/firmware/acpi/tables/RIMT")));
 * rimt.lookup(0, 0x30).ifPresent(t -> ... t.iommu(), t.deviceId() ...);
 * }</pre>
 *
 * @param header the ACPI header
 * @param nodes in the table's order; mappings name IOMMUs by their index in this list
 */
public record Rimt(AcpiHeader header, List<RimtNode> nodes) {
  /** The table's signature. */
  public static final String SIGNATURE = "RIMT";

  /** The revision that is known here. */
  public static final int REVISION = 1;

  /** Copies the list; every mapping has to lead to an IOMMU of it. */
  public Rimt {
    nodes = List.copyOf(nodes);
    for (RimtNode n : nodes) {
      for (IdMapping m : n.mappings()) {
        if (m.iommu() < 0
            || m.iommu() >= nodes.size()
            || !(nodes.get(m.iommu()) instanceof RimtNode.Iommu)) {
          throw new IllegalArgumentException(
              "node %d maps ids to node %d, which is no IOMMU".formatted(n.id(), m.iommu()));
        }
      }
    }
  }

  /** A table that this program makes. */
  public static Rimt of(List<RimtNode> nodes) {
    return new Rimt(AcpiHeader.of(SIGNATURE, REVISION), nodes);
  }

  /**
   * Reads a table.
   *
   * @throws FormatException with offset and reason, if it is not a RIMT or contradicts itself
   */
  public static Rimt parse(byte[] table) throws FormatException {
    return RimtReader.read(table);
  }

  /** The table's bytes. */
  public byte[] toBytes() {
    return RimtWriter.write(this);
  }

  /**
   * Where the requests of a device go.
   *
   * @param iommu the unit
   * @param deviceId the device_id that they carry there
   */
  public record Target(RimtNode.Iommu iommu, long deviceId) {}

  /** Where the requests of a PCIe function go; empty if no IOMMU is in front of it. */
  public Optional<Target> lookup(int segment, int requesterId) {
    for (RimtNode n : nodes) {
      if (n instanceof RimtNode.RootComplex rc && rc.segment() == segment) {
        for (IdMapping m : rc.mappings()) {
          if (m.contains(requesterId) && nodes.get(m.iommu()) instanceof RimtNode.Iommu unit) {
            return Optional.of(new Target(unit, m.map(requesterId)));
          }
        }
      }
    }
    return Optional.empty();
  }
}
