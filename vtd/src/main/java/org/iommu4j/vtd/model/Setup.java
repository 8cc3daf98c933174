package org.iommu4j.vtd.model;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.core.unit.BaseSetup;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.ContextEntry;
import org.iommu4j.vtd.layout.ExtendedCapability;
import org.iommu4j.vtd.layout.FirstStagePte;
import org.iommu4j.vtd.layout.PasidDirectoryEntry;
import org.iommu4j.vtd.layout.PasidEntry;
import org.iommu4j.vtd.layout.Registers;
import org.iommu4j.vtd.layout.RootEntry;
import org.iommu4j.vtd.layout.ScalableContextEntry;
import org.iommu4j.vtd.layout.SecondStagePte;
import org.jspecify.annotations.Nullable;

/**
 * What translations depend on, as one immutable value: device threads read it once per request, a
 * command that changes any of it publishes a new one.
 */
final class Setup extends BaseSetup {
  final UnitConfig config;

  /** GSTS_REG.TES. */
  final boolean enabled;

  /** RTADDR_REG as SRTP latched it. */
  final int ttm;

  final long root;

  /** RTADDR_REG.SSIRWE. */
  final boolean ssirwe;

  /** Protected regions, null unless they are on. */
  final @Nullable ProtectedMemory protectedMemory;

  final int major;
  final boolean adms;
  final boolean smts;
  final boolean dt;
  final boolean pt;
  final boolean zlr;
  final boolean nwfs;
  final boolean rps;
  final boolean rprivs;

  /** Tables of scalable mode are snooped or not: PWSNP decides. */
  final boolean snoopMatters;

  /** MGAW in bits. */
  final int mgaw;

  final int sagaw;
  final int pasidBits;

  // Reserved bits, given the capabilities and the host address width.
  final long rootReserved;
  final long contextReserved0;
  final long contextReserved1;
  final long scalableReserved0;
  final long scalableReserved1;
  final long directoryReserved;
  final long[] pasidReserved;

  // What an entry that points to a table must not have, and, by level (1..5), a leaf.
  final long secondPointerReserved;
  final long[] secondLeafReserved = new long[6];
  final long firstPointerReserved;
  final long[] firstLeafReserved = new long[6];

  /** Faulting entries may be kept, too (CAP.CM), and are. */
  final boolean keepsFaults;

  /** Cached translations may be used without the full process. */
  final boolean quick;

  /** {@link PlainWalk} may be tried. */
  final boolean plain;

