package org.iommu4j.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;

/** Standard output. A {@link PrintWriter} swallows what goes wrong; this remembers it. */
final class Output extends OutputStream {
  private final OutputStream to;
  private @Nullable IOException failure;

  Output(OutputStream to) {
    this.to = to;
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] b, int offset, int length) throws IOException {
    try {
      to.write(b, offset, length);
    } catch (IOException e) {
      failure = failure == null ? e : failure;
      throw e;
    }
  }

  /**
   * The exit status of a command that ended with {@code status}: output that got lost is unusable.
   * A reader that has seen enough ({@code | head}) is no failure.
   */
  int status(int status, PrintWriter err) {
    String why = failure == null ? "" : String.valueOf(failure.getMessage());
    if (why.isEmpty() || why.contains("Broken pipe")) {
      return status;
    }
    err.println("iommu: cannot write standard output: " + why);
    return Failures.UNUSABLE;
  }
}
