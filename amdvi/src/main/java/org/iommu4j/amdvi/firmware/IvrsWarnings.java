package org.iommu4j.amdvi.firmware;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.iommu4j.amdvi.firmware.DeviceEntry.AcpiDevice;
import org.iommu4j.amdvi.firmware.DeviceEntry.Special;
import org.iommu4j.amdvi.firmware.IvrsBlock.Ivhd;
import org.iommu4j.amdvi.firmware.IvrsBlock.Ivmd;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.IvrsFields;

/** Looks for what a table may not say and a kernel can live with. */
final class IvrsWarnings {
  private static final long PAGE = 4096;

  /** HATS says nothing that can be walked. */
  private static final int HATS_RESERVED = 3;

  /** DeviceIDs of the southbridge's I/O APIC: 00:14.0, and 00:0b.0 of Hygon's family 18h. */
  private static final Set<Integer> SOUTHBRIDGES = Set.of(0x00a0, 0x0058);

  private final Ivrs ivrs;
  private final List<String> found = new ArrayList<>();

  private IvrsWarnings(Ivrs ivrs) {
    this.ivrs = ivrs;
  }

  static List<String> of(Ivrs ivrs) {
    IvrsWarnings w = new IvrsWarnings(ivrs);
    w.table();
    w.units();
    w.ioapics();
    ivrs.all(Ivmd.class).forEach(w::memory);
    return List.copyOf(w.found);
  }

  private void say(String format, Object... args) {
    found.add(format.formatted(args));
  }

  private void table() {
    int revision = ivrs.header().revision();
    boolean new40 = ivrs.blocks().stream().anyMatch(b -> b.type() >= Ivhd.TYPE_40);
    if (revision < Ivrs.REVISION_1) {
      say("Revision %d: there is none below 1.", revision);
    } else if (revision == Ivrs.REVISION_1 && new40) {
      say(
          "Revision 1: blocks of type 40h and later belong to revision 2; they are read all the"
              + " same.");
    }
    int linux = linuxUnitType();
    if (linux != ivrs.unitType()) {
      say(
          "Linux takes the blocks of type %02xh, as the last with the first unit's DeviceID, where"
              + " %02xh is the highest type: order the blocks by type.",
          linux, ivrs.unitType());
    }
  }

  /**
   * Linux's search: it ends at a type above 40h, takes the last block and not the highest, and does
   * not leave memory blocks out.
   */
  private int linuxUnitType() {
    int type = 0;
    int device = -1;
    for (IvrsBlock b : ivrs.blocks()) {
      if (b.type() > Ivhd.TYPE_40) {
        break;
      }
      int id =
          switch (b) {
            case Ivhd h -> h.deviceId();
            case Ivmd m -> m.deviceId();
            case IvrsBlock.Other o ->
                o.body().length < 2 ? -1 : o.body()[0] & 0xff | (o.body()[1] & 0xff) << 8;
          };
      device = type == 0 ? id : device;
      type = id == device || type == 0 ? b.type() : type;
    }
    return type;
  }

  private void units() {
    List<Ivhd> units = ivrs.units();
    if (units.isEmpty()) {
      say(
          "No IVHD: the table names no unit, nothing is remapped. Switch the IOMMU on in the"
              + " setup.");
    }
    Set<Long> bases = new HashSet<>();
    for (Ivhd u : units) {
      if (u.base() == 0 || Long.remainderUnsigned(u.base(), 0x4000) != 0) {
        say("IVHD %s: registers at 0x%x; they begin at a multiple of 16 KiB.", name(u), u.base());
      }
      if (!bases.add(u.base())) {
        say(
            "IVHD %s: registers at 0x%x are another unit's, too; Linux says 'Can not reserve"
                + " memory region' and uses no unit.",
            name(u), u.base());
      }
      features(u, units.getFirst());
      entries(u);
    }
  }

  private void features(Ivhd u, Ivhd first) {
    if (!u.hasImages()) {
      return;
    }
    if (u.efr() != first.efr() || u.efr2() != first.efr2()) {
      say(
          "IVHD %s: features 0x%x, 0x%x differ from the first unit's; Linux says 'Found"
              + " inconsistent EFR/EFR2' and uses what all units have.",
          name(u), u.efr(), u.efr2());
    }
    if (!IvrsFields.EFR_SUP.isSet(ivrs.ivInfo()) && (u.efr() | u.efr2()) != 0) {
      say(
          "IVHD %s: IVinfo.EFRSup is 0, so Linux leaves the images of the feature registers alone"
              + " and reads the registers.",
          name(u));
    }
    if (!u.hostTablesDisabled() && ExtendedFeatures.HATS.get(u.efr()) == HATS_RESERVED) {
      say(
          "IVHD %s: HATS of the image is reserved; Linux says 'Disable host address translation'"
              + " and does without host tables.",
          name(u));
    }
  }

