package org.iommu4j.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.iommu4j.conformance.CacheMode;
import org.iommu4j.conformance.Conformance;
import org.iommu4j.conformance.FileReport;
import org.iommu4j.conformance.Report;
import org.iommu4j.conformance.ReportJson;
import org.iommu4j.conformance.ReportText;
import org.iommu4j.core.iotlb.CacheBehaviour;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code iommu conform}: vectors and captures against the models. */
@Command(
    name = "conform",
    mixinStandardHelpOptions = true,
    description = {
      "Run conformance vectors and captures against the models.",
      "Exit status: 0 if nothing failed, 1 if a case failed, 2 if input is unusable."
    })
final class ConformCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Parameters(
      paramLabel = "PATH",
      arity = "1..*",
      description = {
        "A vector file (*.jsonl, *.jsonl.gz), a capture folder (with regs.json),",
        "or a folder that has such in it, at any depth."
      })
  private List<String> paths = List.of();

  @Option(
      names = "--filter",
      paramLabel = "REGEX",
      description = "Run only cases in whose id REGEX is found.")
  private @Nullable String filter;

  @Option(
      names = "--max-failures",
      paramLabel = "N",
      defaultValue = "5",
      description = "Describe at most N failures of a file (default: ${DEFAULT-VALUE}).")
  private int maxFailures;

  @Option(
      names = "--cache",
      paramLabel = "MODE",
      defaultValue = "off",
      completionCandidates = CacheModes.class,
      converter = CacheConverter.class,
      description = {
        "How much the units cache: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}, where",
        "every access walks the tables: the reference)."
      })
  private CacheBehaviour cache = CacheBehaviour.OFF;

  @Option(names = "--json", description = "Write one JSON object instead of text.")
  private boolean json;

  @Override
  public Integer call() {
    CommandLine commandLine = commandLine();
    if (maxFailures < 0) {
      throw new ParameterException(
          commandLine, "--max-failures has to be 0 or more, found " + maxFailures);
    }
    Pattern wanted = wanted(commandLine);
    Conformance.Settings settings =
        new Conformance.Settings(cache, id -> wanted.matcher(id).find(), maxFailures);
    PrintWriter out = commandLine.getOut();
    PrintWriter err = commandLine.getErr();
    List<Path> files = paths.stream().map(Path::of).toList();
    Report report;
    try (ConformProgress progress = new ConformProgress(err, file -> print(file, out, err))) {
      report = Conformance.standard().run(files, settings, progress);
    }
    if (report.cases() == 0 && !report.hasErrors()) {
      err.println(
          filter == null
              ? "iommu conform: there was no case to run"
              : "iommu conform: no case has an id in which '" + filter + "' is found");
    }
    out.println(json ? ReportJson.write(report) : ReportText.summary(report));
    out.flush();
    err.flush();
    return report.exitStatus();
  }

  private void print(FileReport file, PrintWriter out, PrintWriter err) {
    if (!json) {
      out.print(ReportText.file(file));
      out.flush();
    }
    if (file.error() != null) {
      err.println("iommu conform: " + file.error());
      err.flush();
    }
  }

  private Pattern wanted(CommandLine commandLine) {
    try {
      return Pattern.compile(filter == null ? "" : filter);
    } catch (PatternSyntaxException e) {
      throw new ParameterException(
          commandLine, "--filter '" + filter + "' is not a regular expression: " + e.getMessage());
    }
  }

  private CommandLine commandLine() {
    return spec == null ? new CommandLine(this) : spec.commandLine();
  }

  /** The texts of {@link CacheBehaviour}. */
  static final class CacheModes implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Arrays.stream(CacheBehaviour.values()).map(CacheMode::text).iterator();
    }
  }

  /** From text to {@link CacheBehaviour}. */
  static final class CacheConverter implements ITypeConverter<CacheBehaviour> {
    @Override
    public CacheBehaviour convert(String value) {
      try {
        return CacheMode.parse(value);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(String.valueOf(e.getMessage()));
      }
    }
  }
}
