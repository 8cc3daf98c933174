package org.iommu4j.riscv.firmware;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.iommu4j.core.FormatException;
import org.iommu4j.core.acpi.AcpiHeader;
import org.iommu4j.core.acpi.TableReader;

/** Reads a RIMT, and believes nothing that it says about itself without looking. */
final class RimtReader {
  private static final String NO_IOMMU = "the destination 0x%x is not the start of an IOMMU node";

  private final TableReader table;

  /** Offset to index, of IOMMU nodes. */
  private final Map<Long, Integer> iommus = new HashMap<>();

  private RimtReader(TableReader table) {
    this.table = table;
  }

  static Rimt read(byte[] bytes) throws FormatException {
    return new RimtReader(new TableReader(bytes, Rimt.SIGNATURE)).read();
  }

  private Rimt read() throws FormatException {
    AcpiHeader header = AcpiHeader.read(table);
    if (header.revision() != Rimt.REVISION) {
      throw table.fail(8, "revision %d, known is 1".formatted(header.revision()));
    }
    List<Integer> offsets = offsets();
    for (int i = 0; i < offsets.size(); i++) {
      if (table.u8(offsets.get(i) + RimtLayout.TYPE) == RimtLayout.TYPE_IOMMU) {
        iommus.put((long) offsets.get(i), i);
      }
    }
    Map<Integer, Integer> ids = new HashMap<>();
    List<RimtNode> nodes = new ArrayList<>();
    for (int at : offsets) {
      RimtNode node = node(at);
      Integer before = ids.putIfAbsent(node.id(), at);
      if (before != null) {
        throw table.fail(
            at + RimtLayout.NODE_ID,
            "id %d is that of the node at 0x%x, too".formatted(node.id(), before));
      }
      nodes.add(node);
    }
    return new Rimt(header, nodes);
  }

  /** Where the nodes start; each of them lies within the table, its header at least. */
  private List<Integer> offsets() throws FormatException {
    table.check(0, RimtLayout.TABLE, "the table's own header");
    long count = table.u32(RimtLayout.NODE_COUNT);
    long at = table.u32(RimtLayout.NODES);
    if (at < RimtLayout.TABLE) {
      throw table.fail(RimtLayout.NODES, "nodes start at 0x%x, within the header".formatted(at));
    }
    List<Integer> offsets = new ArrayList<>();
    for (long i = 0; i < count; i++) {
      if (at >= table.length()) {
        throw table.fail(
            RimtLayout.NODE_COUNT, "%d nodes are announced, %d are there".formatted(count, i));
      }
      table.check(at, RimtLayout.NODE_HEADER, "a node's header");
      int length = table.u16((int) at + RimtLayout.NODE_LENGTH);
      if (length < RimtLayout.NODE_HEADER) {
        throw table.fail(
            at + RimtLayout.NODE_LENGTH, "a node of %d bytes has no header".formatted(length));
      }
      table.check(at, length, "a node");
      offsets.add((int) at);
      at += length;
    }
    return offsets;
  }

  private RimtNode node(int at) throws FormatException {
    int type = table.u8(at + RimtLayout.TYPE);
    int revision = table.u8(at + RimtLayout.NODE_REVISION);
    int length = table.u16(at + RimtLayout.NODE_LENGTH);
    int id = table.u16(at + RimtLayout.NODE_ID);
    if (type > RimtLayout.TYPE_PLATFORM_DEVICE) {
      byte[] body = table.bytes(at + RimtLayout.NODE_HEADER, length - RimtLayout.NODE_HEADER);
      return new RimtNode.Other(type, revision, id, body);
    }
    if (revision != RimtLayout.KNOWN_NODE_REVISION) {
      throw table.fail(
          at + RimtLayout.NODE_REVISION,
          "a node of type %d has revision %d, known is 1".formatted(type, revision));
    }
    return switch (type) {
      case RimtLayout.TYPE_IOMMU -> iommu(at, length, id);
      case RimtLayout.TYPE_ROOT_COMPLEX -> rootComplex(at, length, id);
      default -> platformDevice(at, length, id);
    };
  }

  private void checkNode(int at, int length, int least, String what) throws FormatException {
    if (length < least) {
      throw table.fail(
          at + RimtLayout.NODE_LENGTH,
          "%s of %d bytes, needed are %d".formatted(what, length, least));
    }
  }

