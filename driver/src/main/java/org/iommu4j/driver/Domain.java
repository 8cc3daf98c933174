package org.iommu4j.driver;

/**
 * An address space that devices can be attached to.
 *
 * <pre>{@code
 * try (Domain domain = driver.createDomain(DomainType.DMA_STRICT)) {
 *   domain.attach(source);
 *   domain.map(0x1000, pa, 0x1000, Access.READ | Access.WRITE);
 *   ...
 *   domain.unmap(0x1000, 0x1000); // back only when no device can reach it any more
 * }
 * }</pre>
 *
 * <p>Threads: all methods may be called from any thread; calls on one domain are serialised.
 */
public interface Domain extends AutoCloseable {
  /** Returned by {@link #iovaToPhys} where nothing is mapped. */
  long UNMAPPED = -1;

  /** What the domain does. */
  DomainType type();

  /**
   * Makes the device with this requester id use the domain for requests without PASID, instead of
   * what it used before. Complete when it returns: no access under the old domain is in flight.
   *
   * @throws IllegalArgumentException if the id is wider than the unit supports
   * @throws IllegalStateException if something else is mapped in one of the device's reserved
   *     regions; nothing is changed then
   * @throws DriverException if the unit does not do as it should; the device is attached to nothing
   *     then, and what it did before may not be over
   */
  void attach(int source);

  /**
   * The same for requests with this PASID.
   *
   * @param pasid not 0, which stands for requests without PASID
   * @throws IllegalArgumentException if the id or PASID is wider than the unit supports
   * @throws IllegalStateException if the device's own domain is of a type that rules PASIDs out, or
   *     this one takes none: of a guest's process table (see {@link GuestTable}) the guest says
   *     what PASIDs do
   */
  void attach(int source, int pasid);

  /** Blocks the device again, if it uses this domain. Complete when it returns. */
  void detach(int source);

  /** Blocks the device's requests with this PASID again, if they use this domain. */
  void detach(int source, int pasid);

  /**
   * Maps a range, with the largest pages that alignment and format allow.
   *
   * @param iova first device address, a multiple of the smallest page
   * @param pa first physical address, a multiple of the smallest page
   * @param size bytes, a multiple of the smallest page, not 0
   * @param permissions {@link org.iommu4j.core.dma.Access} bits: READ, WRITE, EXECUTE
   * @throws IllegalArgumentException for a misaligned or too large range, or one that the unit
   *     never translates; the message has the values
   * @throws IllegalStateException if any part is mapped already (nothing is changed then), also by
   *     the driver itself for a {@link ReservedRegion}, or the domain does not translate
   */
  void map(long iova, long pa, long size, int permissions);

  /**
   * Unmaps whatever is mapped in a range and returns when no device can reach it any more. A larger
   * page that lies only partly in the range is split: the rest stays mapped. So does what the
   * driver itself has mapped for a {@link ReservedRegion}.
   *
   * @throws IllegalArgumentException for a misaligned or too large range
   * @throws IllegalStateException if the domain does not translate
   * @throws DriverException if the invalidation could not be completed: then devices may still
   *     reach the pages, and their memory must not be reused
   * @return bytes that were mapped
   */
  long unmap(long iova, long size);

  /**
   * Collects the invalidations of several changes, so that they are waited for once: between {@code
   * batch()} and {@link Batch#close} unmapped pages may still be reached. Mapping an address anew
   * that an open batch unmapped completes the batch's invalidations first.
   */
  Batch batch();

  /**
   * Makes the unit and the devices forget what they know of a guest's table, as the guest asks:
   * returns when no device can use it any more. Of a process table it concerns what requests
   * without PASID use, or everything of all PASIDs.
   *
   * @param iova first address, in the guest's first stage; a multiple of 4096
   * @param size bytes, a multiple of 4096; 0 for everything
   * @param leafOnly whether only entries that lead to pages have changed, none that lead to tables
   * @throws IllegalArgumentException for a misaligned range
   * @throws IllegalStateException if the domain is not {@link DomainType#NESTED}
   * @throws DriverException if the invalidation could not be completed
   */
  void invalidate(long iova, long size, boolean leafOnly);

  /**
   * The same of one PASID of a guest's process table, see {@link GuestTable}.
   *
   * @param pasid 0 for requests without PASID
   * @param size bytes, a multiple of 4096; 0 for everything of the PASID
   * @throws IllegalArgumentException for a misaligned range, a PASID that is not one of the table,
   *     or if the guest's table is a page table
   * @throws IllegalStateException if the domain is not {@link DomainType#NESTED}
   * @throws DriverException if the invalidation could not be completed
   */
  void invalidate(int pasid, long iova, long size, boolean leafOnly);

  /**
   * Where an address leads, {@link #UNMAPPED} if nowhere. Reads the tables, not the caches; a
   * guest's tables are not read, and lead nowhere.
   */
  long iovaToPhys(long iova);

  /** Bytes mapped now, those for reserved regions not counted. */
  long mapped();

  /**
   * Detaches all devices and frees the tables. Closing again does nothing.
   *
   * @throws IllegalStateException if domains are nested on this one
   */
  @Override
  void close();

  /** The changes of a batch; closing it completes their invalidations. */
  interface Batch extends AutoCloseable {
    /** As {@link Domain#unmap}, complete only when the batch closes. */
    long unmap(long iova, long size);

    /** Completes all invalidations of the batch. */
    @Override
    void close();
  }
}
