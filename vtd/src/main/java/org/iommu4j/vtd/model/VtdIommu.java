package org.iommu4j.vtd.model;

import java.util.Map;
import org.iommu4j.core.bits.RegisterFile;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.Inspector;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.dma.InterruptRequest;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.iotlb.CacheBehaviour;
import org.iommu4j.core.iotlb.MicroTlb;
import org.iommu4j.core.unit.BaseUnit;
import org.iommu4j.vtd.layout.Reason;
import org.jspecify.annotations.Nullable;

/**
 * A VT-d unit: the register page, the translation of requests, and what holds them together.
 *
 * <p>Locks: {@code commandLock} serialises register accesses and the invalidation queue; {@code
 * state} guards the register file, for moments. A device thread takes only the state lock, and only
 * to report: so a wait descriptor, which holds the command lock, can wait for it.
 */
final class VtdIommu extends BaseUnit<Workspace> {
  private final UnitConfig config;
  private final ContextCache contexts;
  private final WalkCaches walkCaches;
  private final PerformanceMonitor monitor;
  private final Event faultEvent;
  private final Event invalidationEvent;
  private final Event pageEvent;
  private final Event performanceEvent;
  private final FaultLog faultLog;
  private final InterruptRemapper interrupts;
  private final MessagePort messages;
  private final PageRequestQueue pageRequests;
  private final Invalidation invalidation;
  private final InvalidationQueue queue;
  private final RegisterInvalidation registerInvalidation;
  private final GlobalCommands commands;
  private final RegisterPage page;

  private volatile Setup setup;

  /** Some space with a first stage was ever used: its translations may be cached. */
  private volatile boolean firstStageUsed;

  VtdIommu(UnitConfig config, Host host) {
    super(host, config.caches());
    this.config = config;
    boolean worst = config.caches().behaviour() == CacheBehaviour.WORST_CASE;
    contexts = new ContextCache(worst ? 8192 : 512, worst ? 8192 : 1024);
    setup = new Setup(host().memory(), config, false, 0, null, false);
    walkCaches = new WalkCaches(config.caches().walkCache(), setup.keepsFaults);
    faultEvent = Event.fault(this);
    invalidationEvent = Event.invalidation(this);
    pageEvent = Event.pageRequest(this);
    performanceEvent = Event.performance(this);
    monitor = new PerformanceMonitor(this);
    faultLog = new FaultLog(this);
    interrupts = new InterruptRemapper(this);
    messages = new MessagePort(this);
    pageRequests = new PageRequestQueue(this);
    invalidation = new Invalidation(this);
    queue = new InvalidationQueue(this, invalidation);
    registerInvalidation = new RegisterInvalidation(this, invalidation);
    commands = new GlobalCommands(this);
    page = new RegisterPage(this);
  }

  // ---- the hardware face

  @Override
  public boolean translate(DmaRequest request, Translation out) {
    Workspace w = attached(out);
    // The common cases first: an untranslated user request whose translation is cached, or takes an
    // ordinary walk. Everything else, and every count, is the full process's business.
    if (request.addressType() == AddressType.UNTRANSLATED
        && (request.access() & ~(Access.READ | Access.WRITE | Access.ATOMIC)) == 0) {
      Setup s = setup;
      if (s.quick) {
        long now = epoch(); // before anything else is looked at
        long requester = requester(request);
        MicroTlb.Entry e = w.recent().lookup(now, requester, request.iova());
        if (e != null && grants(e.answer(), request.access())) {
          out.grant(e.pa(request.iova()), e.answer());
          w.countHit();
          return true;
        }
        if (shared(now, requester, w, request, out)) {
          w.countHit();
          return true;
        }
      }
      if (s.plain && walked(s, w, request, out)) {
        w.countMiss();
        return true;
      }
    }
    return Answer.complete(setup, w, request, out);
  }

  /** Source and PASID in one word: what a thread's latest translations are kept under. */
  private static long requester(DmaRequest request) {
    return request.source() & 0xffff | (long) (request.pasid() + 1) << 16;
  }

  /** Whether an answer grants what an access needs. */
  private static boolean grants(long answer, int access) {
    return Translation.grants(answer, TlbData.need(access));
  }

  /** What a request is translated by, if the caches know; null: the full process decides. */
  private @Nullable Space known(DmaRequest request) {
    int source = request.source() & 0xffff;
    if (!request.hasPasid()) {
      // What is written to the interrupt range is no DMA.
      return Setup.interrupt(request.iova()) ? null : contexts.shortcut(source);
    }
    ScalableContext c = contexts.context(source);
    int pasid = request.pasid();
    if (c == null || !c.paside || pasid >= c.reach || pasid == c.ridPasid) {
      return null;
    }
    return contexts.space(source, pasid);
  }

