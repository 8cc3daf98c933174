package org.iommu4j.riscv.oracle;

import java.util.ArrayList;
import java.util.List;

/** One random device with its context, its processes and their page tables. */
final class Guest {
  /** Identifiers that no single flipped bit turns into each other. */
  private static final int[] PSCIDS = {0x00007, 0x00038, 0x001c0, 0x00e00, 0x07000, 0x38000};

  private final World w;
  private final Machine m;
  private final int did;
  private final int gscid;
  private int pscids;
  private long context;

  private boolean enAts;
  private boolean nested;
  private int gMode;
  private boolean sxl;
  private boolean sbe;
  private boolean sade;
  private boolean gade;
  private long delta;
  private Table second;
  private boolean pdtv;
  private int pdMode;

  /** Guest-physical addresses that lead somewhere. */
  private final List<Long> guestAddresses = new ArrayList<>();

  private final List<Integer> processes = new ArrayList<>();

  /** Addresses of each process (or of the device, at 0) that lead somewhere. */
  private final List<List<Long>> addresses = new ArrayList<>();

  private long msiMask = -1;
  private long msiPattern;

  Guest(World world, int index) {
    w = world;
    m = world.machine;
    did = w.did(index);
    gscid = index == 0 ? 0x0007 : 0x0e00;
    pscids = 3 * index;
    build();
  }

  private void build() {
    long tc = 1;
    enAts = m.ats() && w.chance(0.6);
    if (enAts) {
      tc |= 2;
      if (w.chance(0.3)) {
        tc |= w.chance(0.5) ? 4 : 0x44;
      }
    }
    if (w.chance(0.15)) {
      tc |= 0x10;
    }
    gade = m.amoHwad() && w.chance(0.4);
    sade = m.amoHwad() && w.chance(0.4);
    tc |= (gade ? 0x80 : 0) | (sade ? 0x100 : 0);
    sbe = m.end() && m.beWritable() ? w.chance(0.3) : m.be();
    tc |= sbe ? 0x400 : 0;
    sxl = m.gxl() || (m.gxlWritable() && m.sv32() && w.chance(0.2));
    tc |= sxl ? 0x800 : 0;
    long iohgatp = secondStage();
    if ((tc & 2) != 0 && nested && m.t2gpa() && w.chance(0.3)) {
      tc |= 8;
    }
    long msiptp = messages();
    pdtv = w.chance(0.5);
    long fsc;
    long ta = 0;
    if (pdtv) {
      tc |= 0x20 | (w.chance(0.3) ? 0x200 : 0);
      fsc = directory();
    } else {
      int pscid = PSCIDS[pscids++];
      ta = (long) pscid << 12;
      fsc = firstStage();
    }
    long at = w.context(did);
    context = at;
    boolean be = m.be();
    w.put(at, tc, be, Word.PLAIN);
    w.put(at + 8, iohgatp, be, Word.CONTEXT);
    w.put(at + 16, ta, be, Word.PLAIN);
    w.put(at + 24, fsc, be, Word.CONTEXT);
    if (m.msiFlat()) {
      w.put(at + 32, msiptp, be, Word.CONTEXT);
      w.put(at + 40, msiptp == 0 ? 0 : msiMask, be, Word.FIXED);
      w.put(at + 48, msiptp == 0 ? 0 : msiPattern, be, Word.PLAIN);
      w.put(at + 56, 0, be, Word.PLAIN);
    }
  }

  /** The second stage maps the whole image, and some data. */
  private long secondStage() {
    List<Integer> modes = new ArrayList<>();
    if (m.gxl()) {
      if (m.cap(16)) {
        modes.add(8);
      }
    } else {
      for (int i = 0; i < 3; i++) {
        if (m.cap(17 + i)) {
          modes.add(8 + i);
        }
      }
    }
    nested = !modes.isEmpty() && w.chance(0.7);
    if (!nested) {
      return 0;
    }
    gMode = w.pick(modes);
    boolean narrow = m.gxl();
    second = Table.second(w, gMode, narrow, m.be());
    int bits = narrow || sxl ? 34 : 5 + 9 * (gMode - 4);
    delta = w.chance(0.3) ? 0 : (w.random.nextLong() & (1L << (bits - 31)) - 1) << 30;
    if (World.BASE + delta + World.BYTES >>> bits != 0) {
      delta = 0;
    }
    int shift = w.pick(12, 12, 16, narrow ? 22 : 21, narrow ? 22 : 30);
    if (shift == 16 && narrow) {
      shift = 12;
    }
    for (long at = World.BASE; at < World.BASE + World.BYTES; at += 1L << shift) {
      mapImage(at, shift);
    }
    for (int i = 0; i < 6; i++) {
      long gpa = w.random.nextLong() >>> (64 - bits) & ~0xfffL;
      data(second, gpa, gade, true);
      guestAddresses.add(gpa);
    }
    guestAddresses.add(World.BASE + delta);
    return (long) gMode << 60 | (long) gscid << 44 | second.root >>> 12;
  }

