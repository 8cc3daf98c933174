package org.iommu4j.conformance;

import java.util.HexFormat;
import java.util.List;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.Options;
import org.iommu4j.core.dma.AtsFabric;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.InterruptLines;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.memory.PhysicalMemory;
import org.jspecify.annotations.Nullable;

/**
 * What one case runs on: a unit in its reset state, memory of its own, and the place where the
 * unit's messages arrive. Nothing of it is shared with another case.
 */
public class Bench implements AutoCloseable {
  private final Architecture architecture;
  private final PhysicalMemory memory;
  private final Mailbox messages = new Mailbox();
  private final Iommu unit;
  private final DmaRequest request = new DmaRequest();
  private final Translation translation = new Translation();

  /**
   * Builds the unit.
   *
   * @param memory closed with this bench, and at once if the unit cannot be built
   * @throws Options.InvalidOption if the architecture does not accept the options
   */
  public Bench(Architecture architecture, Options options, PhysicalMemory memory) {
    this(architecture, options, memory, null);
  }

  /**
   * Builds the unit with devices of the format's own.
   *
   * @param devices where messages to devices go instead of {@link #messages}; null: there
   */
  protected Bench(
      Architecture architecture,
      Options options,
      PhysicalMemory memory,
      @Nullable AtsFabric devices) {
    this.architecture = architecture;
    this.memory = memory;
    try {
      this.unit =
          architecture.create(
              options, new Host(memory, devices == null ? messages : devices, InterruptLines.NONE));
    } catch (RuntimeException e) {
      memory.close();
      throw e;
    }
  }

  /** The architecture of the unit. */
  public final Architecture architecture() {
    return architecture;
  }

  /** The physical address space. */
  public final PhysicalMemory memory() {
    return memory;
  }

  /** Where the unit's messages to devices arrive. */
  public final Mailbox messages() {
    return messages;
  }

  /** The unit under test. */
  public final Iommu unit() {
    return unit;
  }

  /** The request that all steps reuse. */
  public final DmaRequest request() {
    return request;
  }

  /** The answer that all steps reuse. */
  public final Translation translation() {
    return translation;
  }

  /** What memory holds, injected failures or not. */
  public final byte[] bytes(long pa, int length) {
    byte[] bytes = new byte[length];
    for (int done = 0; done < length; ) {
      int n = Math.min(8, length - done);
      long word = memory.readBytes(pa + done, n);
      for (int i = 0; i < n; i++) {
        bytes[done + i] = (byte) (word >>> (8 * i));
      }
      done += n;
    }
    return bytes;
  }

  /**
   * Tells how memory differs from what was expected there. Formats that know what lies at an
   * address add its fields.
   *
   * @param mask bits that count, null for all; in {@code expected} the others are 0
   */
  public List<Difference> inMemory(
      long pa, byte[] expected, byte[] actual, byte @Nullable [] mask) {
    String note = mask == null ? "" : " (under mask " + HexFormat.of().formatHex(mask) + ")";
    return new Differences()
        .add(
            "memory at " + Differences.hex(pa),
            HexFormat.of().formatHex(expected) + note,
            HexFormat.of().formatHex(actual))
        .list();
  }

  @Override
  public void close() {
    memory.close();
  }
}
