package org.iommu4j.riscv.driver;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import org.iommu4j.core.dma.Access;
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
import org.iommu4j.driver.support.MappedMessages;
import org.iommu4j.driver.support.PageTable;
import org.iommu4j.driver.support.Unit;
import org.iommu4j.riscv.layout.DeviceContext;
import org.iommu4j.riscv.layout.PageRequestRecord;
import org.iommu4j.riscv.layout.Registers;
import org.jspecify.annotations.Nullable;

/**
 * The driver of one RISC-V IOMMU.
 *
 * <p>Locks, outermost first: attachments ({@link BaseDriver}), a domain's page table, {@link
 * Contexts}, {@link CommandQueue}. Page tables are flushed with the domain's lock held and nobody
 * waits for anybody else's domain.
 */
final class RiscvDriver extends BaseDriver<Space> {
  private static final int PAGE_SHIFT = 12;
  private static final int PSCID_LAST = (1 << DeviceContext.PSCID.width()) - 1;
  private static final int GSCID_LAST = (1 << DeviceContext.GSCID.width()) - 1;

  private final DriverHost host;
  private final Plan plan;
  private final Unit unit;
  private final CommandQueue commands;
  private final RecordQueue faults;
  private final RecordQueue pageRequests;
  private final DeviceDirectory directory;
  private final DeviceCaches caches;
  private final MappedMessages messages;

  /** 0 is left to address spaces that have no tables. */
  private final IdAllocator pscids = new IdAllocator("PSCID", 1, PSCID_LAST);

  private final IdAllocator gscids = new IdAllocator("GSCID", 1, GSCID_LAST);
  private final Object serving = new Object();
  private volatile Capabilities capabilities;
  private volatile @Nullable Contexts contexts;
  private @Nullable PageTable hostTable;
  private Space hostSpace = Space.NONE;

  RiscvDriver(DriverHost host, Plan plan) {
    super(host.frames());
    this.host = host;
    this.plan = plan;
    this.unit =
        new Unit(host.registers(), host.memory(), host.frames(), plan.settings().timeoutMillis());
    this.commands = new CommandQueue(unit);
    this.faults = new RecordQueue(Ring.Kind.FAULT, unit);
    this.pageRequests = new RecordQueue(Ring.Kind.PAGE_REQUEST, unit);
    this.directory = new DeviceDirectory(unit, plan.extended());
    this.caches = new DeviceCaches(commands);
    this.messages =
        new MappedMessages(
            this, plan.settings().messageWindow(), Settings.MESSAGE_WINDOW_BYTES, plan.paBits());
    this.capabilities = capabilities(DeviceDirectory.mostSourceBits());
  }

  private Capabilities capabilities(int sourceBits) {
    return new Capabilities(
        EnumSet.range(
            DomainType.BLOCKED, plan.parent() == null ? DomainType.DMA_STRICT : DomainType.NESTED),
        plan.pageSizes(),
        plan.iovaBits(),
        plan.paBits(),
        sourceBits,
        plan.pasidBits(),
        0,
        true,
        false,
        plan.settings().ats(),
        plan.settings().pri(),
        false,
        false);
  }

  @Override
  public Capabilities capabilities() {
    return capabilities;
  }

  private boolean hasPageRequests() {
    return plan.hasAts();
  }

  @Override
  protected void bringUp() {
    directory.claim();
    commands.off();
    faults.off();
    if (hasPageRequests()) {
      pageRequests.off();
    }
    chooseFeatures();
    boolean interrupts = Interrupts.start(unit, plan, host);
    Settings s = plan.settings();
    commands.start(s.commands(), interrupts);
    faults.start(s.faults(), interrupts);
    if (hasPageRequests()) {
      pageRequests.start(s.pageRequests(), interrupts);
    }
    // Before the unit is on, so that nothing of an earlier user is ever used; and after it, because
    // the specification asks for it at every change of ddtp.
    forgetEverything();
    directory.start();
    forgetEverything();
    if (plan.nested()) {
      startHostStage();
    }
    contexts = new Contexts(unit, plan, commands, directory, caches, hostSpace);
    capabilities = capabilities(directory.sourceBits());
  }

