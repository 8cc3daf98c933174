package org.iommu4j.driver.support;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.driver.Capabilities;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.DomainType;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.FrameAllocator;
import org.jspecify.annotations.Nullable;

/**
 * A domain as all architectures have it: checks what is asked for, keeps the page table, and waits
 * for invalidations, at once or when a batch closes. What reaches hardware goes through {@link
 * BaseDriver}.
 *
 * <p>Locks, outermost first: the driver's (attachments), the domain's (page table), whatever the
 * architecture's invalidation takes. {@code map} takes the domain's only, and nobody else's.
 *
 * @param <T> what the architecture keeps with a domain: its identifiers, its root
 */
public final class ManagedDomain<T> implements Domain {
  private static final long GUEST_PAGE = 4096;

  private final BaseDriver<T> driver;
  private final DomainType type;
  private final T tag;
  private final FrameAllocator frames;
  private final @Nullable PageTable table;
  private final AddressLimits limits;
  private final Object lock = new Object();

  /** What was unmapped: empty unless it could not be invalidated, and is owed. */
  private final Gather gather = new Gather();

  /** Caches may hold that nothing is mapped. */
  private final boolean announces;

  /** Batches that are open; usually none. */
  private final List<PendingBatch> batches = new ArrayList<>(2);

  private final Fixtures fixtures = new Fixtures();
  private boolean closed;

  /**
   * There is more to do in map and unmap than usual: an open batch, a mapping of the driver's own,
   * an invalidation that failed, or the domain is closed.
   */
  private boolean unusual;

  private volatile Attachment[] attachments = {};
  private volatile List<ManagedDomain<T>> nested = List.of();

  ManagedDomain(
      BaseDriver<T> driver,
      DomainType type,
      BaseDriver.Parts<T> parts,
      FrameAllocator frames,
      Capabilities capabilities) {
    this.driver = driver;
    this.type = type;
    this.tag = parts.tag();
    this.table = parts.table();
    this.frames = frames;
    this.announces = driver.announces();
    long smallest = table == null ? 1 : Long.lowestOneBit(table.pageSizes());
    this.limits =
        new AddressLimits(smallest, parts.iovaBits(), capabilities.paBits(), driver.holes());
  }

  /** What the architecture keeps with the domain. */
  public T tag() {
    return tag;
  }

  /** Who uses the domain now. */
  public List<Attachment> attachments() {
    return List.of(attachments);
  }

  /** The domains that stand on this one. */
  public List<ManagedDomain<T>> nested() {
    return nested;
  }

  // Called with the driver's lock.

  void nest(ManagedDomain<T> child) {
    List<ManagedDomain<T>> next = new ArrayList<>(nested);
    next.add(child);
    nested = List.copyOf(next);
  }

  void unnest(ManagedDomain<T> child) {
    if (nested.contains(child)) {
      nested = nested.stream().filter(d -> d != child).toList();
    }
  }

  void checkNothingNested() {
    if (!nested.isEmpty()) {
      throw new IllegalStateException(
          "%d domains are nested on this one: close them first".formatted(nested.size()));
    }
  }

  void add(Attachment a) {
    List<Attachment> next = new ArrayList<>(List.of(attachments));
    next.add(a);
    attachments = next.toArray(Attachment[]::new);
  }

  void remove(Attachment a) {
    List<Attachment> next = new ArrayList<>(List.of(attachments));
    next.remove(a);
    attachments = next.toArray(Attachment[]::new);
  }

  @Override
  public DomainType type() {
    return type;
  }

  @Override
  public void attach(int source) {
    driver.attach(this, new Attachment(source, DmaRequest.NO_PASID));
  }

  @Override
  public void attach(int source, int pasid) {
    driver.attach(this, driver.pasidOf(source, pasid));
  }

  @Override
  public void detach(int source) {
    driver.detach(this, new Attachment(source, DmaRequest.NO_PASID));
  }

  @Override
  public void detach(int source, int pasid) {
    driver.detach(this, driver.pasidOf(source, pasid));
  }

