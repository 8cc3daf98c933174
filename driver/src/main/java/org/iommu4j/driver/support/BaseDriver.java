package org.iommu4j.driver.support;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import org.iommu4j.core.dma.Fault;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.driver.Capabilities;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.DomainType;
import org.iommu4j.driver.FrameAllocator;
import org.iommu4j.driver.GuestTable;
import org.iommu4j.driver.Interrupt;
import org.iommu4j.driver.IommuDriver;
import org.iommu4j.driver.ReservedRegion;
import org.jspecify.annotations.Nullable;

/**
 * The half of a driver that is the same for all architectures: its state, its domains, who is
 * attached to which, and the checks of what is asked for. The abstract methods are the other half.
 *
 * <p>Threads: one lock serialises everything that changes who is attached; the abstract methods for
 * that are called with it held.
 *
 * @param <T> what the architecture keeps with a domain
 */
public abstract class BaseDriver<T> implements IommuDriver {
  /**
   * What a new domain consists of.
   *
   * @param tag the architecture's own
   * @param table null unless the domain has a table that the driver fills
   * @param iovaBits bits of its device addresses
   */
  public record Parts<T>(T tag, @Nullable PageTable table, int iovaBits) {
    /** A domain that maps nothing. */
    public Parts(T tag) {
      this(tag, null, 0);
    }
  }

  /** Makes what a domain has to forget into an {@link Invalidator} before the domain exists. */
  protected final class Link implements Invalidator {
    private @Nullable ManagedDomain<T> domain;

    @Override
    public void invalidate(Gather gather) {
      ManagedDomain<T> d = domain;
      if (d != null) {
        BaseDriver.this.invalidate(d, gather);
      }
    }
  }

  private enum State {
    PROBED,
    STARTED,
    CLOSED
  }

  private final Object lock = new Object();
  private final FrameAllocator frames;
  private final Attachments<T> attachments = new Attachments<>();
  private final Set<ManagedDomain<T>> domains = new HashSet<>();
  private final List<Consumer<Fault>> faultHandlers = new CopyOnWriteArrayList<>();
  private final List<Consumer<PageRequest>> requestHandlers = new CopyOnWriteArrayList<>();
  private final List<Consumer<Interrupt>> postedHandlers = new CopyOnWriteArrayList<>();
  private @Nullable ManagedDomain<T> blocked;
  private State state = State.PROBED;

  /** With the frames that tables come from. */
  protected BaseDriver(FrameAllocator frames) {
    this.frames = frames;
  }

  // The architecture's half.

  /** Brings the unit up; see {@link IommuDriver#start}. */
  protected abstract void bringUp();

  /** Takes the unit down; nobody is attached any more. */
  protected abstract void takeDown();

  /**
   * What a new domain consists of.
   *
   * @param link to be given to the page table
   */
  protected abstract Parts<T> open(DomainType type, Link link);

  /**
   * Refuses what hardware cannot do, before anything is changed.
   *
   * @throws IllegalStateException if the device cannot use that domain as things are
   */
  protected void checkMove(Attachment who, ManagedDomain<T> to) {}

  /**
   * Makes a device, or its requests with one PASID, use another domain. When it returns no access
   * under the old one is in flight. If it fails, the device is blocked, with and without PASID.
   */
  protected abstract void move(Attachment who, ManagedDomain<T> from, ManagedDomain<T> to);

  /** See {@link Invalidator#invalidate}; the domain's lock is held. */
  protected abstract void invalidate(ManagedDomain<T> domain, Gather gather);

  /**
   * What a new domain on a guest's table consists of.
   *
   * @param parent of type {@link DomainType#NESTING_PARENT}, and open
   */
  protected abstract Parts<T> openNested(ManagedDomain<T> parent, GuestTable table);

  /**
   * See {@link Domain#invalidate}; the domain's lock is held.
   *
   * @param size 0 for everything
   */
  protected abstract void invalidateNested(
      ManagedDomain<T> domain, long iova, long size, boolean leafOnly);

  /**
   * See {@link Domain#invalidate(int, long, long, boolean)}; the domain's lock is held. For drivers
   * whose nested domains take process tables.
   *
   * @param pasid not checked yet
   * @param size 0 for everything of the PASID
   */
  protected void invalidateProcess(
      ManagedDomain<T> domain, int pasid, long iova, long size, boolean leafOnly) {
    throw new IllegalArgumentException(
        "PASID %d: the guest's table is a page table, the same for all PASIDs".formatted(pasid));
  }

