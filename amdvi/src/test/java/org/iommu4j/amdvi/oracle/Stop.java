package org.iommu4j.amdvi.oracle;

/** The process stops: an event, or an abort without one. */
final class Stop extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** The cause's name; empty for an abort that is no event. */
  final String cause;

  /** The event's first word as far as the cause tells: code, flags, type. */
  final long flags;

  /** What the event's second word holds. */
  final long address;

  Stop(Rule rule, long flags, long address) {
    super(rule.name(), null, false, false);
    this.cause = rule.name();
    this.flags = (long) rule.code() << 60 | rule.flags() | flags;
    this.address = address;
  }

  int code() {
    return (int) (flags >>> 60);
  }
}
