package org.iommu4j.machine;

/**
 * A range of physical addresses that matters to somebody.
 *
 * @param name its name
 * @param kind what it is
 * @param base first byte
 * @param size bytes
 * @param owner the domain or unit that it belongs to; empty for none
 */
public record Resource(String name, Kind kind, long base, long size, String owner) {
  /** What a resource is. */
  public enum Kind {
    /** Memory that a driver maps for a device. */
    BUFFER("buffer"),
    /** Takes interrupt messages. */
    INTERRUPT_TARGET("interrupts"),
    /** The registers of an IOMMU: who writes them owns the platform. */
    REGISTERS("registers"),
    /** The tables and queues of an IOMMU: who writes them owns the platform. */
    TABLES("tables"),
    /** Memory in general. */
    MEMORY("memory");

    private final String words;

    Kind(String words) {
      this.words = words;
    }

    /** For people. */
    public String words() {
      return words;
    }
  }

  /** The last byte. */
  public long last() {
    return base + size - 1;
  }
}
