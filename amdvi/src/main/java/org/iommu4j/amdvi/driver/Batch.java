package org.iommu4j.amdvi.driver;

import java.util.Arrays;
import org.iommu4j.amdvi.layout.Command;
import org.iommu4j.core.dma.DmaRequest;

/** Commands that are submitted together. 48882, "Commands". */
final class Batch {
  /** The largest size that an address tells: 2^52 bytes. */
  private static final int EVERYTHING = 51;

  private long[] words = new long[8];
  private int count;

  boolean isEmpty() {
    return count == 0;
  }

  int commands() {
    return count / 2;
  }

  long first(int i) {
    return words[2 * i];
  }

  long second(int i) {
    return words[2 * i + 1];
  }

  void addAll(Batch other) {
    for (int i = 0; i < other.commands(); i++) {
      add(other.first(i), other.second(i));
    }
  }

  void clear() {
    count = 0;
  }

  private Batch add(long first, long second) {
    if (count + 2 > words.length) {
      words = Arrays.copyOf(words, words.length * 2);
    }
    words[count++] = first;
    words[count++] = second;
    return this;
  }

  /** The device table entry of a device. */
  Batch forgetDevice(int source) {
    return add(
        Command.OPCODE.of(Command.INVALIDATE_DEVTAB_ENTRY) | Command.DEVICE_ID.of(source), 0);
  }

  /** The interrupt remapping entries of a device. */
  Batch forgetInterrupts(int source) {
    return add(
        Command.OPCODE.of(Command.INVALIDATE_INTERRUPT_TABLE) | Command.DEVICE_ID.of(source), 0);
  }

  /** Everything that there is. */
  Batch forgetAll() {
    return add(Command.OPCODE.of(Command.INVALIDATE_IOMMU_ALL), 0);
  }

  /** All translations of a domain, or of a PASID of it. */
  Batch forgetSpace(int domain, int pasid) {
    return pages(domain, pasid, Command.ALL_PAGES | Command.S.mask() | Command.PDE.mask());
  }

  /**
   * Translations of a range, rounded up to a power of two.
   *
   * @param pasid negative for host tables
   * @param pointers entries that lead to tables, too
   */
  Batch forget(int domain, int pasid, long first, long last, boolean pointers) {
    return pages(domain, pasid, range(first, last) | (pointers ? Command.PDE.mask() : 0));
  }

  private Batch pages(int domain, int pasid, long operand) {
    boolean guest = pasid >= 0;
    long first =
        Command.OPCODE.of(Command.INVALIDATE_IOMMU_PAGES)
            | Command.DOMAIN_ID.of(domain)
            | (guest ? Command.PASID.of(pasid) : 0);
    long second = operand | (guest ? Command.GN.mask() : 0);
    // The leaves of a table and the table itself are two ranges, and often one command.
    boolean again = count > 0 && words[count - 2] == first && words[count - 1] == second;
    return again ? this : add(first, second);
  }

  /** What a device holds of a range; {@code last} −1 with {@code first} 0: of everything. */
  Batch forgetInDevice(int source, int pasid, long first, long last) {
    boolean guest = pasid != DmaRequest.NO_PASID;
    long tag =
        guest
            ? Command.PASID_15_8.of(pasid >>> 8)
                | Command.PASID_7_0.of(pasid)
                | Command.PASID_19_16.of(pasid >>> 16)
            : 0;
    return add(
        Command.OPCODE.of(Command.INVALIDATE_IOTLB_PAGES)
            | Command.DEVICE_ID.of(source)
            | Command.QUEUE_ID.of(source)
            | tag,
        range(first, last) | (guest ? Command.GN.mask() : 0));
  }

  /** Answers a page request group. */
  Batch respond(int source, int pasid, int group, int code) {
    boolean guest = pasid != DmaRequest.NO_PASID;
    return add(
        Command.OPCODE.of(Command.COMPLETE_PPR_REQUEST)
            | Command.DEVICE_ID.of(source)
            | (guest ? Command.PPR_PASID.of(pasid) : 0),
        Command.PPR_TAG.of(group) | Command.PPR_CODE.of(code) | (guest ? Command.GN.mask() : 0));
  }

  /** Address and S of the smallest block that holds a range. */
  private static long range(long first, long last) {
    int differing = 64 - Long.numberOfLeadingZeros(first ^ last);
    if (differing <= 12) {
      return Command.ADDRESS.in(first);
    }
    if (differing > EVERYTHING) {
      return Command.ALL_PAGES | Command.S.mask();
    }
    // 2^differing bytes: a 0 above that many ones.
    long base = first & -1L << differing;
    long ones = (1L << differing - 1) - (1L << 12);
    return base | ones | Command.S.mask();
  }
}
