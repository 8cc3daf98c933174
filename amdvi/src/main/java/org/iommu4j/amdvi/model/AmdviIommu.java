package org.iommu4j.amdvi.model;

import java.util.List;
import java.util.Map;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.RegisterFile;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.Inspector;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.dma.InterruptRequest;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.core.dma.RegisterWindow;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.iotlb.CacheBehaviour;
import org.iommu4j.core.iotlb.Iotlb;
import org.iommu4j.core.iotlb.MicroTlb;
import org.iommu4j.core.memory.Mmio;
import org.iommu4j.core.unit.BaseUnit;
import org.jspecify.annotations.Nullable;

/**
 * An AMD-Vi unit: the register page, the translation of requests, and what holds them together.
 *
 * <p>Locks: {@code commandLock} serialises register accesses and the command buffer; {@code state}
 * guards the register file and the logs, for moments. A device thread takes only the state lock,
 * and only to report: so a COMPLETION_WAIT, which holds the command lock, can wait for it.
 */
final class AmdviIommu extends BaseUnit<Workspace> {
  private final UnitConfig config;
  private final EntryCache entries;
  private final WalkCaches walkCaches;
  private final Counters counters;
  private final Signals signals;
  private final EventLog eventLog;
  private final PprLog pprLog;
  private final GaLog gaLog;
  private final InterruptRemapper interrupts;
  private final MessagePort messages;
  private final Invalidation invalidation;
  private final CommandBuffer commands;
  private final MsiCapability msi = new MsiCapability();
  private final VirtualIommus virtual;
  private final CommandTurns turns;
  private final CapabilitySpace capability;
  private final RegisterPage page;

  private volatile Setup setup;

  /** The reverse map table of a system with SNP; state lock. */
  private @Nullable Rmp rmp;

  /** Firmware made the system SNP-enabled: some registers are locked; state lock. */
  private boolean snpLocked;

