package org.iommu4j.amdvi.model;

import org.iommu4j.amdvi.layout.EventRecord;
import org.iommu4j.amdvi.layout.PrivateSpace;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.amdvi.layout.VirtualEventRecord;
import org.iommu4j.amdvi.layout.VirtualFunctionControl;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.memory.PhysicalMemory;
import org.jspecify.annotations.Nullable;

/**
 * The unit's own accesses for its guests. State lock held.
 *
 * <ul>
 *   <li>To the private address space, as a request of the unit's own DeviceID. Inferred: what fails
 *       there is a VIOMMU_HARDWARE_ERROR with the private address, and no page fault besides.
 *   <li>To guest-physical addresses, as a request of the guest's TranslateDevID. Inferred: what
 *       fails there is the event that the request would cause, with vCmd or vEvent set.
 * </ul>
 */
final class GuestAccess {
  /** What mapping tables say of an id that they do not map. */
  static final int NOT_MAPPED = -1;

  private final AmdviIommu unit;
  private final Workspace w;
  private final DmaRequest request = new DmaRequest();

  /** Where the last address was found. */
  long pa;

  GuestAccess(AmdviIommu unit) {
    this.unit = unit;
    this.w = new Workspace(unit);
  }

  /**
   * Finds an entry of a ring, in {@link #pa}.
   *
   * @param flags vCmd or vEvent
   * @return whether it is there; if not, the host's log tells why
   */
  boolean entry(GuestIommu g, GuestRing ring, long pointer, boolean write, long flags) {
    return unit.setup().guestBuffers
        ? guest(g, ring.address(g.control, pointer), write, flags)
        : privateSpace(g, ring.privateAddress(g.id, pointer), write, flags);
  }

  /** Finds a guest-physical address, in {@link #pa}. */
  boolean guest(GuestIommu g, long gpa, boolean write, long flags) {
    Reason fault = translate(g.translateDevice(), gpa, write, flags);
    if (fault != null) {
      unit.eventLog().request(w, fault, write, false);
    }
    return fault == null;
  }

  /** Finds 16 bytes of the private address space, in {@link #pa}. */
  private boolean privateSpace(GuestIommu g, long ipa, boolean write, long flags) {
    boolean found =
        translate(unit.config().deviceId(), ipa, write, flags) == null && usable(pa, write);
    if (!found) {
      error(g, ipa, flags);
    }
    return found;
  }

  private @Nullable Reason translate(int source, long address, boolean write, long flags) {
    w.virtualFlags = flags;
    request.source(source).iova(address).access(write ? Access.WRITE : Access.READ);
    Reason fault = Translator.translate(unit.setup(), w, request);
    pa = w.pa;
    return fault;
  }

  /** Whether 16 bytes can be read or written. */
  boolean usable(long at, boolean write) {
    PhysicalMemory memory = unit.host().memory();
    return (at & unit.setup().beyond) == 0
        && !memory.isDevice(at)
        && memory.status(at, GuestRing.ENTRY, write) == PhysicalMemory.OK;
  }

  /** VIOMMU_HARDWARE_ERROR. Src stays 0: its values are not public. */
  void error(GuestIommu g, long address, long flags) {
    error(g.id, address, flags);
  }

  void error(int guest, long address, long flags) {
    unit.eventLog()
        .append(
            EventRecord.CODE.of(Reason.VIRTUAL_IOMMU.code())
                | VirtualEventRecord.ERROR_GUEST_ID.of(guest)
                | flags,
            address);
  }

  // ---- mapping tables

  /** The host's DeviceID, or {@link #NOT_MAPPED}, which the host's log tells. */
  int hostDevice(GuestIommu g, int deviceId) {
    return host(g, PrivateSpace.deviceEntry(g.id, deviceId));
  }

  /** The host's DomainID, or {@link #NOT_MAPPED}, which the host's log tells. */
  int hostDomain(GuestIommu g, int domainId) {
    return host(g, PrivateSpace.domainEntry(g.id, domainId));
  }

  /**
   * Inferred: an id without a valid entry is a VIOMMU_HARDWARE_ERROR, too; that it is an error in
   * the event log, AMD's Linux driver says.
   */
  private int host(GuestIommu g, long entry) {
    if (!privateSpace(g, entry & -16L, false, EventRecord.V_CMD.mask())) {
      return NOT_MAPPED;
    }
    long e = unit.host().memory().readLong(pa + (entry & 8));
    if (!PrivateSpace.VALID.isSet(e)) {
      error(g, entry, EventRecord.V_CMD.mask());
      return NOT_MAPPED;
    }
    return PrivateSpace.HOST_ID.getInt(e);
  }

  /** A write to DID Map Control 0 or 1. */
  void map(GuestIommu g, long value, boolean domains) {
    if (!VirtualFunctionControl.WRITE.isSet(value)) {
      return;
    }
    int id = VirtualFunctionControl.GUEST_ID.getInt(value);
    long entry = domains ? PrivateSpace.domainEntry(g.id, id) : PrivateSpace.deviceEntry(g.id, id);
    if (privateSpace(g, entry & -16L, true, 0)) {
      long host = PrivateSpace.HOST_ID.of(VirtualFunctionControl.HOST_ID.get(value));
      long valid = PrivateSpace.VALID.of(VirtualFunctionControl.VALID.get(value));
      unit.host().memory().writeLong(pa + (entry & 8), host | valid);
    }
  }
}
