package org.iommu4j.amdvi.model;

import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.core.unit.TablePointer;
import org.jspecify.annotations.Nullable;

/** A device table entry, decoded. Immutable once it is in a cache. */
final class DeviceEntry {
  int deviceId;

  /** The four words as they were read. */
  long word0;

  long word1;
  long word2;
  long word3;

  /** Why memory requests are refused whatever they ask for; null if nothing is wrong. */
  @Nullable Reason memoryFault;

  /** The same of interrupts. */
  @Nullable Reason interruptFault;

  boolean valid;
  boolean translates;
  int mode;
  long root;
  int domainId;

  /** READ and WRITE as IR and IW have them. */
  int permissions;

  /** Host A/D: sets A, sets D. */
  boolean setsAccessed;

  boolean setsDirty;

  /** Guest tables are used: GV with GTEn. */
  boolean guest;

  /** Requests without PASID use those of PASID 0. */
  boolean guestWithoutPasid;

  long gcr3;
  int gcr3Levels;
  int guestLevels;

  boolean iotlb;

  /** What it was checked under, and where it was read. */
  @Nullable Setup setup;

  long address;

  /** Tag of the translations of requests without PASID. */
  long tag;

  /** {@link PlainWalk} and the caches may answer requests without PASID. */
  boolean plain;

  /** The same of requests with PASID. */
  boolean plainWithPasid;

  // What walks of host tables need: the tag, a pointer to the root, the bits that no address has,
  // and those that an ordinary entry has.
  long hostTag;
  long start;
  long beyond;
  long ordinary;

  DeviceEntry copyFrom(DeviceEntry o) {
    deviceId = o.deviceId;
    decode(o.word0, o.word1, o.word2, o.word3);
    memoryFault = o.memoryFault;
    interruptFault = o.interruptFault;
    guest = o.guest;
    guestWithoutPasid = o.guestWithoutPasid;
    tag = o.tag;
    plain = o.plain;
    plainWithPasid = o.plainWithPasid;
    return this;
  }

  /** Takes the words apart. */
  void decode(long first, long second, long third, long fourth) {
    word0 = first;
    word1 = second;
    word2 = third;
    word3 = fourth;
    valid = DeviceTableEntry.V.isSet(first);
    translates = DeviceTableEntry.TV.isSet(first);
    mode = DeviceTableEntry.MODE.getInt(first);
    root = DeviceTableEntry.ROOT.in(first);
    domainId = DeviceTableEntry.DOMAIN_ID.getInt(second);
    // IR and IW, bits 61 and 62, are in the order of READ and WRITE.
    permissions = (int) (first >>> DeviceTableEntry.IR.lo()) & 3;
    int had = DeviceTableEntry.HAD.getInt(first);
    setsAccessed = (had & 1) != 0;
    setsDirty = had == 3;
    gcr3 = DeviceTableEntry.gcr3(first, second);
    gcr3Levels = DeviceTableEntry.GLX.getInt(first) + 1;
    guestLevels = DeviceTableEntry.GUEST_PAGING_MODE.getInt(third) + 4;
    iotlb = DeviceTableEntry.I.isSet(second);
    hostTag = Tags.host(domainId);
    start = TablePointer.of(root, 3 + 9 * mode, WalkCaches.ALL);
    beyond = mode < 6 ? -1L << 12 + 9 * mode : 0;
    ordinary = setsAccessed ? HostWalker.PR | HostWalker.A : HostWalker.PR;
  }

  boolean nested() {
    return mode != 0;
  }

  /** Whether requests with this PASID (negative: none) go through guest tables. */
  boolean guest(int pasid) {
    return pasid >= 0 ? guest : guestWithoutPasid;
  }

  /** The tag of a request's translations. */
  long tag(int pasid) {
    return guest(pasid) ? Tags.guest(domainId, Math.max(pasid, 0), nested()) : Tags.host(domainId);
  }
}
