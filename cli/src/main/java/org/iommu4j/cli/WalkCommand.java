package org.iommu4j.cli;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import org.iommu4j.core.Options;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Inspector;
import org.iommu4j.core.dma.InterruptRequest;
import org.iommu4j.machine.Endpoint;
import org.iommu4j.machine.Platform;
import org.iommu4j.machine.Unit;
import org.iommu4j.machine.description.PlatformFile;
import org.iommu4j.machine.description.Similar;
import org.iommu4j.machine.description.Units;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;
import tools.jackson.databind.node.ObjectNode;

/** Follows one address through every table. */
@Command(
    name = "walk",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Show how one address of a device is translated: every table entry that is read, decoded, and"
          + " the outcome.",
      "Nothing is changed: no fault is reported, no cache is used."
    })
final class WalkCommand implements Callable<Integer> {
  /** An address as people write it. */
  static final class Address implements ITypeConverter<Long> {
    @Override
    public Long convert(String text) {
      try {
        return Options.parse(text);
      } catch (NumberFormatException e) {
        throw new TypeConversionException(
            "'%s' is not an address: expected decimal, or hexadecimal after 0x, of at most 64 bits"
                .formatted(text));
      }
    }
  }

  /** A number of so many bits. */
  private static int number(String text, String what, int bits) {
    long number = -1;
    try {
      number = Options.parse(text);
    } catch (NumberFormatException e) {
      // not a number: told like one that is too large
    }
    if (number < 0 || number >>> bits != 0) {
      throw new TypeConversionException(
          "'%s' is not %s: expected decimal, or hexadecimal after 0x, of at most %d bits"
              .formatted(text, what, bits));
    }
    return (int) number;
  }

  /** A PASID has 20 bits (PCI Express). */
  static final class Pasid implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String text) {
      return number(text, "a PASID", 20);
    }
  }

  /** A message is a write of four bytes. */
  static final class Data implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String text) {
      return number(text, "a message's data", 32);
    }
  }

  /** At most one of them. */
  static final class Kind {
    @Option(names = "--write", description = "Walk for a write; otherwise for a read.")
    private boolean write;

    @Option(names = "--exec", description = "Walk for an instruction fetch.")
    private boolean exec;

    @Option(
        names = "--msi",
        paramLabel = "DATA",
        converter = Data.class,
        description = "Follow an interrupt message with this data.")
    private @Nullable Integer msi;
  }

  @Parameters(
      paramLabel = "PLATFORM",
      description = "A platform file, a capture's folder, or 'example'.")
  private String platform = PlatformFile.EXAMPLE;

  @Option(
      names = {"-d", "--device"},
      required = true,
      paramLabel = "D",
      description = "The device: its name, PCI function (00:03.0) or requester id.")
  private String device = "";

  @Option(
      names = "--pasid",
      paramLabel = "P",
      converter = Pasid.class,
      description = "The PASID; otherwise none.")
  private @Nullable Integer pasid;

  @Option(
      names = "--iova",
      required = true,
      paramLabel = "A",
      converter = Address.class,
      description = "The address that the device sends.")
  private long iova;

  @ArgGroup(exclusive = true)
  private Kind kind = new Kind();

  @Option(names = "--arch", paramLabel = "A", description = "Use this architecture instead.")
  private @Nullable String arch;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @ParentCommand private @Nullable Main main;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    PlatformSource source = PlatformSource.of(platform);
    if (source instanceof PlatformSource.Captured) {
      PlatformSource.refuseForCapture(arch, null);
    }
    try (Platform p =
        switch (source) {
          case PlatformSource.Described d ->
              Platform.of(d.description(), PlatformSource.settings(arch, null));
          case PlatformSource.Captured c -> Platform.ofCapture(c.folder());
        }) {
      Requester who = requester(p);
      int access = kind.write || kind.msi != null ? Access.WRITE : Access.READ;
      access = kind.exec ? Access.READ | Access.EXECUTE : access;
      DmaRequest request =
          new DmaRequest()
              .source(who.source)
              .pasid(pasid == null ? DmaRequest.NO_PASID : pasid)
              .iova(iova)
              .access(access);
      Inspector inspector = who.unit.iommu().inspector();
      Integer data = kind.msi;
      Inspector.Walk walk =
          data == null
              ? inspector.walk(request)
              : inspector.walk(
                  new InterruptRequest().set(who.source, iova, data).pasid(request.pasid()));
      if (json) {
        Json.print(spec.commandLine().getOut(), json(who, request, walk));
      } else {
        print(who, request, walk);
      }
      return walk.passes() ? Failures.FINE : Failures.WRONG;
    }
  }

  private record Requester(String name, int source, Unit unit) {}

  /** A device of the platform, or any requester id if there is one unit only. */
  private Requester requester(Platform p) {
    Endpoint known = p.endpoint(device).orElse(null);
    if (known != null) {
      return new Requester(known.name(), known.source(), known.unit());
    }
    try {
      int id = Units.parseRequester(device);
      if (p.units().size() == 1) {
        return new Requester(Units.requester(id), id, p.units().getFirst());
      }
    } catch (IllegalArgumentException e) {
      // not an id: falls through to the message
    }
    List<String> names = p.endpoints().stream().map(Endpoint::name).toList();
    throw new UsageException(
        "%s has no device '%s'; %s".formatted(p.name(), device, Similar.advice(device, names)));
  }

  private void print(Requester who, DmaRequest request, Inspector.Walk walk) {
    Console console = new Console(spec.commandLine().getOut(), false);
    if (main != null) {
      console = main.console(spec);
    }
    String id = Units.requester(who.source);
    console.line(
        "%s %s by %s%s%s through %s (%s)"
            .formatted(
                kind.msi == null
                    ? Access.describe(request.access()) + " of"
                    : "message " + Integer.toUnsignedString(kind.msi) + " to",
                console.styled(Console.Style.STRONG, Units.address(iova)),
                who.name,
                who.name.equals(id) ? "" : " (" + id + ")",
                request.hasPasid() ? " with PASID " + request.pasid() : "",
                who.unit.name(),
                who.unit.architecture().title()));
    WalkText text = new WalkText(console);
    text.full(walk);
    console.line();
    text.outcome(walk);
    console.flush();
  }

  private ObjectNode json(Requester who, DmaRequest request, Inspector.Walk walk) {
    ObjectNode root = Json.object();
    root.put("device", who.name);
    root.put("source", Json.hex(who.source));
    Json.pasid(root, request.pasid());
    root.put("unit", who.unit.name());
    root.put("architecture", who.unit.architecture().id());
    root.put("iova", Json.hex(request.iova()));
    root.put("access", Access.describe(request.access()));
    if (kind.msi != null) {
      root.put("message", Integer.toUnsignedLong(kind.msi));
    }
    root.set("walk", WalkJson.of(walk, true));
    return root;
  }
}
