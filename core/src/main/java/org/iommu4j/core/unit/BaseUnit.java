package org.iommu4j.core.unit;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Map;
import org.iommu4j.core.CacheSettings;
import org.iommu4j.core.dma.AccessWindows;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.iotlb.Iotlb;
import org.iommu4j.core.iotlb.MicroTlb;

/**
 * What units of all architectures have: two locks, the windows that their devices' accesses keep
 * open, an IOTLB, a workspace for every thread, and the epoch of what threads keep.
 *
 * <p>Locks: {@link #commandLock} serialises register accesses and commands; {@link #state} guards
 * registers and the indices of queues, for moments. A device thread takes only the state lock, and
 * only to report: so a command that waits for accesses to end, which holds the command lock, can
 * wait for it.
 *
 * @param <W> the architecture's workspace
 */
public abstract class BaseUnit<W extends BaseWorkspace> implements Iommu {
  private static final VarHandle EPOCH;

  /** How many units a translation may be used with in turn, each finding its workspace again. */
  private static final int UNITS = 16;

  static {
    try {
      EPOCH = MethodHandles.lookup().findVarHandle(BaseUnit.class, "epoch", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final Host host;
  private final Object commandLock = new Object();
  private final Object state = new Object();
  private final AccessWindows windows = new AccessWindows();
  private final Iotlb iotlb;
  private final Workspaces<W> workspaces = new Workspaces<>();

  /** Counts up with whatever makes a cached translation wrong; see {@link MicroTlb}. */
  private volatile long epoch;

  /** A unit in a machine. */
  protected BaseUnit(Host host, CacheSettings caches) {
    this.host = host;
    iotlb = new Iotlb(caches.iotlb());
  }

  /** What the unit is part of. */
  public final Host host() {
    return host;
  }

  /** Held for a register access, and while commands run. */
  public final Object commandLock() {
    return commandLock;
  }

  /** Held for moments, to look at registers or to change them. */
  public final Object state() {
    return state;
  }

  /** The cache of translations that all threads share. */
  public final Iotlb iotlb() {
    return iotlb;
  }

  @Override
  public final AccessWindows windows() {
    return windows;
  }

  /** To be read before anything else is that a thread's own entries depend on. */
  protected final long epoch() {
    return epoch;
  }

  /**
   * Entries of the shared caches are gone, or may no longer be used: threads forget what they kept
   * of them. To be called after the removal and before the drain.
   */
  public final void cachesChanged() {
    EPOCH.getAndAdd(this, 1L);
  }

  /** A new workspace. */
  protected abstract W workspace();

  /**
   * The unit's workspace in a translation that was used with another unit since, or never with this
   * one. It comes first from now on; the others stay behind it, but for those that were in use the
   * longest ago: units come and go.
   */
  protected final W attach(Translation out) {
    BaseWorkspace first = out.workspace() instanceof BaseWorkspace b ? b : null;
    BaseWorkspace before = null;
    int others = 0;
    for (BaseWorkspace w = first; w != null; before = w, w = w.behind) {
      if (++others == UNITS) {
        w.behind = null;
      }
      if (w.owner == workspaces) {
        if (before != null) {
          before.behind = w.behind;
          w.behind = first;
          out.workspace(w);
        }
        @SuppressWarnings("unchecked") // a unit owns what it made
        W own = (W) w;
        return own;
      }
    }
    W w = workspace();
    w.owner = workspaces;
    w.behind = first;
    workspaces.add(w);
    out.workspace(w);
    return w;
  }

  /** What the workspace counted stays with the unit. */
  @Override
  public final void release(Translation translation) {
    BaseWorkspace before = null;
    BaseWorkspace w = translation.workspace() instanceof BaseWorkspace first ? first : null;
    while (w != null && w.owner != workspaces) {
      before = w;
      w = w.behind;
    }
    if (w == null) {
      return;
    }
    if (before == null) {
      translation.workspace(w.behind);
    } else {
      before.behind = w.behind;
    }
    workspaces.remove(w);
  }

  /** The statistics that all units have, to which an architecture adds its own. */
  @Override
  public Map<String, Long> statistics() {
    return workspaces.statistics(iotlb.size());
  }
}
