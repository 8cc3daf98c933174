package org.iommu4j.driver;

import java.util.List;
import java.util.function.Consumer;
import org.iommu4j.core.dma.Fault;
import org.iommu4j.core.dma.PageRequest;

/**
 * The software that programs one unit, the way a kernel or hypervisor does. It touches the hardware
 * through registers and memory only: the same code could program silicon.
 */
public interface IommuDriver extends AutoCloseable {
  /** What driver and unit can do together; exact once the driver is started. */
  Capabilities capabilities();

  /**
   * Brings the unit up: queues, interrupts, an empty table. From then on every device is blocked
   * until it is attached to a domain.
   *
   * @throws DriverException if the unit does not do as it should
   */
  void start();

  /**
   * A new domain, no device attached.
   *
   * @throws IllegalArgumentException if the unit has no domains of that type; {@link
   *     Capabilities#domainTypes} tells
   * @throws DriverException if there is no room for another one
   */
  Domain createDomain(DomainType type);

  /**
   * A new domain of a guest: its own table, over the guest-physical memory that the parent gives
   * it. The guest tells of its changes through {@link Domain#invalidate}; those of the parent reach
   * all that is nested on it. A parent can be closed only after them.
   *
   * @param parent of type {@link DomainType#NESTING_PARENT} and of this driver
   * @param table of the form that {@link Capabilities#guestPasidBits} says
   * @throws IllegalArgumentException if the unit has no nested domains, or none over that parent,
   *     or with such a table
   * @throws DriverException if there is no room for another one
   */
  Domain createNestedDomain(Domain parent, GuestTable table);

  /** The domain that a device uses for requests without PASID, or the blocked one. */
  Domain domainOf(int source);

  /**
   * Makes one interrupt message of a device arrive, and says what the device has to be programmed
   * with. A device may have any number of them, in any domain or none.
   *
   * <p>Where a table of the unit remaps messages (x86), the domain does not matter. Where messages
   * are translated as other writes are (RISC-V, Arm), the driver maps the page that they are
   * written to into whatever translating domain the device is in: in all of them at the same
   * address, within a region that {@link #reservedRegions} names. Under an identity domain the
   * device has to write to the target itself, so {@link Interrupt#address} is to be asked again
   * when the device was moved between an identity and a translating domain.
   *
   * @param source requester id of the device
   * @param targetAddress address of the message that shall arrive; on x86 as {@link
   *     org.iommu4j.core.dma.InterruptBus} has it, elsewhere where the write shall go
   * @param targetData its data
   * @throws IllegalArgumentException if the id is wider than the unit supports, or the target is
   *     nothing that messages can reach
   * @throws IllegalStateException if the driver is not started
   * @throws DriverException if there is no room for another message
   */
  Interrupt interrupt(int source, long targetAddress, int targetData);

  /**
   * Device addresses that are not free for any use when the device is attached: who hands out
   * addresses asks here first. Ascending by first address; none for most devices.
   *
   * @param source requester id of the device
   */
  List<ReservedRegion> reservedRegions(int source);

  /** Called for every fault that {@link #service} takes from the unit. */
  void onFault(Consumer<Fault> handler);

  /** Called for every page request that {@link #service} takes from the unit. */
  void onPageRequest(Consumer<PageRequest> handler);

  /**
   * Called for every message that was posted urgently while its virtual processor ran nowhere, as
   * far as {@link #service} hears of it from the unit: on AMD-Vi; on VT-d the processor that the
   * descriptor names is told instead. If the unit lost some of that, it is called for all
   * interrupts that may be concerned.
   */
  void onPosted(Consumer<Interrupt> handler);

  /**
   * Answers a page request group. PCI Express, "Page Request Group Response".
   *
   * @param code 0 success, 1 invalid request, 15 response failure
   * @throws IllegalArgumentException for any other code
   */
  void respond(PageRequest request, int code);

  /**
   * What an interrupt handler does: reads the unit's pending causes, takes all records, clears
   * error conditions and resumes stopped queues.
   *
   * @return the conditions met other than records, for people; empty if there was none
   */
  List<String> service();

  /** Requester ids attached to a translating or identity domain, ascending. */
  List<Integer> attached();

  /** Takes the unit down: every access is blocked, queues are off, tables are freed. */
  @Override
  void close();
}
