package org.iommu4j.core.testing;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.iommu4j.core.dma.BridgeError;
import org.iommu4j.core.dma.Completion;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.memory.PhysicalMemory;

/** A unit that translates by a map of pages, and notes what it is asked. */
public final class ToyIommu extends InertIommu {
  /** Why not. */
  public enum Reason implements FaultReason {
    NOT_MAPPED,
    FORBIDDEN;

    @Override
    public int code() {
      return ordinal() + 1;
    }

    @Override
    public String title() {
      return name();
    }

    @Override
    public String advice() {
      return "";
    }
  }

  private record Page(long pa, int shift, int permissions, int target) {}

  public final List<String> asked = new ArrayList<>();
  public final List<String> messages = new ArrayList<>();
  public final List<String> bridge = new ArrayList<>();
  private final Map<Long, Page> pages = new HashMap<>();
  public Runnable whileTranslating = () -> {};
  public int messageOutcome = PhysicalMemory.OK;

  public ToyIommu map(long iova, long pa, int permissions) {
    pages.put(iova >>> 12, new Page(pa, 12, permissions, Translation.MEMORY));
    return this;
  }

  public ToyIommu mapSmall(long iova, long pa, int shift) {
    pages.put(iova >>> 12, new Page(pa, shift, 7, Translation.MEMORY));
    return this;
  }

  public ToyIommu mapMessage(long iova) {
    pages.put(iova >>> 12, new Page(0, 12, 3, Translation.MESSAGE));
    return this;
  }

  public void unmap(long iova) {
    pages.remove(iova >>> 12);
  }

  @Override
  public boolean translate(DmaRequest request, Translation out) {
    asked.add(request.toString());
    whileTranslating.run();
    Page p = pages.get(request.iova() >>> 12);
    if (p == null) {
      out.block(Completion.UNSUPPORTED_REQUEST, Reason.NOT_MAPPED, 0);
      return false;
    }
    if ((request.access() & 7 & ~p.permissions) != 0) {
      out.block(Completion.UNSUPPORTED_REQUEST, Reason.FORBIDDEN, 0);
      return false;
    }
    if (p.target == Translation.MESSAGE) {
      out.grantMessage(0x77000, 0x78000, 5, p.permissions, 0);
    } else {
      out.grant(p.pa | (request.iova() & 0xfff), p.shift, p.permissions, 0);
    }
    return true;
  }

  @Override
  public int writeMessage(DmaRequest request, Translation translation, long data, int length) {
    messages.add("%x/%d %x".formatted(request.iova(), length, data));
    return messageOutcome;
  }

  @Override
  public void bridgeError(DmaRequest request, BridgeError error) {
    bridge.add(error + " " + request);
  }
}
