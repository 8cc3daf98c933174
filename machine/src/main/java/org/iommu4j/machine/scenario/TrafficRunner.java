package org.iommu4j.machine.scenario;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.iommu4j.core.dma.DmaPort;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.core.dma.Inspector;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.machine.Endpoint;
import org.iommu4j.machine.Platform;
import org.iommu4j.machine.description.PlatformDescription.Traffic;
import org.jspecify.annotations.Nullable;

/** Lets devices access memory on real threads, as fast as they can, and takes the time. */
public final class TrafficRunner {
  private static final int BURST = 1024;
  private static final long PAGE = 4096;

  /** More than this is not committed for a measurement of a second. */
  private static final long LARGEST_TOUCHED = 256L << 20;

  /** Measured in so many pieces, of which the median counts: other work comes and goes. */
  private static final int PIECES = 5;

  // Seconds, at least: the compiler needs them.
  private static final double FIRST_WARM_UP = 0.4;
  private static final double NEXT_WARM_UP = 0.1;

  // Shares of a traffic's time.
  private static final double WARM_UP = 0.25;
  private static final double BARE = 0.2;

  private final Platform platform;
  private boolean warm;

  /** A runner for the platform. */
  public TrafficRunner(Platform platform) {
    this.platform = platform;
  }

  /** Whether this platform's units can carry the traffic: it may need PASIDs that they lack. */
  public boolean possible(Traffic traffic) {
    return !Player.lacksPasids(Player.endpoint(platform, traffic.device()), traffic.pasid());
  }

  /**
   * Runs one traffic, after a warm-up.
   *
   * @param seconds how long in all, where the traffic itself does not say
   */
  public Throughput run(Traffic traffic, double seconds) {
    Endpoint endpoint = Player.endpoint(platform, traffic.device());
    double time = traffic.seconds() > 0 ? traffic.seconds() : seconds;
    Long pa = contiguous(endpoint, traffic);
    if (pa != null && traffic.size() <= LARGEST_TOUCHED) {
      touch(pa, traffic.size());
    }
    long warmUp = nanos(Math.max(time * WARM_UP, warm ? NEXT_WARM_UP : FIRST_WARM_UP));
    warm = true;
    loops(traffic, endpoint, null, warmUp);
    Map<String, Long> before = endpoint.unit().iommu().statistics();
    Total total = median(traffic, endpoint, null, time * (1 - WARM_UP - BARE));
    Map<String, Long> after = endpoint.unit().iommu().statistics();
    double bare = 0;
    if (pa != null && total.blocked == null) {
      Traffic alone = single(traffic);
      loops(alone, endpoint, pa, nanos(time * BARE / 4));
      Total plain = median(alone, endpoint, pa, time * BARE);
      bare = (double) plain.nanos / Math.max(1, plain.accesses);
    }
    endpoint.unit().service(new ArrayList<>());
    return new Throughput(
        traffic,
        endpoint.label(traffic.pasid()),
        total.accesses,
        total.nanos,
        bare,
        delta(before, after, "iotlb.hits"),
        delta(before, after, "iotlb.misses"),
        total.blocked);
  }

  private static long nanos(double seconds) {
    return (long) (seconds * 1e9);
  }

  /** The median of several runs by their rate; the first that was blocked, if one was. */
  private Total median(Traffic t, Endpoint endpoint, @Nullable Long bareAt, double seconds) {
    // Counted traffic is what was asked for, once.
    int pieces = t.count() > 0 ? 1 : PIECES;
    List<Total> all = new ArrayList<>();
    for (int i = 0; i < pieces; i++) {
      long start = System.nanoTime();
      Total one = loops(t, endpoint, bareAt, nanos(seconds / pieces));
      if (one.blocked != null) {
        return one;
      }
      all.add(new Total(one.accesses, System.nanoTime() - start, null));
    }
    all.sort(Comparator.comparingDouble(one -> (double) one.accesses / one.nanos));
    return all.get(pieces / 2);
  }

  /** Has the host commit the pages: that is its business, not the IOMMU's. */
  private void touch(long pa, long size) {
    for (long at = pa & -8; at < pa + size; at += PAGE) {
      platform.memory().writeLong(at, platform.memory().readLong(at));
    }
  }

