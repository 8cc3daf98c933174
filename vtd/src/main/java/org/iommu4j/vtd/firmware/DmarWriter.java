package org.iommu4j.vtd.firmware;

import java.util.List;
import org.iommu4j.core.acpi.TableWriter;

/** Writes a DMAR: structures one after another, scopes at their ends, reserved bytes 0. */
final class DmarWriter {
  private final TableWriter out;

  private DmarWriter(TableWriter out) {
    this.out = out;
  }

  static byte[] table(Dmar dmar) {
    TableWriter out = new TableWriter(dmar.header());
    out.u8(dmar.hostAddressWidth() - 1)
        .u8(dmar.flags())
        .bytes(new byte[DmarLayout.TABLE - DmarLayout.TABLE_RESERVED]);
    new DmarWriter(out).structures(dmar.structures());
    return out.finish();
  }

  static byte[] buffer(List<? extends DmarStructure> structures) {
    TableWriter out = TableWriter.ofBuffer();
    new DmarWriter(out).structures(structures);
    return out.toBytes();
  }

  private void structures(List<? extends DmarStructure> structures) {
    for (DmarStructure s : structures) {
      int start = out.position();
      out.u16(s.type()).u16(0);
      switch (s) {
        case DmarStructure.Drhd d -> out.u8(d.flags()).u8(d.size()).u16(d.segment()).u64(d.base());
        case DmarStructure.Rmrr r -> out.u16(0).u16(r.segment()).u64(r.base()).u64(r.limit());
        case DmarStructure.Atsr a -> out.u8(a.flags()).u8(0).u16(a.segment());
        case DmarStructure.Rhsa r -> out.u32(0).u64(r.base()).u32(r.proximityDomain());
        case DmarStructure.Andd a ->
            out.bytes(new byte[DmarLayout.DEVICE_NUMBER - DmarLayout.HEADER])
                .u8(a.deviceNumber())
                .text(a.path(), a.room());
        case DmarStructure.Satc t -> out.u8(t.flags()).u8(0).u16(t.segment());
        case DmarStructure.Sidp p -> out.u16(0).u16(p.segment());
        case DmarStructure.Other o -> out.bytes(o.body());
      }
      s.scopes().forEach(this::scope);
      int length = out.position() - start;
      if (length > 0xffff) {
        throw new IllegalArgumentException(
            "a structure of type %d with %d scopes has %d bytes; at most 65535 can be written"
                .formatted(s.type(), s.scopes().size(), length));
      }
      out.u16At(start + DmarLayout.LENGTH, length);
    }
  }

  private void scope(DeviceScope s) {
    out.u8(s.type())
        .u8(DmarLayout.SCOPE + DmarLayout.HOP * s.path().size())
        .u8(s.flags())
        .u8(0)
        .u8(s.enumerationId())
        .u8(s.bus());
    for (DeviceScope.Hop h : s.path()) {
      out.u8(h.device()).u8(h.function());
    }
  }
}
