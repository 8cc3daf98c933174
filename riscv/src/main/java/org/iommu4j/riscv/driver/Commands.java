package org.iommu4j.riscv.driver;

import java.util.Arrays;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.riscv.layout.Command;

/**
 * Commands that are carried out together, before one fence. §4.1. They can be submitted again as
 * they are, which is what recovering from an error of the queue asks for.
 */
final class Commands {
  private static final int PAGE_SHIFT = 12;

  private long[] words = new long[16];
  private int count;

  int size() {
    return count / 2;
  }

  boolean isEmpty() {
    return count == 0;
  }

  long first(int i) {
    return words[2 * i];
  }

  long second(int i) {
    return words[2 * i + 1];
  }

  Commands clear() {
    count = 0;
    return this;
  }

  private void add(long first, long second) {
    if (count == words.length) {
      words = Arrays.copyOf(words, count * 2);
    }
    words[count++] = first;
    words[count++] = second;
  }

  private static long opcode(int opcode, int func3) {
    return Command.OPCODE.of(opcode) | Command.FUNC3.of(func3);
  }

  // Directory caches

  /** Every device context, every process context. */
  Commands forgetDirectories() {
    add(opcode(Command.IODIR, Command.FUNC3_INVAL_DDT), 0);
    return this;
  }

  /** One device context, and all process contexts of the device. */
  Commands forgetDevice(int source) {
    long id = Command.DV.mask() | Command.DID.of(source);
    add(opcode(Command.IODIR, Command.FUNC3_INVAL_DDT) | id, 0);
    return this;
  }

  /** One process context. */
  Commands forgetProcess(int source, int pasid) {
    long id = Command.DV.mask() | Command.DID.of(source) | Command.PID.of(pasid);
    add(opcode(Command.IODIR, Command.FUNC3_INVAL_PDT) | id, 0);
    return this;
  }

  // Translations

  /** Everything of all host spaces. */
  Commands forgetHost() {
    add(opcode(Command.IOTINVAL, Command.FUNC3_VMA), 0);
    return this;
  }

  /** The second stages of all VMs. */
  Commands forgetGuests() {
    add(opcode(Command.IOTINVAL, Command.FUNC3_GVMA), 0);
    return this;
  }

  /** Both stages of one VM. */
  Commands forgetGuest(int gscid) {
    long id = Command.GV.mask() | Command.GSCID.of(gscid);
    add(opcode(Command.IOTINVAL, Command.FUNC3_VMA) | id, 0);
    add(opcode(Command.IOTINVAL, Command.FUNC3_GVMA) | id, 0);
    return this;
  }

  /** The first stage of one address space, by its identity. */
  Commands forgetFirstStage(int pscid, int gscid, boolean guest) {
    long id = guest ? Command.GV.mask() | Command.GSCID.of(gscid) : 0;
    add(
        opcode(Command.IOTINVAL, Command.FUNC3_VMA)
            | id
            | Command.PSCV.mask()
            | Command.PSCID.of(pscid),
        0);
    return this;
  }

  /** Everything of one address space. */
  Commands forgetSpace(Space space) {
    add(translations(space), 0);
    return this;
  }

  /**
   * The page at an address.
   *
   * @param tables also the ways to it
   */
  Commands forgetPage(Space space, long address, boolean tables) {
    forgetRange(space, address, PAGE_SHIFT, tables);
    return this;
  }

  /**
   * {@code 2^shift} bytes at an address aligned to that; more than a page needs capabilities.S.
   *
   * @param tables also the ways to them
   */
  Commands forgetRange(Space space, long address, int shift, boolean tables) {
    long first = translations(space) | Command.AV.mask() | (tables ? Command.NL.mask() : 0);
    long page = address >>> PAGE_SHIFT;
    if (shift == PAGE_SHIFT) {
      add(first, Command.ADDR.of(page));
    } else {
      // The lowest 0 of the page number says how large: x below it means 2^(x+1) pages.
      long size = (1L << shift - PAGE_SHIFT - 1) - 1;
      add(first, Command.S.mask() | Command.ADDR.of(page | size));
    }
    return this;
  }

  private static long translations(Space space) {
    long id = space.guest() ? Command.GV.mask() | Command.GSCID.of(space.gscid()) : 0;
    return space.firstStage()
        ? opcode(Command.IOTINVAL, Command.FUNC3_VMA)
            | id
            | Command.PSCV.mask()
            | Command.PSCID.of(space.pscid())
        : opcode(Command.IOTINVAL, Command.FUNC3_GVMA) | id;
  }

  // ATS

  /** The device's own cache: {@code 2^shift} bytes at an address aligned to that. */
  Commands forgetInDevice(int source, int pasid, long address, int shift) {
    long size = shift == PAGE_SHIFT ? 0 : Command.ATS_S.mask() | (1L << shift - 1) - 1 & -4096;
    add(
        device(Command.FUNC3_INVAL, source, pasid),
        size | Command.ATS_ADDR.of(address >>> PAGE_SHIFT));
    return this;
  }

  /** All that the device's own cache holds, whatever the PASID. */
  Commands forgetAllInDevice(int source) {
    add(
        device(Command.FUNC3_INVAL, source, DmaRequest.NO_PASID),
        Command.ATS_G.mask() | Command.ATS_S.mask() | Long.MAX_VALUE & -4096);
    return this;
  }

  /** The answer to a group of page requests. */
  Commands respond(int source, int pasid, int group, int code) {
    add(
        device(Command.FUNC3_PRGR, source, pasid),
        Command.PRG_INDEX.of(group) | Command.PRG_CODE.of(code));
    return this;
  }

  private static long device(int func3, int source, int pasid) {
    int segment = source >>> 16;
    return opcode(Command.ATS, func3)
        | Command.RID.of(source)
        | (segment == 0 ? 0 : Command.DSV.mask() | Command.DSEG.of(segment))
        | (pasid == DmaRequest.NO_PASID ? 0 : Command.PV.mask() | Command.PID.of(pasid));
  }
}
