package org.iommu4j.vtd.oracle;

/** What a request of a device comes to: the steps of the specification, one after another. */
public final class Oracle {
  private final Machine m;
  private final Image image;
  private final long[] regions;

  /** No protected regions. */
  public Oracle(Machine m, Image image) {
    this(m, image, new long[0]);
  }

  /**
   * @param regions pairs of first and last address of protected regions
   */
  public Oracle(Machine m, Image image, long[] regions) {
    this.m = m;
    this.image = image;
    this.regions = regions.clone();
  }

  /** What the request comes to; A and D bits are set in the image. */
  public Answer ask(Ask ask) {
    Met met = new Met();
    try {
      Answer answer = process(ask, met);
      return !ask.ats() && isProtected(answer) ? Answer.refused("ur", "", false) : answer;
    } catch (Stop stop) {
      return refuse(ask, stop.id, met);
    }
  }

  private boolean isProtected(Answer answer) {
    for (int i = 0; i < regions.length; i += 2) {
      if (answer.status().equals("success")
          && Long.compareUnsigned(answer.pa(), regions[i]) >= 0
          && Long.compareUnsigned(answer.pa(), regions[i + 1]) <= 0) {
        return true;
      }
    }
    return false;
  }

  private static Answer refuse(Ask ask, String id, Met met) {
    Rules.Rule rule = Rules.of(id);
    boolean logged = !(rule.qualified() && met.fpd) && !(id.startsWith("HPT.") && met.hptPfd);
    if (ask.untranslated()) {
      return Answer.refused("ur", id, logged);
    }
    return switch (ask.ats() ? rule.translation() : rule.translated()) {
      case "UR" -> Answer.refused("ur", id, logged);
      case "CA" -> Answer.refused("ca", id, logged);
      case "S0", "PERMS" -> Answer.refused("success", id, id.equals("SFS.10") && logged);
      default -> throw new AssertionError(ask + " cannot meet " + id);
    };
  }

  private Answer process(Ask ask, Met met) {
    boolean interrupt = Machine.interruptRange(ask.address()) && !ask.hasPasid();
    if (interrupt && ask.untranslated()) {
      return switch (ask.what()) {
        case WRITE -> new Answer("message", "", false, ask.address(), 12, false, true, false);
        case ZERO_LENGTH_READ -> Answer.unchanged(ask.address());
        default -> throw new Stop("IR.29");
      };
    }
    if (!m.tes()) {
      return ask.untranslated() ? Answer.unchanged(ask.address()) : Answer.refused("ur", "", false);
    }
    // 2.
    int ttm = m.ttm();
    if (ttm == 3 && !m.adms()) {
      throw new Stop("RTA.1.1");
    }
    if (ttm == 2) {
      throw new Stop("RTA.1.2");
    }
    if (ttm == 1 && !m.smts()) {
      throw new Stop("RTA.1.3");
    }
    // 3.
    if (ttm == 0 && m.ssirwe() && !ask.hasPasid()) {
      throw new Stop("RTA.1.4");
    }
    // 4.
    if (ttm == 3) {
      throw new Stop("RTA.4");
    }
    // 5.
    if (ask.execute() && ask.hasPasid() && m.major() >= 8) {
      throw new Stop("RTA.5");
    }
    // 6.
    if (ttm == 0 && ask.hasPasid()) {
      throw new Stop("RTA.2");
    }
    // 8.
    return ttm == 0
        ? new Legacy(m, image, met).translate(ask)
        : new Scalable(m, image, met).translate(ask);
  }

  /** What was met on the way that decides about recording. */
  static final class Met {
    boolean fpd;
    boolean hptPfd;
  }
}
