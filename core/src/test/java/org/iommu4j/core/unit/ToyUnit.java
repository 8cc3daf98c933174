package org.iommu4j.core.unit;

import org.iommu4j.core.CacheSettings;
import org.iommu4j.core.Options;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.Inspector;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.dma.InterruptRequest;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.memory.PhysicalMemory;

/** A unit of 40-bit addresses that lets everything pass. */
final class ToyUnit extends BaseUnit<ToyUnit.Workspace> {
  static final class Setup extends BaseSetup {
    Setup(PhysicalMemory memory, CacheSettings caches) {
      super(memory, -1L << 40, caches, false);
    }
  }

  static final class Workspace extends BaseWorkspace {
    Workspace(CacheSettings caches) {
      super(caches);
    }
  }

  private final CacheSettings caches;

  ToyUnit(PhysicalMemory memory) {
    this(memory, CacheSettings.of(Options.none()));
  }

  private ToyUnit(PhysicalMemory memory, CacheSettings caches) {
    super(Host.of(memory), caches);
    this.caches = caches;
  }

  Setup setup() {
    return new Setup(host().memory(), caches);
  }

  @Override
  protected Workspace workspace() {
    return new Workspace(caches);
  }

  @Override
  public boolean translate(DmaRequest request, Translation out) {
    out.grant(request.iova(), 12, 7, 0);
    return true;
  }

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
  public Inspector inspector() {
    throw new UnsupportedOperationException();
  }

  @Override
  public int registerBytes() {
    return 4096;
  }

  @Override
  public long read(long offset, int size) {
    return 0;
  }

  @Override
  public void write(long offset, int size, long value) {}
}
