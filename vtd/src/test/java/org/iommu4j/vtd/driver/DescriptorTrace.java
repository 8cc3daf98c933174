package org.iommu4j.vtd.driver;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.memory.Mmio;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.driver.testing.Tampered;
import org.iommu4j.vtd.layout.Descriptor;
import org.iommu4j.vtd.layout.Registers;

/**
 * Stands between driver and unit and writes down every invalidation that is submitted, through the
 * queue or through registers, and flushes of write buffers.
 */
final class DescriptorTrace extends Tampered {
  private final Mmio unit;
  private final PhysicalMemory memory;
  private final List<String> seen = new ArrayList<>();
  private long tail;

  DescriptorTrace(Mmio unit, PhysicalMemory memory) {
    super(unit);
    this.unit = unit;
    this.memory = memory;
  }

  /** What was submitted since the last call. */
  List<String> take() {
    List<String> all = List.copyOf(seen);
    seen.clear();
    return all;
  }

  @Override
  public void write(long offset, int size, long value) {
    if (offset == Registers.IQT.offset()) {
      long iqa = unit.read(Registers.IQA.offset(), 8);
      long bytes = 4096L << Registers.QS.get(iqa);
      int step = Registers.DW.isSet(iqa) ? 32 : 16;
      boolean on = Registers.QIES.isSet(unit.read(Registers.GSTS.offset(), 4));
      for (; on && tail != value; tail = (tail + step) % bytes) {
        long at = Registers.IQA_BASE.in(iqa) + tail;
        seen.add(describe(memory.readLong(at), memory.readLong(at + 8)));
      }
      tail = value;
    } else if (offset == Registers.CCMD.offset()) {
      seen.add(
          "CCMD %d did=%d sid=%d"
              .formatted(
                  Registers.CIRG.get(value),
                  Registers.CCMD_DID.get(value),
                  Registers.CCMD_SID.get(value)));
    } else if (offset == Registers.GCMD.offset() && Registers.WBF.isSet(value)) {
      seen.add("WBF");
    } else if (offset == 16 * 0x50) {
      seen.add("IVA 0x%x".formatted(value));
    } else if (offset == 16 * 0x50 + 8) {
      seen.add(
          "IOTLB_REG %d did=%d"
              .formatted(Registers.IIRG.get(value), Registers.IOTLB_DID.get(value)));
    }
    super.write(offset, size, value);
  }

  private static String describe(long first, long second) {
    int g = Descriptor.G.getInt(first);
    String did = " did=" + Descriptor.DID.get(first);
    String pasid = " pasid=" + Descriptor.PASID.get(first);
    return switch (Descriptor.type(first)) {
      case Descriptor.CONTEXT_CACHE ->
          switch (g) {
            case Registers.GLOBAL -> "CC";
            case Registers.DOMAIN -> "CC" + did;
            default -> "CC" + did + " sid=" + Descriptor.SID.get(first);
          };
      case Descriptor.PASID_CACHE ->
          switch (g) {
            case Descriptor.PC_GLOBAL -> "PC";
            case Descriptor.PC_DOMAIN -> "PC" + did;
            default -> "PC" + did + pasid;
          };
      case Descriptor.IOTLB ->
          switch (g) {
            case Registers.GLOBAL -> "IOTLB";
            case Registers.DOMAIN -> "IOTLB" + did;
            default -> "IOTLB" + did + pages(second);
          };
      case Descriptor.PASID_IOTLB ->
          "P_IOTLB" + did + pasid + (g == Descriptor.PAGE_IN_PASID ? pages(second) : "");
      case Descriptor.DEVICE_TLB ->
          "DevTLB sid="
              + Descriptor.SID.get(first)
              + (Descriptor.S.isSet(second) ? range(second) : page(second));
      case Descriptor.PASID_DEVICE_TLB ->
          "P_DevTLB sid="
              + Descriptor.PASID_SID.get(first)
              + pasid
              + (Descriptor.PASID_S.isSet(second) ? range(second) : page(second));
      case Descriptor.INTERRUPT_ENTRY_CACHE ->
          Descriptor.INDEX_SELECTIVE.isSet(first) ? "IEC " + Descriptor.IIDX.get(first) : "IEC";
      case Descriptor.WAIT ->
          "WAIT"
              + (Descriptor.SW.isSet(first) ? "" : " unseen")
              + (Descriptor.FN.isSet(first) ? " fence" : "")
              + (Descriptor.PD.isSet(first) ? " drain" : "");
      case Descriptor.PAGE_GROUP_RESPONSE ->
          "PRG rid=%d group=%d code=%d"
              .formatted(
                  Descriptor.RID.get(first), Descriptor.PRGI.get(second), Descriptor.RC.get(first));
      default -> "0x%x 0x%x".formatted(first, second);
    };
  }

  private static String page(long second) {
    return " 0x%x".formatted(Descriptor.ADDR.in(second));
  }

  private static String range(long second) {
    long address = Descriptor.ADDR.in(second);
    if (address == (Long.MAX_VALUE & -4096)) {
      return " all";
    }
    long ones = address >>> 12 & ~((address >>> 12) + 1);
    return " 0x%x+0x%x".formatted(address & ~(ones << 12), ones + 1 << 13);
  }

  private static String pages(long second) {
    int am = Descriptor.AM.getInt(second);
    return page(second)
        + (am == 0 ? "" : "+0x%x".formatted(1L << 12 + am))
        + (Descriptor.IH.isSet(second) ? " leaf" : "");
  }
}
