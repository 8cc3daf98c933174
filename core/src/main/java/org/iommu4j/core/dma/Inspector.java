package org.iommu4j.core.dma;

import java.util.List;
import java.util.stream.LongStream;
import org.iommu4j.core.bits.Layout;
import org.jspecify.annotations.Nullable;

/**
 * Questions to a unit that change nothing: no fault is reported, no bit in memory is set, no cache
 * is filled or used.
 */
public interface Inspector {
  /**
   * One table entry that a translation read.
   *
   * @param what the structure in the specification's words, with its level
   * @param layout how to decode it
   * @param address where it was read
   * @param raw its 64-bit words
   */
  record Step(String what, Layout layout, long address, List<Long> raw) {
    /** An entry of these words. */
    public static Step of(String what, Layout layout, long address, long... raw) {
      return new Step(what, layout, address, LongStream.of(raw).boxed().toList());
    }
  }

  /**
   * One request, followed through every table.
   *
   * @param steps what was read, in order
   * @param reason null if the request would pass
   * @param pa the translated address if it would
   * @param rangeShift how far that holds
   * @param permissions what is granted there, {@link Access} bits
   * @param outcome one line for people
   */
  record Walk(
      List<Step> steps,
      @Nullable FaultReason reason,
      long pa,
      int rangeShift,
      int permissions,
      String outcome) {
    /** Copies the list. */
    public Walk {
      steps = List.copyOf(steps);
    }

    /**
     * A request that would pass to memory.
     *
     * @param remark what else is to be said of it; empty for nothing
     */
    public static Walk passes(
        List<Step> steps, long iova, long pa, int rangeShift, int permissions, String remark) {
      String outcome =
          "passes: 0x%x -> 0x%x, %s, %s%s"
              .formatted(
                  iova,
                  pa,
                  Access.permissions(permissions),
                  size(1L << rangeShift),
                  remark.isEmpty() ? "" : ", " + remark);
      return new Walk(steps, null, pa, rangeShift, permissions, outcome);
    }

    /** A request of a PC's device to the range of interrupts, {@code FEEx_xxxxh}. */
    public static Walk interruptRange(long iova) {
      return new Walk(
          List.of(),
          null,
          iova,
          20,
          Access.WRITE,
          "interrupt range: a write of four bytes is an interrupt, all else is refused");
    }

    private static String size(long bytes) {
      return bytes >= 1L << 30
          ? (bytes >> 30) + " GiB"
          : bytes >= 1 << 20 ? (bytes >> 20) + " MiB" : (bytes >> 10) + " KiB";
    }

    /** Whether the request would pass. */
    public boolean passes() {
      return reason == null;
    }
  }

  /** What a requester can do at all. */
  enum Reach {
    /** Every access is blocked. */
    BLOCKED,
    /** Addresses pass unchanged. */
    IDENTITY,
    /** Addresses are translated. */
    TRANSLATED
  }

  /**
   * A contiguous range that a requester reaches.
   *
   * @param iova first device address
   * @param size bytes
   * @param pa where it leads
   * @param permissions {@link Access} bits
   * @param message whether it leads to an interrupt target of the unit
   */
  record Mapping(long iova, long size, long pa, int permissions, boolean message) {}

  /**
   * All that a requester reaches.
   *
   * @param reach the kind
   * @param reason why everything is blocked; null otherwise
   * @param mappings adjacent ranges joined, lowest first; for IDENTITY empty
   * @param truncated whether there were more than asked for
   */
  record View(
      Reach reach, @Nullable FaultReason reason, List<Mapping> mappings, boolean truncated) {
    /** Copies the list. */
    public View {
      mappings = List.copyOf(mappings);
    }
  }

  /** A requester, with or without PASID, for which the tables hold a valid context. */
  record Context(int source, int pasid, String description) {}

  /** Follows one request through every table. */
  Walk walk(DmaRequest request);

  /**
   * Follows an interrupt message through every table. Where a message is a write like any other,
   * that is the walk of the write.
   */
  default Walk walk(InterruptRequest message) {
    return walk(
        new DmaRequest()
            .source(message.source())
            .pasid(message.pasid())
            .iova(message.address())
            .access(Access.WRITE));
  }

  /**
   * Everything that a requester reaches.
   *
   * @param pasid PASID or {@link DmaRequest#NO_PASID}
   * @param limit at most so many mappings
   */
  View view(int source, int pasid, int limit);

  /** The valid contexts, by source and PASID; at most {@code limit}. */
  List<Context> contexts(int limit);
}
