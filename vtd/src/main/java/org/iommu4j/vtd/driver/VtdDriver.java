package org.iommu4j.vtd.driver;

import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Fault;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.driver.Capabilities;
import org.iommu4j.driver.DomainType;
import org.iommu4j.driver.DriverHost;
import org.iommu4j.driver.GuestTable;
import org.iommu4j.driver.Interrupt;
import org.iommu4j.driver.ReservedRegion;
import org.iommu4j.driver.support.Attachment;
import org.iommu4j.driver.support.BaseDriver;
import org.iommu4j.driver.support.Gather;
import org.iommu4j.driver.support.ManagedDomain;
import org.iommu4j.driver.support.PcMessage;
import org.iommu4j.driver.support.PlainInterrupt;
import org.iommu4j.driver.support.SourceRanges;
import org.iommu4j.driver.support.Unit;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.Registers;

/**
 * The driver of one remapping unit.
 *
 * <p>Locks, outermost first: attachments ({@link BaseDriver}), a domain's page table, {@link
 * Contexts}, {@link PageRequests}, {@link InvalidationQueue}; {@link InterruptTable} beside the
 * domains. Page tables are flushed with the domain's lock held and nobody waits for anybody else's
 * domain.
 */
final class VtdDriver extends BaseDriver<Space> {
  private static final int SOURCE_BITS = 16;
  private static final ReservedRegion MESSAGES =
      new ReservedRegion(
          PcMessage.FIRST,
          PcMessage.LAST,
          ReservedRegion.Kind.UNTRANSLATED,
          "writes here are interrupt messages");

  private final Plan plan;
  private final Unit unit;
  private final Control control;
  private final InvalidationPort port;
  private final RootTable root;
  private final InterruptTable interrupts;
  private final PageRequests requests;
  private final Faults faults;
  private final Events events;
  private final DeviceCaches caches;
  private final Contexts contexts;
  private final AddressSpaces spaces;
  private final Capabilities capabilities;
  private final Object serving = new Object();
  private boolean up;

  VtdDriver(DriverHost host, Plan plan) {
    super(host.frames());
    this.plan = plan;
    this.unit =
        new Unit(host.registers(), host.memory(), host.frames(), plan.settings().timeoutMillis());
    this.control = new Control(unit);
    this.port =
        plan.queued()
            ? new InvalidationQueue(unit, control, plan)
            : new RegisterInvalidation(unit, plan);
    this.root = new RootTable(unit, control, port, plan);
    this.interrupts = new InterruptTable(unit, plan, control, port);
    this.requests = new PageRequests(unit, plan, port);
    this.faults = new Faults(unit, plan);
    this.events = new Events(unit, host);
    this.caches = new DeviceCaches(port, plan);
    this.contexts =
        plan.scalable()
            ? new ScalableContexts(unit, plan, control, port, root, caches, requests)
            : new LegacyContexts(unit, plan, control, port, root, caches);
    this.spaces = new AddressSpaces(unit, plan);
    this.capabilities = capabilities(plan);
  }

  private static Capabilities capabilities(Plan plan) {
    Set<DomainType> types = EnumSet.of(DomainType.BLOCKED);
    boolean translates = plan.first() != null || plan.second() != null;
    if (translates) {
      types.add(DomainType.DMA_STRICT);
    }
    if (translates || plan.passThrough()) {
      types.add(DomainType.IDENTITY);
    }
    if (plan.nesting()) {
      types.addAll(List.of(DomainType.NESTING_PARENT, DomainType.NESTED));
    }
    return new Capabilities(
        types,
        plan.pageSizes(),
        plan.iovaBits(),
        plan.haw(),
        SOURCE_BITS,
        plan.pasidBits(),
        0,
        false,
        plan.first() == null,
        plan.settings().ats(),
        plan.settings().pri(),
        plan.remapsInterrupts(),
        plan.postsInterrupts());
  }

  @Override
  public Capabilities capabilities() {
    return capabilities;
  }

