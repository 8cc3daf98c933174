package org.iommu4j.core;

import java.util.List;
import org.iommu4j.core.bits.Layout;

/**
 * An IOMMU as a running Linux shows it below {@code /sys/class/iommu}, understood.
 *
 * @param name the unit's name there, e.g. {@code dmar0}
 * @param architecture its architecture's id, as {@link Architecture#id}
 * @param summary what the unit can do, one sentence for a person
 * @param attributes its files, in the architecture's order
 * @param devices the devices behind it, as the kernel calls them
 */
public record SysfsUnit(
    String name,
    String architecture,
    String summary,
    List<Attribute> attributes,
    List<String> devices) {
  /** Copies the lists. */
  public SysfsUnit {
    attributes = List.copyOf(attributes);
    devices = List.copyOf(devices);
  }

  /**
   * A file.
   *
   * @param name the file's
   * @param text its content
   * @param meaning what it says, for a person
   * @param fields the register's fields if it is one, else empty
   */
  public record Attribute(String name, String text, String meaning, List<Layout.Value> fields) {
    /** Copies the list. */
    public Attribute {
      fields = List.copyOf(fields);
    }
  }

  /** The same unit with these devices. */
  public SysfsUnit with(List<String> behind) {
    return new SysfsUnit(name, architecture, summary, attributes, behind);
  }
}
