package org.iommu4j.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.AccessDeniedException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import org.iommu4j.machine.capture.CaptureException;
import org.iommu4j.machine.description.InvalidPlatform;
import org.iommu4j.machine.description.Similar;
import org.iommu4j.machine.description.Units;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns what went wrong into lines for people, and an exit status. */
final class Failures {
  /** Nothing to complain about. */
  static final int FINE = 0;

  /** What was looked at is wrong. */
  static final int WRONG = 1;

  /** What was given cannot be used. */
  static final int UNUSABLE = 2;

  private Failures() {}

  /** A command that cannot be parsed. */
  static int parameter(ParameterException e, String[] args) {
    CommandLine command = e.getCommandLine();
    PrintWriter err = command.getErr();
    err.println("iommu: " + e.getMessage());
    if (e instanceof UnmatchedArgumentException u && !u.getUnmatched().isEmpty()) {
      String word = u.getUnmatched().getFirst();
      List<String> known =
          word.startsWith("-")
              ? List.copyOf(command.getCommandSpec().optionsMap().keySet())
              : List.copyOf(command.getSubcommands().keySet());
      if (!known.isEmpty()) {
        err.println("  " + Similar.advice(word, known));
      }
    }
    err.println("See '" + command.getCommandSpec().qualifiedName() + " --help'.");
    err.flush();
    return UNUSABLE;
  }

  /** Runs a command; what it fails with beyond exceptions is told like them. */
  static int guarded(ParseResult parsed, boolean debug) {
    try {
      return new CommandLine.RunLast().execute(parsed);
    } catch (OutOfMemoryError | StackOverflowError e) {
      return exhausted(e, parsed.commandSpec().commandLine().getErr(), debug);
    }
  }

  /** A command for which the JVM was too small. */
  static int exhausted(VirtualMachineError e, PrintWriter err, boolean debug) {
    boolean heap = e instanceof OutOfMemoryError;
    err.println(
        heap
            ? "iommu: out of memory, with a heap of %s; allow more: IOMMU_JAVA_OPTS=-Xmx8g iommu ..."
                .formatted(Units.roughly(Runtime.getRuntime().maxMemory()))
            : "iommu: the stack is too small for this input; allow more:"
                + " IOMMU_JAVA_OPTS=-Xss16m iommu ...");
    if (debug) {
      e.printStackTrace(err);
    }
    err.flush();
    return UNUSABLE;
  }

  /** A command that failed. */
  static int execution(Exception e, CommandLine command, ParseResult parsed, boolean debug) {
    PrintWriter err = command.getErr();
    String message = String.valueOf(e.getMessage());
    switch (e) {
      case InvalidPlatform p -> p.problems().forEach(err::println);
      case UsageException u -> err.println("iommu: " + message);
      case CaptureException c -> err.println(message);
      case NoSuchFileException f -> err.println(f.getFile() + ": there is no such file");
      case AccessDeniedException f -> err.println(f.getFile() + ": may not be read");
      case InvalidPathException p ->
          err.println(
              ("iommu: the name '%s' cannot be written in the character set of the locale;"
                      + " start with LC_ALL=C.UTF-8")
                  .formatted(p.getInput()));
      case IOException io -> err.println("iommu: cannot read or write: " + io);
      default -> {
        StackTraceElement[] trace = e.getStackTrace();
        err.println(
            "iommu: internal error: %s%s; please report it, with what --debug prints"
                .formatted(e, trace.length == 0 ? "" : " in " + trace[0]));
      }
    }
    if (debug) {
      e.printStackTrace(err);
    }
    err.flush();
    return UNUSABLE;
  }
}
