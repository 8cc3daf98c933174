package org.iommu4j.core.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.Options;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.AtsFabric;
import org.iommu4j.core.dma.AtsInvalidation;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.dma.InterruptRequest;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.dma.PageResponse;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.memory.PhysicalMemory;

/**
 * A unit with memory and devices around it, driven from outside: through registers, memory and
 * requests, as hardware would be. An architecture's own rig adds its queues and commands.
 */
public abstract class UnitRig implements AutoCloseable {
  /** Where memory begins. */
  public static final long MEMORY = 0x8000_0000L;

  /** Bytes of memory. */
  public static final long SIZE = 64L << 20;

  /** A message to a processor. */
  public record Message(long address, int data) {}

  public final PhysicalMemory memory = new PhysicalMemory();
  public final List<AtsInvalidation> invalidations = new ArrayList<>();
  public final List<PageResponse> responses = new ArrayList<>();
  public final List<Message> messages = new ArrayList<>();
  public final boolean[] wires = new boolean[16];
  public final Iommu unit;
  public final Translation translation = new Translation();
  public final InterruptDelivery delivery = new InterruptDelivery();
  private long nextFrame = MEMORY + (1L << 20);

  protected UnitRig(String architecture, Options options) {
    memory.addAnonymous(MEMORY, SIZE);
    AtsFabric fabric =
        new AtsFabric() {
          @Override
          public void invalidate(AtsInvalidation request) {
            invalidations.add(request);
            invalidated(request);
          }

          @Override
          public void respond(PageResponse response) {
            responses.add(response);
          }
        };
    Host host =
        new Host(
            memory,
            fabric,
            (line, level) -> wires[line] = level,
            (address, data) -> {
              messages.add(new Message(address, data));
              return PhysicalMemory.OK;
            });
    unit = Architecture.named(architecture).create(options, host);
  }

  /** What a device does when it is told to invalidate: nothing yet. */
  protected void invalidated(AtsInvalidation request) {}

  // ---- registers

  public final long read(Register r) {
    return unit.read(r.offset(), r.width());
  }

  public final long read(Register r, Field f) {
    return f.get(read(r));
  }

  public final void write(Register r, long value) {
    unit.write(r.offset(), r.width(), value);
  }

  // ---- memory

  /** Zeroed pages, naturally aligned to their number, which is a power of two. */
  public final long frames(int count) {
    long size = 4096L * count;
    long at = (nextFrame + size - 1) & -size;
    nextFrame = at + size;
    assertThat(nextFrame).isLessThan(MEMORY + SIZE);
    memory.write(at, new byte[(int) size], 0, (int) size);
    return at;
  }

  public final long frame() {
    return frames(1);
  }

  public final long load(long at) {
    return memory.readLong(at);
  }

  public final void store(long at, long... words) {
    for (int i = 0; i < words.length; i++) {
      assertThat(memory.writeLong(at + 8L * i, words[i])).isEqualTo(PhysicalMemory.OK);
    }
  }

  // ---- devices

  /** A plain request of a device without PASID. */
  public final DmaRequest request(int source, long iova, int access) {
    return new DmaRequest().source(source).iova(iova).access(access);
  }

  /** Whether it passes, see {@link #translation}. */
  public final boolean translate(DmaRequest request) {
    return unit.translate(request, translation);
  }

  public final boolean reads(int source, long iova) {
    return translate(request(source, iova, Access.READ));
  }

  public final boolean writes(int source, long iova) {
    return translate(request(source, iova, Access.WRITE));
  }

  public final boolean reads(int source, int pasid, long iova) {
    return translate(request(source, iova, Access.READ).pasid(pasid));
  }

  public final boolean writes(int source, int pasid, long iova) {
    return translate(request(source, iova, Access.WRITE).pasid(pasid));
  }

  /** A translation request that wants to write. */
  public final boolean asks(int source, int pasid, long iova) {
    return translate(
        request(source, iova, Access.READ | Access.WRITE)
            .pasid(pasid)
            .addressType(AddressType.TRANSLATION_REQUEST));
  }

  public final boolean remap(int source, long address, int data) {
    return unit.remap(new InterruptRequest().set(source, address, data), delivery);
  }

  @Override
  public final void close() {
    memory.close();
  }
}
