package org.iommu4j.conformance;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.iommu4j.conformance.capture.CaptureCheck;
import org.iommu4j.conformance.qemu.QemuFormat;
import org.iommu4j.conformance.qemu.QemuMachine;
import org.iommu4j.conformance.riscvref.RiscvRefFormat;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.iotlb.CacheBehaviour;
import org.iommu4j.machine.capture.CaptureException;
import org.iommu4j.machine.capture.StrictObject;

/**
 * Runs conformance vectors and captures against the architectures that are present.
 *
 * <pre>{@code
 * Report report =
 *     Conformance.standard()
 *         .run(List.of(Path.of("vectors")), Settings.standard(), Progress.NONE);
 * if (report.failed() > 0) { ... }
 * }</pre>
 */
public final class Conformance {
  /**
   * What is run and how.
   *
   * @param cache how much the units cache
   * @param filter the ids that are run
   * @param maxFailures how many failures a file's report describes; all are counted
   */
  public record Settings(CacheBehaviour cache, Predicate<String> filter, int maxFailures) {
    /** How many failures are described if nothing else is asked for. */
    public static final int MAX_FAILURES = 5;

    /** Everything, with the caches that units have by default. */
    public static Settings standard() {
      return new Settings(CacheBehaviour.NORMAL, id -> true, MAX_FAILURES);
    }

    /** The same with other caches. */
    public Settings with(CacheBehaviour behaviour) {
      return new Settings(behaviour, filter, maxFailures);
    }
  }

  /** Hears how far a run is. */
  public interface Progress {
    /** Hears nothing. */
    Progress NONE =
        new Progress() {
          @Override
          public void file(FileReport report) {}

          @Override
          public void caseDone() {}
        };

    /** A file is done; called in the order of the files, by one thread. */
    void file(FileReport report);

    /** A case is done; called by any thread. */
    void caseDone();
  }

  private final List<Architecture> architectures;
  private final List<Format<?>> formats;
  private final Disputes disputes;

  /**
   * A runner.
   *
   * @param architectures the models
   * @param formats the vector formats that are known
   * @param disputes the cases that are not held against a model
   */
  public Conformance(List<Architecture> architectures, List<Format<?>> formats, Disputes disputes) {
    this.architectures = List.copyOf(architectures);
    this.formats = List.copyOf(formats);
    this.disputes = disputes;
  }

  /** The runner for all architectures and formats. */
  public static Conformance standard() {
    return new Conformance(
        Architecture.all(),
        List.of(
            new RiscvRefFormat(),
            QemuFormat.ofQemu(QemuMachine.ALL),
            QemuFormat.ofSpecifications(QemuMachine.ALL)),
        Disputes.standard());
  }

  /**
   * Runs everything under the given paths: vector files, capture folders, and folders of them.
   *
   * <p>Input that cannot be used does not end the run: the file's report says why.
   */
  public Report run(List<Path> paths, Settings settings, Progress progress) {
    List<Inputs.Input> inputs = new ArrayList<>();
    paths.forEach(p -> inputs.addAll(Inputs.under(p)));
    List<FileReport> reports = new ArrayList<>();
    int threads = Math.max(1, Runtime.getRuntime().availableProcessors());
    try (ExecutorService workers = Executors.newFixedThreadPool(threads)) {
      List<Future<FileReport>> running =
          inputs.stream().map(i -> workers.submit(() -> run(i, settings, progress))).toList();
      Consumer<FileReport> done =
          report -> {
            reports.add(report);
            progress.file(report);
          };
      for (Future<FileReport> one : running) {
        done.accept(get(one));
      }
    }
    return new Report(reports);
  }

  private static FileReport get(Future<FileReport> one) {
    try {
      return one.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while cases are run", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      if (e.getCause() instanceof RuntimeException own) {
        throw own;
      }
      throw new IllegalStateException("the runner itself failed", e.getCause());
    }
  }

  private FileReport run(Inputs.Input input, Settings settings, Progress progress) {
    String name = input.path().toString();
    Tally tally = new Tally(name, settings, disputes, progress::caseDone);
    try {
      switch (input) {
        case Inputs.Skipped s -> {
          return FileReport.skipped(name, s.why());
        }
        case Inputs.Unusable u -> {
          return FileReport.unusable(name, u.why());
        }
        case Inputs.Capture c -> CaptureCheck.run(c.path(), architectures, settings.cache(), tally);
        case Inputs.Vectors v ->
            VectorFile.read(v.path(), formats, one -> run(one, settings, tally));
      }
      return tally.report(null);
    } catch (UnusableInput | CaptureException e) {
      return tally.report(e.getMessage());
    }
  }

  private void run(Case<?> one, Settings settings, Tally tally) {
    Architecture architecture = architecture(one.arch());
    if (tally.wants(one.id())) {
      tally.count(one.id(), one.advisory(), one.run(architecture, settings.cache()));
    }
  }

  private Architecture architecture(String id) {
    for (Architecture a : architectures) {
      if (a.id().equals(id)) {
        return a;
      }
    }
    throw new StrictObject.Malformed(
        "architecture '%s' is not present; present are: %s"
            .formatted(
                id, String.join(", ", architectures.stream().map(Architecture::id).toList())));
  }
}