  /** fctl, which can be written now only: the unit and its queues are off. §6.4. */
  private void chooseFeatures() {
    long wanted = Interrupts.wires(plan, host) ? Registers.WSI.mask() : 0;
    if (unit.read(Registers.FCTL) != wanted) {
      unit.write(Registers.FCTL, wanted);
    }
    long fctl = unit.read(Registers.FCTL);
    if (Registers.BE.isSet(fctl) || Registers.GXL.isSet(fctl)) {
      throw new DriverException(
          "fctl reads 0x%x: this driver needs little-endian structures (BE) and 64-bit second stages"
                  .formatted(fctl)
              + " (GXL)");
    }
    if (Registers.WSI.in(fctl) != wanted) {
      throw new DriverException(
          "fctl reads 0x%x: the interrupts that capabilities.IGS promises cannot be chosen"
              .formatted(fctl));
    }
  }

  private void forgetEverything() {
    commands.run(new Commands().forgetDirectories().forgetHost().forgetGuests());
  }

  /** An identity second stage in the largest pages, under all first stages. */
  private void startHostStage() {
    SvFormat format = needed(plan.second());
    PageTable table =
        new PageTable(unit.memory, unit.frames, format, format.pageSizes(), gather -> {});
    table.map(0, 0, 1L << plan.paBits(), Access.READ | Access.WRITE | Access.EXECUTE);
    int gscid = freshGscid();
    hostTable = table;
    hostSpace = new Space(0, gscid, 0, iohgatp(format, gscid, table.root()));
  }

  private static SvFormat needed(@Nullable SvFormat format) {
    if (format == null) {
      throw new IllegalStateException("planned without that stage");
    }
    return format;
  }

  private static long iohgatp(SvFormat format, int gscid, long root) {
    return DeviceContext.MODE.of(format.mode())
        | DeviceContext.GSCID.of(gscid)
        | DeviceContext.PPN.of(root >>> 12);
  }

  /**
   * No command covers the first stages of all VMs, so each identity is cleaned when it is taken.
   */
  private int freshGscid() {
    int gscid = gscids.take();
    commands.run(new Commands().forgetGuest(gscid));
    return gscid;
  }

  @Override
  protected Parts<Space> open(DomainType type, Link link) {
    if (!type.maps()) {
      return new Parts<>(Space.NONE);
    }
    if (type == DomainType.NESTING_PARENT) {
      return secondStage(needed(plan.parent()), link);
    }
    SvFormat first = plan.first();
    return first != null ? firstStage(first, link) : secondStage(needed(plan.second()), link);
  }

  private Parts<Space> firstStage(SvFormat format, Link link) {
    int pscid = pscids.take();
    try {
      PageTable table = new PageTable(unit.memory, unit.frames, format, plan.pageSizes(), link);
      long fsc = DeviceContext.MODE.of(format.mode()) | DeviceContext.PPN.of(table.root() >>> 12);
      Space space = new Space(pscid, hostSpace.gscid(), fsc, hostSpace.iohgatp());
      return new Parts<>(space, table, plan.iovaBits());
    } catch (DriverException e) {
      pscids.giveBack(pscid);
      throw e;
    }
  }

  private Parts<Space> secondStage(SvFormat format, Link link) {
    int gscid = freshGscid();
    try {
      PageTable table = new PageTable(unit.memory, unit.frames, format, plan.pageSizes(), link);
      Space space = new Space(0, gscid, 0, iohgatp(format, gscid, table.root()));
      return new Parts<>(space, table, format.addressBits());
    } catch (DriverException e) {
      gscids.giveBack(gscid);
      throw e;
    }
  }

  @Override
  protected Parts<Space> openNested(ManagedDomain<Space> parent, GuestTable table) {
    long fsc = plan.guestFsc(table);
    Space stage = parent.tag();
    return new Parts<>(new Space(pscids.take(), stage.gscid(), fsc, stage.iohgatp()));
  }

  @Override
  protected void invalidateNested(
      ManagedDomain<Space> domain, long iova, long size, boolean leafOnly) {
    Commands c = new Commands();
    if (size == 0 || !leafOnly || size >>> PAGE_SHIFT > plan.settings().flushLimit()) {
      c.forgetSpace(domain.tag());
    } else {
      for (long at = iova; at != iova + size; at += 1L << PAGE_SHIFT) {
        c.forgetPage(domain.tag(), at, false);
      }
    }
    commands.run(c);
    forgetInDevices(domain);
    contexts().settle();
  }

