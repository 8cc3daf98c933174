package org.iommu4j.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The {@code iommu} command. */
@Command(
    name = "iommu",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = "An IOMMU in software: run it, program it, attach to it, question it.")
public final class Main implements Runnable {
  /** Run one command and exit with its status. */
  public static void main(String[] args) {
    System.exit(new CommandLine(new Main()).execute(args));
  }

  @Override
  public void run() {
    CommandLine.usage(this, System.out);
  }

  /** The version that the build wrote into the jar's manifest. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {"iommu4j " + (version == null ? "(not packaged)" : version)};
    }
  }
}