  AmdviIommu(UnitConfig config, Host host) {
    super(host, config.caches());
    this.config = config;
    boolean worst = config.caches().behaviour() == CacheBehaviour.WORST_CASE;
    entries = new EntryCache(worst ? 1 << 16 : 1024);
    walkCaches = new WalkCaches(config.caches().walkCache(), worst && config.keepsAbsent());
    counters = new Counters(this);
    signals = new Signals(this);
    eventLog = new EventLog(this);
    pprLog = new PprLog(this);
    gaLog = new GaLog(this);
    interrupts = new InterruptRemapper(this);
    messages = new MessagePort(this);
    invalidation = new Invalidation(this);
    commands = new CommandBuffer(this, invalidation);
    virtual = new VirtualIommus(this);
    turns = new CommandTurns(commands, virtual);
    capability = new CapabilitySpace(this);
    page = new RegisterPage(this);
    rmp = config.rmp();
    setup = new Setup(host().memory(), config, page.registers(), false, rmp);
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
        if (shared(s, now, requester, w, request, out)) {
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

  /** The entry of a request's device, if the quick ways may use it for this address. */
  private @Nullable DeviceEntry known(Setup s, DmaRequest request) {
    DeviceEntry d = entries.lookup(request.source() & 0xffff);
    return d != null && usable(s, d, request) ? d : null;
  }

  private static boolean usable(Setup s, DeviceEntry d, DmaRequest request) {
    return request.hasPasid() ? d.plainWithPasid : d.plain && !s.ofNote(request.iova());
  }

  /** Whether the shared caches answer; the thread keeps that for the next time. */
  private boolean shared(
      Setup s, long now, long requester, Workspace w, DmaRequest request, Translation out) {
    DeviceEntry d = known(s, request);
    if (d == null) {
      return false;
    }
    long iova = request.iova();
    long data = iotlb().lookup(request.hasPasid() ? d.tag(request.pasid()) : d.tag, iova);
    int granted = TlbData.USER.getInt(data) & d.permissions;
    int need = TlbData.need(request.access());
    if (data == Iotlb.MISS || (granted & need) != need) {
      return false;
    }
    long pa = TlbData.pa(data, iova);
    int shift = TlbData.shift(data);
    // Nothing is excluded here, and other addresses of note are whole megabytes.
    int holds = shift > 20 && !request.hasPasid() ? s.besideNotes(iova, shift) : shift;
    long answer = Translation.answer(holds, granted, TlbData.memoryType(data));
    out.grant(pa, answer);
    w.recent().keep(now, requester, iova, pa, answer);
    return true;
  }

  /** Whether an ordinary walk answers. */
  private boolean walked(Setup s, Workspace w, DmaRequest request, Translation out) {
    long iova = request.iova();
    w.begin(s);
    w.deviceId = request.source() & 0xffff;
    w.pasid = request.pasid();
    w.iova = iova;
    DeviceEntry d = s.cached ? entries.lookup(w.deviceId) : DeviceTable.again(s, w);
    if (d == null || !usable(s, d, request)) {
      return false;
    }
    int need = TlbData.need(request.access());
    if ((need & ~d.permissions) != 0) {
      return false;
    }
    long pa = PlainWalk.walk(s, d, w, iova, need);
    if (pa == PlainWalk.UNDECIDED) {
      return false;
    }
    out.grant(pa, Translator.plain(s, w, d, iova, pa));
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
  public void pageRequest(PageRequest request) {
    pprLog.receive(request);
  }

  @Override
  public boolean invalidationCompleted(int source, boolean segmented, int tagVector, int count) {
    synchronized (commandLock()) {
      boolean expected = commands.completed(source, segmented, tagVector, count);
      turns.run();
      return expected;
    }
  }

  @Override
  public void invalidationTimedOut(int tagVector) {
    synchronized (commandLock()) {
      commands.timedOut(tagVector);
      turns.run();
    }
  }

  // ---- the register page

  @Override
  public int registerBytes() {
    return RegisterBank.bytes(config);
  }

  @Override
  public Mmio configuration() {
    return capability;
  }

  @Override
  public List<RegisterWindow> registerWindows() {
    return virtual.windows();
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
    publish();
    cachesChanged();
  }

  /**
   * The same of what device table entries were read or decoded by: they are forgotten. In this
   * order, or a thread could keep one more that is of the setup before.
   */
  void refreshEntries() {
    publish();
    entries.invalidateAll();
    cachesChanged();
  }

  private void publish() {
    setup = new Setup(host().memory(), config, page.registers(), counters.counting(), rmp);
  }

  /**
   * Firmware makes the system SNP-enabled, or ends that.
   *
   * @param table the reverse map table; null to end
   * @return whether the unit is such that firmware goes on: it has SNPSup, and IommuEn is set
   */
  boolean secureNestedPaging(@Nullable Rmp table) {
    synchronized (commandLock()) {
      synchronized (state()) {
        if (table != null && !(config.has(ExtendedFeatures.SNP_SUP) && setup.enabled)) {
          return false;
        }
        rmp = table;
        snpLocked = table != null;
        refreshEntries(); // decoded without what SNP demands of them
      }
      drain();
    }
    return true;
  }

  /** Waits for every access and message that began before. State lock not held. */
  void drain() {
    windows().drain();
    interrupts.settle();
  }

  /** Whether registers are locked as 48882, 2.12.2.1, has it. State lock held. */
  boolean snpLocked() {
    return snpLocked;
  }

  // ---- what the parts ask for

  /** Whether a bit of the control register is set. */
  boolean enabled(Field control) {
    synchronized (state()) {
      return page.registers().get(Control.REGISTER, control) != 0;
    }
  }

  UnitConfig config() {
    return config;
  }

  Setup setup() {
    return setup;
  }

  CommandTurns turns() {
    return turns;
  }

  VirtualIommus virtual() {
    return virtual;
  }

  RegisterPage page() {
    return page;
  }

  RegisterFile registers() {
    return page.registers();
  }

  EntryCache entries() {
    return entries;
  }

  WalkCaches walkCaches() {
    return walkCaches;
  }

  Counters counters() {
    return counters;
  }

  Signals signals() {
    return signals;
  }

  MsiCapability msi() {
    return msi;
  }

  EventLog eventLog() {
    return eventLog;
  }

  GaLog gaLog() {
    return gaLog;
  }

  InterruptRemapper interrupts() {
    return interrupts;
  }

  CommandBuffer commands() {
    return commands;
  }

  /** Guest tables can be in use: their translations may be cached. */
  boolean guestUsed() {
    return config.has(ExtendedFeatures.GT_SUP);
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
    return new AmdviInspector(this);
  }

  @Override
  public Map<String, Long> statistics() {
    Map<String, Long> all = super.statistics();
    all.put("walk-cache.guest.entries", (long) walkCaches.guest.size());
    all.put("walk-cache.host.entries", (long) walkCaches.host.size());
    return all;
  }
}
