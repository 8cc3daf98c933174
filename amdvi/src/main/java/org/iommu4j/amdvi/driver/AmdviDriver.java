package org.iommu4j.amdvi.driver;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.dma.Fault;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.driver.Capabilities;
import org.iommu4j.driver.DomainType;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.DriverHost;
import org.iommu4j.driver.GuestTable;
import org.iommu4j.driver.Interrupt;
import org.iommu4j.driver.ReservedRegion;
import org.iommu4j.driver.support.Attachment;
import org.iommu4j.driver.support.BaseDriver;
import org.iommu4j.driver.support.Gather;
import org.iommu4j.driver.support.IdAllocator;
import org.iommu4j.driver.support.ManagedDomain;
import org.iommu4j.driver.support.PageTable;
import org.iommu4j.driver.support.PcMessage;
import org.iommu4j.driver.support.PlainInterrupt;
import org.iommu4j.driver.support.SourceRanges;
import org.iommu4j.driver.support.TableFormat;
import org.iommu4j.driver.support.Unit;

/**
 * The driver of one AMD-Vi unit.
 *
 * <p>Locks, outermost first: attachments ({@link BaseDriver}), a domain's page table, {@link
 * Contexts}, {@link CommandRing}; {@link InterruptTables} beside the domains. Page tables are
 * flushed with the domain's lock held and nobody waits for anybody else's domain.
 */
final class AmdviDriver extends BaseDriver<Space> {
  private static final int SOURCE_BITS = 16;
  private static final int LAST_DOMAIN = 0xffff;

  /** InvTimeOut: one second, as Linux has it. */
  private static final int ONE_SECOND = 4;

  private static final ReservedRegion MESSAGES =
      new ReservedRegion(
          PcMessage.FIRST,
          PcMessage.LAST,
          ReservedRegion.Kind.UNTRANSLATED,
          "writes here are interrupt messages");
  private static final ReservedRegion HYPER_TRANSPORT =
      new ReservedRegion(
          0xfd_0000_0000L,
          0xff_ffff_ffffL,
          ReservedRegion.Kind.UNTRANSLATED,
          "HyperTransport's special range");

  private final Plan plan;
  private final DriverHost host;
  private final Unit unit;
  private final ControlRegister control;
  private final CommandRing commands;
  private final Events events;
  private final PageRequests requests;
  private final DeviceTable table;
  private final InterruptTables interrupts;
  private final PostedLog posted;
  private final UnitInterrupts signals;
  private final IdAllocator ids;
  private final Contexts contexts;
  private final DomainCaches caches;
  private final Capabilities capabilities;
  private final Object serving = new Object();
  private boolean up;

  AmdviDriver(DriverHost host, Plan plan) {
    super(host.frames());
    this.plan = plan;
    this.host = host;
    this.unit =
        new Unit(host.registers(), host.memory(), host.frames(), plan.settings().timeoutMillis());
    this.control = new ControlRegister(unit);
    this.commands = new CommandRing(unit, control);
    this.requests = new PageRequests(RecordRing.pageRequests(unit, control), commands);
    this.table = new DeviceTable(unit, plan);
    this.events = new Events(RecordRing.events(unit, control), table);
    this.interrupts = new InterruptTables(unit, plan, commands, table);
    this.ids = new IdAllocator("domain id", Space.PASS_THROUGH_ID + 1, LAST_DOMAIN);
    this.contexts = new Contexts(unit, plan, commands, events, table, ids);
    this.caches = new DomainCaches(plan, commands, contexts);
    this.posted = new PostedLog(unit, control);
    this.signals = new UnitInterrupts(unit, control, plan);
    this.capabilities = capabilities(plan);
  }

  private static Capabilities capabilities(Plan plan) {
    GuestFormat guest = plan.guest();
    return new Capabilities(
        EnumSet.range(
            DomainType.BLOCKED, plan.nesting() ? DomainType.NESTED : DomainType.DMA_STRICT),
        plan.pageSizes(),
        plan.iovaBits(),
        Plan.ADDRESS_BITS,
        SOURCE_BITS,
        plan.pasidBits(),
        plan.guestPasidBits(),
        guest != null && guest.noExecute(),
        guest == null,
        plan.settings().ats(),
        plan.settings().pri(),
        plan.settings().remapInterrupts(),
        plan.postsInterrupts());
  }

