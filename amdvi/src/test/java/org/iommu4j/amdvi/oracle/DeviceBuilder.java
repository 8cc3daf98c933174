package org.iommu4j.amdvi.oracle;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongUnaryOperator;

/** Builds a device's entry and everything that it leads to. */
final class DeviceBuilder {
  private final World w;
  private final Machine m;
  private final int device;
  private final List<World.Space> spaces;

  DeviceBuilder(World world, int device, List<World.Space> spaces) {
    this.w = world;
    this.m = world.machine;
    this.device = device;
    this.spaces = spaces;
  }

  void build() {
    long at = Dte.find(m, device);
    boolean guest = m.gtSup() && w.chance(0.6);
    int mode =
        w.chance(m.snpSup() ? 0.05 : guest ? 0.35 : 0.1)
            ? 0
            : w.chance(0.03) ? w.random.nextInt(8) : w.random.nextInt(1, m.hostLevels() + 1);
    int had = m.haSup() && w.chance(0.6) ? m.hdSup() && w.chance(0.7) ? 3 : 1 : 0;
    long q0 =
        (w.chance(0.97) ? 1 : 0)
            | (w.chance(0.97) ? 2 : 0)
            | (long) had << 7
            | (long) mode << 9
            | (m.ephEn() && w.chance(guest ? 0.9 : 0.3) ? 1L << 52 : 0)
            | (w.chance(0.93) ? 1L << 61 : 0)
            | (w.chance(0.93) ? 1L << 62 : 0);
    long q1 =
        w.domain()
            | flag(0.7, 32)
            | flag(0.1, 33)
            | flag(0.1, 34)
            | (long) w.pick(0, 1, 2, 0, 1, 2, 0, 1, 2, 3) << 35
            | flag(0.5, 39)
            | (long) w.random.nextInt(4) << 40;
    long q2 = interrupts();
    HostTable host = null;
    if (mode > 0 && mode < 7) {
      host = new HostTable(w, mode, had != 0);
      q0 |= host.root;
    }
    int width = mode == 0 || mode == 7 ? 40 : Math.min(48, 3 + 9 * (mode + 1));
    if (guest) {
      boolean five = m.guestLevels() > 4 && w.chance(0.4);
      q2 |= five ? 1L << 54 : 0;
      int glx = w.random.nextInt(m.gcr3Levels());
      boolean giov = m.gioSup() && w.chance(0.5);
      q0 |= 1L << 55 | (long) glx << 56 | (giov ? 1L << 54 : 0);
      long gcr3 = guest(host, width, five ? 5 : 4, glx, giov);
      q0 |= (gcr3 >>> 12 & 7) << 58;
      q1 |= (gcr3 >>> 15 & 0xffff) << 16 | gcr3 >>> 31 << 43;
      if (!giov) {
        plain(host, width);
      }
    } else {
      plain(host, width);
    }
    w.put(at, q0, Word.Kind.DTE_0);
    w.put(at + 8, q1, Word.Kind.DTE_1);
    w.put(at + 16, q2, Word.Kind.DTE_2);
    w.put(at + 24, w.chance(0.1) ? 0x3fL << 56 : 0, Word.Kind.DATA);
  }

  private long flag(double p, int at) {
    return w.chance(p) ? 1L << at : 0;
  }

  /** Pages for requests without PASID. */
  private void plain(@org.jspecify.annotations.Nullable HostTable host, int width) {
    List<Long> addresses = new ArrayList<>();
    if (host == null) {
      addresses.add(w.random.nextLong(1L << width));
    } else {
      for (int n = w.random.nextInt(3, 8); n > 0 && w.room(8); n--) {
        host(host, addresses, width);
      }
    }
    spaces.add(new World.Space(device, -1, addresses, "host"));
  }

  private void host(HostTable host, List<Long> addresses, int width) {
    long address;
    if (!addresses.isEmpty() && w.chance(0.5)) {
      address = w.pick(addresses) ^ (long) w.random.nextInt(8) << w.pick(12, 21, 30);
    } else {
      address = w.random.nextLong(1L << width);
      // Zeros where a level may be left out.
      for (int shift = 21; shift < 48; shift += 9) {
        address &= w.chance(0.4) ? ~(0x1ffL << shift) : -1;
      }
    }
    address &= (1L << width) - 1;
    int shift = w.chance(0.3) ? w.random.nextInt(12, Math.min(40, width)) : w.pick(12, 12, 21, 30);
    long frame = w.frame(shift);
    if (host.put(
        address >>> shift << shift, shift, frame, w.hostFlags(0.1, false) | w.pageFlags())) {
      addresses.add(address & ~0xfffL);
    }
  }