  private void mapImage(long at, int shift) {
    int level = shift <= 16 ? 0 : second.narrow() ? 1 : shift / 9 - 1;
    long flags = Stages.V | Stages.R | Stages.W | Stages.X | Stages.U | Stages.A | Stages.D;
    if (shift == 16) {
      flags |= 1L << 63 | 8 << 10;
    } else {
      if (w.chance(0.02)) {
        flags &= ~(1L << w.pick(1, 2, 4, 6, 7));
      }
      if (w.chance(0.1)) {
        flags &= ~(long) w.pick(Stages.A, Stages.D, Stages.A | Stages.D, Stages.W);
      }
    }
    second.put(at + delta, level, at >>> 12 << 10 | flags, Word.POINTER);
  }

  /** A leaf to anywhere. */
  private void data(Table table, long address, boolean updates, boolean user) {
    int level = w.pick(table.leafLevels());
    int shift = table.shift(level);
    long flags = w.flags(user, !table.narrow(), level, updates);
    long target = target(table);
    long entry = w.leafPage(target, shift, flags) << 10 | flags;
    if (table.narrow()) {
      entry &= 0xffff_ffffL;
    }
    table.put(address, level, entry, Word.DATA);
  }

  /** Where a leaf leads: for a first stage under a second, mostly to what that maps. */
  private long target(Table table) {
    if (nested && table != second && w.chance(0.85)) {
      return msiMask != -1 && w.chance(0.3) ? messageAddress() : w.pick(guestAddresses);
    }
    return w.random.nextLong() >>> (64 - (table.narrow() ? 34 : m.physicalBits()));
  }

  private long messageAddress() {
    return ((w.random.nextLong() & msiMask) | (msiPattern & ~msiMask)) << 12;
  }

  /** An MSI page table of up to 256 entries. */
  private long messages() {
    if (!m.msiFlat() || !nested || w.chance(0.4)) {
      return 0;
    }
    int bits = Math.min(m.guestBits(), sxl || m.gxl() ? 34 : 40) - 12;
    msiMask = 0;
    for (int i = w.random.nextInt(9); i > 0; i--) {
      msiMask |= 1L << w.random.nextInt(bits);
    }
    // Near to what the second stage maps, so that ranges have to be cut down.
    long near = w.chance(0.5) ? w.pick(guestAddresses) >>> 12 ^ 1L << w.random.nextInt(9) : 0;
    msiPattern = (near == 0 ? w.random.nextLong() : near) & (1L << bits) - 1;
    long table = w.pages(1);
    for (int i = 0; i < 256; i++) {
      long page = w.random.nextLong() >>> (64 - m.physicalBits()) >>> 12;
      boolean basic = w.chance(0.6);
      long low = basic ? 7 | page << 10 : 3 | page << 10 | (long) w.random.nextInt(8) << 7;
      long high = basic ? w.random.nextLong() : w.random.nextLong() & 0x103f_ffff_ffff_ffffL;
      if (w.chance(0.1)) {
        low ^= 1L << w.random.nextInt(64);
      } else if (w.chance(0.1)) {
        low = 0;
      }
      if (w.chance(0.05)) {
        high ^= 1L << w.random.nextInt(64);
      }
      w.put(table + 16 * i, low, m.be(), Word.PLAIN);
      w.put(table + 16 * i + 8, high, m.be(), Word.PLAIN);
    }
    return 1L << 60 | (w.chance(0.95) ? table : 0) >>> 12;
  }