  @Override
  public Capabilities capabilities() {
    return capabilities;
  }

  @Override
  protected void bringUp() {
    long now = unit.read(Control.REGISTER);
    if (Control.IOMMU_EN.isSet(now)) {
      throw new DriverException(
          "Control reads 0x%x: the unit is on; this driver does not take units over"
              .formatted(now));
    }
    unit.write(Control.REGISTER, Control.COHERENT.mask() | Control.INV_TIME_OUT.of(ONE_SECOND));
    table.start(interrupts.none());
    control.set(Control.GT_EN, plan.guest() != null || plan.nesting());
    control.set(Control.GCR3_TRP_MODE, plan.nesting());
    if (plan.settings().remapInterrupts() && plan.longEntries()) {
      control.set(Control.GA_EN, true);
      control.set(Control.XT_EN, plan.wideApicIds());
    }
    signals.start(host);
    events.start();
    commands.start();
    if (plan.settings().pri()) {
      control.set(Control.EPH_EN, plan.has(ExtendedFeatures.EPH_SUP));
      control.set(Control.PPR_EN, true);
      requests.start();
    }
    control.set(Control.IOMMU_EN, true);
    if (!control.isSet(Control.IOMMU_EN)) {
      throw new DriverException("Control.IommuEn stays 0: there is no unit at these registers");
    }
    if (plan.postsInterrupts()) {
      posted.start();
    }
    forgetEverything();
    synchronized (serving) {
      up = true;
    }
  }

  private void forgetEverything() {
    Batch batch = new Batch();
    if (plan.has(ExtendedFeatures.IA_SUP)) {
      commands.run(batch.forgetAll());
      return;
    }
    for (int source = 0; source < 1 << SOURCE_BITS; source++) {
      batch.forgetDevice(source).forgetInterrupts(source);
    }
    for (int domain = 0; domain <= LAST_DOMAIN; domain++) {
      batch.forgetSpace(domain, -1);
    }
    commands.run(batch);
  }

  @Override
  protected Parts<Space> open(DomainType type, Link link) {
    return switch (type) {
      case IDENTITY -> new Parts<>(Space.PASS_THROUGH);
      case DMA_STRICT -> {
        GuestFormat guest = plan.guest();
        yield guest == null ? host(link) : translating(guest, plan.iovaBits(), link);
      }
      case NESTING_PARENT -> host(link);
      default -> new Parts<>(Space.BLOCKED);
    };
  }

  private Parts<Space> translating(TableFormat format, int bits, Link link) {
    PageTable pages = new PageTable(unit.memory, unit.frames, format, format.pageSizes(), link);
    if (format instanceof GuestFormat) {
      return new Parts<>(new Space(Space.Kind.GUEST, 0, pages.root()), pages, bits);
    }
    try {
      return new Parts<>(new Space(Space.Kind.HOST, ids.take(), pages.root()), pages, bits);
    } catch (DriverException e) {
      pages.free();
      throw e;
    }
  }

  private Parts<Space> host(Link link) {
    HostFormat host = plan.host();
    if (host == null) {
      throw new IllegalStateException("planned without host tables");
    }
    return translating(host, host.addressBits(), link);
  }

  @Override
  protected Parts<Space> openNested(ManagedDomain<Space> parent, GuestTable guest) {
    plan.check(guest);
    return new Parts<>(new Space(Space.Kind.NESTED, ids.take(), parent.tag().root(), guest));
  }

  @Override
  protected void invalidateNested(
      ManagedDomain<Space> domain, long iova, long size, boolean leafOnly) {
    if (size == 0) {
      caches.forgetAll(domain);
    } else {
      caches.forgetGuest(domain, Contexts.NO_PROCESS, iova, size, leafOnly);
    }
  }

  @Override
  protected void invalidateProcess(
      ManagedDomain<Space> domain, int pasid, long iova, long size, boolean leafOnly) {
    caches.forgetGuest(domain, pasid, iova, size, leafOnly);
  }