  /** Guest tables, over host ones if there are any; the GCR3 table's address. */
  private long guest(
      @org.jspecify.annotations.Nullable HostTable host,
      int width,
      int levels,
      int glx,
      boolean giov) {
    long region = w.random.nextLong(1L << width) >>> 20 << 20 & (1L << width) - 1;
    LongUnaryOperator name =
        host == null
            ? LongUnaryOperator.identity()
            : at -> {
              // All tables within 1 MiB, so that a few host tables are enough.
              long gpa = region | at & 0xf_f000L;
              host.put(gpa, 12, at, w.hostFlags(0.02, w.chance(0.5)));
              return gpa;
            };
    LongUnaryOperator gcr3 = m.gcr3TrpMode() ? name : LongUnaryOperator.identity();
    List<Long> outputs = new ArrayList<>();
    if (host != null) {
      for (int n = w.random.nextInt(3, 6); n > 0 && w.room(12); n--) {
        host(host, outputs, width);
      }
    }
    long top = w.pages(1);
    long root = gcr3.applyAsLong(top);
    for (int n = w.random.nextInt(1, 3); n > 0 && w.room(14); n--) {
      int limit = Math.min(m.pasidBits(), 9 * (glx + 1));
      int pasid = giov && n == 1 ? 0 : w.random.nextInt(1 << limit);
      GuestTable table = new GuestTable(w, levels, name);
      long slot = top;
      boolean fits = true;
      for (int level = glx; level > 0; level--) {
        long at = slot + 8L * (pasid >>> 9 * level & 0x1ff);
        if (w.image.load(at) != 0) {
          fits = false;
          break;
        }
        slot = w.pages(1);
        w.put(at, gcr3.applyAsLong(slot) | 1, Word.Kind.POINTER);
      }
      long at = slot + 8L * (pasid & 0x1ff);
      if (!fits || w.image.load(at) != 0) {
        continue;
      }
      w.put(at, table.root | (w.chance(0.97) ? 1 : 0), Word.Kind.POINTER);
      List<Long> addresses = pages(table, outputs, levels, pasid);
      spaces.add(new World.Space(device, pasid, addresses, "guest"));
      if (pasid == 0 && giov) {
        spaces.add(new World.Space(device, -1, addresses, "guest by GIOV"));
      }
    }
    return root;
  }

  private List<Long> pages(GuestTable table, List<Long> outputs, int levels, int pasid) {
    List<Long> addresses = new ArrayList<>();
    int width = 12 + 9 * levels;
    for (int n = w.random.nextInt(3, 7); n > 0 && w.room(8); n--) {
      long va =
          !addresses.isEmpty() && w.chance(0.5)
              ? w.pick(addresses) ^ (long) w.random.nextInt(8) << w.pick(12, 21, 30)
              : pasid == 0
                  ? w.random.nextLong(1L << width)
                  : w.random.nextLong() << 64 - width >> 64 - width;
      int level = w.pick(1, 1, 1, 2, 2, 3);
      int shift = 3 + 9 * level;
      long low = (1L << shift) - 1;
      long gpa = outputs.isEmpty() || w.chance(0.1) ? w.frame(12) : w.pick(outputs);
      long misaligned = w.chance(0.03) ? 1L << 13 : 0;
      long pat = level > 1 && w.chance(0.2) ? 1L << 12 : 0;
      if (table.put(
          va, level, gpa & ~low | (level > 1 ? misaligned : 0) | pat | w.guestFlags(0.1))) {
        // The place in the page that leads to the output.
        addresses.add(va & ~low | gpa & low & ~0xfffL);
      }
    }
    return addresses;
  }

  // ---- interrupts

  private long interrupts() {
    int length = w.chance(0.05) ? w.random.nextInt(16) : w.random.nextInt(3);
    int bytes = m.gaEn() ? 16 : 4;
    long table = w.pages(1);
    for (int i = 0; i < 4; i++) {
      if (bytes == 16) {
        long[] entry = longEntry();
        w.put(table + 16L * i, entry[0], Word.Kind.DATA);
        w.put(table + 16L * i + 8, entry[1], Word.Kind.POINTER);
      } else {
        w.image.store(
            table + 4L * i & ~7L,
            w.image.load(table + 4L * i & ~7L) | (shortEntry() & 0xffff_ffffL) << 32 * (i & 1));
      }
    }
    return table
        | flag(0.9, 0)
        | (long) length << 1
        | flag(0.15, 5)
        | flag(0.5, 56)
        | flag(0.5, 57)
        | flag(0.5, 58)
        | (long) w.pick(2, 2, 2, 2, 2, 2, 0, 1, 3) << 60;
  }

  private int shortEntry() {
    return w.random.nextInt() & 0x00ff_ff62
        | (w.chance(0.8) ? 1 : 0)
        | w.pick(0, 0, 0, 1, 1, 2, 7) << 2
        | (w.chance(0.05) ? 0x80 : 0);
  }

  private long[] longEntry() {
    boolean guest = m.gamSup() && w.chance(0.4);
    long low = (w.random.nextLong() & 0xffff_ff62L) | (w.chance(0.8) ? 1 : 0);
    long high = w.random.nextLong() & 0xff00_0000_0000_00ffL;
    if (!guest) {
      return new long[] {low | (long) w.pick(0, 0, 0, 1, 1, 2, 7) << 2, high};
    }
    low |= 0x80 | (w.random.nextLong() & 4) | w.random.nextLong() << 32;
    return new long[] {low, high | w.backingPage()};
  }
}
