package org.iommu4j.bench;

/** Which device addresses are mapped. */
public enum Pages {
  /** 4 KiB pages, one after the other: a large buffer. Where they lead is scattered. */
  CONSECUTIVE {
    @Override
    long iova(int n) {
      return BASE + ((long) n << 12);
    }
  },

  /** 4 KiB pages of which no two share a leaf table: the worst case for every cache. */
  SCATTERED {
    @Override
    long iova(int n) {
      // An odd factor permutes the 2^17 leaf tables of a 38-bit half space.
      return ((n * 0x9E3DL & 0x1_ffff) << 21) | ((long) n & 0x1ff) << 12;
    }
  },

  /** 4 KiB, 2 MiB and 1 GiB pages in turn. */
  MIXED {
    @Override
    long iova(int n) {
      int group = n / 3;
      return switch (n % 3) {
        case 0 -> BASE + ((long) group << 12);
        case 1 -> 2 * BASE + ((long) group << 21);
        default -> 8 * BASE + ((long) (group & 0x7f) << 30);
      };
    }

    @Override
    int shift(int n) {
      return 12 + 9 * (n % 3);
    }
  };

  static final long BASE = 1L << 32;

  /** First address of page {@code n}. */
  abstract long iova(int n);

  /** log2 of the size of page {@code n}. */
  int shift(int n) {
    return 12;
  }
}
