package org.iommu4j.machine.description;

import java.util.List;

/** A platform file that cannot be used; the message has one line per problem. */
public final class InvalidPlatform extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient List<Problem> problems;

  /** With everything that is wrong, in the file's order; at least one problem. */
  public InvalidPlatform(List<Problem> problems) {
    super(String.join("\n", problems.stream().map(Problem::toString).toList()));
    this.problems = List.copyOf(problems);
  }

  /** One problem. */
  public InvalidPlatform(String file, Place place, String message, String advice) {
    this(List.of(new Problem(file, place, message, advice)));
  }

  /** What is wrong. */
  public List<Problem> problems() {
    return problems;
  }
}