  private void entries(Ivhd u) {
    DeviceRange open = null;
    for (DeviceEntry e : u.entries()) {
      DeviceRange start = Ranges.start(e);
      if (start != null) {
        if (open != null) {
          say("IVHD %s: the range from %s has no end.", name(u), device(open.first()));
        }
        open = start;
      } else if (e instanceof DeviceEntry.RangeEnd end) {
        if (open == null) {
          say(
              "IVHD %s: a range ends at %s and begins nowhere; Linux lets it begin where the range"
                  + " before did.",
              name(u), device(end.deviceId()));
        } else if (end.deviceId() < open.first()) {
          say(
              "IVHD %s: a range from %s to %s has no devices.",
              name(u), device(open.first()), device(end.deviceId()));
        }
        open = null;
      } else {
        entry(u, e);
      }
    }
    if (open != null) {
      say("IVHD %s: the range from %s has no end.", name(u), device(open.first()));
    }
  }

  private void entry(Ivhd u, DeviceEntry e) {
    switch (e) {
      case Special s -> {
        if (s.variety() != Special.IOAPIC && s.variety() != Special.HPET) {
          say("IVHD %s: %s; Linux then uses no unit at all.", name(u), s.description());
        }
      }
      case AcpiDevice d -> acpi(u, d);
      case DeviceEntry.Other o -> {
        if (o.type() >= 0x80) {
          say(
              "IVHD %s: a device entry of type %02xh; Linux does not know its length and does not"
                  + " come past it.",
              name(u), o.type());
        } else {
          say("IVHD %s: a device entry of type %02xh is passed over.", name(u), o.type());
        }
      }
      default -> {}
    }
  }

  private void acpi(Ivhd u, AcpiDevice d) {
    String name = "ACPI device %s at %s".formatted(d.hid(), device(d.deviceId()));
    if (u.type() != Ivhd.TYPE_40) {
      say(
          "IVHD %s: %s in a block of type %02xh; Linux says 'Invalid IVHD device type' and passes"
              + " over it.",
          name(u), name, u.type());
    }
    if (d.hid().isEmpty()) {
      say("IVHD %s: %s: Linux says 'Invalid HID' and passes over it.", name(u), name);
    }
    boolean fits =
        switch (d.uidFormat()) {
          case AcpiDevice.UID_NONE -> d.uid().length == 0;
          case AcpiDevice.UID_INTEGER -> d.uid().length == 8;
          case AcpiDevice.UID_STRING -> d.uid().length > 0;
          default -> false;
        };
    if (!fits) {
      say(
          "IVHD %s: %s: a unique id of format %d with %d bytes; 0 has none, 1 has 8, 2 has text.",
          name(u), name, d.uidFormat(), d.uid().length);
    }
  }

  private void ioapics() {
    Set<Integer> handles = new HashSet<>();
    boolean any = false;
    boolean southbridge = false;
    for (Ivhd u : ivrs.units()) {
      for (DeviceEntry e : u.entries()) {
        if (e instanceof Special s) {
          if (s.variety() == Special.IOAPIC) {
            any = true;
            southbridge |= u.segment() == 0 && SOUTHBRIDGES.contains(s.sourceId());
          }
          if (!handles.add(s.variety() << 8 | s.handle())) {
            say("%s: there are two of it; Linux takes the first.", s.description());
          }
        }
      }
    }
    if (!any && !ivrs.units().isEmpty()) {
      say(
          "No I/O APIC is behind a unit: Linux says 'No southbridge IOAPIC found' and does not"
              + " remap interrupts. The parameter ivrs_ioapic names one.");
    } else if (any && !southbridge) {
      say(
          "No I/O APIC is at 00:14.0, nor at 00:0b.0 where Hygon has it: Linux says 'No southbridge"
              + " IOAPIC found' and does not remap interrupts. The parameter ivrs_ioapic puts its"
              + " id right.");
    }
  }

  private void memory(Ivmd m) {
    if (m.length() == 0 || m.start() % PAGE != 0 || m.length() % PAGE != 0) {
      say(
          "IVMD 0x%x, 0x%x bytes: it has to begin and to end with a page; Linux rounds up.",
          m.start(), m.length());
    }
    if (m.type() == Ivmd.RANGE && m.last() < m.deviceId()) {
      say(
          "IVMD 0x%x: a range from %s to %s has no devices.",
          m.start(), device(m.deviceId()), device(m.last()));
    }
    if (!m.isMapped()) {
      say("IVMD 0x%x: neither unity nor exclusion range, so it has no effect.", m.start());
    }
  }

  private static String name(Ivhd u) {
    return "%04x:%s".formatted(u.segment(), device(u.deviceId()));
  }

  private static String device(int id) {
    return "%02x:%02x.%x".formatted(id >>> 8, id >>> 3 & 0x1f, id & 7);
  }
}
