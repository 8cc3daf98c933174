package org.iommu4j.riscv.firmware;

import org.iommu4j.core.acpi.AcpiHeader;

/** Offsets and sizes in bytes: of the table from its start, of a node from the node's. */
final class RimtLayout {
  static final int NODE_COUNT = AcpiHeader.BYTES;
  static final int NODES = 40;
  static final int TABLE = 48;

  // Every node
  static final int TYPE = 0;
  static final int NODE_REVISION = 1;
  static final int NODE_LENGTH = 2;
  static final int NODE_ID = 6;
  static final int NODE_HEADER = 8;
  static final int KNOWN_NODE_REVISION = 1;

  static final int TYPE_IOMMU = 0;
  static final int TYPE_ROOT_COMPLEX = 1;
  static final int TYPE_PLATFORM_DEVICE = 2;

  // IOMMU
  static final int HARDWARE_ID = 8;
  static final int HARDWARE_ID_BYTES = 8;
  static final int BASE = 16;
  static final int IOMMU_FLAGS = 24;
  static final int PROXIMITY_DOMAIN = 28;
  static final int IOMMU_SEGMENT = 32;
  static final int BDF = 34;
  static final int WIRE_COUNT = 36;
  static final int WIRES = 38;
  static final int IOMMU = 40;
  static final int WIRE = 8;

  // Root complex
  static final int ROOT_COMPLEX_FLAGS = 8;
  static final int ROOT_COMPLEX_SEGMENT = 14;
  static final int ROOT_COMPLEX_MAPPINGS = 16;
  static final int ROOT_COMPLEX_MAPPING_COUNT = 18;
  static final int ROOT_COMPLEX = 20;

  // Platform device
  static final int DEVICE_MAPPINGS = 8;
  static final int DEVICE_MAPPING_COUNT = 10;
  static final int DEVICE = 12;

  // Id mapping
  static final int SOURCE = 0;
  static final int COUNT = 4;
  static final int DESTINATION = 8;
  static final int DESTINATION_NODE = 12;
  static final int MAPPING_FLAGS = 16;
  static final int MAPPING = 20;

  private RimtLayout() {}
}