  /** fsc of a device, or of a process. */
  private long firstStage() {
    List<Long> mapped = new ArrayList<>();
    addresses.add(mapped);
    List<Integer> modes = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      if (sxl ? i == 0 && m.sv32() : m.cap(9 + i)) {
        modes.add(8 + i);
      }
    }
    if (modes.isEmpty() || w.chance(0.15)) {
      mapped.addAll(guestAddresses);
      mapped.add(messageAddress());
      return 0;
    }
    int mode = w.pick(modes);
    Table table = Table.first(w, mode, sxl, sbe, delta);
    int bits = sxl ? 32 : 12 + 9 * table.levels();
    for (int i = 0; i < 8; i++) {
      long iova = w.random.nextLong();
      iova = sxl ? iova >>> 32 & ~0xfffL : iova << (64 - bits) >> (64 - bits) & ~0xfffL;
      data(table, iova, sade, w.chance(0.75));
      mapped.add(iova);
    }
    return (long) mode << 60 | (table.root + delta) >>> 12;
  }

  /** A process directory with a few processes in it. */
  private long directory() {
    List<Integer> modes = new ArrayList<>(List.of(0));
    for (int i = 1; i <= 3; i++) {
      if (m.cap(37 + i)) {
        modes.add(i);
        modes.add(i);
      }
    }
    pdMode = w.pick(modes);
    if (pdMode == 0) {
      List<Long> all = new ArrayList<>(guestAddresses);
      all.add(messageAddress());
      addresses.add(all);
      processes.add(5);
      return 0;
    }
    long root = w.pages(1);
    int bits = pdMode == 1 ? 8 : pdMode == 2 ? 17 : 20;
    for (int i = 0; i < 2; i++) {
      int pid = i == 0 && w.chance(0.5) ? 0 : w.random.nextInt(1 << bits);
      if (processes.contains(pid)) {
        continue;
      }
      processes.add(pid);
      long fsc = firstStage();
      long ta = 1 | (long) PSCIDS[pscids++] << 12;
      ta |= w.chance(0.7) ? 2 : 0;
      ta |= w.chance(0.5) ? 4 : 0;
      process(root, pid, ta, fsc);
    }
    return (long) pdMode << 60 | (root + delta) >>> 12;
  }

  private void process(long root, int pid, long ta, long fsc) {
    long table = root;
    for (int l = pdMode - 1; l > 0; l--) {
      long at = table + 8L * (l == 2 ? pid >>> 17 : pid >>> 8 & 0x1ff);
      long entry = w.image.load(at, 8, sbe);
      if (entry == 0) {
        entry = (w.pages(1) + delta) >>> 12 << 10 | 1;
        w.put(at, entry, sbe, Word.POINTER);
      }
      table = (entry >>> 10 << 12) - delta;
    }
    long at = table + 16L * (pid & 0xff);
    w.put(at, ta, sbe, Word.PLAIN);
    w.put(at + 8, fsc, sbe, Word.CONTEXT);
  }

  /** As the context in memory says, damaged or not. */
  int gscid() {
    return (int) (w.image.load(context + 8, 8, m.be()) >>> 44) & 0xffff;
  }

  Ask ask() {
    int pasid = -1;
    int which = 0;
    if (pdtv && w.chance(0.8)) {
      which = w.random.nextInt(processes.size());
      pasid = processes.get(which);
    }
    if (w.chance(0.04)) {
      pasid = w.pick(-1, 0, 1, 0x100, 0x2_0000, 0xf_ffff);
    }
    Ask.Kind kind =
        w.chance(enAts ? 0.5 : 0.97)
            ? Ask.Kind.UNTRANSLATED
            : w.chance(0.6) ? Ask.Kind.TRANSLATION_REQUEST : Ask.Kind.TRANSLATED;
    List<Long> near =
        kind == Ask.Kind.TRANSLATED && !guestAddresses.isEmpty()
            ? guestAddresses
            : addresses.get(which);
    long iova = near.isEmpty() || w.chance(0.05) ? w.random.nextLong() : w.pick(near);
    if (msiMask != -1 && w.chance(kind == Ask.Kind.TRANSLATED ? 0.3 : 0.1)) {
      iova = messageAddress();
    }
    iova += w.random.nextInt(4096);
    if (w.chance(0.1)) {
      iova ^= 1L << w.random.nextInt(12, 64);
    }
    return new Ask(
        kind,
        w.chance(0.03) ? did ^ 1 << w.random.nextInt(24) : did,
        pasid,
        w.chance(0.3),
        w.chance(0.25),
        w.chance(0.4),
        w.chance(0.2),
        iova);
  }

  @Override
  public String toString() {
    return "device %x gscid %x%s%s%s%s"
        .formatted(
            did,
            gscid,
            nested ? " nested" : "",
            pdtv ? " pdtv" : "",
            sxl ? " sxl" : "",
            sade ? " sade" : "");
  }
}
