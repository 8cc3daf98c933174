package org.iommu4j.amdvi.firmware;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Puts starts and ends of ranges together. */
final class Ranges {
  private final List<DeviceRange> found = new ArrayList<>();

  private Ranges() {}

  static List<DeviceRange> of(List<DeviceEntry> entries) {
    Ranges ranges = new Ranges();
    DeviceRange open = null;
    for (DeviceEntry e : entries) {
      DeviceRange start = start(e);
      if (start != null) {
        open = start;
      } else if (e instanceof DeviceEntry.RangeEnd end) {
        if (open != null && end.deviceId() >= open.first()) {
          ranges.add(open, end.deviceId());
        }
        open = null;
      } else {
        ranges.single(e);
      }
    }
    return List.copyOf(ranges.found);
  }

  /** The range that an entry opens, as far as it is known; null if it opens none. */
  static @Nullable DeviceRange start(DeviceEntry e) {
    return switch (e) {
      case DeviceEntry.RangeStart r -> one(r.deviceId(), r.setting(), DeviceRange.NO_ALIAS, 0);
      case DeviceEntry.AliasRangeStart r -> one(r.deviceId(), r.setting(), r.alias(), 0);
      case DeviceEntry.ExtendedRangeStart r ->
          one(r.deviceId(), r.setting(), DeviceRange.NO_ALIAS, r.extended());
      default -> null;
    };
  }

  private static DeviceRange one(int device, int setting, int alias, long extended) {
    return new DeviceRange(device, device, setting, alias, extended);
  }

  private void single(DeviceEntry e) {
    switch (e) {
      case DeviceEntry.All a ->
          found.add(new DeviceRange(0, 0xffff, a.setting(), DeviceRange.NO_ALIAS, 0));
      case DeviceEntry.Select s -> plain(s.deviceId(), s.setting());
      case DeviceEntry.Alias a -> {
        DeviceRange r = one(a.deviceId(), a.setting(), a.alias(), 0);
        add(r, r.last());
      }
      case DeviceEntry.Extended x ->
          found.add(one(x.deviceId(), x.setting(), DeviceRange.NO_ALIAS, x.extended()));
      case DeviceEntry.Special s -> plain(s.sourceId(), s.setting());
      case DeviceEntry.AcpiDevice d -> plain(d.deviceId(), d.setting());
      default -> {}
    }
  }

  private void plain(int device, int setting) {
    found.add(one(device, setting, DeviceRange.NO_ALIAS, 0));
  }

  /** The alias itself is behind the unit, too: it is what the unit sees. */
  private void add(DeviceRange open, int last) {
    found.add(new DeviceRange(open.first(), last, open.setting(), open.alias(), open.extended()));
    if (open.alias() != DeviceRange.NO_ALIAS) {
      plain(open.alias(), open.setting());
    }
  }
}
