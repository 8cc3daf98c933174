package org.iommu4j.vtd.oracle;

import java.util.ArrayList;
import java.util.List;

/** Builds a function's entries of scalable mode: context, PASID directory, PASID tables. */
final class ScalableDevice {
  private final World w;
  private final Machine m;
  private final int sid;

  ScalableDevice(World world, int sid) {
    this.w = world;
    this.m = world.machine;
    this.sid = sid;
  }

  void build(List<World.Space> spaces) {
    long half = m.root() + 16L * (sid >>> 8) + (sid >>> 4 & 8);
    long at = w.follow(half, 1, 1) + 32L * (sid & 0x7f);
    boolean dte = m.dt() && w.chance(0.85);
    boolean paside = m.pasid() && w.chance(0.9);
    boolean hpte = m.hpts() && w.chance(0.4);
    int pdts = w.pick(0, 1, 2, 2);
    int reach = 1 << (pdts + 13);
    int rid = m.rps() && w.chance(0.7) ? w.random.nextInt(reach) : 0;
    rid = w.chance(0.01) && m.rps() ? reach : rid;
    long directory = w.pages(pdts > 2 ? 1 << (pdts - 2) : 1);
    long c =
        directory
            | (w.chance(0.02) ? 0 : 1)
            | (w.chance(0.1) ? 2 : 0)
            | (dte ? 4 : 0)
            | (paside ? 8 : 0)
            | ((dte || w.chance(0.03)) && m.prs() && w.chance(0.7) ? 16 : 0)
            | (hpte ? 32 : 0)
            | (m.ptrs() && (paside || w.chance(0.05)) && w.chance(0.6) ? 64 : 0)
            | (long) pdts << 9;
    w.put(at, c, Word.Kind.POINTER);
    w.put(at + 8, rid | (m.rprivs() && w.chance(0.2) ? 1L << 20 : 0), Word.Kind.PLAIN);
    w.put(at + 16, 0, Word.Kind.PLAIN);
    entry(spaces, directory, rid, -1, hpte);
    for (int n = w.random.nextInt(0, 3); n > 0; n--) {
      int pasid = w.random.nextInt(Math.min(reach, 1 << m.pasidBits()));
      if (pasid != rid && w.room(30)) {
        entry(spaces, directory, pasid, pasid, hpte);
      }
    }
  }

  private void entry(List<World.Space> spaces, long directory, int pasid, int asked, boolean hpte) {
    if (pasid >>> 6 >= 512) {
      spaces.add(new World.Space(sid, asked, List.of(), "beyond"));
      return;
    }
    long fpd = w.chance(0.1) ? 2 : 0;
    long at = w.follow(directory + 8L * (pasid >>> 6), 1, 1 | fpd) + 64L * (pasid & 63);
    if (w.image.load(at) != 0) {
      return;
    }
    List<Integer> types = new ArrayList<>();
    List<Integer> widths = new ArrayList<>();
    for (int aw = 1; aw <= 3; aw++) {
      if (m.sagaw(aw)) {
        widths.add(aw);
      }
    }
    if (m.fsts()) {
      types.add(1);
    }
    if (m.ssts() && !widths.isEmpty()) {
      types.add(2);
    }
    if (m.nest() && !widths.isEmpty()) {
      types.add(3);
      types.add(3);
    }
    if (m.pt()) {
      types.add(4);
    }
    int pgtt = types.isEmpty() || w.chance(0.02) ? w.random.nextInt(8) : w.pick(types);
    int aw = widths.isEmpty() ? 2 : w.pick(widths);
    int fspm = m.fs5lp() && w.chance(0.4) ? 1 : 0;
    Guest guest = new Guest(w);
    long first = 0;
    long second = 0;
    switch (pgtt) {
      case 1 -> first = guest.first(fspm);
      case 2 -> second = guest.second(aw);
      case 3 -> {
        long[] roots = guest.nested(fspm, aw);
        first = roots[0];
        second = roots[1];
      }
      default -> guest.addresses().add(w.random.nextLong(1L << m.haw()));
    }
    long[] q = new long[8];
    q[0] =
        second
            | (w.chance(0.02) ? 0 : 1)
            | (w.chance(0.1) ? 2 : 0)
            | (long) aw << 2
            | (long) pgtt << 6
            | (m.ssads() && w.chance(0.7) ? 1 << 9 : 0);
    q[1] =
        w.domain()
            | (m.smpwcs() && w.chance(0.9) ? 1L << 23 : 0)
            | (m.sc() && w.chance(0.3) ? 1L << 24 : 0);
    q[2] =
        first
            | (m.srs() && w.chance(0.7) ? 1 : 0)
            | (long) fspm << 2
            | (w.chance(0.5) ? 1 << 4 : 0)
            | (w.chance(0.1) ? 3 << 5 : 0)
            | (m.eafs() && w.chance(0.5) ? 1 << 7 : 0);
    if (hpte) {
      q[4] = host(guest) | (w.chance(0.2) ? 4 : 0);
      q[5] = w.domain();
    }
    w.put(at, q[0], Word.Kind.POINTER);
    w.put(at + 8, q[1], Word.Kind.DOMAIN);
    w.put(at + 16, q[2], Word.Kind.POINTER);
    w.put(at + 24, q[3], Word.Kind.PLAIN);
    if (hpte) {
      w.put(at + 32, q[4], Word.Kind.POINTER);
      w.image.store(at + 40, q[5]);
    }
    spaces.add(
        new World.Space(
            sid, asked, guest.addresses(), "pgtt %d aw %d fspm %d".formatted(pgtt, aw, fspm)));
  }

  /** A host permission table for a few addresses; its pointer and size. */
  private long host(Guest guest) {
    int size = w.random.nextInt(2);
    long root = w.pages(1 << size);
    for (int n = w.random.nextInt(1, 4); n > 0 && w.room(8); n--) {
      long address = w.random.nextLong(Math.min(1L << m.haw(), 1L << (49 + size)));
      guest.addresses().add(address);
      long l3 = table(root + 16 * (address >>> 41));
      long at = l3 + 16 * (address >>> 33 & 0xff);
      if (m.hpt1g() && w.chance(0.3)) {
        w.image.store(at, w.image.load(at) | group(address >>> 30 & 7));
        continue;
      }
      at = table(at) + 16 * (address >>> 25 & 0xff);
      if (w.chance(0.4)) {
        w.image.store(at, w.image.load(at) | group(address >>> 21 & 15));
        continue;
      }
      at = table(at) + 16 * (address >>> 17 & 0xff);
      long page = address >>> 12 & 31;
      w.image.store(at + (page >= 16 ? 8 : 0), group(page & 15));
    }
    return root | size;
  }

  private long group(long n) {
    return (long) w.pick(1, 2, 3, 3) << 4 * n;
  }

  private long table(long at) {
    return w.follow(at + 8, 1, 1);
  }
}
