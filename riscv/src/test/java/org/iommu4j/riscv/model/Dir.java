package org.iommu4j.riscv.model;

import org.iommu4j.core.bits.Field;
import org.iommu4j.riscv.layout.DeviceContext;
import org.iommu4j.riscv.layout.Registers;

/**
 * A device directory of three levels and one device context in it, written into a rig's memory by
 * hand: the extended format, since the rig has MSI_FLAT.
 */
final class Dir {
  static final int DID = 0x01_2345;

  final Rig rig;
  final long root;
  final long context;

  /** The context's words; {@link #store} writes them. */
  final long[] words = new long[8];

  Dir(Rig rig) {
    this.rig = rig;
    root = rig.frame();
    long middle = rig.frame();
    long leaf = rig.frame();
    // DDI[2], DDI[1] and DDI[0] of the extended format.
    rig.memory.writeLong(root + 8 * (DID >>> 15), rig.ordered(entry(middle)));
    rig.memory.writeLong(middle + 8 * (DID >>> 6 & 0x1ff), rig.ordered(entry(leaf)));
    context = leaf + 64 * (DID & 0x3f);
    words[DeviceContext.TC] = 1;
  }

  static long entry(long table) {
    return table >>> 12 << 10 | 1;
  }

  /** The directory is in use from now on, with this context. */
  Dir start() {
    store();
    rig.write(Registers.DDTP, 4 | root >>> 12 << 10);
    return this;
  }

  Dir tc(Field... bits) {
    for (Field f : bits) {
      words[DeviceContext.TC] |= f.mask();
    }
    return this;
  }

  /** First stage: MODE and root of an iosatp or pdtp. */
  Dir fsc(int mode, long table) {
    words[DeviceContext.FSC] = (long) mode << 60 | table >>> 12;
    return this;
  }

  Dir pscid(int pscid) {
    words[DeviceContext.TA] = (long) pscid << 12;
    return this;
  }

  Dir iohgatp(int mode, int gscid, long table) {
    words[DeviceContext.IOHGATP] = (long) mode << 60 | (long) gscid << 44 | table >>> 12;
    return this;
  }

  Dir msi(long table, long mask, long pattern) {
    words[DeviceContext.MSIPTP] = 1L << 60 | table >>> 12;
    words[DeviceContext.MSI_ADDR_MASK] = mask;
    words[DeviceContext.MSI_ADDR_PATTERN] = pattern;
    return this;
  }

  Dir store() {
    for (int i = 0; i < 8; i++) {
      rig.memory.writeLong(context + 8 * i, rig.ordered(words[i]));
    }
    return this;
  }
}
