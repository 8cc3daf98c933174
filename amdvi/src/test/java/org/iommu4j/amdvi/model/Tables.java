package org.iommu4j.amdvi.model;

import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.GuestPte;
import org.iommu4j.amdvi.layout.HostPte;
import org.iommu4j.core.bits.Field;

/**
 * Everything that one device needs: its device table entry, host tables of four levels with one
 * page, guest tables with another, an interrupt table.
 */
final class Tables {
  static final int DEVICE = 0x210;
  static final int DOMAIN = 0x35;
  static final int PASID = 0x1_0005;
  static final long IOVA = 0x12_3456_7000L;
  static final long GVA = 0x6543_2109_8000L;

  /** Where the guest's page is in host-virtual addresses when nested. */
  static final long GPA = 0x12_3456_9000L;

  static final long HOST_RW = HostPte.PR.of(1) | HostPte.IR.of(1) | HostPte.IW.of(1);
  static final long GUEST_RW = GuestPte.P.of(1) | GuestPte.RW.of(1) | GuestPte.US.of(1);

  private final Rig rig;
  final int device;
  final long entry;

  /** Whether there is an entry. */
  boolean valid;

  /** Where {@link #IOVA} or {@link #GVA} leads. */
  long data;

  long root;
  long gcr3;
  long guestRoot;
  long interrupts;

  Tables(Rig rig) {
    this(rig, DEVICE);
  }

  Tables(Rig rig, int device) {
    this.rig = rig;
    this.device = device;
    this.entry = rig.deviceTable + (long) DeviceTableEntry.BYTES * device;
  }

  // ---- the entry

  Tables or(long at, long bits) {
    rig.store(at, rig.load(at) | bits);
    return this;
  }

  Tables set(int word, Field field, long value) {
    long at = entry + 8L * word;
    rig.store(at, field.set(rig.load(at), value));
    return this;
  }

  Tables set(int word, Field field) {
    return set(word, field, 1);
  }

  /** V, TV, IR, IW, I and the domain. */
  Tables valid() {
    valid = true;
    rig.store(
        entry,
        DeviceTableEntry.V.of(1)
            | DeviceTableEntry.TV.of(1)
            | DeviceTableEntry.IR.of(1)
            | DeviceTableEntry.IW.of(1),
        DeviceTableEntry.DOMAIN_ID.of(DOMAIN) | DeviceTableEntry.I.of(1));
    return this;
  }

  /** Host tables of that many levels that map {@link #IOVA}. */
  Tables host(int levels) {
    valid();
    root = rig.frame();
    data = rig.frame();
    set(0, DeviceTableEntry.MODE, levels).or(entry, root);
    return map(IOVA, data, HOST_RW);
  }

  Tables host() {
    return host(4);
  }

  int mode() {
    return DeviceTableEntry.MODE.getInt(rig.load(entry));
  }

  static int shift(int level) {
    return 3 + 9 * level;
  }

  /** Where the entry of that level for a host address is; tables are made on the way. */
  long slot(long address, int level) {
    long table = root;
    for (int l = mode(); ; l--) {
      long at = table + 8 * (address >>> shift(l) & 0x1ff);
      if (l == level) {
        return at;
      }
      if (rig.load(at) == 0) {
        rig.store(at, rig.frame() | HOST_RW | HostPte.NEXT_LEVEL.of(l - 1));
      }
      table = HostPte.ADDRESS.in(rig.load(at));
    }
  }

  /** Maps a host page of 4 KiB. */
  Tables map(long address, long frame, long flags) {
    rig.store(slot(address, 1), frame | flags);
    return this;
  }

  /** Guest tables for {@link #PASID}, GCR3 tables of two levels, no host tables. */
  Tables guest() {
    valid();
    gcr3 = rig.frame();
    guestRoot = rig.frame();
    data = rig.frame();
    set(0, DeviceTableEntry.GV).set(0, DeviceTableEntry.GLX, 1);
    or(entry, DeviceTableEntry.gcr3First(gcr3)).or(entry + 8, DeviceTableEntry.gcr3Second(gcr3));
    rig.store(gcr3Slot(PASID), guestRoot | 1);
    return mapGuest(GVA, data, GUEST_RW);
  }

  /** Guest tables over host ones: tables where they are, {@link #GVA} to {@link #GPA} to data. */
  Tables nested() {
    guest();
    root = rig.frame();
    set(0, DeviceTableEntry.MODE, 4).or(entry, root);
    for (long at = gcr3 & -0x20_0000L, end = rig.frame(); at <= end; at += 4096) {
      map(at, at, HOST_RW);
    }
    rig.store(guestSlot(GVA, 1), GPA | GUEST_RW);
    return map(GPA, data, HOST_RW);
  }

  /** GCR3 table entry of the last level. */
  long gcr3Slot(int pasid) {
    long at = gcr3 + 8L * (pasid >>> 9);
    if (rig.load(at) == 0) {
      rig.store(at, rig.frame() | 1);
    }
    return GuestPte.GCR3_ADDRESS.in(rig.load(at)) + 8L * (pasid & 0x1ff);
  }

  long guestSlot(long address, int level) {
    long table = guestRoot;
    for (int l = 4; ; l--) {
      long at = table + 8 * (address >>> shift(l) & 0x1ff);
      if (l == level) {
        return at;
      }
      if (rig.load(at) == 0) {
        rig.store(at, rig.frame() | GUEST_RW);
      }
      table = GuestPte.ADDRESS.in(rig.load(at));
    }
  }

  Tables mapGuest(long address, long frame, long flags) {
    rig.store(guestSlot(address, 1), frame | flags);
    return this;
  }

  /** An interrupt table of 2^{@code length} entries; fixed and arbitrated ones are remapped. */
  Tables interrupts(int length) {
    interrupts = rig.frames(8);
    rig.store(
        entry + 16,
        interrupts
            | DeviceTableEntry.IV.of(1)
            | DeviceTableEntry.INT_TAB_LEN.of(length)
            | DeviceTableEntry.INT_CTL.of(DeviceTableEntry.INT_REMAP),
        0);
    return this;
  }
}
