package org.iommu4j.core.dma;

/** What the address of a request is, PCIe Address Type (AT). */
public enum AddressType {
  /** An address that the IOMMU has to translate. */
  UNTRANSLATED,
  /** A question (ATS Translation Request): what does this address translate to? No data moves. */
  TRANSLATION_REQUEST,
  /** An address that the device had translated before. */
  TRANSLATED
}
