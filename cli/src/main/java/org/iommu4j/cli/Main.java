package org.iommu4j.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The {@code iommu} command. */
@Command(
    name = "iommu",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = "An IOMMU in software: run it, program it, attach to it, question it.",
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "Exit status: 0 done and nothing wrong, 1 what was looked at is wrong, 2 usage or unreadable"
          + " input.",
      "'iommu run' without further arguments shows what this is."
    },
    subcommands = {
      RunCommand.class,
      WalkCommand.class,
      ConformCommand.class,
      BenchCommand.class,
      CompletionCommand.class
    })
public final class Main implements Runnable {
  @Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "With an error, print where it comes from.")
  private boolean debug;

  @Spec private CommandSpec spec = CommandSpec.create();

  private final boolean coloured;
  private final boolean talkative;

  private Main(boolean coloured, boolean talkative) {
    this.coloured = coloured;
    this.talkative = talkative;
  }

  /** Run one command and exit with its status. */
  public static void main(String[] args) {
    boolean coloured = Console.wantsColour(System.getenv());
    CommandLine command = commandLine(coloured, Console.isTerminal(2, System.getenv()));
    Output out = new Output(new FileOutputStream(FileDescriptor.out));
    command.setOut(new PrintWriter(new OutputStreamWriter(out, System.out.charset())));
    int status = command.execute(args);
    command.getOut().flush();
    status = out.status(status, command.getErr());
    command.getErr().flush();
    System.exit(status);
  }

  /**
   * The command, ready to be executed.
   *
   * @param coloured whether standard output takes colours
   * @param talkative whether standard error takes progress
   */
  static CommandLine commandLine(boolean coloured, boolean talkative) {
    Main main = new Main(coloured, talkative);
    return new CommandLine(main)
        .setColorScheme(Help.defaultColorScheme(coloured ? Help.Ansi.ON : Help.Ansi.OFF))
        .setUsageHelpWidth(Console.WIDTH)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setParameterExceptionHandler(Failures::parameter)
        .setExecutionStrategy(parsed -> Failures.guarded(parsed, main.debug))
        .setExecutionExceptionHandler(
            (e, command, parsed) -> Failures.execution(e, command, parsed, main.debug));
  }

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }

  /** The console of a command. */
  Console console(CommandSpec command) {
    return new Console(command.commandLine().getOut(), coloured);
  }

  /** A progress line. */
  Progress progress(String text) {
    return new Progress(System.err, talkative, text);
  }

  /** The version that the build wrote into the jar's manifest, the commit, and the JDK. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() throws IOException {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {
        "iommu4j " + (version == null ? "(not packaged)" : version) + commit(),
        "JDK "
            + Runtime.version()
            + ", "
            + System.getProperty("os.name")
            + " "
            + System.getProperty("os.arch")
      };
    }

    private static String commit() throws IOException {
      try (InputStream in = Main.class.getResourceAsStream("commit.txt")) {
        String text =
            in == null ? "" : new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
        return text.isEmpty() ? "" : " (" + text + ")";
      }
    }
  }
}
