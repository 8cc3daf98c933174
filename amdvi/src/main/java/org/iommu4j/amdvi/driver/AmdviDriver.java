package org.iommu4j.amdvi.driver;

import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
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
  private static final int ADDRESS_BITS = 52;
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
  private final IdAllocator ids;
  private final Contexts contexts;
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
    this.events = new Events(RecordRing.events(unit, control));
    this.requests = new PageRequests(RecordRing.pageRequests(unit, control));
    this.table = new DeviceTable(unit, plan);
    this.interrupts = new InterruptTables(unit, plan, commands, table);
    this.ids = new IdAllocator("domain id", Space.PASS_THROUGH_ID + 1, LAST_DOMAIN);
    this.contexts = new Contexts(unit, plan, commands, events, table, ids);
    this.capabilities =
        new Capabilities(
            EnumSet.of(DomainType.BLOCKED, DomainType.IDENTITY, DomainType.DMA_STRICT),
            plan.pageSizes(),
            plan.iovaBits(),
            ADDRESS_BITS,
            SOURCE_BITS,
            plan.pasidBits(),
            0,
            plan.guest() != null && plan.guest().noExecute(),
            plan.host() != null,
            plan.settings().ats(),
            plan.settings().pri(),
            plan.settings().remapInterrupts(),
            false);
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
    if (plan.guest() != null) {
      control.set(Control.GT_EN, true);
    }
    if (plan.settings().remapInterrupts() && plan.longEntries()) {
      control.set(Control.GA_EN, true);
      control.set(Control.XT_EN, plan.wideApicIds());
    }
    startInterrupts();
    events.start();
    commands.start();
    if (plan.settings().pri()) {
      control.set(Control.PPR_EN, true);
      requests.start();
    }
    control.set(Control.IOMMU_EN, true);
    if (!control.isSet(Control.IOMMU_EN)) {
      throw new DriverException("Control.IommuEn stays 0: there is no unit at these registers");
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

  /** Where the unit reports its own conditions. 48882, "IOMMU Interrupt Support". */
  private void startInterrupts() {
    if (host.messageAddress() == 0) {
      return;
    }
    PcMessage m = PcMessage.of(host.messageAddress(), host.messageData());
    if (plan.has(ExtendedFeatures.XT_SUP)) {
      long xt =
          Registers.XT_DM.of(m.logical() ? 1 : 0)
              | Registers.XT_DEST_LOW.of(m.destination())
              | Registers.XT_DEST_HIGH.of(m.destination() >>> 24)
              | Registers.XT_VECTOR.of(m.vector());
      unit.write(Registers.XT_GENERAL, xt);
      unit.write(Registers.XT_PPR, xt);
      control.set(Control.INT_CAP_XT_EN, true);
    } else if (plan.has(ExtendedFeatures.MSI_CAP_MMIO_SUP)) {
      unit.write(Registers.MSI_ADDRESS_LOW, host.messageAddress() & 0xffff_ffffL);
      unit.write(Registers.MSI_ADDRESS_HIGH, host.messageAddress() >>> 32);
      unit.write(Registers.MSI_DATA, host.messageData());
      unit.write(Registers.MSI_CAPABILITY, Registers.MSI_EN.mask());
    } else {
      return; // the MSI capability lies in configuration space alone
    }
    control.set(Control.EVENT_INT_EN, true);
    control.set(Control.PPR_INT_EN, plan.settings().pri());
  }

  @Override
  protected Parts<Space> open(DomainType type, Link link) {
    return switch (type) {
      case IDENTITY -> new Parts<>(Space.PASS_THROUGH);
      case DMA_STRICT -> translating(link);
      default -> new Parts<>(Space.BLOCKED);
    };
  }

  private Parts<Space> translating(Link link) {
    GuestFormat guest = plan.guest();
    TableFormat format = guest != null ? guest : plan.host();
    if (format == null) {
      throw new IllegalStateException("planned without tables");
    }
    PageTable pages = new PageTable(unit.memory, unit.frames, format, plan.pageSizes(), link);
    Space space =
        guest != null
            ? new Space(Space.Kind.GUEST, 0, pages.root())
            : new Space(Space.Kind.HOST, ids.take(), pages.root());
    return new Parts<>(space, pages, plan.iovaBits());
  }

  @Override
  protected Parts<Space> openNested(ManagedDomain<Space> parent, GuestTable guest) {
    throw new IllegalStateException("nested domains are not offered");
  }

  @Override
  protected void invalidateNested(
      ManagedDomain<Space> domain, long iova, long size, boolean leafOnly) {
    throw new IllegalStateException("nested domains are not offered");
  }

  @Override
  protected void checkMove(Attachment who, ManagedDomain<Space> to) {
    if (who.hasPasid() && to.type() == DomainType.IDENTITY) {
      throw new IllegalStateException(
          "requests with PASID go through guest tables: they cannot pass as they are");
    }
  }

  @Override
  protected void move(Attachment who, ManagedDomain<Space> from, ManagedDomain<Space> to) {
    contexts.move(who, to.tag());
  }

  @Override
  protected void invalidate(ManagedDomain<Space> domain, Gather gather) {
    // What was cleared before who is attached: whoever comes later walks tables without it.
    VarHandle.fullFence();
    Batch batch = new Batch();
    if (domain.tag().kind() == Space.Kind.HOST) {
      if (!domain.attachments().isEmpty()) {
        forget(batch, domain.tag().domainId(), -1, gather);
      }
    } else {
      for (Attachment who : domain.attachments()) {
        forget(batch, contexts.domainId(who.source()), pasid(who), gather);
      }
    }
    if (!batch.isEmpty()) {
      commands.run(batch);
    }
    if (plan.settings().ats()) {
      // Read after the wait: who is attached since then has seen the new tables only.
      for (Attachment who : domain.attachments()) {
        forgetInDevice(who, gather);
      }
    }
  }

  private static int pasid(Attachment who) {
    return who.hasPasid() ? who.pasid() : Contexts.NO_PROCESS;
  }

  private void forget(Batch batch, int domain, int pasid, Gather gather) {
    if (domain < 0) {
      return; // not attached yet: it walks tables without what was cleared
    }
    if (gather.everything() || gather.ranges() > plan.settings().flushLimit()) {
      batch.forgetSpace(domain, pasid);
      return;
    }
    for (int i = 0; i < gather.ranges(); i++) {
      batch.forget(domain, pasid, gather.first(i), gather.last(i), gather.hasTables());
    }
  }

  private void forgetInDevice(Attachment who, Gather gather) {
    if (gather.everything() || gather.ranges() > plan.settings().flushLimit()) {
      contexts.forgetInDevice(who.source(), pasid(who), 0, -1L);
      return;
    }
    for (int i = 0; i < gather.ranges(); i++) {
      contexts.forgetInDevice(who.source(), pasid(who), gather.first(i), gather.last(i));
    }
  }

  @Override
  protected boolean announces() {
    return plan.settings().absentCached() && plan.host() != null;
  }

  @Override
  protected void announce(ManagedDomain<Space> domain, long iova, long size) {
    if (!domain.attachments().isEmpty()) {
      VarHandle.fullFence();
      commands.run(new Batch().forget(domain.tag().domainId(), -1, iova, iova + size - 1, true));
    }
  }

  @Override
  protected void retire(ManagedDomain<Space> domain) {
    if (domain.tag().kind() == Space.Kind.HOST) {
      int id = domain.tag().domainId();
      commands.run(new Batch().forgetSpace(id, -1));
      ids.giveBack(id);
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
  public void respond(PageRequest request, int code) {
    commands.run(
        new Batch().respond(request.source(), request.pasid(), PageRequests.group(request), code));
  }

  @Override
  public List<String> service() {
    List<String> conditions = new ArrayList<>();
    List<Fault> faults;
    List<PageRequest> newRequests = List.of();
    synchronized (serving) {
      if (!up) {
        return conditions; // not started, or closed: the unit's registers are nobody's
      }
      // Cleared first: what comes while we read makes the unit call again.
      unit.write(Registers.STATUS, Registers.EVENT_LOG_INT.mask() | Registers.PPR_INT.mask());
      faults = events.serve(conditions);
      if (plan.settings().pri()) {
        newRequests = requests.serve(conditions);
      }
      conditions.addAll(commands.conditions());
    }
    faults.forEach(this::report);
    newRequests.forEach(this::report);
    return conditions;
  }

  @Override
  protected void takeDown() {
    synchronized (serving) {
      up = false;
      interrupts.stop();
      control.set(Control.EVENT_INT_EN, false);
      if (plan.settings().pri()) {
        control.set(Control.PPR_INT_EN, false);
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
