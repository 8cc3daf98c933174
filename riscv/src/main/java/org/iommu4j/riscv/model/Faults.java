package org.iommu4j.riscv.model;

import org.iommu4j.core.dma.Access;
import org.iommu4j.riscv.layout.Cause;

/** From the original access type to the cause. §2.3; Privileged ISA. */
final class Faults {
  static final int PT_CORRUPTION = Cause.PT_DATA_CORRUPTION.code();

  private static final int[] PAGE = {13, 13, 15, 15, 12, 12, 12, 12};
  private static final int[] GUEST = {21, 21, 23, 23, 20, 20, 20, 20};
  private static final int[] ACCESS = {5, 5, 7, 7, 1, 1, 1, 1};

  private Faults() {}

  /**
   * The index of the cause: execute before read before write. A translation request always asks for
   * read, so that without execute it is a read; see {@link Translator}.
   */
  static int page(int access) {
    return PAGE[kind(access)];
  }

  static int guestPage(int access) {
    return GUEST[kind(access)];
  }

  static int access(int access) {
    return ACCESS[kind(access)];
  }

  private static int kind(int access) {
    if ((access & Access.EXECUTE) != 0) {
      return Access.EXECUTE;
    }
    return (access & Access.READ) != 0 ? Access.READ : access & Access.WRITE;
  }

  /** The permissions that a request needs, as R, W, X. */
  static int needed(int access) {
    return access & 7;
  }
}
