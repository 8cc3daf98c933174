package org.iommu4j.amdvi.firmware;

import org.iommu4j.core.acpi.TableWriter;

/** Writes an IVRS: blocks one after another, entries at their ends, reserved bytes 0. */
final class IvrsWriter {
  private final TableWriter out;

  private IvrsWriter(TableWriter out) {
    this.out = out;
  }

  static byte[] table(Ivrs ivrs) {
    TableWriter out = new TableWriter(ivrs.header());
    out.u32(ivrs.ivInfo()).bytes(new byte[IvrsLayout.TABLE - IvrsLayout.TABLE_RESERVED]);
    IvrsWriter writer = new IvrsWriter(out);
    ivrs.blocks().forEach(writer::block);
    return out.finish();
  }

  private void block(IvrsBlock block) {
    int start = out.position();
    switch (block) {
      case IvrsBlock.Ivhd h -> unit(h);
      case IvrsBlock.Ivmd m ->
          out.u8(m.type())
              .u8(m.flags())
              .u16(0)
              .u16(m.deviceId())
              .u16(m.last())
              .u16(m.segment())
              .bytes(new byte[IvrsLayout.START - IvrsLayout.IVMD_RESERVED])
              .u64(m.start())
              .u64(m.length());
      case IvrsBlock.Other o -> out.u8(o.type()).u8(o.flags()).u16(0).bytes(o.body());
    }
    int length = out.position() - start;
    if (length > 0xffff) {
      throw new IllegalArgumentException(
          "a block of type 0x%02x has %d bytes; at most 65535 can be written"
              .formatted(block.type(), length));
    }
    out.u16At(start + IvrsLayout.LENGTH, length);
  }

  private void unit(IvrsBlock.Ivhd h) {
    out.u8(h.type())
        .u8(h.flags())
        .u16(0)
        .u16(h.deviceId())
        .u16(h.capability())
        .u64(h.base())
        .u16(h.segment())
        .u16(h.info())
        .u32(h.attributes());
    if (h.hasImages()) {
      out.u64(h.efr()).u64(h.efr2());
    }
    h.entries().forEach(this::entry);
  }

  private void entry(DeviceEntry entry) {
    out.u8(entry.type());
    switch (entry) {
      case DeviceEntry.Padding p -> out.bytes(new byte[p.bytes() - 1]);
      case DeviceEntry.All a -> out.u16(0).u8(a.setting());
      case DeviceEntry.Select s -> out.u16(s.deviceId()).u8(s.setting());
      case DeviceEntry.RangeStart r -> out.u16(r.deviceId()).u8(r.setting());
      case DeviceEntry.RangeEnd r -> out.u16(r.deviceId()).u8(0);
      case DeviceEntry.Alias a -> alias(a.deviceId(), a.setting(), a.alias());
      case DeviceEntry.AliasRangeStart a -> alias(a.deviceId(), a.setting(), a.alias());
      case DeviceEntry.Extended x -> out.u16(x.deviceId()).u8(x.setting()).u32(x.extended());
      case DeviceEntry.ExtendedRangeStart x ->
          out.u16(x.deviceId()).u8(x.setting()).u32(x.extended());
      case DeviceEntry.Special s ->
          out.u16(0).u8(s.setting()).u8(s.handle()).u16(s.sourceId()).u8(s.variety());
      case DeviceEntry.AcpiDevice d ->
          out.u16(d.deviceId())
              .u8(d.setting())
              .text(d.hid(), IvrsLayout.ID_BYTES)
              .text(d.cid(), IvrsLayout.ID_BYTES)
              .u8(d.uidFormat())
              .u8(d.uid().length)
              .bytes(d.uid());
      case DeviceEntry.Other o -> out.bytes(o.body());
    }
  }

  private void alias(int device, int setting, int alias) {
    out.u16(device).u8(setting).u8(0).u16(alias).u8(0);
  }
}