  /** Whether the shared caches answer; the thread keeps that for the next time. */
  private boolean shared(
      long now, long requester, Workspace w, DmaRequest request, Translation out) {
    Space space = known(request);
    if (space == null || !space.plain) {
      return false;
    }
    long iova = request.iova();
    long data = iotlb().lookup(space.tag, iova);
    long need = TlbData.userNeed(request.access());
    if ((data & need) != need) {
      return false;
    }
    long pa = TlbData.pa(data, iova);
    long answer =
        Translation.answer(
            TlbData.shift(data), TlbData.USER.getInt(data), TlbData.memoryType(data));
    out.grant(pa, answer);
    w.recent().keep(now, requester, iova, pa, answer);
    return true;
  }

  /** Whether an ordinary walk answers. */
  private boolean walked(Setup s, Workspace w, DmaRequest request, Translation out) {
    Space space;
    if (s.cached) {
      w.begin(s);
      space = known(request);
    } else {
      if (Setup.interrupt(request.iova()) && !request.hasPasid()) {
        return false;
      }
      Translator.begin(s, w, request.source(), request.pasid());
      w.supervisor = false;
      space = Translator.located(s, w, request);
    }
    if (space == null || !space.plain) {
      return false;
    }
    long iova = request.iova();
    long pa = PlainWalk.walk(s, space, w, iova, TlbData.need(request.access()));
    if (pa == PlainWalk.UNDECIDED) {
      return false;
    }
    long answer = Translator.plain(s, w, space, iova, pa);
    out.grant(pa, answer);
    return true;
  }

  /** Records a fault of an interrupt request. */
  void reportInterrupt(Reason reason, int source, long information) {
    synchronized (state()) {
      faultLog.recordInterrupt(reason, source, information);
    }
  }

  @Override
  public boolean remap(InterruptRequest request, InterruptDelivery out) {
    return messages.deliver(request, out);
  }

  @Override
  public int writeMessage(DmaRequest request, Translation translation, long data, int length) {
    return messages.write(request, translation, data, length);
  }

  @Override
  public void pageRequest(PageRequest request) {
    pageRequests.receive(request);
  }

  @Override
  public boolean invalidationCompleted(int source, boolean segmented, int tagVector, int count) {
    synchronized (commandLock()) {
      return queue.completed(source, segmented, tagVector, count);
    }
  }

  @Override
  public void invalidationTimedOut(int tagVector) {
    synchronized (commandLock()) {
      queue.timedOut(tagVector);
    }
  }

  // ---- the register page

  @Override
  public int registerBytes() {
    return RegisterBank.bytes(config);
  }

  @Override
  public long read(long offset, int size) {
    return page.read(offset, size);
  }

  @Override
  public void write(long offset, int size, long value) {
    page.write(offset, size, value);
  }

  /** Something that translations depend on has changed. Called with the state lock held. */
  void refresh() {
    Setup next = commands.setup(monitor.counting());
    setup = next;
    cachesChanged();
  }

  // ---- what the parts ask for

  UnitConfig config() {
    return config;
  }

  Setup setup() {
    return setup;
  }

  RegisterPage page() {
    return page;
  }

  RegisterFile registers() {
    return page.registers();
  }

  ContextCache contexts() {
    return contexts;
  }

  WalkCaches walkCaches() {
    return walkCaches;
  }

  PerformanceMonitor monitor() {
    return monitor;
  }

  Event faultEvent() {
    return faultEvent;
  }

  Event invalidationEvent() {
    return invalidationEvent;
  }

  Event pageEvent() {
    return pageEvent;
  }

  Event performanceEvent() {
    return performanceEvent;
  }

  FaultLog faultLog() {
    return faultLog;
  }

  InterruptRemapper interrupts() {
    return interrupts;
  }

  Invalidation invalidation() {
    return invalidation;
  }

  InvalidationQueue queue() {
    return queue;
  }

  RegisterInvalidation registerInvalidation() {
    return registerInvalidation;
  }

  GlobalCommands commands() {
    return commands;
  }

  boolean firstStageUsed() {
    return firstStageUsed;
  }

  /** A space with a first stage is decoded; before any of its translations can be cached. */
  void useFirstStage() {
    if (!firstStageUsed) {
      firstStageUsed = true;
    }
  }

  @Override
  protected Workspace workspace() {
    return new Workspace(this);
  }

  /** The unit's workspace in a translation, put there if need be. */
  Workspace attached(Translation out) {
    return out.workspace() instanceof Workspace w && w.unit == this ? w : attach(out);
  }

  @Override
  public Inspector inspector() {
    return new VtdInspector(this);
  }

  @Override
  public Map<String, Long> statistics() {
    Map<String, Long> all = super.statistics();
    all.put("walk-cache.first-stage.entries", (long) walkCaches.firstStage.size());
    all.put("walk-cache.second-stage.entries", (long) walkCaches.secondStage.size());
    return all;
  }
}
