package org.iommu4j.amdvi.model;

import static org.iommu4j.amdvi.layout.Control.*;
import static org.iommu4j.amdvi.layout.Registers.*;

import java.util.List;
import org.iommu4j.amdvi.layout.CapabilityBlock;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.bits.RegisterFile;

/**
 * The registers that a unit has, given its features, with what a write to each makes stick and
 * causes. 48882, "IOMMU MMIO Registers". Effects run with the command lock and the state lock held;
 * what needs to run without the state lock is left to {@link AmdviIommu} as a pending action.
 *
 * <p>Accesses have 1, 2, 4 or 8 bytes and are aligned to their size: a part of a register can be
 * read and written alone. Choice: what is not aligned, or is wider, reads 0 and writes nothing. A
 * write to a part has the effects of a write to the register: a tail that is written byte by byte
 * moves with each of them.
 */
final class RegisterBank {
  private final AmdviIommu unit;
  private final UnitConfig config;
  private final RegisterFile file;
  private final long controlMask;

  private RegisterBank(AmdviIommu unit) {
    this.unit = unit;
    this.config = unit.config();
    this.file = new RegisterFile(bytes(config), 1);
    this.controlMask = controlMask();
  }

  /** Bytes of the register page. */
  static int bytes(UnitConfig c) {
    return c.has(ExtendedFeatures.PC_SUP) ? BYTES_WITH_COUNTERS : BYTES;
  }

  static RegisterFile create(AmdviIommu unit) {
    RegisterBank bank = new RegisterBank(unit);
    bank.tables();
    bank.rings();
    bank.logs();
    bank.interrupts();
    bank.others();
    unit.counters().addTo(bank.file);
    return bank.file;
  }

  private boolean has(Field feature) {
    return config.has(feature);
  }

  private long controlMask() {
    long mask = Control.REGISTER.mask(Field.Kind.WARL);
    mask &=
        ~(without(PPR_LOG_EN, ExtendedFeatures.PPR_SUP)
            | without(PPR_INT_EN, ExtendedFeatures.PPR_SUP)
            | without(PPR_EN, ExtendedFeatures.PPR_SUP)
            | without(GT_EN, ExtendedFeatures.GT_SUP)
            | without(GA_EN, ExtendedFeatures.GA_SUP)
            | without(SMIF_EN, ExtendedFeatures.SMIF_SUP)
            | without(SMIF_LOG_EN, ExtendedFeatures.SMIF_SUP)
            | without(GAM_EN, ExtendedFeatures.GAM_SUP)
            | without(GA_LOG_EN, ExtendedFeatures.GA_SUP)
            | without(GA_INT_EN, ExtendedFeatures.GA_SUP)
            | without(DUAL_PPR_LOG_EN, ExtendedFeatures.DUAL_PPR_LOG_SUP)
            | without(DUAL_EVENT_LOG_EN, ExtendedFeatures.DUAL_EVENT_LOG_SUP)
            | without(DEV_TBL_SEG_EN, ExtendedFeatures.DEV_TBL_SEG_SUP)
            | without(PRIV_ABRT_EN, ExtendedFeatures.US_SUP)
            | without(PPR_AUTO_RSP_EN, ExtendedFeatures.PPR_AUTO_RSP_SUP)
            | without(PPR_AUTO_RSP_AON, ExtendedFeatures.PPR_AUTO_RSP_SUP)
            | without(MARC_EN, ExtendedFeatures.MARC_SUP)
            | without(BLK_STOP_MRK_EN, ExtendedFeatures.BLK_STOP_MRK_SUP)
            | without(EPH_EN, ExtendedFeatures.EPH_SUP)
            | without(GA_UPDATE_DIS, ExtendedFeatures.GA_UPDATE_DIS_SUP)
            | without(XT_EN, ExtendedFeatures.XT_SUP)
            | without(INT_CAP_XT_EN, ExtendedFeatures.XT_SUP)
            | without(VCMD_EN, ExtendedFeatures.VIOMMU_SUP)
            | without(VIOMMU_EN, ExtendedFeatures.VIOMMU_SUP)
            | without(GAPPI_EN, ExtendedFeatures.GAPPI_SUP)
            | without2(TMPM_EN, ExtendedFeatures.TMPM_SUP)
            | without2(GCR3_TRP_MODE, ExtendedFeatures.GCR3_TRP_MODE_SUP)
            | without2(SNP_AVIC_EN, ExtendedFeatures.SNP_AVIC_SUP)
            | without2(NUM_INT_REMAP_MODE, ExtendedFeatures.NUM_INT_REMAP_SUP));
    mask &= CapabilityBlock.HT_TUNNEL.isSet(config.header()) ? -1 : ~HT_TUN_EN.mask();
    mask &= config.deviceIotlbs() ? -1 : ~INV_TIME_OUT.mask();
    // No feature bit tells it, software sets it and looks.
    mask &= has(ExtendedFeatures.VIOMMU_SUP) ? -1 : ~GST_BUFFER_TRP_MODE.mask();
    // Choice: the older name of bit 61 speaks for both bits of Control, V2HDDisSup for one alone.
    if (!has(ExtendedFeatures.GA_UPDATE_DIS_SUP) && !has(ExtendedFeatures.V2_HD_DIS_SUP)) {
      mask &= ~GD_UPDATE_DIS.mask();
    }
    if (!has(ExtendedFeatures.HA_SUP) && !has(ExtendedFeatures.HD_SUP)) {
      mask &= ~HAD_UPDATE.mask();
    }
    return mask;
  }

