package org.iommu4j.core.acpi;

import org.iommu4j.core.FormatException;

/**
 * The header of an ACPI table; length and checksum follow from the content.
 *
 * @param signature four characters
 * @param revision of the table's format
 * @param oemId at most six characters
 * @param oemTableId at most eight characters
 * @param oemRevision the vendor's count
 * @param creatorId at most four characters: the tool that made the table
 * @param creatorRevision the tool's revision
 */
public record AcpiHeader(
    String signature,
    int revision,
    String oemId,
    String oemTableId,
    long oemRevision,
    String creatorId,
    long creatorRevision) {
  /** Bytes of a header. */
  public static final int BYTES = 36;

  /** The header of a table that this program makes. */
  public static AcpiHeader of(String signature, int revision) {
    return new AcpiHeader(signature, revision, "IOMMU4", "IOMMU4J ", 1, "IO4J", 1);
  }

  /** The header of a table. */
  public static AcpiHeader read(TableReader table) throws FormatException {
    return new AcpiHeader(
        table.text(0, 4),
        table.u8(8),
        table.text(10, 6),
        table.text(16, 8),
        table.u32(24),
        table.text(28, 4),
        table.u32(32));
  }
}