  private static Traffic single(Traffic t) {
    return new Traffic(
        t.at(),
        t.name(),
        t.device(),
        t.pasid(),
        t.iova(),
        t.size(),
        t.write(),
        t.access(),
        t.random(),
        1,
        t.seconds(),
        t.count());
  }

  private static long delta(Map<String, Long> before, Map<String, Long> after, String name) {
    Long end = after.get(name);
    return end == null ? -1 : end - before.getOrDefault(name, 0L);
  }

  /** Where the whole range leads, if that is one stretch of memory; then it can be compared. */
  private @Nullable Long contiguous(Endpoint endpoint, Traffic t) {
    if (endpoint.unit().iommu().inspector().view(endpoint.source(), t.pasid(), 1 << 16)
        instanceof Inspector.View view) {
      for (Inspector.Mapping m : view.mappings()) {
        long offset = t.iova() - m.iova();
        if (Long.compareUnsigned(offset, m.size()) < 0
            && Long.compareUnsigned(t.size(), m.size() - offset) <= 0
            && platform.memory().status(m.pa() + offset, t.size(), true) == PhysicalMemory.OK) {
          return m.pa() + offset;
        }
      }
    }
    return null;
  }

  private record Total(long accesses, long nanos, @Nullable FaultReason blocked) {}

  /**
   * All threads of one traffic.
   *
   * @param bareAt physical address of the range to access it without IOMMU; null for with it
   */
  private Total loops(Traffic t, Endpoint endpoint, @Nullable Long bareAt, long nanos) {
    try (ExecutorService threads = Executors.newFixedThreadPool(t.threads())) {
      List<Future<Total>> all = new ArrayList<>();
      for (int i = 0; i < t.threads(); i++) {
        long seed = 0x9E37_79B9_7F4A_7C15L * (i + 1);
        all.add(threads.submit(() -> loop(t, endpoint, bareAt, nanos, seed)));
      }
      long accesses = 0;
      long time = 0;
      FaultReason blocked = null;
      for (Future<Total> f : all) {
        Total one = f.get();
        accesses += one.accesses;
        time += one.nanos;
        blocked = one.blocked != null ? one.blocked : blocked;
      }
      return new Total(accesses, time, blocked);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while traffic ran", e);
    } catch (ExecutionException e) {
      throw new IllegalStateException("traffic failed", e.getCause());
    }
  }

  private Total loop(Traffic t, Endpoint endpoint, @Nullable Long bareAt, long nanos, long seed) {
    try (DmaPort port =
            bareAt == null
                ? endpoint.port(platform.memory(), t.pasid())
                : new DmaPort(null, platform.memory(), endpoint.source())
                    .pasid(DmaRequest.NO_PASID);
        Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(t.access(), 8);
      long base = bareAt == null ? t.iova() : bareAt;
      long slots = t.size() / t.access();
      long start = System.nanoTime();
      long done = 0;
      long state = seed;
      while (true) {
        long n = t.count() > 0 ? Math.min(BURST, t.count() - done) : BURST;
        long next = burst(port, t, buffer, base, slots, n, done, state);
        if (port.status() != DmaPort.Status.OK) {
          return new Total(done, System.nanoTime() - start, port.reason());
        }
        state = next;
        done += n;
        long elapsed = System.nanoTime() - start;
        if (t.count() > 0 ? done >= t.count() : elapsed >= nanos) {
          return new Total(done, elapsed, null);
        }
      }
    }
  }

  /** A run of accesses; stops at the first that is not carried out. Returns the next state. */
  private static long burst(
      DmaPort port,
      Traffic t,
      MemorySegment buffer,
      long base,
      long slots,
      long n,
      long first,
      long state) {
    boolean word = t.access() == 8;
    boolean random = t.random();
    boolean write = t.write();
    long access = t.access();
    long s = state;
    long slot = first % slots;
    for (long i = 0; i < n; i++) {
      if (random) {
        s ^= s << 13;
        s ^= s >>> 7;
        s ^= s << 17;
        slot = Math.unsignedMultiplyHigh(s, slots);
      }
      long iova = base + slot * access;
      boolean ok =
          word
              ? (write ? port.writeLong(iova, s) : port.readLong(iova))
              : (write ? port.write(iova, buffer) : port.read(iova, buffer));
      if (!ok) {
        return s;
      }
      if (!random && ++slot == slots) {
        slot = 0;
      }
    }
    return s;
  }
}
