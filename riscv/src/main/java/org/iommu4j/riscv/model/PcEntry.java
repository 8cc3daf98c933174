package org.iommu4j.riscv.model;

/** A process context, decoded for translation; see {@link DcEntry}. */
final class PcEntry {
  int deviceId = -1;
  int processId;
  boolean ens;
  boolean sum;
  int pscid;

  /** iosatp.MODE. */
  int mode;

  /** Physical or guest-physical address of the first-stage root. */
  long root;

  /** Tag of the IOTLB, see {@link Tags}. */
  long tag;

  PcEntry copyFrom(PcEntry o) {
    deviceId = o.deviceId;
    processId = o.processId;
    ens = o.ens;
    sum = o.sum;
    pscid = o.pscid;
    mode = o.mode;
    root = o.root;
    tag = o.tag;
    return this;
  }
}