  @Override
  public void map(long iova, long pa, long size, int permissions) {
    PageTable t = translating();
    limits.checkRange(iova, size);
    limits.checkTarget(iova, pa, size);
    if ((permissions & (Access.READ | Access.WRITE | Access.EXECUTE)) == 0) {
      throw new IllegalArgumentException("a mapping without any permission: unmap it instead");
    }
    synchronized (lock) {
      if (unusual) {
        settle(iova, size);
        if (fixtures.overlaps(iova, iova + size - 1)) {
          throw new IllegalStateException(
              "0x%x bytes at 0x%x: the driver itself maps something there for a device; see reservedRegions"
                  .formatted(size, iova));
        }
      }
      put(t, iova, pa, size, permissions);
    }
  }

  /**
   * Maps, and makes caches forget that nothing was mapped; if they do not, it is unmapped again.
   */
  private void put(PageTable t, long iova, long pa, long size, int permissions) {
    t.map(iova, pa, size, permissions);
    if (announces) {
      try {
        driver.announce(this, iova, size);
      } catch (DriverException e) {
        t.unmap(iova, size, gather);
        complete(gather, e);
        throw e;
      }
    }
  }

  @Override
  public long unmap(long iova, long size) {
    PageTable t = translating();
    limits.checkRange(iova, size);
    synchronized (lock) {
      checkOpen();
      try {
        return unmap(t, iova, size, gather);
      } finally {
        complete(gather);
      }
    }
  }

  /** Unmaps what users mapped; the driver's own mappings stay. */
  private long unmap(PageTable t, long iova, long size, Gather changes) {
    if (fixtures.isEmpty()) {
      return t.unmap(iova, size, changes);
    }
    long[] bytes = new long[1];
    fixtures.gaps(iova, iova + size - 1, (at, n) -> bytes[0] += t.unmap(at, n, changes));
    return bytes[0];
  }

  /**
   * Maps what a device brings with it.
   *
   * @throws IllegalArgumentException if the domain does not reach so far
   * @throws IllegalStateException if something else is mapped there; nothing is changed then
   */
  void hold(Fixture f) {
    PageTable t = table;
    if (t == null) {
      return;
    }
    limits.checkRange(f.iova(), f.size());
    synchronized (lock) {
      settle(f.iova(), f.size());
      fixtures.check(f);
      List<long[]> done = new ArrayList<>();
      try {
        fixtures.gaps(
            f.iova(),
            f.last(),
            (at, size) -> {
              put(t, at, f.pa() + (at - f.iova()), size, f.permissions());
              done.add(new long[] {at, size});
            });
      } catch (IllegalStateException | DriverException e) {
        done.forEach(piece -> t.unmap(piece[0], piece[1], gather));
        complete(gather, e);
        throw e;
      }
      fixtures.add(f);
      unusual = true;
    }
  }

  /** Unmaps what a device brought with it, unless another one brought it, too. */
  void release(Fixture f) {
    PageTable t = table;
    if (t == null) {
      return;
    }
    synchronized (lock) {
      if (closed || !fixtures.remove(f)) {
        return;
      }
      unusual = isUnusual();
      try {
        fixtures.gaps(f.iova(), f.last(), (at, size) -> t.unmap(at, size, gather));
      } finally {
        complete(gather);
      }
    }
  }

  private boolean isUnusual() {
    return closed || !batches.isEmpty() || !fixtures.isEmpty() || !gather.isEmpty();
  }

  /**
   * Invalidates, then gives table pages back. What fails is owed: before anything else is said to
   * be unmapped, and before its addresses are used anew.
   */
  private void complete(Gather what) {
    if (what.isEmpty()) {
      return;
    }
    try {
      driver.invalidate(this, what);
      what.completed(frames);
    } finally {
      if (what != gather) {
        gather.takeOver(what);
      }
      unusual = isUnusual();
    }
  }

