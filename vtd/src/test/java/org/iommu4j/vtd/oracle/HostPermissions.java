package org.iommu4j.vtd.oracle;

/** The host permission table: may a translated request go where it wants to? */
final class HostPermissions {
  private final Machine m;
  private final Image image;
  private final long pointer;

  HostPermissions(Machine m, Image image, long pointer) {
    this.m = m;
    this.image = image;
    this.pointer = pointer;
  }

  void check(Ask ask) {
    long address = ask.address();
    int size = (int) (pointer & 3);
    if (address >>> (49 + size) != 0) {
      throw new Stop("SPT.9");
    }
    long table = Machine.page(pointer);
    int granted = 0;
    for (int level = 4; ; level--) {
      int shift = 9 + 8 * level;
      long index = level == 4 ? address >>> shift : address >>> shift & 0xff;
      long at = table + 16 * index;
      if (image.fails(at, 16, false)) {
        throw new Stop(level == 4 ? "HPT.3" : "HPT.1");
      }
      long permissions = image.load(at);
      long next = image.load(at + 8);
      if (level == 1) {
        int group = (int) (address >>> 12 & 0x1f);
        granted = (int) ((group < 16 ? permissions : next) >>> 4 * (group & 15)) & 3;
        break;
      }
      if ((next & 0xffe) != 0 || ((next & 1) != 0 && m.aboveHost(next))) {
        throw new Stop("HPT.2");
      }
      if (level == 2) {
        granted = (int) (permissions >>> 4 * (address >>> 21 & 0xf)) & 3;
      } else if (level == 3 && m.hpt1g()) {
        granted = (int) (permissions >>> 4 * (address >>> 30 & 0x7)) & 3;
      }
      if (granted != 0 || (next & 1) == 0) {
        break;
      }
      table = Machine.page(next);
    }
    boolean flush = ask.what() == Ask.What.ZERO_LENGTH_READ && m.zlr();
    if (flush && granted == 0) {
      throw new Stop("HPT.4");
    }
    if (ask.writes() && (granted & 2) == 0) {
      throw new Stop("HPT.5");
    }
    if (ask.reads() && !flush && (granted & 1) == 0) {
      throw new Stop("HPT.6");
    }
  }
}
