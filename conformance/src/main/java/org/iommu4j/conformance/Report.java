package org.iommu4j.conformance;

import java.util.List;

/** What came of a whole run, file by file in the order in which they were named. */
public record Report(List<FileReport> files) {
  /** Copies the list. */
  public Report {
    files = List.copyOf(files);
  }

  /** All cases that passed. */
  public int passed() {
    return files.stream().mapToInt(FileReport::passed).sum();
  }

  /** All cases that failed. */
  public int failed() {
    return files.stream().mapToInt(FileReport::failed).sum();
  }

  /** All disputed cases. */
  public int disputed() {
    return files.stream().mapToInt(FileReport::disputed).sum();
  }

  /** All cases that were run. */
  public int cases() {
    return files.stream().mapToInt(FileReport::cases).sum();
  }

  /** Whether some input could not be used. */
  public boolean hasErrors() {
    return files.stream().anyMatch(f -> f.error() != null);
  }

  /** 0 if nothing failed; 1 if a case did; 2 if input was unusable, or no case was run at all. */
  public int exitStatus() {
    if (hasErrors() || cases() == 0) {
      return 2;
    }
    return failed() == 0 ? 0 : 1;
  }
}
