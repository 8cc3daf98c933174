package org.iommu4j.machine.description;

import org.jspecify.annotations.Nullable;

/** One step of a scenario, with what should become of it. */
public sealed interface Step {
  /** What should become of a step. */
  enum Expectation {
    /** Carried out. */
    OK,
    /** Blocked by the IOMMU. */
    BLOCKED,
    /** Translated, but nothing answers there. */
    ABORTED,
    /** Refused by the driver. */
    REFUSED
  }

  /** The kind of a plain access. */
  enum Kind {
    /** Reads data. */
    READ,
    /** Writes data. */
    WRITE,
    /** Reads instructions. */
    FETCH
  }

  /** Where the step stands. */
  Place at();

  /** What it is about, or empty. */
  String note();

  /** What should become of it. */
  Expectation expect();

  /**
   * A step that a device takes.
   *
   * @see #as
   */
  sealed interface Device extends Step {
    /** The device's name. */
    String device();

    /** The requester id that the device puts in place of its own; null for its own. */
    @Nullable Integer as();

    /** The PASID, or {@link org.iommu4j.core.dma.DmaRequest#NO_PASID}. */
    int pasid();
  }

  /**
   * A plain access.
   *
   * @param pa where it should lead; null if that does not matter
   */
  record Dma(
      Place at,
      String note,
      Kind kind,
      String device,
      @Nullable Integer as,
      int pasid,
      long iova,
      long length,
      @Nullable Long pa,
      Expectation expect)
      implements Device {}

  /** A compare-and-swap of 4 or 8 bytes. */
  record Cas(
      Place at,
      String note,
      String device,
      @Nullable Integer as,
      int pasid,
      long iova,
      int length,
      Expectation expect)
      implements Device {}

  /**
   * An interrupt message: one that a driver asked for, or any.
   *
   * @param interrupt the name of the interrupt whose address and data are used; null if they are
   *     given here
   * @param target the name of the interrupt target that is addressed directly; null for {@code
   *     address}
   */
  record Msi(
      Place at,
      String note,
      String device,
      @Nullable Integer as,
      int pasid,
      @Nullable String interrupt,
      @Nullable String target,
      long address,
      int data,
      Expectation expect)
      implements Device {}

  /** The driver maps a range. */
  record Map(
      Place at, String note, String domain, PlatformDescription.Mapping mapping, Expectation expect)
      implements Step {}

  /** The driver unmaps a range. */
  record Unmap(Place at, String note, String domain, long iova, long size, Expectation expect)
      implements Step {}

  /** The driver attaches a device to a domain. */
  record Attach(Place at, String note, String device, int pasid, String domain, Expectation expect)
      implements Step {}

  /** The driver blocks a device, or one PASID of it, again. */
  record Detach(Place at, String note, String device, int pasid, Expectation expect)
      implements Step {}
}
