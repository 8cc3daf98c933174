package org.iommu4j.machine.description;

import java.util.Collection;
import java.util.Locale;

/** Finds what a person probably meant. */
public final class Similar {
  private Similar() {}

  /** {@code did you mean 'x'?} if a known name is close, otherwise the list of known names. */
  public static String advice(String word, Collection<String> known) {
    String best = "";
    int least = Integer.MAX_VALUE;
    for (String k : known) {
      int d = distance(word.toLowerCase(Locale.ROOT), k.toLowerCase(Locale.ROOT));
      if (d < least) {
        least = d;
        best = k;
      }
    }
    if (least <= Math.max(1, Math.min(word.length(), best.length()) / 3)) {
      return "did you mean '" + best + "'?";
    }
    return known.isEmpty()
        ? "there is none to choose from"
        : "known are " + String.join(", ", known);
  }

  /** The number of letters to change, add, remove, or swap with the next. */
  private static int distance(String a, String b) {
    int[][] d = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          d[i][j] = i + j;
          continue;
        }
        int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
        d[i][j] = Math.min(d[i - 1][j - 1] + change, Math.min(d[i - 1][j], d[i][j - 1]) + 1);
        if (i > 1
            && j > 1
            && a.charAt(i - 1) == b.charAt(j - 2)
            && a.charAt(i - 2) == b.charAt(j - 1)) {
          d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
        }
      }
    }
    return d[a.length()][b.length()];
  }
}
