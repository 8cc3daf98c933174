package org.iommu4j.conformance;

import java.util.Map;
import org.iommu4j.conformance.FakeArchitecture.Reason;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.AtsInvalidation;
import org.iommu4j.core.dma.Completion;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.dma.InterruptRequest;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.core.dma.PageResponse;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.core.testing.InertIommu;

/**
 * A unit that does something simple for each thing that vectors look at.
 *
 * <ul>
 *   <li>An address with bit 63 faults with reason 13, and a record is written to the fault queue; a
 *       translation request for it is aborted.
 *   <li>An address with bit 62 leads to a message target, any other to itself. Pages with bit 61
 *       are read-only.
 *   <li>A write to {@link #ACTION} sends a message, or throws.
 * </ul>
 */
final class FakeIommu extends InertIommu {
  static final int ACTION = 0x800;
  static final int RESPOND = 1;
  static final int INVALIDATE = 2;
  static final int THROW = 3;
  static final int INTERRUPT = 4;

  private final Host host;
  private final Map<Integer, Integer> words;

  FakeIommu(Host host, Map<Integer, Integer> words) {
    this.host = host;
    this.words = words;
  }

  @Override
  public long read(long offset, int size) {
    long low = words.getOrDefault((int) offset, 0) & 0xffff_ffffL;
    return size == 4 ? low : low | (long) words.getOrDefault((int) offset + 4, 0) << 32;
  }

  @Override
  public void write(long offset, int size, long value) {
    words.put((int) offset, (int) value);
    if (size == 8) {
      words.put((int) offset + 4, (int) (value >>> 32));
    }
    if (offset == ACTION) {
      act((int) value);
    } else if (offset == 0x260) {
      long iova = read(0x258, 8);
      if (iova < 0) {
        record(new DmaRequest().iova(iova).source(0x20));
      }
      write(0x268, 8, iova < 0 ? 1 : iova >>> 12 << 10);
    }
  }

  private void act(int what) {
    switch (what) {
      case RESPOND -> host.ats().respond(new PageResponse(0x10020, true, 7, 3, 1, 0x55));
      case INVALIDATE ->
          host.ats().invalidate(new AtsInvalidation(0x20, false, DmaRequest.NO_PASID, 9, 0x1000));
      case THROW -> throw new IllegalStateException("a bug of the fake");
      case INTERRUPT -> host.interrupts().deliver(0xfee0_1000L, 34);
      default -> {}
    }
  }

  private void record(DmaRequest request) {
    long at = (read(0x28, 8) >>> 10 << 12) + 32 * read(0x34, 4);
    boolean read = (request.access() & Access.WRITE) == 0;
    host.memory().writeLong(at, 13 | (read ? 2L : 3L) << 34 | (long) request.source() << 40);
    host.memory().writeLong(at + 16, request.iova());
    host.memory().writeLong(at + 24, 0);
    write(0x34, 4, read(0x34, 4) + 1);
  }

  @Override
  public boolean translate(DmaRequest request, Translation out) {
    boolean ats = request.addressType() == AddressType.TRANSLATION_REQUEST;
    boolean readOnly = (request.iova() & 1L << 61) != 0;
    if (request.iova() < 0 || (!ats && readOnly && (request.access() & Access.WRITE) != 0)) {
      record(request);
      out.block(
          ats ? Completion.COMPLETER_ABORT : Completion.UNSUPPORTED_REQUEST, Reason.FORBIDDEN, 0);
      return false;
    }
    if ((request.iova() & 1L << 62) != 0) {
      out.grantMessage(0x4000, 0x5000, 6, request.access(), 0);
    } else {
      out.grant(request.iova() & ~(1L << 61), 21, readOnly ? Access.READ : request.access(), 0);
      out.attributes(false, true, false, true);
    }
    return true;
  }

  @Override
  public boolean remap(InterruptRequest request, InterruptDelivery out) {
    if (request.data() == 0) {
      out.block(Reason.FORBIDDEN);
      return false;
    }
    host.interrupts().deliver(request.address(), request.data());
    out.deliver(InterruptDelivery.Kind.WRITTEN, request.address(), request.data(), 0);
    return true;
  }

  @Override
  public int writeMessage(DmaRequest request, Translation translation, long data, int length) {
    return PhysicalMemory.OK;
  }

  @Override
  public void pageRequest(PageRequest request) {
    write(0x44, 4, read(0x44, 4) + 1);
  }

  @Override
  public boolean invalidationCompleted(int source, boolean segmented, int tagVector, int count) {
    return tagVector == 1 << 9;
  }

  @Override
  public void invalidationTimedOut(int tagVector) {
    write(0x300, 4, tagVector);
  }
}