  private long without(Field control, Field feature) {
    return has(feature) ? 0 : control.mask();
  }

  private long without2(Field control, Field feature) {
    return feature.isSet(config.features2()) ? 0 : control.mask();
  }

  private void tables() {
    file.add(DEVICE_TABLE, 0, this::unlessLocked, (b, a, w) -> unit.page().tablesMoved(), null);
    for (int n = 0; n < DEVICE_TABLE_SEGMENT.size(); n++) {
      // 2^DevTblSegSup segments, the first of them the table above.
      if (n + 2 <= 1 << config.field(ExtendedFeatures.DEV_TBL_SEG_SUP)) {
        file.add(
            DEVICE_TABLE_SEGMENT.get(n),
            0,
            this::unlessLocked,
            (b, a, w) -> unit.page().tablesMoved(),
            null);
      }
    }
    file.add(
        Control.REGISTER,
        config.zeroReset() ? 0 : COHERENT.mask(),
        this::legalControl,
        (b, a, w) -> controlWritten(b, a),
        null);
    file.add(EXCLUSION_BASE, 0, this::unlessLocked, (b, a, w) -> unit.page().rangesChanged(), null);
    file.add(
        EXCLUSION_LIMIT, 0, this::unlessLocked, (b, a, w) -> unit.page().rangesChanged(), null);
    if (has(ExtendedFeatures.MARC_SUP)) {
      for (List<Register> group : List.of(MARC_BASE, MARC_RELOCATION, MARC_LENGTH)) {
        for (Register r : group) {
          file.add(r, 0, null, (b, a, w) -> unit.page().rangesChanged(), null);
        }
      }
    }
  }

  /**
   * What stays as it is once the system is SNP-enabled: where tables, buffers and logs are, and the
   * completion-store window; of Control only IommuEn and DevTblSegEn. 48882, 2.12.2.1; writes are
   * ignored without an error.
   */
  private long unlessLocked(long before, long written) {
    return unit.snpLocked() ? before : written;
  }

  /** Choice: what a field has no meaning for, or the unit no part, is not taken. */
  private long legalControl(long before, long written) {
    long control = written & controlMask;
    if (unit.snpLocked()) {
      long locked = IOMMU_EN.mask() | DEV_TBL_SEG_EN.mask();
      control = control & ~locked | before & locked;
    }
    control =
        atMost(config.field(ExtendedFeatures.DEV_TBL_SEG_SUP), DEV_TBL_SEG_EN, before, control);
    // 2, the other log when one is full, is a feature of its own.
    control =
        atMost(
            config.field(ExtendedFeatures.DUAL_EVENT_LOG_SUP), DUAL_EVENT_LOG_EN, before, control);
    return atMost(
        config.field(ExtendedFeatures.DUAL_PPR_LOG_SUP), DUAL_PPR_LOG_EN, before, control);
  }

  private static long atMost(int most, Field field, long before, long control) {
    return field.get(control) <= most ? control : field.set(control, field.get(before));
  }

  private void controlWritten(long before, long after) {
    boolean on = IOMMU_EN.isSet(after);
    run(
        on && EVENT_LOG_EN.isSet(after),
        EVENT_LOG_RUN,
        eventRing(after).base(),
        before,
        EVENT_LOG_EN);
    run(on && CMD_BUF_EN.isSet(after), CMD_BUF_RUN, COMMAND_BUFFER, before, CMD_BUF_EN);
    run(on && PPR_LOG_EN.isSet(after), PPR_LOG_RUN, pprRing(after).base(), before, PPR_LOG_EN);
    run(on && GA_LOG_EN.isSet(after), GA_LOG_RUN, GA_LOG, before, GA_LOG_EN);
    if (DUAL_EVENT_LOG_EN.get(before) != DUAL_EVENT_LOG_EN.get(after)) {
      file.post(STATUS, EVENT_LOG_ACTIVE, DUAL_EVENT_LOG_EN.get(after) == 1 ? 1 : 0);
    }
    if (DUAL_PPR_LOG_EN.get(before) != DUAL_PPR_LOG_EN.get(after)) {
      file.post(STATUS, PPR_LOG_ACTIVE, DUAL_PPR_LOG_EN.get(after) == 1 ? 1 : 0);
    }
    if (file.get(STATUS, CMD_BUF_RUN) == 0) {
      unit.commands().stopped();
    }
    unit.signals().enabled(before, after);
    unit.page().controlChanged();
  }

  private static Ring eventRing(long control) {
    return DUAL_EVENT_LOG_EN.get(control) == 1 ? Ring.EVENTS_B : Ring.EVENTS;
  }

