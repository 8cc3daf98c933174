package org.iommu4j.machine.fake;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.Completion;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Inspector;
import org.iommu4j.core.dma.Inspector.Step;
import org.iommu4j.core.dma.Inspector.Walk;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.dma.InterruptRequest;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.core.testing.InertIommu;

/** The fake's hardware: no cache, tables read at every access. */
final class FakeIommu extends InertIommu {
  static final int TABLE = 0;
  static final int FAULT_SOURCE = 8;
  static final int FAULT_ADDRESS = 16;

  /** Bits 7:0 access, 15:8 reason, 63 valid; a write drops the record. */
  static final int FAULT_KIND = 24;

  static final long IDENTITY = 1;
  static final int ENTRY_BYTES = 32;
  static final int ENTRIES = 128;

  static final Layout POINTER =
      Layout.of(
          "context",
          "fake 1",
          Field.bits("LIST", 63, 12),
          Field.bit("IDENTITY", 0),
          Field.reserved(11, 1));
  static final Layout RANGE =
      Layout.of("range", "fake 2", Field.bits("IOVA", 63, 0))
          .then(Field.bits("PA", 63, 0))
          .then(Field.bits("SIZE", 63, 0))
          .then(Field.bit("R", 0), Field.bit("W", 1), Field.bit("X", 2));

  private record Record(int source, long address, long kind) {}

  private final PhysicalMemory memory;
  private final Deque<Record> faults = new ArrayDeque<>();
  private long table;
  private long translations;
  private long blocked;

  FakeIommu(PhysicalMemory memory) {
    this.memory = memory;
  }

  @Override
  public synchronized long read(long offset, int size) {
    Record r = faults.peek();
    return switch ((int) offset) {
      case TABLE -> table;
      case FAULT_SOURCE -> r == null ? 0 : r.source;
      case FAULT_ADDRESS -> r == null ? 0 : r.address;
      case FAULT_KIND -> r == null ? 0 : r.kind | Long.MIN_VALUE;
      default -> 0;
    };
  }

  @Override
  public synchronized void write(long offset, int size, long value) {
    if (offset == TABLE) {
      table = value;
      windows().drain();
    } else if (offset == FAULT_KIND) {
      faults.poll();
    }
  }

  private Walk look(int source, long iova, int access) {
    List<Step> steps = new ArrayList<>();
    long at = table + (source & 511) * 8L;
    long list = table == 0 ? 0 : memory.readLong(at);
    if (table != 0) {
      steps.add(new Step("context", POINTER, at, List.of(list)));
    }
    if (list == 0 || (source >>> 9) != 0) {
      return new Walk(steps, FakeArchitecture.Reason.NO_CONTEXT, 0, 0, 0, "no context");
    }
    if (list == IDENTITY) {
      return new Walk(steps, null, iova, 12, 7, "passes unchanged");
    }
    for (int i = 0; i < ENTRIES; i++) {
      long entry = list + (long) i * ENTRY_BYTES;
      long first = memory.readLong(entry);
      long bytes = memory.readLong(entry + 16);
      if (Long.compareUnsigned(iova - first, bytes) < 0) {
        long pa = memory.readLong(entry + 8);
        int granted = (int) memory.readLong(entry + 24);
        steps.add(new Step("range " + i, RANGE, entry, List.of(first, pa, bytes, (long) granted)));
        boolean ok = (access & 7 & ~granted) == 0;
        return new Walk(
            steps,
            ok ? null : FakeArchitecture.Reason.NOT_PERMITTED,
            pa + iova - first,
            12,
            granted,
            ok ? "passes" : "not permitted");
      }
    }
    return new Walk(steps, FakeArchitecture.Reason.NOT_MAPPED, 0, 0, 0, "not mapped");
  }

  @Override
  public synchronized boolean translate(DmaRequest request, Translation out) {
    translations++;
    Walk walk = look(request.source(), request.iova(), request.access());
    if (walk.passes()) {
      out.grant(walk.pa(), walk.rangeShift(), walk.permissions(), 0);
      return true;
    }
    blocked++;
    int code = walk.reason() == null ? 0 : walk.reason().code();
    faults.add(
        new Record(request.source(), request.iova(), (long) code << 8 | (request.access() & 0xff)));
    out.block(Completion.UNSUPPORTED_REQUEST, walk.reason(), 0);
    return false;
  }

  @Override
  public boolean remap(InterruptRequest request, InterruptDelivery out) {
    Translation translation = new Translation();
    boolean ok =
        translate(
            new DmaRequest().source(request.source()).iova(request.address()).access(Access.WRITE),
            translation);
    if (!ok) {
      out.block(translation.reason());
      return false;
    }
    if (memory.writeInt(translation.pa(), request.data()) != PhysicalMemory.OK) {
      out.block(null);
      return false;
    }
    out.deliver(InterruptDelivery.Kind.WRITTEN, translation.pa(), request.data(), 0);
    return true;
  }

  @Override
  public Inspector inspector() {
    return new Inspector() {
      @Override
      public Walk walk(DmaRequest request) {
        return look(request.source(), request.iova(), request.access());
      }

      @Override
      public View view(int source, int pasid, int limit) {
        long list = table == 0 || pasid >= 0 ? 0 : memory.readLong(table + (source & 511) * 8L);
        if (list == 0) {
          return new View(Reach.BLOCKED, FakeArchitecture.Reason.NO_CONTEXT, List.of(), false);
        }
        if (list == IDENTITY) {
          return new View(Reach.IDENTITY, null, List.of(), false);
        }
        List<Mapping> all = new ArrayList<>();
        for (int i = 0; i < ENTRIES; i++) {
          long entry = list + (long) i * ENTRY_BYTES;
          long bytes = memory.readLong(entry + 16);
          if (bytes != 0) {
            all.add(
                new Mapping(
                    memory.readLong(entry),
                    bytes,
                    memory.readLong(entry + 8),
                    (int) memory.readLong(entry + 24),
                    false));
          }
        }
        all.sort((a, b) -> Long.compareUnsigned(a.iova(), b.iova()));
        boolean more = all.size() > limit;
        return new View(Reach.TRANSLATED, null, more ? all.subList(0, limit) : all, more);
      }

      @Override
      public List<Context> contexts(int limit) {
        List<Context> all = new ArrayList<>();
        for (int source = 0; source < 512 && table != 0; source++) {
          if (memory.readLong(table + source * 8L) != 0) {
            all.add(new Context(source, DmaRequest.NO_PASID, "fake context"));
          }
        }
        return all;
      }
    };
  }

  @Override
  public int registerBytes() {
    return 4096;
  }

  @Override
  public Map<String, Long> statistics() {
    return new TreeMap<>(Map.of("translations", translations, "faults", blocked));
  }
}
