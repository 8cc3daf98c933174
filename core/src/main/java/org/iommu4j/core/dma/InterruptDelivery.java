package org.iommu4j.core.dma;

import org.jspecify.annotations.Nullable;

/** Where an interrupt message went. A flyweight that the caller reuses. */
public final class InterruptDelivery {
  /** What became of the message. */
  public enum Kind {
    /** Nothing was delivered; {@link #reason} says why. */
    BLOCKED,
    /** Written to {@link #address}: an interrupt file or controller at that physical address. */
    WRITTEN,
    /** Recorded in a memory-resident file at {@link #address}; a notice went to {@link #notice}. */
    RECORDED,
    /** Accepted without effect, as the architecture defines for this value. */
    DISCARDED
  }

  private Kind kind = Kind.BLOCKED;
  private long address;
  private int data;
  private long notice;
  private @Nullable FaultReason reason;

  /** What became of the message. */
  public Kind kind() {
    return kind;
  }

  /** Physical address of the target. */
  public long address() {
    return address;
  }

  /** What was delivered: the data written, or the identity recorded. */
  public int data() {
    return data;
  }

  /** Physical address of the notice; 0 if there was none. */
  public long notice() {
    return notice;
  }

  /** Why it was blocked. */
  public @Nullable FaultReason reason() {
    return reason;
  }

  /** Sets a delivery. */
  public void deliver(Kind how, long to, int value, long noticeTo) {
    kind = how;
    address = to;
    data = value;
    notice = noticeTo;
    reason = null;
  }

  /** Sets a refusal. */
  public void block(@Nullable FaultReason why) {
    kind = Kind.BLOCKED;
    address = 0;
    data = 0;
    notice = 0;
    reason = why;
  }
}
