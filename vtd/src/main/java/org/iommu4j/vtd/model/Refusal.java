package org.iommu4j.vtd.model;

import org.iommu4j.core.dma.FaultReason;

/** Why a request is refused where the specification has it refused and not recorded. */
enum Refusal implements FaultReason {
  /** TES = 0 and the request is a translation request or a translated one. §3. */
  DISABLED(
      "DMA remapping is off",
      "translation and translated requests need GSTS_REG.TES = 1: the device uses ATS too early"),
  /** A translation request that writes. */
  MALFORMED("Translation request that writes", "no device may send such a message"),
  /** The access ends in a protected memory region. */
  PROTECTED(
      "Protected memory region",
      "PMEN_REG.EPM protects this memory: firmware left it on, or the region was not moved");

  private final String title;
  private final String advice;

  Refusal(String title, String advice) {
    this.title = title;
    this.advice = advice;
  }

  /** These have no code. */
  @Override
  public int code() {
    return 0;
  }

  @Override
  public String title() {
    return title;
  }

  @Override
  public String advice() {
    return advice;
  }
}
