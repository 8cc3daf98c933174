package org.iommu4j.riscv.layout;

import static org.iommu4j.core.bits.Field.bits;

import java.util.List;
import org.iommu4j.core.bits.Field;

/**
 * How a device_id and a process_id are split into indices of their directories, lowest level first:
 * element i is DDI[i] or PDI[i]. §3.1, §3.3.
 */
public final class DirectoryIndex {
  /** device_id, device contexts in base format. */
  public static final List<Field> DDI_BASE =
      List.of(bits("DDI[0]", 6, 0), bits("DDI[1]", 15, 7), bits("DDI[2]", 23, 16));

  /** device_id, device contexts in extended format. */
  public static final List<Field> DDI_EXTENDED =
      List.of(bits("DDI[0]", 5, 0), bits("DDI[1]", 14, 6), bits("DDI[2]", 23, 15));

  /** process_id. */
  public static final List<Field> PDI =
      List.of(bits("PDI[0]", 7, 0), bits("PDI[1]", 16, 8), bits("PDI[2]", 19, 17));

  private DirectoryIndex() {}
}