  /** Devices do not say which guest-physical pages a translation of theirs went through. */
  private void forgetInDevices(ManagedDomain<Space> nested) {
    for (Attachment who : nested.attachments()) {
      if (contexts().mayCache(who.source()) && !caches.forgetSpace(who.source(), who.pasid())) {
        contexts().distrust(who.source());
      }
    }
  }

  @Override
  protected void move(Attachment who, ManagedDomain<Space> from, ManagedDomain<Space> to) {
    contexts().move(who, use(to));
  }

  @Override
  protected void checkMove(Attachment who, ManagedDomain<Space> to) {
    contexts().check(who, use(to));
  }

  private static Use use(ManagedDomain<Space> domain) {
    return new Use(domain.type() != DomainType.BLOCKED, domain.tag());
  }

  private Contexts contexts() {
    Contexts c = contexts;
    if (c == null) {
      throw new IllegalStateException("the driver is not started");
    }
    return c;
  }

  @Override
  protected void invalidate(ManagedDomain<Space> domain, Gather gather) {
    Commands c = new Commands();
    Invalidations.add(c, plan, domain.tag(), gather);
    commands.run(c);
    if (plan.settings().ats()) {
      // Read after the fence: who is attached since then has seen the new tables only.
      for (Attachment who : domain.attachments()) {
        if (contexts().mayCache(who.source())
            && !caches.forget(who.source(), who.pasid(), gather)) {
          contexts().distrust(who.source());
        }
      }
      domain.nested().forEach(this::forgetInDevices);
    }
    // Last: who was not found above because its move failed meanwhile owes it since then.
    contexts().settle();
  }

  @Override
  protected void retire(ManagedDomain<Space> domain) {
    contexts().settle();
    Space space = domain.tag();
    if (domain.type() != DomainType.NESTED && !domain.type().maps()) {
      return;
    }
    // In a fence of its own: before the one that made the contexts go, a walk may have filled the
    // caches once more under this identity.
    if (space.firstStage()) {
      commands.run(new Commands().forgetSpace(space));
      pscids.giveBack(space.pscid());
    } else {
      commands.run(new Commands().forgetGuest(space.gscid()));
      gscids.giveBack(space.gscid());
    }
  }

  @Override
  protected Interrupt openInterrupt(int source, long targetAddress, int targetData) {
    return messages.open(source, targetAddress, targetData);
  }

  @Override
  public List<ReservedRegion> reservedRegions(int source) {
    return List.of(messages.region());
  }

  @Override
  protected void answer(PageRequest request, int code) {
    int group = PageRequestRecord.PRGI.getInt(request.payload());
    commands.run(new Commands().respond(request.source(), request.pasid(), group, code));
  }

  @Override
  public List<String> service() {
    List<String> conditions = new ArrayList<>();
    List<Fault> newFaults = new ArrayList<>();
    List<PageRequest> newRequests = new ArrayList<>();
    synchronized (serving) {
      if (contexts == null) {
        return conditions; // not started, or closed: the unit's registers are nobody's
      }
      faults.serve(at -> newFaults.add(Records.fault(unit.memory, at)), conditions);
      if (hasPageRequests()) {
        pageRequests.serve(at -> newRequests.add(Records.pageRequest(unit.memory, at)), conditions);
      }
      // Errors of the command queue are cleared by whoever waits for the commands. The counters
      // are not used, so nothing is lost with pmip.
      unit.write(Registers.IPSR, Registers.CIP.mask() | Registers.PMIP.mask());
      conditions.addAll(commands.conditions());
      conditions.addAll(caches.conditions());
    }
    newFaults.forEach(this::report);
    newRequests.forEach(this::report);
    return conditions;
  }

  @Override
  protected void takeDown() {
    directory.stop();
    forgetEverything();
    synchronized (serving) {
      faults.stop();
      if (hasPageRequests()) {
        pageRequests.stop();
      }
      commands.stop();
      contexts = null;
    }
    directory.free();
    PageTable table = hostTable;
    if (table != null) {
      table.free();
      hostTable = null;
    }
  }
}
