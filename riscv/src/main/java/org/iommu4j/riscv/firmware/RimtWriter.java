package org.iommu4j.riscv.firmware;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.acpi.TableWriter;

/** Writes a RIMT: nodes one after another, their arrays at their ends. */
final class RimtWriter {
  private final TableWriter out;
  private final Rimt rimt;
  private final List<Integer> offsets = new ArrayList<>();

  /** Places of destination offsets, and the node that each means. */
  private final List<int[]> references = new ArrayList<>();

  private RimtWriter(Rimt rimt) {
    this.rimt = rimt;
    this.out = new TableWriter(rimt.header());
  }

  static byte[] write(Rimt rimt) {
    return new RimtWriter(rimt).write();
  }

  private byte[] write() {
    out.u32(rimt.nodes().size()).u32(RimtLayout.TABLE).u32(0);
    for (RimtNode node : rimt.nodes()) {
      int start = out.position();
      offsets.add(start);
      switch (node) {
        case RimtNode.Iommu n -> iommu(n);
        case RimtNode.RootComplex n -> rootComplex(n);
        case RimtNode.PlatformDevice n -> platformDevice(n);
        case RimtNode.Other n -> {
          header(n.type(), n.revision(), n.id());
          out.bytes(n.body());
        }
      }
      int length = out.position() - start;
      if (length > 0xffff) {
        throw new IllegalArgumentException(
            "node %d has %d bytes; at most 65535 can be written".formatted(node.id(), length));
      }
      out.u16At(start + RimtLayout.NODE_LENGTH, length);
    }
    for (int[] r : references) {
      out.u32At(r[0], offsets.get(r[1]));
    }
    return out.finish();
  }

  private void header(int type, int revision, int id) {
    out.u8(type).u8(revision).u16(0).u16(0).u16(id);
  }

  private void header(int type, int id) {
    header(type, RimtLayout.KNOWN_NODE_REVISION, id);
  }

  private void iommu(RimtNode.Iommu n) {
    header(RimtLayout.TYPE_IOMMU, n.id());
    out.text(n.hardwareId(), RimtLayout.HARDWARE_ID_BYTES)
        .u64(n.base())
        .u32(n.flags())
        .u32(n.proximityDomain())
        .u16(n.segment())
        .u16(n.bdf())
        .u16(n.wires().size())
        .u16(RimtLayout.IOMMU);
    for (RimtNode.Wire w : n.wires()) {
      out.u32(w.number()).u32(w.flags());
    }
  }

  private void rootComplex(RimtNode.RootComplex n) {
    header(RimtLayout.TYPE_ROOT_COMPLEX, n.id());
    out.u32(n.flags())
        .u16(0)
        .u16(n.segment())
        .u16(RimtLayout.ROOT_COMPLEX)
        .u16(n.mappings().size());
    mappings(n.mappings());
  }

  private void platformDevice(RimtNode.PlatformDevice n) {
    header(RimtLayout.TYPE_PLATFORM_DEVICE, n.id());
    // The path ends in a zero byte, and the mappings behind it are aligned to 4.
    int bytes = n.path().getBytes(StandardCharsets.ISO_8859_1).length;
    int room = (bytes + 4) & -4;
    out.u16(RimtLayout.DEVICE + room).u16(n.mappings().size()).text(n.path(), room);
    mappings(n.mappings());
  }

  private void mappings(List<IdMapping> mappings) {
    for (IdMapping m : mappings) {
      out.u32(m.source()).u32(m.count()).u32(m.destination());
      references.add(new int[] {out.position(), m.iommu()});
      out.u32(0).u32(m.flags());
    }
  }
}
