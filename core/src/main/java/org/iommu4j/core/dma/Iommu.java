package org.iommu4j.core.dma;

import java.util.List;
import java.util.Map;
import org.iommu4j.core.memory.Mmio;
import org.jspecify.annotations.Nullable;

/**
 * One IOMMU as its surroundings see it: a page of registers for the CPU, and translation for
 * devices.
 *
 * <p>Threads: any number of device threads translate, each with flyweights of its own, while CPU
 * threads access registers. Register writes act synchronously and in order. Nothing that a guest or
 * device can write raises an exception.
 *
 * <p>The promise: when an invalidation is reported complete, no access translated with the old
 * entry is still in flight and none will start, provided each access happens inside a {@link
 * Window} of {@link #windows()}. A {@link DmaPort} does that by itself.
 */
public interface Iommu extends Mmio {
  /**
   * One DMA access, or one ATS translation request.
   *
   * @return true: {@code out} holds the physical address and how far it is valid. False: blocked,
   *     and the unit has reported it as its architecture says
   */
  boolean translate(DmaRequest request, Translation out);

  /**
   * One interrupt message of a device, carried to where it goes: the write is done.
   *
   * @return whether it was delivered or, as the architecture defines, accepted without effect
   */
  boolean remap(InterruptRequest request, InterruptDelivery out);

  /**
   * Carries out a write whose translation ended at a {@link Translation#MESSAGE} target.
   *
   * @param length bytes, 1..8
   * @param data little-endian
   * @return a {@link org.iommu4j.core.memory.PhysicalMemory} status
   */
  int writeMessage(DmaRequest request, Translation translation, long data, int length);

  /**
   * The host bridge refused a request. The unit records it, if its architecture defines a fault for
   * it; the request itself is not carried out.
   */
  default void bridgeError(DmaRequest request, BridgeError error) {}

  /** A Page Request or Stop Marker of a device. */
  void pageRequest(PageRequest request);

  /**
   * An Invalidation Completion of a device. Not to be called from inside a {@link Window}.
   *
   * @param source requester id, segment included if {@code segmented}
   * @param tagVector bit n: ITag n
   * @param count the completion count field, 0..7
   * @return false if no such completion is expected; it is ignored then
   */
  boolean invalidationCompleted(int source, boolean segmented, int tagVector, int count);

  /** The protocol timeout of the named Invalidation Requests expired. */
  void invalidationTimedOut(int tagVector);

  /**
   * A translation is not used with the unit any more, unless it is later: what the unit keeps for
   * it may go. For the thread that used it.
   */
  default void release(Translation translation) {}

  /** The windows in which accesses are accounted. */
  AccessWindows windows();

  /** Looks into the unit without changing it. */
  Inspector inspector();

  /** Bytes of the register page. */
  int registerBytes();

  /**
   * The unit's own registers in PCI configuration space, offsets from the beginning of its
   * capability; null if it is no PCI function.
   */
  default @Nullable Mmio configuration() {
    return null;
  }

  /** Further ranges of registers besides the register page; most units have none. */
  default List<RegisterWindow> registerWindows() {
    return List.of();
  }

  @Override
  default boolean ofUnit() {
    return true;
  }

  /** Counters by name, in a stable order: translations, hits, misses, walks, faults, ... */
  Map<String, Long> statistics();
}
