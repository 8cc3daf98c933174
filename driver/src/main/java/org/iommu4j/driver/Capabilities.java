package org.iommu4j.driver;

import java.util.Set;

/**
 * What a driver with its unit can do; what it cannot is known here, not found out by failing.
 *
 * @param domainTypes the domain types on offer
 * @param pageSizes bit n: pages of {@code 2^n} bytes; the union over all formats in use
 * @param iovaBits usable bits of a device address in a translating domain; addresses at and above
 *     {@code 2^iovaBits} cannot be mapped
 * @param paBits bits of a physical address
 * @param sourceBits bits of a requester id
 * @param pasidBits bits of a PASID, 0 if PASIDs are not supported
 * @param guestPasidBits bits of a PASID in the process table of a guest that nested domains take,
 *     see {@link GuestTable}; 0 if they take a page table, or there are none
 * @param executePermission whether pages can be mapped without execute permission
 * @param writeOnly whether pages can be mapped for writing only
 * @param ats whether the unit answers translation requests of devices
 * @param pageRequests whether devices can ask for pages
 * @param interruptRemapping whether a table of the unit remaps interrupt messages, and refuses
 *     those that no {@link Interrupt} stands for; without, messages are translated as other writes
 *     are
 * @param postedInterrupts whether messages can be posted to a processor of a virtual machine
 */
public record Capabilities(
    Set<DomainType> domainTypes,
    long pageSizes,
    int iovaBits,
    int paBits,
    int sourceBits,
    int pasidBits,
    int guestPasidBits,
    boolean executePermission,
    boolean writeOnly,
    boolean ats,
    boolean pageRequests,
    boolean interruptRemapping,
    boolean postedInterrupts) {
  /** Copies the set. */
  public Capabilities {
    domainTypes = Set.copyOf(domainTypes);
  }
}