  @Override
  protected void bringUp() {
    root.claim();
    if (Registers.IRES.isSet(control.status())) {
      control.set(Registers.IRE, Registers.IRES, false); // firmware's
    }
    if (Registers.QIES.isSet(control.status())) {
      control.set(Registers.QIE, Registers.QIES, false);
    }
    faults.start();
    port.start();
    if (plan.remapsInterrupts()) {
      interrupts.start();
    }
    root.start();
    if (plan.settings().pri()) {
      requests.start();
      events.startPageRequests();
    }
    events.startFaults();
    control.set(Registers.TE, Registers.TES, true);
    releaseProtectedMemory();
    synchronized (serving) {
      up = true;
    }
  }

  /** Firmware may have kept devices out of memory until now. §11.4, PMEN_REG. */
  private void releaseProtectedMemory() {
    boolean any = plan.hasCap(Capability.PLMR) || plan.hasCap(Capability.PHMR);
    if (any && !plan.settings().quirks().noPmr()) {
      unit.write(Registers.PMEN, unit.read(Registers.PMEN) & ~Registers.EPM.mask());
      unit.awaitClear(Registers.PMEN, Registers.PMEN_PRS);
    }
  }

  @Override
  protected Parts<Space> open(DomainType type, Link link) {
    return switch (type) {
      case BLOCKED, NESTED -> new Parts<>(Space.BLOCKED);
      case IDENTITY -> new Parts<>(spaces.identity());
      case DMA_STRICT -> spaces.open(false, link);
      case NESTING_PARENT -> spaces.open(true, link);
    };
  }

  @Override
  protected Parts<Space> openNested(ManagedDomain<Space> parent, GuestTable table) {
    return spaces.nested(parent.tag(), table);
  }

  @Override
  protected void move(Attachment who, ManagedDomain<Space> from, ManagedDomain<Space> to) {
    contexts.move(who, to.tag());
  }

  @Override
  protected void invalidate(ManagedDomain<Space> domain, Gather gather) {
    // What was cleared before who is attached: whoever comes later walks tables without it.
    VarHandle.fullFence();
    Space space = domain.tag();
    Descriptors d = new Descriptors(plan);
    if (space.kind() == Space.Kind.FIRST_STAGE) {
      for (int pasid : pasids(domain)) {
        Invalidations.firstStage(d, plan, space.did(), pasid, gather);
      }
    } else {
      for (ManagedDomain<Space> user : usersOf(domain)) {
        Invalidations.secondStage(d, plan, user.tag().did(), gather);
      }
    }
    if (!d.isEmpty()) {
      port.run(d);
    }
    if (plan.settings().ats()) {
      // Read after the wait: who is attached since then has seen the new tables only.
      for (Attachment who : domain.attachments()) {
        if (contexts.mayCache(who.source()) && !caches.forget(who.source(), who.pasid(), gather)) {
          contexts.distrust(who.source());
        }
      }
      domain.nested().forEach(this::forgetInDevices);
    }
    // Last: who was not found above because its move failed meanwhile owes it since then.
    contexts.settle();
  }

  /** The PASIDs that lead to a domain; 0 for requests without. */
  private static Set<Integer> pasids(ManagedDomain<Space> domain) {
    Set<Integer> all = new TreeSet<>();
    for (Attachment who : domain.attachments()) {
      all.add(who.hasPasid() ? who.pasid() : Contexts.NO_PROCESS);
    }
    return all;
  }

  /** A second stage's own domain, and those nested on it, as far as devices use them. */
  private static List<ManagedDomain<Space>> usersOf(ManagedDomain<Space> domain) {
    List<ManagedDomain<Space>> all = new ArrayList<>(domain.nested());
    all.addFirst(domain);
    all.removeIf(d -> d.attachments().isEmpty());
    return all;
  }

  /** Devices do not say which guest-physical pages a translation of theirs went through. */
  private void forgetInDevices(ManagedDomain<Space> nested) {
    for (Attachment who : nested.attachments()) {
      if (contexts.mayCache(who.source()) && !caches.forgetSpace(who.source(), who.pasid())) {
        contexts.distrust(who.source());
      }
    }
  }

  @Override
  protected boolean announces() {
    return plan.cachesAbsent() || plan.flushesBuffers();
  }

