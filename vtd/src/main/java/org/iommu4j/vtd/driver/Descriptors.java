package org.iommu4j.vtd.driver;

import java.util.Arrays;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.Descriptor;
import org.iommu4j.vtd.layout.ExtendedCapability;
import org.iommu4j.vtd.layout.Registers;

/**
 * Invalidations that are carried out together, before one wait, in the form of descriptors. §6.5.2.
 * They can be submitted again as they are; without a queue they are carried out through registers.
 *
 * <p>Hardware keeps the order that matters: PASID caches after context caches, translations after
 * both, device-TLBs after translations.
 */
final class Descriptors {
  private static final int PAGE_SHIFT = 12;
  private static final int ALL_MIP = 32;

  private final boolean throttled;
  private final int pending;
  private final long drain;
  private long[] words = new long[16];
  private int count;

  Descriptors(Plan plan) {
    this.throttled = plan.hasEcap(ExtendedCapability.DIT);
    this.pending = plan.settings().queueDepth() % ALL_MIP; // 0 is 32
    this.drain =
        (plan.hasCap(Capability.DWD) ? Descriptor.DRAIN_WRITES.mask() : 0)
            | (plan.hasCap(Capability.DRD) ? Descriptor.DRAIN_READS.mask() : 0);
  }

  int size() {
    return count / 2;
  }

  boolean isEmpty() {
    return count == 0;
  }

  long first(int i) {
    return words[2 * i];
  }

  long second(int i) {
    return words[2 * i + 1];
  }

  Descriptors clear() {
    count = 0;
    return this;
  }

  Descriptors addAll(Descriptors other) {
    for (int i = 0; i < other.size(); i++) {
      add(other.first(i), other.second(i));
    }
    return this;
  }

  private Descriptors add(long first, long second) {
    if (count == words.length) {
      words = Arrays.copyOf(words, count * 2);
    }
    words[count++] = first;
    words[count++] = second;
    return this;
  }

  private static long type(int type) {
    return Descriptor.TYPE_LOW.of(type);
  }

  private static long did(int did) {
    return Descriptor.DID.of(did);
  }

  // Context cache

  Descriptors forgetContexts() {
    return context(Registers.GLOBAL, 0);
  }

  Descriptors forgetContextsOf(int did) {
    return context(Registers.DOMAIN, did(did));
  }

  /**
   * One device's context.
   *
   * @param did the domain id that it had, 0 if it was not present; of no meaning in scalable mode
   */
  Descriptors forgetContext(int source, int did) {
    return context(Registers.SELECTIVE, did(did) | Descriptor.SID.of(source));
  }

  private Descriptors context(int granularity, long id) {
    return add(type(Descriptor.CONTEXT_CACHE) | Descriptor.G.of(granularity) | id, 0);
  }

  // PASID cache

  Descriptors forgetPasids() {
    return pasid(Descriptor.PC_GLOBAL, 0);
  }

  Descriptors forgetPasidsOf(int did) {
    return pasid(Descriptor.PC_DOMAIN, did(did));
  }

  Descriptors forgetPasid(int did, int pasid) {
    return pasid(Descriptor.PC_PASID, did(did) | Descriptor.PASID.of(pasid));
  }

  private Descriptors pasid(int granularity, long id) {
    return add(type(Descriptor.PASID_CACHE) | Descriptor.G.of(granularity) | id, 0);
  }

  // Translations

  Descriptors forgetTranslations() {
    return translations(Registers.GLOBAL, 0, 0);
  }

  Descriptors forgetDomain(int did) {
    return translations(Registers.DOMAIN, did(did), 0);
  }

  /**
   * {@code 2^shift} bytes of a second stage, at an address aligned to that.
   *
   * @param leafOnly no entry that leads to a table has changed
   */
  Descriptors forgetPages(int did, long address, int shift, boolean leafOnly) {
    return translations(Registers.SELECTIVE, did(did), pages(address, shift, leafOnly));
  }

  private Descriptors translations(int granularity, long id, long second) {
    return add(type(Descriptor.IOTLB) | Descriptor.G.of(granularity) | drain | id, second);
  }