  @Override
  protected void checkMove(Attachment who, ManagedDomain<Space> to) {
    contexts.check(who, to.tag());
  }

  @Override
  protected void move(Attachment who, ManagedDomain<Space> from, ManagedDomain<Space> to) {
    contexts.move(who, to.tag());
  }

  @Override
  protected void invalidate(ManagedDomain<Space> domain, Gather gather) {
    caches.forget(domain, gather);
  }

  @Override
  protected boolean announces() {
    return plan.settings().absentCached();
  }

  @Override
  protected void announce(ManagedDomain<Space> domain, long iova, long size) {
    caches.forgetAbsent(domain, iova, size);
  }

  @Override
  protected void retire(ManagedDomain<Space> domain) {
    contexts.settle();
    if (domain.tag().throughHost()) {
      caches.retire(domain);
      ids.giveBack(domain.tag().domainId());
    }
  }

  @Override
  protected Interrupt openInterrupt(int source, long targetAddress, int targetData) {
    return plan.settings().remapInterrupts()
        ? interrupts.open(source, targetAddress, targetData)
        : new PlainInterrupt(source, targetAddress, targetData);
  }

  @Override
  protected List<ReservedRegion> untranslated() {
    return plan.reservesHyperTransport() && plan.iovaBits() > 40
        ? List.of(MESSAGES, HYPER_TRANSPORT)
        : List.of(MESSAGES);
  }

  @Override
  public List<ReservedRegion> reservedRegions(int source) {
    List<ReservedRegion> all = new ArrayList<>(untranslated());
    for (SourceRanges.Range r : plan.settings().directRegions().getOrDefault(source, List.of())) {
      all.add(
          new ReservedRegion(
              r.first(),
              r.last(),
              ReservedRegion.Kind.DIRECT,
              "firmware reserved it for the device (IVMD)"));
    }
    all.sort(Comparator.comparingLong(ReservedRegion::first));
    return List.copyOf(all);
  }

  @Override
  protected void answer(PageRequest request, int code) {
    commands.run(
        new Batch().respond(request.source(), request.pasid(), PageRequests.group(request), code));
  }

  @Override
  public List<String> service() {
    List<String> conditions = new ArrayList<>();
    List<Fault> faults;
    List<PageRequest> newRequests = List.of();
    List<Interrupt> newPosted = List.of();
    synchronized (serving) {
      if (!up) {
        return conditions; // not started, or closed: the unit's registers are nobody's
      }
      // Cleared first: what comes while we read makes the unit call again.
      unit.write(
          Registers.STATUS,
          Registers.EVENT_LOG_INT.mask() | Registers.PPR_INT.mask() | Registers.GA_INT.mask());
      faults = events.serve(conditions);
      if (plan.settings().pri()) {
        newRequests = requests.serve(conditions);
      }
      if (plan.postsInterrupts()) {
        newPosted = servePosted(conditions);
      }
      conditions.addAll(commands.conditions());
    }
    faults.forEach(this::report);
    newRequests.forEach(this::report);
    newPosted.forEach(this::report);
    return conditions;
  }

  private List<Interrupt> servePosted(List<String> conditions) {
    List<Integer> tags = new ArrayList<>();
    if (posted.serve(tags)) {
      conditions.add("guest virtual APIC log: overflow, messages were lost (Status.GALOverflow)");
      return interrupts.waiting();
    }
    return tags.stream().map(interrupts::posted).filter(Objects::nonNull).toList();
  }

  @Override
  protected void takeDown() {
    synchronized (serving) {
      up = false;
      interrupts.stop();
      signals.stop();
      if (plan.postsInterrupts()) {
        posted.stop();
      }
      if (plan.settings().pri()) {
        control.set(Control.PPR_EN, false);
        requests.stop();
      }
      commands.stop();
      events.stop();
    }
    contexts.free();
  }

  @Override
  public String toString() {
    return "AMD-Vi driver, " + (plan.guest() != null ? "guest" : "host") + " tables";
  }
}
