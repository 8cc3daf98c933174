package org.iommu4j.vtd.oracle;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The specification's tables of faults: the code, whether FPD keeps it from being recorded, and how
 * a translation request and a translated request end. An untranslated request ends as UR.
 */
public final class Rules {
  /**
   * @param id as in the tables
   * @param code FR of the record
   * @param qualified whether FPD counts
   * @param translation "UR", "CA", "S0", "PERMS" or "-"
   * @param translated "UR", "CA" or "-"
   */
  public record Rule(
      String id, int code, boolean qualified, String translation, String translated) {}

  private static final String TABLE =
      """
      LRT.1   08 N CA UR
      LRT.2   01 N UR UR
      LRT.3   0A N CA UR
      LCT.1   09 N CA UR
      LCT.2   02 Y UR UR
      LCT.3   0B Y CA UR
      LCT.4.1 03 Y CA UR
      LCT.4.2 03 Y CA UR
      LCT.4.3 03 Y CA -
      LCT.5   0D Y UR UR
      LSS.1   07 Y CA -
      LSS.2   0C Y CA -
      LGN.1.1 04 Y S0 -
      LGN.1.2 04 Y -  UR
      LGN.1.3 04 Y -  -
      LGN.2   05 Y PERMS -
      LGN.3   06 Y PERMS -
      LGN.4   0E Y CA UR
      RTA.1.1 30 N CA UR
      RTA.1.2 30 N CA UR
      RTA.1.3 30 N CA UR
      RTA.1.4 30 N CA UR
      RTA.2   31 N UR UR
      RTA.3   32 N -  -
      RTA.4   33 N UR UR
      RTA.5   34 N UR UR
      SRT.1   38 N CA UR
      SRT.2   39 N UR UR
      SRT.3   3A N CA UR
      SCT.1   40 N CA UR
      SCT.2   41 Y UR UR
      SCT.3   42 Y CA UR
      SCT.4.1 43 Y CA UR
      SCT.4.2 43 Y CA UR
      SCT.4.3 43 Y CA UR
      SCT.5   44 Y UR UR
      SCT.6   45 Y UR -
      SCT.7   46 Y UR UR
      SCT.8   47 Y -  -
      SCT.9   48 Y UR UR
      SCT.10  49 Y -  UR
      SPD.1   50 N CA CA
      SPD.2   51 Y S0 UR
      SPD.3   52 Y CA CA
      SPT.1   58 N CA CA
      SPT.2   59 Y S0 UR
      SPT.3   5A Y CA CA
      SPT.4.1 5B Y CA CA
      SPT.4.2 5B Y CA CA
      SPT.4.3 5B Y CA CA
      SPT.4.4 5B Y CA CA
      SPT.5   5C Y S0 -
      SPT.6   5D Y S0 -
      SPT.9   60 Y -  UR
      SFS.1   70 Y S0 -
      SFS.2   71 Y S0 -
      SFS.3   72 Y S0 -
      SFS.4   73 Y S0 -
      SFS.5   74 Y S0 -
      SFS.6   75 Y S0 -
      SFS.7   76 Y S0 -
      SFS.8   77 Y S0 -
      SFS.9   90 Y S0 -
      SFS.10  91 Y S0 -
      SSS.1   78 Y CA -
      SSS.2   79 Y S0 -
      SSS.3   7A Y CA -
      SSS.4   7B Y CA -
      SSS.5   7C Y CA -
      SSS.6   7D Y CA -
      SGN.1   80 Y S0 -
      SGN.2   81 Y S0 -
      SGN.4.1 83 Y -  UR
      SGN.4.2 83 Y S0 -
      SGN.5   84 Y S0 -
      SGN.6   85 Y PERMS -
      SGN.7   86 Y PERMS -
      SGN.8   87 Y CA UR
      SGN.10  89 Y UR UR
      HPT.1   A0 Y -  CA
      HPT.2   A1 Y -  CA
      HPT.3   A2 Y -  CA
      HPT.4   A3 Y -  UR
      HPT.5   A4 Y -  UR
      HPT.6   A5 Y -  UR
      IR.20   20 N -  -
      IR.21   21 N -  -
      IR.22   22 Y -  -
      IR.23   23 N -  -
      IR.24   24 Y -  -
      IR.25   25 N -  -
      IR.26   26 Y -  -
      IR.27   27 Y -  -
      IR.28   28 Y -  -
      IR.29   29 N -  -
      IR.2A   2A N -  -
      IR.2B   2B N -  -
      """;

  private static final Map<String, Rule> BY_ID = parse();

  private Rules() {}

  /** Every row, in the tables' order. */
  public static Map<String, Rule> all() {
    return BY_ID;
  }

  /** The row of that id. */
  public static Rule of(String id) {
    Rule rule = BY_ID.get(id);
    if (rule == null) {
      throw new AssertionError("no rule " + id);
    }
    return rule;
  }

  private static Map<String, Rule> parse() {
    Map<String, Rule> rules = new LinkedHashMap<>();
    for (String line : TABLE.lines().toList()) {
      String[] w = line.trim().split(" +");
      rules.put(w[0], new Rule(w[0], Integer.parseInt(w[1], 16), w[2].equals("Y"), w[3], w[4]));
    }
    return rules;
  }
}