  @Override
  protected void announce(ManagedDomain<Space> domain, long iova, long size) {
    // Absence is never cached of a first stage.
    if (plan.cachesAbsent() && domain.tag().kind() == Space.Kind.SECOND_STAGE) {
      VarHandle.fullFence();
      Descriptors d = new Descriptors(plan);
      for (ManagedDomain<Space> user : usersOf(domain)) {
        Invalidations.secondStage(d, plan, user.tag().did(), iova, iova + size - 1);
      }
      if (!d.isEmpty()) {
        port.run(d);
      }
    } else if (plan.flushesBuffers()) {
      control.flushBuffers();
    }
  }

  @Override
  protected void invalidateNested(
      ManagedDomain<Space> domain, long iova, long size, boolean leafOnly) {
    VarHandle.fullFence();
    int did = domain.tag().did();
    Descriptors d = new Descriptors(plan);
    for (int pasid : pasids(domain)) {
      if (size == 0) {
        d.forgetProcess(did, pasid);
      } else {
        Invalidations.guest(d, plan, did, pasid, iova, iova + size - 1, leafOnly);
      }
    }
    if (!d.isEmpty()) {
      port.run(d);
    }
    for (Attachment who : domain.attachments()) {
      if (contexts.mayCache(who.source())) {
        boolean answered =
            size == 0
                ? caches.forgetSpace(who.source(), who.pasid())
                : caches.forget(who.source(), who.pasid(), iova, iova + size - 1);
        if (!answered) {
          contexts.distrust(who.source());
        }
      }
    }
    contexts.settle();
  }

  @Override
  protected void retire(ManagedDomain<Space> domain) {
    contexts.settle();
    if (!domain.type().maps() && domain.type() != DomainType.NESTED) {
      return;
    }
    int did = domain.tag().did();
    Descriptors d = new Descriptors(plan);
    port.run((plan.scalable() ? d.forgetPasidsOf(did) : d.forgetContextsOf(did)).forgetDomain(did));
    spaces.giveBack(domain.tag());
  }

  @Override
  protected Interrupt openInterrupt(int source, long targetAddress, int targetData) {
    return plan.remapsInterrupts()
        ? interrupts.open(source, targetAddress, targetData)
        : new PlainInterrupt(source, targetAddress, targetData);
  }

  @Override
  protected List<ReservedRegion> untranslated() {
    return List.of(MESSAGES);
  }

  @Override
  public List<ReservedRegion> reservedRegions(int source) {
    List<ReservedRegion> all = new ArrayList<>();
    all.add(MESSAGES);
    for (SourceRanges.Range r : plan.settings().directRegions().getOrDefault(source, List.of())) {
      all.add(
          new ReservedRegion(
              r.first(),
              r.last(),
              ReservedRegion.Kind.DIRECT,
              "firmware reserved it for the device (RMRR)"));
    }
    all.sort(Comparator.comparingLong(ReservedRegion::first));
    return List.copyOf(all);
  }

  @Override
  protected void answer(PageRequest request, int code) {
    int pasid = request.pasid() < 0 ? DmaRequest.NO_PASID : request.pasid();
    port.run(
        new Descriptors(plan).respond(request.source(), pasid, PageRequests.group(request), code));
  }

  @Override
  public List<String> service() {
    List<String> conditions = new ArrayList<>();
    List<Fault> newFaults = new ArrayList<>();
    List<PageRequest> newRequests = List.of();
    synchronized (serving) {
      if (!up) {
        return conditions; // not started, or closed: the unit's registers are nobody's
      }
      faults.serve(newFaults::add, conditions);
      if (plan.settings().pri()) {
        newRequests = requests.serve(conditions);
      }
      conditions.addAll(port.conditions());
      conditions.addAll(caches.conditions());
    }
    newFaults.forEach(this::report);
    newRequests.forEach(this::report);
    return conditions;
  }

  @Override
  protected void takeDown() {
    synchronized (serving) {
      up = false;
      events.stop(plan.settings().pri());
      root.stop();
      if (plan.remapsInterrupts()) {
        interrupts.stop();
      }
      if (plan.settings().pri()) {
        requests.stop();
      }
      port.stop();
    }
    spaces.free();
  }

  @Override
  public String toString() {
    return "VT-d driver, " + (plan.scalable() ? "scalable" : "legacy") + " mode";
  }
}
