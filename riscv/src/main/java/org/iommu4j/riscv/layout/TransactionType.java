package org.iommu4j.riscv.layout;

import org.iommu4j.core.dma.Access;

/** The TTYP field of a fault record. §4.2, "Transaction type". */
public enum TransactionType {
  NONE(0, "none", 0),
  UNTRANSLATED_EXECUTE(1, "untranslated read for execute", Access.READ | Access.EXECUTE),
  UNTRANSLATED_READ(2, "untranslated read", Access.READ),
  UNTRANSLATED_WRITE(3, "untranslated write/AMO", Access.WRITE),
  TRANSLATED_EXECUTE(5, "translated read for execute", Access.READ | Access.EXECUTE),
  TRANSLATED_READ(6, "translated read", Access.READ),
  TRANSLATED_WRITE(7, "translated write/AMO", Access.WRITE),
  ATS_TRANSLATION_REQUEST(8, "PCIe ATS translation request", Access.READ),
  MESSAGE_REQUEST(9, "PCIe message", 0);

  private final int code;
  private final String words;
  private final int access;

  TransactionType(int code, String words, int access) {
    this.code = code;
    this.words = words;
    this.access = access;
  }

  /** The field's value. */
  public int code() {
    return code;
  }

  /** For people. */
  public String words() {
    return words;
  }

  /** {@link Access} bits as far as the type tells them. */
  public int access() {
    return access;
  }

  /** The type of that code; NONE for reserved and custom codes. */
  public static TransactionType of(int code) {
    for (TransactionType t : values()) {
      if (t.code == code) {
        return t;
      }
    }
    return NONE;
  }
}
