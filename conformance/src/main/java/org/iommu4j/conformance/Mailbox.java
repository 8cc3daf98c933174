package org.iommu4j.conformance;

import java.util.ArrayDeque;
import java.util.Deque;
import org.iommu4j.core.dma.AtsFabric;
import org.iommu4j.core.dma.AtsInvalidation;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.PageResponse;
import org.jspecify.annotations.Nullable;

/** Keeps the messages that a unit sends to devices until a step of the case asks for them. */
public final class Mailbox implements AtsFabric {
  private final Deque<Record> messages = new ArrayDeque<>(2);

  @Override
  public void invalidate(AtsInvalidation request) {
    messages.add(request);
  }

  @Override
  public void respond(PageResponse response) {
    messages.add(response);
  }

  /** The oldest message, an {@link AtsInvalidation} or a {@link PageResponse}; null if none. */
  public @Nullable Record take() {
    return messages.poll();
  }

  /** Whether nothing was sent that was not taken. */
  public boolean isEmpty() {
    return messages.isEmpty();
  }

  /** One line for people. */
  public static String describe(@Nullable Record message) {
    return switch (message) {
      case null -> "no message";
      case AtsInvalidation m ->
          "Invalidation Request to %s%s tag %d payload 0x%x"
              .formatted(device(m.source(), m.segmented()), pasid(m.pasid()), m.tag(), m.payload());
      case PageResponse m ->
          "Page Request Group Response to %s%s group %d code %d payload 0x%x"
              .formatted(
                  device(m.source(), m.segmented()),
                  pasid(m.pasid()),
                  m.group(),
                  m.code(),
                  m.payload());
      default -> message.toString();
    };
  }

  private static String device(int source, boolean segmented) {
    return segmented
        ? "segment %d rid 0x%x".formatted(source >>> 16, source & 0xffff)
        : "rid 0x%x".formatted(source);
  }

  private static String pasid(int pasid) {
    return pasid == DmaRequest.NO_PASID ? "" : " pasid " + pasid;
  }
}
