package org.iommu4j.riscv.model;

import java.util.Map;
import org.iommu4j.core.CacheSettings;
import org.iommu4j.core.bits.RegisterFile;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.BridgeError;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.Inspector;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.dma.InterruptRequest;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.iotlb.CacheBehaviour;
import org.iommu4j.core.iotlb.Iotlb;
import org.iommu4j.core.iotlb.MicroTlb;
import org.iommu4j.core.unit.BaseUnit;
import org.iommu4j.riscv.layout.Registers;
import org.jspecify.annotations.Nullable;

/**
 * A RISC-V IOMMU: the register page, the translation of requests, and what holds them together.
 *
 * <p>Locks: {@code commandLock} serialises register accesses and the command queue; {@code state}
 * guards the register file, queues' indices and ipsr, for moments. A device thread takes only the
 * state lock, and only to report: so a fence, which holds the command lock, can wait for it.
 */
final class RiscvIommu extends BaseUnit<Workspace> {
  private final UnitConfig config;
  private final ContextCache contexts;
  private final PagingCaches pagingCaches;
  private final Denials denials;
  private final PerformanceMonitor monitor;
  private final Interrupts interrupts;
  private final FaultQueue faultQueue;
  private final PageRequestQueue pageRequestQueue;
  private final CommandQueue commandQueue;
  private final RegisterPage page;
  private final MessagePort messages;

  private volatile Setup setup;

  /** Translations are kept, and may be used without the full process. */
  private final boolean quick;

  RiscvIommu(UnitConfig config, Host host) {
    super(host, config.caches());
    this.config = config;
    boolean worst = config.caches().behaviour() == CacheBehaviour.WORST_CASE;
    quick = config.caches().behaviour() == CacheBehaviour.NORMAL;
    contexts = new ContextCache(worst ? 8192 : 512, worst ? 8192 : 1024);
    pagingCaches = new PagingCaches(config.caches().walkCache(), worst);
    denials = new Denials(worst ? config.caches().walkCache() : CacheSettings.NONE);
    monitor = new PerformanceMonitor(this, config);
    interrupts = new Interrupts(this);
    faultQueue = new FaultQueue(this);
    pageRequestQueue = new PageRequestQueue(this);
    commandQueue = new CommandQueue(this);
    page = new RegisterPage(this);
    messages = new MessagePort(this);
    setup =
        new Setup(
            host.memory(), config, page.registers().get(Registers.DDTP), config.fctl(), false);
  }

  // ---- the hardware face

  @Override
  public boolean translate(DmaRequest request, Translation out) {
    Workspace w = attached(out);
    // The common cases first: an untranslated request without PASID whose translation is cached,
    // or takes an ordinary walk. Everything else, and every count, is the full process's business.
    if (request.addressType() == AddressType.UNTRANSLATED && !request.hasPasid()) {
      if (quick) {
        long now = epoch(); // before anything else is looked at
        MicroTlb.Entry e = w.recent().lookup(now, request.source(), request.iova());
        if (e != null && Translation.grants(e.answer(), request.access())) {
          out.grant(e.pa(request.iova()), e.answer());
          w.countHit();
          return true;
        }
        if (shared(now, w, request, out)) {
          w.countHit();
          return true;
        }
      }
      if (walked(w, request, out)) {
        w.countMiss();
        return true;
      }
    }
    return Answer.complete(setup, w, request, out);
  }

  /** Whether the shared caches answer; the thread keeps that for the next time. */
  private boolean shared(long now, Workspace w, DmaRequest request, Translation out) {
    if (!setup.quick) {
      return false;
    }
    DcEntry dc = contexts.device(request.source());
    if (dc == null || !dc.quick) {
      return false;
    }
    long iova = request.iova();
    long data = iotlb().lookup(dc.tag, iova);
    if ((data & TlbData.userNeed(request.access())) == 0) {
      return false;
    }
    long pa = TlbData.pa(data, iova);
    int permissions = TlbData.USER.getInt(data);
    long answer = Translation.answer(TlbData.shift(data), permissions, TlbData.PBMT.getInt(data));
    out.grant(pa, answer);
    // A request without READ, WRITE and EXECUTE is a read, which grants() does not know.
    if ((permissions & Access.READ) != 0) {
      w.recent().keep(now, request.source(), iova, pa, answer);
    }
    return true;
  }

  /** Whether an ordinary walk answers. */
  private boolean walked(Workspace w, DmaRequest request, Translation out) {
    Setup s = setup;
    int access = request.access();
    if (!s.plain || (access & Access.EXECUTE) != 0) {
      return false;
    }
    w.begin(s);
    int source = request.source();
    DcEntry dc = s.cached ? contexts.device(source) : DirectoryWalker.again(s, w, source);
    if (dc == null || !dc.plain) {
      return false;
    }
    long iova = request.iova();
    long pa = PlainWalk.walk(s, dc, w, iova, access);
    if (pa == PlainWalk.UNDECIDED) {
      return false;
    }
    if (s.cached) {
      w.msi = false;
      PlainWalk.keep(dc, w, iova, pa);
    }
    out.grant(pa, w.shift, FirstStageWalker.granted(w.flags), 0);
    return true;
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
  public void bridgeError(DmaRequest request, BridgeError error) {
    Answer.bridgeError(setup, new Workspace(this), request, error);
  }

  @Override
  public void pageRequest(PageRequest request) {
    pageRequestQueue.receive(request);
  }

  @Override
  public boolean invalidationCompleted(int source, boolean segmented, int tagVector, int count) {
    synchronized (commandLock()) {
      return commandQueue.completed(source, segmented, tagVector, count);
    }
  }

  @Override
  public void invalidationTimedOut(int tagVector) {
    synchronized (commandLock()) {
      commandQueue.timedOut(tagVector);
    }
  }

  // ---- the register page

  @Override
  public int registerBytes() {
    return Registers.BYTES;
  }

  @Override
  public long read(long offset, int size) {
    return page.read(offset, size);
  }

  @Override
  public void write(long offset, int size, long value) {
    page.write(offset, size, value);
  }

  /** A register that translations depend on has changed. */
  void refresh() {
    boolean counting = monitor.refresh();
    setup =
        new Setup(
            host().memory(),
            config,
            page.registers().get(Registers.DDTP),
            page.registers().get(Registers.FCTL),
            counting);
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

  /** The IOTLB for this request, or null if it must walk. */
  @Nullable Iotlb iotlb(Setup s, Workspace w) {
    return w.dry() || config.caches().behaviour() == CacheBehaviour.OFF ? null : iotlb();
  }

  PagingCaches pagingCaches() {
    return pagingCaches;
  }

  /**
   * The paging-structure caches for this request, or null. Choice: while a counter counts they are
   * not used, so that the number of walks counted does not depend on what is cached.
   */
  @Nullable PagingCaches pagingCaches(Setup s, Workspace w) {
    return w.dry() || s.counting || config.caches().behaviour() == CacheBehaviour.OFF
        ? null
        : pagingCaches;
  }

  Denials denials() {
    return denials;
  }

  PerformanceMonitor monitor() {
    return monitor;
  }

  Interrupts interrupts() {
    return interrupts;
  }

  FaultQueue faultQueue() {
    return faultQueue;
  }

  CommandQueue commandQueue() {
    return commandQueue;
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
    return new RiscvInspector(this);
  }

  @Override
  public Map<String, Long> statistics() {
    Map<String, Long> all = super.statistics();
    all.put("walk-cache.first-stage.entries", (long) pagingCaches.firstStage.size());
    all.put("walk-cache.second-stage.entries", (long) pagingCaches.secondStage.size());
    return all;
  }
}