  /** After something failed already. */
  private void complete(Gather what, RuntimeException cause) {
    try {
      complete(what);
    } catch (DriverException e) {
      cause.addSuppressed(e);
    }
  }

  /**
   * Completes what open batches unmapped here, and what could not be invalidated: an address, or
   * the way to it, must not get a new meaning while caches may hold the old one.
   */
  private void settle(long iova, long size) {
    checkOpen();
    if (gather.overlaps(iova, iova + size - 1)) {
      complete(gather);
    }
    for (PendingBatch b : batches) {
      if (b.changes.overlaps(iova, iova + size - 1)) {
        complete(b.changes);
      }
    }
  }

  @Override
  public Batch batch() {
    PageTable t = translating();
    PendingBatch batch = new PendingBatch(t);
    synchronized (lock) {
      checkOpen();
      batches.add(batch);
      unusual = true;
    }
    return batch;
  }

  private final class PendingBatch implements Batch {
    private final PageTable pages;
    private final Gather changes = new Gather();

    PendingBatch(PageTable pages) {
      this.pages = pages;
    }

    @Override
    public long unmap(long iova, long size) {
      limits.checkRange(iova, size);
      synchronized (lock) {
        checkOpen();
        if (!batches.contains(this)) {
          throw new IllegalStateException("the batch is closed");
        }
        return ManagedDomain.this.unmap(pages, iova, size, changes);
      }
    }

    @Override
    public void close() {
      synchronized (lock) {
        if (batches.remove(this)) {
          unusual = isUnusual();
          complete(changes);
        }
      }
    }
  }

  @Override
  public void invalidate(long iova, long size, boolean leafOnly) {
    checkGuest(iova, size);
    synchronized (lock) {
      checkOpen();
      driver.invalidateNested(this, iova, size, leafOnly);
    }
  }

  @Override
  public void invalidate(int pasid, long iova, long size, boolean leafOnly) {
    checkGuest(iova, size);
    synchronized (lock) {
      checkOpen();
      driver.invalidateProcess(this, pasid, iova, size, leafOnly);
    }
  }

  private void checkGuest(long iova, long size) {
    if (type != DomainType.NESTED) {
      throw new IllegalStateException(
          "a domain of type " + type + " has no table of a guest: unmap invalidates by itself");
    }
    if (((iova | size) & GUEST_PAGE - 1) != 0 || size < 0) {
      throw new IllegalArgumentException(
          "0x%x bytes at 0x%x: a guest invalidates multiples of 0x%x"
              .formatted(size, iova, GUEST_PAGE));
    }
  }

  @Override
  public long iovaToPhys(long iova) {
    return switch (type) {
      case BLOCKED, NESTED -> UNMAPPED;
      case IDENTITY -> iova;
      case DMA_STRICT, NESTING_PARENT -> {
        if (table == null || !limits.reaches(iova)) {
          yield UNMAPPED;
        }
        synchronized (lock) {
          yield closed ? UNMAPPED : table.translate(iova);
        }
      }
    };
  }

  @Override
  public long mapped() {
    if (table == null) {
      return 0;
    }
    synchronized (lock) {
      return closed ? 0 : table.mapped() - fixtures.bytes();
    }
  }

  @Override
  public void close() {
    driver.close(this);
  }

  boolean isClosed() {
    synchronized (lock) {
      return closed;
    }
  }

  /** Nobody is attached any more: forgets everything, then frees. */
  void shut() {
    synchronized (lock) {
      closed = true;
      unusual = true;
      driver.retire(this);
      batches.forEach(b -> gather.takeOver(b.changes));
      batches.clear();
      gather.completed(frames);
      if (table != null) {
        table.free();
      }
    }
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("the domain is closed");
    }
  }

  private PageTable translating() {
    if (table == null) {
      throw new IllegalStateException("a domain of type " + type + " maps nothing");
    }
    return table;
  }

  @Override
  public String toString() {
    return type + " domain" + (table == null ? "" : " at 0x%x".formatted(table.root()));
  }
}
