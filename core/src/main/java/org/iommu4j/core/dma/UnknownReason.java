package org.iommu4j.core.dma;

/**
 * A reason that a record names and the specification does not: reserved, custom, or of a later
 * revision.
 *
 * @param code as recorded
 */
public record UnknownReason(int code) implements FaultReason {
  @Override
  public String name() {
    return "UNKNOWN_" + code;
  }

  @Override
  public String title() {
    return "Unknown reason";
  }

  @Override
  public String advice() {
    return "the code " + code + " is reserved or custom: look it up in the unit's own manual";
  }
}
