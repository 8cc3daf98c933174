package org.iommu4j.core.testing;

import java.util.Map;
import org.iommu4j.core.dma.AccessWindows;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Inspector;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.dma.InterruptRequest;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.memory.PhysicalMemory;

/** A unit that does nothing but be there: what a test is about, it overrides. */
public abstract class InertIommu implements Iommu {
  private final AccessWindows windows = new AccessWindows();

  @Override
  public boolean remap(InterruptRequest request, InterruptDelivery out) {
    return false;
  }

  @Override
  public int writeMessage(DmaRequest request, Translation translation, long data, int length) {
    return PhysicalMemory.VIOLATION;
  }

  @Override
  public void pageRequest(PageRequest request) {}

  @Override
  public boolean invalidationCompleted(int source, boolean segmented, int tagVector, int count) {
    return false;
  }

  @Override
  public void invalidationTimedOut(int tagVector) {}

  @Override
  public AccessWindows windows() {
    return windows;
  }

  @Override
  public Inspector inspector() {
    throw new UnsupportedOperationException();
  }

  @Override
  public int registerBytes() {
    return 4096;
  }

  @Override
  public Map<String, Long> statistics() {
    return Map.of();
  }

  @Override
  public long read(long offset, int size) {
    return 0;
  }

  @Override
  public void write(long offset, int size, long value) {}
}
