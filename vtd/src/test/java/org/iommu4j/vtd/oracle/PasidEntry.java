package org.iommu4j.vtd.oracle;

/** A PASID table entry. */
record PasidEntry(long... q) {
  boolean fpd() {
    return (q[0] & 2) != 0;
  }

  int aw() {
    return (int) (q[0] >>> 2 & 7);
  }

  int pgtt() {
    return (int) (q[0] >>> 6 & 7);
  }

  boolean firstStage() {
    return pgtt() == 1 || pgtt() == 3;
  }

  boolean secondStage() {
    return pgtt() == 2 || pgtt() == 3;
  }

  boolean ssade() {
    return (q[0] >>> 9 & 1) != 0;
  }

  long ssptptr() {
    return Machine.page(q[0]);
  }

  boolean pwsnp() {
    return (q[1] >>> 23 & 1) != 0;
  }

  boolean sre() {
    return (q[2] & 1) != 0;
  }

  int fspm() {
    return (int) (q[2] >>> 2 & 3);
  }

  boolean wpe() {
    return (q[2] >>> 4 & 1) != 0;
  }

  boolean eafe() {
    return (q[2] >>> 7 & 1) != 0;
  }

  long fsptptr() {
    return Machine.page(q[2]);
  }

  /** SPT.3: reserved bits, and bits that are reserved where a capability is missing. */
  boolean reserved(Machine m, boolean hpte) {
    boolean any =
        (q[0] & 0xc20) != 0
            || (q[1] & 0xf87f_0000L) != 0
            || (q[1] & 0xffff) >>> m.domainBits() != 0
            || (pwsnp() && !m.smpwcs())
            || ((q[1] >>> 24 & 1) != 0 && !m.sc())
            || (q[2] & 0xf02) != 0
            || q[3] != 0
            || (q[4] & 0xff8) != 0
            || (!m.hpts() && (q[4] | q[5]) != 0)
            || (q[5] & ~0xffffL) != 0
            || q[6] != 0
            || q[7] != 0;
    boolean first =
        firstStage()
            && (m.aboveHost(q[2])
                || (sre() && !m.srs())
                || (eafe() && !m.eafs())
                || ((q[1] >>> 25 & 1) != 0 && !m.mts())
                || (q[1] >>> 32 != 0 && !m.mts()));
    boolean second =
        secondStage()
            && (m.aboveHost(q[0])
                || (ssade() && !m.ssads())
                || ((q[1] >>> 26 & 1) != 0 && !m.mts()));
    boolean host = hpte && m.aboveHost(q[4]);
    return any || first || second || host;
  }

  /** SPT.4: programming errors; empty if there is none. */
  String wrong(Machine m) {
    if (secondStage() && !m.sagaw(aw())) {
      return "SPT.4.1";
    }
    boolean exists =
        switch (pgtt()) {
          case 1 -> m.fsts();
          case 2 -> m.ssts();
          case 3 -> m.nest();
          case 4 -> m.pt();
          default -> false;
        };
    if (!exists) {
      return "SPT.4.2";
    }
    if (firstStage() && (fspm() > 1 || (fspm() == 1 && !m.fs5lp()))) {
      return "SPT.4.3";
    }
    int width = Math.min(m.mgaw(), 30 + 9 * aw());
    return pgtt() == 3 && fsptptr() >>> width != 0 ? "SPT.4.4" : "";
  }
}