  private static Ring pprRing(long control) {
    return DUAL_PPR_LOG_EN.get(control) == 1 ? Ring.PPR_B : Ring.PPR;
  }

  /**
   * The run bit of a ring follows its enable bit and IommuEn: it is set when they rise, so that a
   * ring that stopped by itself starts when software has turned it off and on.
   */
  private void run(boolean enabled, Field status, Register base, long before, Field enable) {
    boolean was = IOMMU_EN.isSet(before) && enable.isSet(before);
    if (!enabled) {
      file.post(STATUS, status, 0);
    } else if (!was && Ring.valid(file.get(base))) {
      file.post(STATUS, status, 1);
    }
  }

  private void rings() {
    ring(Ring.COMMANDS, CMD_BUF_RUN);
    ring(Ring.EVENTS, EVENT_LOG_RUN);
    if (has(ExtendedFeatures.DUAL_EVENT_LOG_SUP)) {
      ring(Ring.EVENTS_B, EVENT_LOG_RUN);
    }
    if (has(ExtendedFeatures.PPR_SUP)) {
      ring(Ring.PPR, PPR_LOG_RUN);
    }
    if (has(ExtendedFeatures.DUAL_PPR_LOG_SUP)) {
      ring(Ring.PPR_B, PPR_LOG_RUN);
    }
    if (has(ExtendedFeatures.GA_SUP)) {
      ring(Ring.GA, GA_LOG_RUN);
      file.add(GA_LOG_TAIL_ADDRESS, 0, this::unlessLocked, null, null);
    }
  }

  /**
   * A ring's registers. Writing the base sets head and tail to 0. Choice: what the unit itself
   * moves can be written only while the ring does not run, and so can the base.
   */
  private void ring(Ring ring, Field running) {
    file.add(
        ring.base(),
        config.zeroReset() ? 0 : RING_LEN.of(8),
        (b, w) -> runs(running) ? b : unlessLocked(b, w),
        (b, a, w) -> {
          if (!runs(running) && !unit.snpLocked()) {
            file.post(ring.head(), 0);
            file.post(ring.tail(), 0);
          }
        },
        null);
    boolean commands = ring.equals(Ring.COMMANDS);
    Register hardware = commands ? ring.head() : ring.tail();
    Register software = commands ? ring.tail() : ring.head();
    file.add(hardware, 0, (b, w) -> runs(running) ? b : w, null, null);
    file.add(software, 0, null, (b, a, w) -> unit.page().runLater(), null);
  }

  private boolean runs(Field running) {
    return file.get(STATUS, running) != 0;
  }

  private void logs() {
    file.add(STATUS, 0);
    if (has(ExtendedFeatures.HE_SUP)) {
      file.add(HARDWARE_EVENT_UPPER, 0);
      file.add(HARDWARE_EVENT_LOWER, 0);
      file.add(HARDWARE_EVENT_STATUS, 0);
    }
    if (has(ExtendedFeatures.PPR_AUTO_RSP_SUP)) {
      file.add(PPR_AUTO_RESPONSE, 0);
    }
    if (has(ExtendedFeatures.PPR_OVRFLW_EARLY_SUP)) {
      file.add(PPR_EARLY, 0);
      file.add(PPR_B_EARLY, 0);
    }
  }

  private void interrupts() {
    if (has(ExtendedFeatures.XT_SUP)) {
      file.add(XT_GENERAL, 0);
      file.add(XT_PPR, 0);
      file.add(XT_GA, 0);
    }
    if (has(ExtendedFeatures.MSI_CAP_MMIO_SUP)) {
      file.add(MSI_VECTOR_0, config.misc0() & MSI_VECTOR_0.mask(Field.Kind.RO));
      file.add(MSI_VECTOR_1, MSI_NUM_GA.of(config.misc1()));
      unit.msi().addTo(file, MSI_CAPABILITY, MSI_ADDRESS_LOW, MSI_ADDRESS_HIGH, MSI_DATA);
      file.add(MSI_MAPPING, 0);
    }
  }

  private void others() {
    file.add(ExtendedFeatures.REGISTER, config.has(ALL) ? config.features() : 0);
    file.add(ExtendedFeatures.REGISTER_2, config.features2());
    file.add(DSFX, 0);
    file.add(DSCX, 0);
    file.add(DSSX, 0);
    if (has(ExtendedFeatures.VIOMMU_SUP)) {
      file.add(VIOMMU_STATUS, 0); // what its bits tell is not public
    }
    if (has(ExtendedFeatures.PERF_OPT_SUP)) {
      file.add(PERFORMANCE_OPTIMIZATION, 0);
    }
    file.add(RESERVED, 0);
    if (has(ExtendedFeatures.SMIF_SUP)) {
      int filters = 1 << Math.min(config.field(ExtendedFeatures.SMIF_RC), 4);
      for (int n = 0; n < filters; n++) {
        // A filter that is locked stays as it is.
        file.add(SMI_FILTER.get(n), 0, (b, w) -> SMI_LOCK.isSet(b) ? b : w, null, null);
      }
    }
  }

  private static final Field ALL = Field.bits("all", 63, 0);
}
