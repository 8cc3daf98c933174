package org.iommu4j.amdvi.firmware;

import java.util.List;
import java.util.Optional;
import org.iommu4j.amdvi.firmware.IvrsBlock.Ivhd;
import org.iommu4j.amdvi.firmware.IvrsBlock.Ivmd;
import org.iommu4j.amdvi.layout.IvrsFields;
import org.iommu4j.core.FormatException;
import org.iommu4j.core.acpi.AcpiHeader;

/**
 * The I/O Virtualization Reporting Structure. 48882, "I/O Virtualization ACPI Table".
 *
 * <pre>{@code
 * Ivrs ivrs = Ivrs.parse(Files.readAllBytes(Path.of("/sys/firmware/acpi/tables/IVRS")));
 * ivrs.unitOf(0, 0x0010).ifPresent(unit -> ... unit.base() ...);
 * }</pre>
 *
 * @param header the ACPI header
 * @param ivInfo what holds for all units, see {@link IvrsFields#IV_INFO}
 * @param blocks in the table's order
 */
public record Ivrs(AcpiHeader header, long ivInfo, List<IvrsBlock> blocks) {
  /** The table's signature. */
  public static final String SIGNATURE = "IVRS";

  /** The revision of tables that have no block of type 40h. */
  public static final int REVISION_1 = 1;

  /** The revision of tables that may have one. */
  public static final int REVISION_2 = 2;

  /** Copies the list, and checks that everything fits. */
  public Ivrs {
    blocks = List.copyOf(blocks);
    Range.check("IVinfo", ivInfo, 32);
  }

  /** A table that this program makes, of the lowest revision that its blocks allow. */
  public static Ivrs of(long ivInfo, List<? extends IvrsBlock> blocks) {
    boolean new40 = blocks.stream().anyMatch(b -> b.type() >= Ivhd.TYPE_40);
    return new Ivrs(
        AcpiHeader.of(SIGNATURE, new40 ? REVISION_2 : REVISION_1), ivInfo, List.copyOf(blocks));
  }

  /**
   * Reads a table.
   *
   * @throws FormatException with offset and reason, if it is not an IVRS or contradicts itself
   */
  public static Ivrs parse(byte[] table) throws FormatException {
    return IvrsReader.table(table);
  }

  /** The table's bytes. */
  public byte[] toBytes() {
    return IvrsWriter.table(this);
  }

  /** The blocks of one kind, in the table's order. */
  public <B extends IvrsBlock> List<B> all(Class<B> kind) {
    return blocks.stream().filter(kind::isInstance).map(kind::cast).toList();
  }

  /**
   * Which blocks describe the units: one type for the whole table, the highest of those that the
   * first unit has. Blocks of other types say the same again for older software.
   *
   * @return 10h, 11h or 40h; 0 if there is no unit
   */
  public int unitType() {
    List<Ivhd> all = all(Ivhd.class);
    return all.stream()
        .filter(h -> h.deviceId() == all.getFirst().deviceId())
        .mapToInt(Ivhd::type)
        .max()
        .orElse(0);
  }

  /** The units, each once: the blocks of {@link #unitType}. */
  public List<Ivhd> units() {
    int type = unitType();
    return all(Ivhd.class).stream().filter(h -> h.type() == type).toList();
  }

  /**
   * The unit that a device's requests go through, empty if none does; none does for units
   * themselves, whatever entries say. Where several name the device, the last one counts, as with
   * Linux.
   */
  public Optional<Ivhd> unitOf(int segment, int deviceId) {
    List<Ivhd> ofSegment = units().stream().filter(h -> h.segment() == segment).toList();
    if (ofSegment.stream().anyMatch(h -> h.deviceId() == deviceId)) {
      return Optional.empty();
    }
    return ofSegment.stream().filter(h -> h.covers(deviceId)).reduce((first, second) -> second);
  }

  /** The memory that has to stay reachable for a device. */
  public List<Ivmd> regionsOf(int segment, int deviceId) {
    return all(Ivmd.class).stream()
        .filter(m -> m.segment() == segment && m.isMapped() && m.covers(deviceId))
        .toList();
  }

  /**
   * What Linux complains about, or quietly does otherwise than the table seems to say, one sentence
   * each with what to do; empty if all is well.
   */
  public List<String> warnings() {
    return IvrsWarnings.of(this);
  }
}