  /** Makes sure that an array lies within its node, behind the fixed part. */
  private void checkArray(int at, int length, int field, int fixed, int offset, int size)
      throws FormatException {
    if (size > 0 && (offset < fixed || offset + size > length)) {
      throw table.fail(
          at + field,
          "an array of %d bytes at 0x%x is not within 0x%x..0x%x of its node"
              .formatted(size, offset, fixed, length));
    }
  }

  private RimtNode iommu(int at, int length, int id) throws FormatException {
    checkNode(at, length, RimtLayout.IOMMU, "an IOMMU node");
    int count = table.u16(at + RimtLayout.WIRE_COUNT);
    int offset = table.u16(at + RimtLayout.WIRES);
    checkArray(at, length, RimtLayout.WIRES, RimtLayout.IOMMU, offset, count * RimtLayout.WIRE);
    List<RimtNode.Wire> wires = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int wire = at + offset + i * RimtLayout.WIRE;
      wires.add(new RimtNode.Wire(table.u32(wire), table.u32(wire + 4)));
    }
    RimtNode.Iommu node =
        new RimtNode.Iommu(
            id,
            text(at + RimtLayout.HARDWARE_ID, RimtLayout.HARDWARE_ID_BYTES),
            table.u64(at + RimtLayout.BASE),
            table.u32(at + RimtLayout.IOMMU_FLAGS),
            table.u32(at + RimtLayout.PROXIMITY_DOMAIN),
            table.u16(at + RimtLayout.IOMMU_SEGMENT),
            table.u16(at + RimtLayout.BDF),
            wires);
    if (!node.isPcie() && (node.base() & 0xfff) != 0) {
      throw table.fail(
          at + RimtLayout.BASE, "registers at 0x%x are not page aligned".formatted(node.base()));
    }
    return node;
  }

  private RimtNode rootComplex(int at, int length, int id) throws FormatException {
    checkNode(at, length, RimtLayout.ROOT_COMPLEX, "a root complex node");
    return new RimtNode.RootComplex(
        id,
        table.u32(at + RimtLayout.ROOT_COMPLEX_FLAGS),
        table.u16(at + RimtLayout.ROOT_COMPLEX_SEGMENT),
        mappings(
            at,
            length,
            RimtLayout.ROOT_COMPLEX,
            RimtLayout.ROOT_COMPLEX_MAPPINGS,
            RimtLayout.ROOT_COMPLEX_MAPPING_COUNT));
  }

  private RimtNode platformDevice(int at, int length, int id) throws FormatException {
    checkNode(at, length, RimtLayout.DEVICE + 1, "a platform device node");
    List<IdMapping> mappings =
        mappings(
            at,
            length,
            RimtLayout.DEVICE,
            RimtLayout.DEVICE_MAPPINGS,
            RimtLayout.DEVICE_MAPPING_COUNT);
    int end = mappings.isEmpty() ? length : table.u16(at + RimtLayout.DEVICE_MAPPINGS);
    String path = table.text(at + RimtLayout.DEVICE, end - RimtLayout.DEVICE);
    int zero = path.indexOf('\0');
    if (zero < 0) {
      throw table.fail(at + RimtLayout.DEVICE, "the device's path does not end in a zero byte");
    }
    return new RimtNode.PlatformDevice(id, path.substring(0, zero), mappings);
  }

  private List<IdMapping> mappings(int at, int length, int fixed, int offsetField, int countField)
      throws FormatException {
    int offset = table.u16(at + offsetField);
    int count = table.u16(at + countField);
    checkArray(at, length, offsetField, fixed, offset, count * RimtLayout.MAPPING);
    List<IdMapping> mappings = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      mappings.add(mapping(at + offset + i * RimtLayout.MAPPING));
    }
    return mappings;
  }

  private IdMapping mapping(int at) throws FormatException {
    long node = table.u32(at + RimtLayout.DESTINATION_NODE);
    Integer iommu = iommus.get(node);
    if (iommu == null) {
      throw table.fail(at + RimtLayout.DESTINATION_NODE, NO_IOMMU.formatted(node));
    }
    return new IdMapping(
        table.u32(at + RimtLayout.SOURCE),
        table.u32(at + RimtLayout.COUNT),
        table.u32(at + RimtLayout.DESTINATION),
        iommu,
        table.u32(at + RimtLayout.MAPPING_FLAGS));
  }

  /** A text in a field of fixed size, without the zeroes at its end. */
  private String text(int at, int size) throws FormatException {
    String all = table.text(at, size);
    int end = size;
    while (end > 0 && all.charAt(end - 1) == '\0') {
      end--;
    }
    return all.substring(0, end);
  }
}
