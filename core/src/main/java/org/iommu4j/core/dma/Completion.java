package org.iommu4j.core.dma;

/** How a request ended, in PCIe's terms. */
public enum Completion {
  /** Carried out, or a translation request answered. */
  SUCCESS,
  /** Refused as unsupported (UR). */
  UNSUPPORTED_REQUEST,
  /** Refused because the unit could not do it (CA). */
  COMPLETER_ABORT
}