  /** Whether caches may hold that nothing is mapped: then {@link #announce} follows every map. */
  protected boolean announces() {
    return false;
  }

  /** Makes caches forget that nothing was mapped here; the domain's lock is held. */
  protected void announce(ManagedDomain<T> domain, long iova, long size) {}

  /** Forgets everything about a domain that nobody uses any more; its identifiers may be reused. */
  protected abstract void retire(ManagedDomain<T> domain);

  /** See {@link IommuDriver#interrupt}; the driver's lock is held, and the id has been checked. */
  protected abstract Interrupt openInterrupt(int source, long targetAddress, int targetData);

  /** Regions that {@link Domain#map} refuses, whatever the device. */
  protected List<ReservedRegion> untranslated() {
    return List.of();
  }

  // The shared half.

  @Override
  public final void start() {
    synchronized (lock) {
      if (state != State.PROBED) {
        throw new IllegalStateException("the driver was started before");
      }
      bringUp();
      state = State.STARTED;
    }
  }

  private void checkStarted() {
    if (state != State.STARTED) {
      throw new IllegalStateException(
          state == State.PROBED ? "the driver is not started" : "the driver is closed");
    }
  }

  @Override
  public final Domain createDomain(DomainType type) {
    synchronized (lock) {
      checkStarted();
      return create(type);
    }
  }

  @Override
  public final Domain createNestedDomain(Domain parent, GuestTable table) {
    synchronized (lock) {
      checkStarted();
      checkOffered(DomainType.NESTED);
      checkForm(table);
      for (ManagedDomain<T> d : domains) {
        if (d == parent && d.type() == DomainType.NESTING_PARENT) {
          Parts<T> parts = openNested(d, table);
          Capabilities c = capabilities();
          ManagedDomain<T> domain = new ManagedDomain<>(this, DomainType.NESTED, parts, frames, c);
          d.nest(domain);
          domains.add(domain);
          return domain;
        }
      }
      throw new IllegalArgumentException(
          "a %s cannot be nested on: it has to be an open domain of this driver, of type %s"
              .formatted(parent, DomainType.NESTING_PARENT));
    }
  }

  private void checkForm(GuestTable table) {
    int bits = capabilities().guestPasidBits();
    if (table.pasidBits() > bits || (table.pasidBits() == 0) != (bits == 0)) {
      String takes = bits == 0 ? "a page table" : "a process table with PASIDs of 1..%d bits";
      throw new IllegalArgumentException(
          ("%s: the unit takes " + takes + " of a guest; see Capabilities.guestPasidBits")
              .formatted(table, bits));
    }
  }

  private void checkOffered(DomainType type) {
    Set<DomainType> types = capabilities().domainTypes();
    if (!types.contains(type)) {
      throw new IllegalArgumentException(
          "domains of type " + type + " cannot be had here; these can: " + types);
    }
  }

  private ManagedDomain<T> create(DomainType type) {
    checkOffered(type);
    if (type == DomainType.NESTED) {
      throw new IllegalArgumentException("a nested domain has a parent: see createNestedDomain");
    }
    Link link = new Link();
    Parts<T> parts = open(type, link);
    ManagedDomain<T> domain = new ManagedDomain<>(this, type, parts, frames, capabilities());
    link.domain = domain;
    domains.add(domain);
    return domain;
  }

  final long[] holes() {
    return untranslated().stream().flatMapToLong(r -> LongStream.of(r.first(), r.last())).toArray();
  }

  private ManagedDomain<T> blocked() {
    ManagedDomain<T> b = blocked;
    if (b == null) {
      b = create(DomainType.BLOCKED);
      blocked = b;
    }
    return b;
  }

  @Override
  public final Domain domainOf(int source) {
    synchronized (lock) {
      checkStarted();
      ManagedDomain<T> domain = attachments.of(source);
      return domain == null ? blocked() : domain;
    }
  }

  @Override
  public final List<Integer> attached() {
    synchronized (lock) {
      return attachments.sources();
    }
  }

