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
    return known.isEmpty() ? "there is none to choose from" : "known are " + String.join(", ", known);
  }

  /** The number of letters to change, add or remove. */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int same = a.charAt(i - 1) == b.charAt(j - 1) ? diagonal : diagonal + 1;
        diagonal = row[j];
        row[j] = Math.min(same, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[b.length()];
  }
}
