package org.iommu4j.core.dma;

/**
 * Why a request was blocked, in the architecture's own terms. Each model's enum holds the codes of
 * its specification, in the specification's order, with no gaps filled in.
 */
public interface FaultReason {
  /** The specification's code. */
  int code();

  /** The code as the specification writes it: decimal, or hexadecimal after {@code 0x}. */
  default String codeText() {
    return Integer.toString(code());
  }

  /** The constant's name. */
  String name();

  /** The specification's words for it, e.g. {@code Read page fault}. */
  String title();

  /** What usually causes it and what to look at, one sentence for a person. */
  String advice();
}
