package org.iommu4j.vtd.model;

import org.iommu4j.core.bits.Register;
import org.iommu4j.core.bits.RegisterFile;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.Registers;

/**
 * Register-based invalidation: CCMD_REG, and IVA_REG with IOTLB_REG. §6.5.1. Called with the
 * command lock held and the state lock free: completion waits for devices' accesses.
 *
 * <p>An error is reported as an actual granularity of 0: a reserved granularity, a mask beyond
 * CAP.MAMV, another mode than legacy, version 6 and later. Choice: so is a command while queued
 * invalidation is on, where the specification defines nothing.
 */
final class RegisterInvalidation {
  private final VtdIommu unit;
  private final Invalidation invalidation;
  final Register iva;
  final Register iotlb;

  RegisterInvalidation(VtdIommu unit, Invalidation invalidation) {
    this.unit = unit;
    this.invalidation = invalidation;
    iva = Registers.iva(unit.config().ecap());
    iotlb = Registers.iotlb(unit.config().ecap());
  }

  private boolean refused() {
    return unit.config().major() >= 6
        || unit.setup().ttm != Registers.TTM_LEGACY
        || unit.registers().get(Registers.GSTS, Registers.QIES) != 0;
  }

  /** CCMD_REG with ICC = 1. */
  void context() {
    RegisterFile r = unit.registers();
    long command = r.get(Registers.CCMD);
    int granularity = refused() ? 0 : Registers.CIRG.getInt(command);
    int did = Registers.CCMD_DID.getInt(command);
    switch (granularity) {
      case Registers.GLOBAL -> invalidation.contextGlobal();
      case Registers.DOMAIN -> invalidation.contextDomain(did);
      case Registers.SELECTIVE ->
          invalidation.contextDevice(
              Registers.CCMD_SID.getInt(command), Registers.CCMD_FM.getInt(command), did);
      default -> {}
    }
    unit.windows().drain();
    synchronized (unit.state()) {
      r.post(Registers.CCMD, Registers.CAIG.set(Registers.ICC.set(command, 0), granularity));
    }
  }

  /** IOTLB_REG with IVT = 1. */
  void translations() {
    RegisterFile r = unit.registers();
    long command = r.get(iotlb);
    long where = r.get(iva);
    int granularity = refused() ? 0 : Registers.IIRG.getInt(command);
    int did = Registers.IOTLB_DID.getInt(command);
    int am = Registers.IVA_AM.getInt(where);
    switch (granularity) {
      case Registers.GLOBAL -> invalidation.translationsGlobal();
      case Registers.DOMAIN -> invalidation.translationsDomain(did);
      case Registers.SELECTIVE -> {
        long cap = unit.config().cap();
        if (Capability.PSI.isSet(cap) && am <= Capability.MAMV.getInt(cap)) {
          invalidation.translationsPage(
              did, Registers.IVA_ADDR.in(where), am, Registers.IVA_IH.isSet(where));
        } else {
          granularity = 0;
        }
      }
      default -> {}
    }
    unit.windows().drain();
    synchronized (unit.state()) {
      r.post(iotlb, Registers.IAIG.set(Registers.IVT.set(command, 0), granularity));
    }
  }
}
