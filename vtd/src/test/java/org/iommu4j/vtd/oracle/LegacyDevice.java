package org.iommu4j.vtd.oracle;

import java.util.ArrayList;
import java.util.List;

/** Builds a function's root and context entry of legacy mode. */
final class LegacyDevice {
  private final World w;
  private final int sid;

  LegacyDevice(World world, int sid) {
    this.w = world;
    this.sid = sid;
  }

  void build(List<World.Space> spaces) {
    Machine m = w.machine;
    long table = w.follow(m.root() + 16L * (sid >>> 8), 1, 1);
    List<Integer> types = new ArrayList<>(List.of(0));
    if (m.dt()) {
      types.add(1);
      types.add(1);
    }
    if (m.pt()) {
      types.add(2);
    }
    int tt = w.chance(0.03) ? w.random.nextInt(4) : w.pick(types);
    List<Integer> widths = new ArrayList<>();
    for (int aw = 1; aw <= 3; aw++) {
      if (m.sagaw(aw)) {
        widths.add(aw);
      }
    }
    int aw = widths.isEmpty() ? 2 : tt == 2 ? m.widest() : w.pick(widths);
    Guest guest = new Guest(w);
    long root = guest.second(aw);
    long fpd = w.chance(0.15) ? 2 : 0;
    long at = table + 16L * (sid & 0xff);
    w.put(at, root | (long) tt << 2 | fpd | (w.chance(0.03) ? 0 : 1), Word.Kind.POINTER);
    int reserved = w.chance(0.5) ? w.random.nextInt(16) << 3 : 0;
    w.put(at + 8, (long) w.domain() << 8 | reserved | aw, Word.Kind.CONTEXT_DOMAIN);
    spaces.add(new World.Space(sid, -1, guest.addresses(), "tt %d aw %d".formatted(tt, aw)));
  }
}
