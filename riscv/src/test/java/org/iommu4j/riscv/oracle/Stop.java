package org.iommu4j.riscv.oracle;

/** The process stops with a cause. */
final class Stop extends RuntimeException {
  private static final long serialVersionUID = 1L;

  final int cause;
  final long iotval2;

  Stop(int cause) {
    this(cause, 0);
  }

  Stop(int cause, long iotval2) {
    super("cause " + cause, null, false, false);
    this.cause = cause;
    this.iotval2 = iotval2;
  }

  /** A cause named after the original access. */
  static Stop named(Ask ask, int execute, int read, int write, long iotval2) {
    return new Stop(
        switch (ask.named()) {
          case 'x' -> execute;
          case 'r' -> read;
          default -> write;
        },
        iotval2);
  }

  static Stop page(Ask ask) {
    return named(ask, 12, 13, 15, 0);
  }

  static Stop guestPage(Ask ask, long iotval2) {
    return named(ask, 20, 21, 23, iotval2);
  }

  static Stop access(Ask ask) {
    return named(ask, 1, 5, 7, 0);
  }
}
