package org.iommu4j.riscv.model;

import org.iommu4j.riscv.layout.DeviceContext;
import org.jspecify.annotations.Nullable;

/**
 * A device context, decoded for translation. Filled by {@link DirectoryWalker}, then either used
 * once from a workspace or published in the {@link ContextCache} and never changed again.
 */
final class DcEntry {
  int deviceId = -1;

  /** 0, or the cause with which every request of the device fails. */
  int cause;

  boolean enAts;
  boolean enPri;
  boolean t2gpa;
  boolean dtf;
  boolean pdtv;
  boolean prpr;
  boolean gade;
  boolean sade;
  boolean dpe;
  boolean sbe;
  boolean sxl;

  /** Second stage: levels, 0 if Bare. */
  int gLevels;

  /** Second stage with entries of 4 bytes (Sv32x4). */
  boolean gWide;

  long gRoot;

  /** Bits of a guest-physical address that the second stage takes. */
  int gpaBits;

  int gscid;

  int pscid;

  /** fsc.MODE: of iosatp if PDTV = 0, of pdtp if PDTV = 1. */
  int fscMode;

  /** fsc.PPN as an address. */
  long fscRoot;

  boolean msiFlat;
  long msiRoot;
  long msiMask;
  long msiPattern;

  /** Tag of the IOTLB for requests without a process, see {@link Tags}. */
  long tag;

  /** Requests without a PASID are looked up under {@link #tag} without the full process. */
  boolean quick;

  /** Levels of the first stage for requests without a process, 0 if Bare. */
  int firstLevels;

  /** Where the first stage starts for them, as {@link PagingCaches} tell it. */
  long pointer;

  /** {@link PlainWalk} may be tried. */
  boolean plain;

  /** Requests without a PASID pass unchanged: both stages Bare, no MSI translation. */
  boolean identity;

  /** Requests without a PASID need a process context (DPE with a PDT). */
  boolean defaultProcess;

  // The words it was decoded from, and the setup it was checked under; null if neither.
  @Nullable Setup decodedFor;

  /** Where in its table it is. */
  long offset;

  long tc;
  long iohgatp;
  long ta;
  long fsc;
  long msiptp;

  void decode(Setup s, int id, long tc, long iohgatp, long ta, long fsc, long msiptp) {
    this.tc = tc;
    this.iohgatp = iohgatp;
    this.ta = ta;
    this.fsc = fsc;
    this.msiptp = msiptp;
    decodedFor = s;
    deviceId = id;
    cause = 0;
    enAts = DeviceContext.EN_ATS.isSet(tc);
    enPri = DeviceContext.EN_PRI.isSet(tc);
    t2gpa = DeviceContext.T2GPA.isSet(tc);
    dtf = DeviceContext.DTF.isSet(tc);
    pdtv = DeviceContext.PDTV.isSet(tc);
    prpr = DeviceContext.PRPR.isSet(tc);
    gade = DeviceContext.GADE.isSet(tc);
    sade = DeviceContext.SADE.isSet(tc);
    dpe = DeviceContext.DPE.isSet(tc);
    sbe = DeviceContext.SBE.isSet(tc);
    sxl = DeviceContext.SXL.isSet(tc);
    int gMode = DeviceContext.MODE.getInt(iohgatp);
    gWide = s.gxl && gMode == DeviceContext.IOHGATP_SV32X4;
    gLevels =
        gMode == DeviceContext.IOHGATP_BARE
            ? 0
            : gWide ? 2 : gMode - DeviceContext.IOHGATP_SV39X4 + 3;
    gRoot = DeviceContext.PPN.get(iohgatp) << 12;
    gscid = gLevels == 0 ? 0 : DeviceContext.GSCID.getInt(iohgatp);
    // With SXL = 1 a guest-physical address has 34 bits, whatever the mode. §3.2, SXL.
    gpaBits = sxl || gWide ? 34 : gLevels * 9 + 14;
    pscid = DeviceContext.PSCID.getInt(ta);
    fscMode = DeviceContext.MODE.getInt(fsc);
    fscRoot = DeviceContext.PPN.get(fsc) << 12;
    msiFlat = s.extended && DeviceContext.MODE.getInt(msiptp) == DeviceContext.MSIPTP_FLAT;
    msiRoot = DeviceContext.PPN.get(msiptp) << 12;
    boolean firstStage = !pdtv && fscMode != DeviceContext.IOSATP_BARE;
    firstLevels = firstStage ? levels(fscMode) : 0;
    pointer = PagingCaches.pointer(fscRoot, 3 + 9 * firstLevels, false);
    tag = Tags.of(firstStage, pscid, gLevels != 0, gscid);
    defaultProcess = pdtv && dpe && fscMode != DeviceContext.PDTP_BARE;
    quick = !defaultProcess;
    plain = !pdtv && !sbe && !sxl && !gWide && !msiFlat && (firstStage || gLevels != 0);
    identity = !firstStage && !defaultProcess && gLevels == 0 && !msiFlat;
  }

  /** First-stage levels of an iosatp.MODE, 0 if Bare. */
  int levels(int mode) {
    return mode == DeviceContext.IOSATP_BARE ? 0 : sxl ? 2 : mode - DeviceContext.IOSATP_SV39 + 3;
  }

  DcEntry copyFrom(DcEntry o) {
    deviceId = o.deviceId;
    cause = o.cause;
    enAts = o.enAts;
    enPri = o.enPri;
    t2gpa = o.t2gpa;
    dtf = o.dtf;
    pdtv = o.pdtv;
    prpr = o.prpr;
    gade = o.gade;
    sade = o.sade;
    dpe = o.dpe;
    sbe = o.sbe;
    sxl = o.sxl;
    gLevels = o.gLevels;
    gWide = o.gWide;
    gRoot = o.gRoot;
    gpaBits = o.gpaBits;
    gscid = o.gscid;
    pscid = o.pscid;
    fscMode = o.fscMode;
    fscRoot = o.fscRoot;
    msiFlat = o.msiFlat;
    msiRoot = o.msiRoot;
    msiMask = o.msiMask;
    msiPattern = o.msiPattern;
    tag = o.tag;
    quick = o.quick;
    firstLevels = o.firstLevels;
    pointer = o.pointer;
    plain = o.plain;
    identity = o.identity;
    defaultProcess = o.defaultProcess;
    return this;
  }
}