  Setup(
      PhysicalMemory memory,
      UnitConfig config,
      boolean enabled,
      long rtaddr,
      @Nullable ProtectedMemory protectedMemory,
      boolean counting) {
    super(memory, config.beyond(), config.caches(), counting);
    this.config = config;
    this.enabled = enabled;
    this.protectedMemory = protectedMemory;
    ttm = Registers.TTM.getInt(rtaddr);
    root = Registers.RTA.in(rtaddr);
    ssirwe = Registers.SSIRWE.isSet(rtaddr);
    major = config.major();
    adms = config.has(ExtendedCapability.ADMS);
    smts = config.has(ExtendedCapability.SMTS);
    dt = config.has(ExtendedCapability.DT);
    pt = config.has(ExtendedCapability.PT);
    zlr = Capability.ZLR.isSet(config.cap());
    nwfs = config.has(ExtendedCapability.NWFS);
    rps = config.has(ExtendedCapability.RPS);
    rprivs = config.has(ExtendedCapability.RPRIVS);
    snoopMatters = config.has(ExtendedCapability.SMPWCS);
    mgaw = Capability.MGAW.getInt(config.cap()) + 1;
    sagaw = Capability.SAGAW.getInt(config.cap());
    pasidBits = ExtendedCapability.PSS.getInt(config.ecap()) + 1;
    long above = beyond & Field.bits("address", 63, 12).mask();
    rootReserved = RootEntry.LEGACY.reservedMask(0) | above;
    contextReserved0 = ContextEntry.LAYOUT.reservedMask(0);
    contextReserved1 = ContextEntry.LAYOUT.reservedMask(1) | unusedDomains(ContextEntry.DID);
    scalableReserved0 =
        ScalableContextEntry.LAYOUT.reservedMask(0)
            | above
            | without(ExtendedCapability.DT, ScalableContextEntry.DTE)
            | without(ExtendedCapability.PASID, ScalableContextEntry.PASIDE)
            | without(ExtendedCapability.PRS, ScalableContextEntry.PRE)
            | without(ExtendedCapability.HPTS, ScalableContextEntry.HPTE)
            | without(ExtendedCapability.PTRS, ScalableContextEntry.EPTR);
    scalableReserved1 =
        ScalableContextEntry.LAYOUT.reservedMask(1)
            | without(ExtendedCapability.RPS, ScalableContextEntry.RID_PASID)
            | without(ExtendedCapability.RPRIVS, ScalableContextEntry.RID_PRIV);
    directoryReserved = PasidDirectoryEntry.LAYOUT.reservedMask(0) | above;
    pasidReserved = pasidReserved();
    long address = above & SecondStagePte.ADDR.mask();
    long iw = ssirwe ? 0 : SecondStagePte.IW.mask();
    secondPointerReserved = address | iw | SecondStagePte.SNP.mask() | SecondStagePte.PS.mask();
    firstPointerReserved = address | FirstStagePte.PS.mask();
    leafReserved(address, iw);
    keepsFaults = worst && Capability.CM.isSet(config.cap());
    boolean ordinary =
        enabled
            && !counting
            && protectedMemory == null
            && (ttm == Registers.TTM_LEGACY ? !ssirwe : ttm == Registers.TTM_SCALABLE && smts);
    quick = ordinary && normal();
    plain = ordinary && !worst;
  }

  private long without(Field capability, Field field) {
    return config.has(capability) ? 0 : field.mask();
  }

  private long unusedDomains(Field did) {
    return did.of(-(long) config.domains());
  }

  /** What is reserved in every PASID entry; what depends on PGTT is {@link ScalableTables}'s. */
  private long[] pasidReserved() {
    long[] r = new long[8];
    for (int i = 0; i < 8; i++) {
      r[i] = PasidEntry.LAYOUT.reservedMask(i);
    }
    r[1] |=
        unusedDomains(PasidEntry.DID)
            | without(ExtendedCapability.SMPWCS, PasidEntry.PWSNP)
            | without(ExtendedCapability.SC, PasidEntry.PGSNP);
    return r;
  }

  private void leafReserved(long above, long iw) {
    int sslps = Capability.SSLPS.getInt(config.cap());
    boolean fs1gp = Capability.FS1GP.isSet(config.cap());
    // A quirk's leaves alone.
    boolean transientMapping =
        config.quirks().transientMapping() && config.has(ExtendedCapability.DT);
    long second =
        above | (transientMapping ? 0 : iw) | without(ExtendedCapability.SC, SecondStagePte.SNP);
    long ps = SecondStagePte.PS.mask();
    for (int level = 1; level <= 5; level++) {
      boolean large2 = level == 2 || level == 3;
      long size = large2 ? (1L << (12 + 9 * (level - 1))) - (1L << 12) : 0;
      boolean secondSize = level == 1 || (large2 && (sslps >> (level - 2) & 1) != 0);
      secondLeafReserved[level] = second | size | (secondSize ? 0 : ps);
      boolean firstSize = level <= 2 || (level == 3 && fs1gp);
      // Bit 12 of a larger leaf is PAT.
      firstLeafReserved[level] = above | (size & ~(1L << 12)) | (firstSize ? 0 : ps);
    }
  }

  /** Whether a second stage of this AW code is supported. */
  boolean supports(int aw) {
    return aw >= 1 && aw <= 3 && (sagaw >> aw & 1) != 0;
  }

  /** Whether an address is one of the interrupt range, 0xFEE0_0000..0xFEEF_FFFF. */
  static boolean interrupt(long address) {
    return address >>> 20 == 0xfee;
  }
}
