package org.iommu4j.core;

import org.iommu4j.core.dma.Fault;
import org.jspecify.annotations.Nullable;

/**
 * A line of a kernel's log, understood.
 *
 * @param unit the IOMMU or device that it is about, as the kernel calls it
 * @param kind what sort of message it is
 * @param text the message, without what the log puts in front
 * @param fault the fault that it reports, as far as the line tells; null if it reports none
 * @param advice what it means and what to do about it, one or two sentences for a person
 */
public record KernelMessage(
    String unit, Kind kind, String text, @Nullable Fault fault, String advice) {
  /** Sorts of messages. */
  public enum Kind {
    /** A device did what it may not. */
    FAULT,
    /** The unit or its driver lost something or stopped working. */
    ERROR,
    /** The driver did not get what it wanted and went on otherwise. */
    WARNING,
    /** How the driver set things up. */
    STATE
  }
}