  /** What was translated under one PASID. */
  Descriptors forgetProcess(int did, int pasid) {
    return process(Descriptor.PASID_SELECTIVE, did, pasid, 0);
  }

  /** {@code 2^shift} bytes of a first stage, at an address aligned to that. */
  Descriptors forgetProcessPages(int did, int pasid, long address, int shift, boolean leafOnly) {
    return process(Descriptor.PAGE_IN_PASID, did, pasid, pages(address, shift, leafOnly));
  }

  private Descriptors process(int granularity, int did, int pasid, long second) {
    long id = did(did) | Descriptor.PASID.of(pasid);
    return add(type(Descriptor.PASID_IOTLB) | Descriptor.G.of(granularity) | id, second);
  }

  private static long pages(long address, int shift, boolean leafOnly) {
    return Descriptor.ADDR.in(address)
        | Descriptor.AM.of(shift - PAGE_SHIFT)
        | (leafOnly ? Descriptor.IH.mask() : 0);
  }

  // Device-TLBs

  /**
   * {@code 2^shift} bytes in a device's own cache, at an address aligned to that.
   *
   * @param pasid {@link DmaRequest#NO_PASID} for requests without PASID
   */
  Descriptors forgetInDevice(int source, int pasid, long address, int shift) {
    boolean large = shift > PAGE_SHIFT;
    // The lowest 0 of the address says how large: x ones below it mean 2^(x+1) pages.
    long at = large ? address | (1L << shift - 1) - 1 & -(1L << PAGE_SHIFT) : address;
    return inDevice(source, pasid, Descriptor.ADDR.in(at), large);
  }

  /** All that a device's own cache holds for a PASID, or for requests without. */
  Descriptors forgetAllInDevice(int source, int pasid) {
    return inDevice(source, pasid, Descriptor.ADDR.in(Long.MAX_VALUE), true);
  }

  private Descriptors inDevice(int source, int pasid, long address, boolean large) {
    long function =
        throttled ? Descriptor.PFSID_LOW.of(source) | Descriptor.PFSID_HIGH.of(source >>> 4) : 0;
    if (pasid == DmaRequest.NO_PASID) {
      return add(
          type(Descriptor.DEVICE_TLB)
              | Descriptor.MIP.of(pending)
              | Descriptor.SID.of(source)
              | function,
          address | (large ? Descriptor.S.mask() : 0));
    }
    return add(
        type(Descriptor.PASID_DEVICE_TLB)
            | Descriptor.PASID_MIP.of(pending)
            | Descriptor.PASID_SID.of(source)
            | Descriptor.PASID.of(pasid)
            | function,
        address | (large ? Descriptor.PASID_S.mask() : 0));
  }

  // Interrupts

  Descriptors forgetInterrupts() {
    return add(type(Descriptor.INTERRUPT_ENTRY_CACHE), 0);
  }

  Descriptors forgetInterrupt(int index) {
    return add(
        type(Descriptor.INTERRUPT_ENTRY_CACHE)
            | Descriptor.INDEX_SELECTIVE.mask()
            | Descriptor.IIDX.of(index),
        0);
  }

  // Page requests

  /** The answer to a group of page requests. */
  Descriptors respond(int source, int pasid, int group, int code) {
    long process =
        pasid == DmaRequest.NO_PASID ? 0 : Descriptor.PP.mask() | Descriptor.PASID.of(pasid);
    return add(
        type(Descriptor.PAGE_GROUP_RESPONSE)
            | Descriptor.RC.of(code)
            | Descriptor.RID.of(source)
            | process,
        Descriptor.PRGI.of(group));
  }

  /** A fence within the batch: what follows begins when what is before is complete. */
  Descriptors fence() {
    return add(type(Descriptor.WAIT) | Descriptor.FN.mask(), 0);
  }

  /** Until all page requests that the unit has taken are in the queue, or answered. */
  Descriptors drainRequests() {
    return add(type(Descriptor.WAIT) | Descriptor.FN.mask() | Descriptor.PD.mask(), 0);
  }
}
