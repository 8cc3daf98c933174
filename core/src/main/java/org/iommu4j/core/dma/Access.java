package org.iommu4j.core.dma;

/** Access kinds and permissions, as bits: what a request wants and what a translation grants. */
public final class Access {
  /** Data is read. */
  public static final int READ = 1;

  /** Data is written; atomics are writes that also read. */
  public static final int WRITE = 2;

  /** Data is fetched to be executed. */
  public static final int EXECUTE = 4;

  /** A read-modify-write (AtomicOp); always together with {@link #WRITE}. */
  public static final int ATOMIC = 8;

  /** Privileged mode (PCIe: Privileged Mode Requested); only counts together with a PASID. */
  public static final int PRIVILEGED = 16;

  /** The requester is a CXL type 1 or type 2 device. */
  public static final int CXL = 32;

  /** A read of no bytes (PCIe: all byte enables 0), the flush of a device; together with READ. */
  public static final int ZERO_LENGTH = 64;

  private Access() {}

  /** For people: {@code r}, {@code w}, {@code x} or {@code -} in this order. */
  public static String permissions(int bits) {
    return ((bits & READ) != 0 ? "r" : "-")
        + ((bits & WRITE) != 0 ? "w" : "-")
        + ((bits & EXECUTE) != 0 ? "x" : "-");
  }

  /** For people: the access kind in words. */
  public static String describe(int bits) {
    String kind =
        (bits & ATOMIC) != 0
            ? "atomic"
            : (bits & WRITE) != 0 ? "write" : (bits & EXECUTE) != 0 ? "execute" : "read";
    return (bits & PRIVILEGED) != 0 ? "privileged " + kind : kind;
  }
}