  final Attachment pasidOf(int source, int pasid) {
    int bits = capabilities().pasidBits();
    if (bits == 0) {
      throw new IllegalArgumentException(
          "PASIDs are not supported by this unit as it is configured");
    }
    if (pasid <= 0 || pasid >>> bits != 0) {
      throw new IllegalArgumentException(
          "PASID %d is not within 1..%d; 0 stands for requests without PASID"
              .formatted(pasid, (1 << bits) - 1));
    }
    return new Attachment(source, pasid);
  }

  private void checkSource(int source) {
    int bits = capabilities().sourceBits();
    if (source < 0 || source >>> bits != 0) {
      throw new IllegalArgumentException(
          "source 0x%x is wider than the %d bits that the unit tells apart"
              .formatted(source, bits));
    }
  }

  final void attach(ManagedDomain<T> to, Attachment who) {
    checkSource(who.source());
    synchronized (lock) {
      checkStarted();
      if (to.isClosed()) {
        throw new IllegalStateException("the domain is closed");
      }
      attachments.move(this, who, to, blocked());
    }
  }

  final void detach(ManagedDomain<T> from, Attachment who) {
    synchronized (lock) {
      checkStarted();
      if (attachments.of(who) == from) {
        attachments.detach(this, who, blocked());
      }
    }
  }

  // What the driver maps itself.

  /** See {@link Attachments#fix}. */
  final void fix(int source, Fixture f) {
    synchronized (lock) {
      checkStarted();
      attachments.fix(source, f);
    }
  }

  /** Unmaps it again, everywhere, unless the driver is closed and everything with it. */
  final void unfix(int source, Fixture f) {
    synchronized (lock) {
      attachments.unfix(source, f, state == State.STARTED);
    }
  }

  /** What requests of a device without PASID are subject to now. */
  final DomainType typeOf(int source) {
    synchronized (lock) {
      ManagedDomain<T> domain = attachments.of(source);
      return domain == null ? DomainType.BLOCKED : domain.type();
    }
  }

  @Override
  public final Interrupt interrupt(int source, long targetAddress, int targetData) {
    checkSource(source);
    synchronized (lock) {
      checkStarted();
      return openInterrupt(source, targetAddress, targetData);
    }
  }

  final void close(ManagedDomain<T> domain) {
    synchronized (lock) {
      if (domain == blocked || !domains.contains(domain)) {
        return; // closed before, or the one that unattached devices are in
      }
      domain.checkNothingNested();
      for (Attachment who : attachments.all()) {
        detach(domain, who);
      }
      domains.remove(domain);
      for (ManagedDomain<T> d : domains) {
        d.unnest(domain);
      }
      domain.shut();
    }
  }

  @Override
  public final void close() {
    synchronized (lock) {
      if (state == State.STARTED) {
        List<ManagedDomain<T>> all = new ArrayList<>(domains);
        // Nested ones before what they stand on.
        all.sort(Comparator.comparing(d -> d.type() == DomainType.NESTED ? 0 : 1));
        all.forEach(this::close);
        takeDown();
      }
      state = State.CLOSED;
    }
  }

  @Override
  public final void onFault(Consumer<Fault> handler) {
    faultHandlers.add(handler);
  }

  @Override
  public final void onPageRequest(Consumer<PageRequest> handler) {
    requestHandlers.add(handler);
  }

  @Override
  public final void onPosted(Consumer<Interrupt> handler) {
    postedHandlers.add(handler);
  }

  @Override
  public final void respond(PageRequest request, int code) {
    if (code != 0 && code != 1 && code != 15) {
      throw new IllegalArgumentException(
          "response code %d: 0 is success, 1 invalid request, 15 response failure".formatted(code));
    }
    answer(request, code);
  }

  /** Sends the response to a page request group, with a code that there is. */
  protected abstract void answer(PageRequest request, int code);

  /** Hands a fault to all handlers; to be called without any lock. */
  protected final void report(Fault fault) {
    faultHandlers.forEach(h -> h.accept(fault));
  }

  /** Hands a page request to all handlers; to be called without any lock. */
  protected final void report(PageRequest request) {
    requestHandlers.forEach(h -> h.accept(request));
  }

  /** Hands an interrupt that was posted to all handlers; to be called without any lock. */
  protected final void report(Interrupt posted) {
    postedHandlers.forEach(h -> h.accept(posted));
  }
}
