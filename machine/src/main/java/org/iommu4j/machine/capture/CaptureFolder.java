package org.iommu4j.machine.capture;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeMap;
import java.util.zip.GZIPInputStream;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.RegisterImage;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.iotlb.CacheBehaviour;
import org.iommu4j.core.memory.PhysicalMemory;

/**
 * A machine that was stopped, and what its IOMMUs showed then: their registers ({@code regs.json})
 * and the pages of memory that can be reached from them ({@code memory.json} with {@code
 * memory.img.gz} or {@code memory.img}).
 *
 * <pre>{@code
 * CaptureFolder capture = CaptureFolder.open(Path.of("riscv-sys"));
 * try (PhysicalMemory memory = new PhysicalMemory()) {
 *   capture.load(memory);
 *   Iommu unit = CaptureFolder.restore(capture.units().getFirst(), Host.of(memory));
 * }
 * }</pre>
 */
public final class CaptureFolder {
  /** One stretch of guest memory. */
  public record Ram(long base, long size) {
    boolean holds(long pa, long length) {
      long at = pa - base;
      return Long.compareUnsigned(at, size) < 0 && Long.compareUnsigned(length, size - at) <= 0;
    }
  }

  /**
   * Pages of the image.
   *
   * @param pa physical address of the first
   * @param pages how many
   * @param offset of the first in the image
   */
  public record Extent(long pa, int pages, long offset) {}

  private static final int PAGE = 4096;

  /** An extent takes some 60 bytes: room for a million of them, 4 GiB of single pages. */
  private static final int LARGEST_JSON = 64 << 20;

  private static final String AGAIN = "copy the capture folder again, or take the capture again";

  private final Path folder;
  private final List<RegisterImage> units;
  private final List<Ram> ram;
  private final List<Extent> extents;
  private final String sha256;

  private CaptureFolder(
      Path folder, List<RegisterImage> units, List<Ram> ram, List<Extent> extents, String sha256) {
    this.folder = folder;
    this.units = List.copyOf(units);
    this.ram = List.copyOf(ram);
    this.extents = List.copyOf(extents);
    this.sha256 = sha256;
  }

  /** Whether the folder looks like a capture: it has a {@code regs.json}. */
  public static boolean isCapture(Path folder) {
    return Files.isRegularFile(folder.resolve("regs.json"));
  }

  /**
   * Reads the registers and what there is of memory; the image itself is read by {@link #load}.
   *
   * @throws CaptureException if a file is missing or is not what it should be
   */
  public static CaptureFolder open(Path folder) throws CaptureException {
    if (!Files.isDirectory(folder)) {
      throw new CaptureException(
          folder, "a capture folder with regs.json and memory.json was expected here");
    }
    Path regs = folder.resolve("regs.json");
    Path description = folder.resolve("memory.json");
    List<RegisterImage> units = read(regs, CaptureFolder::units);
    if (units.isEmpty()) {
      throw new CaptureException(regs, "at least one unit was expected; " + AGAIN);
    }
    return read(description, json -> memory(folder, units, json));
  }

  private interface Reader<T> {
    T read(String json);
  }

  private static <T> T read(Path file, Reader<T> reader) throws CaptureException {
    try {
      return reader.read(TextFile.read(file, LARGEST_JSON));
    } catch (NoSuchFileException e) {
      throw new CaptureException(
          file,
          "is missing; a capture has regs.json (registers), memory.json and memory.img.gz"
              + " (the pages); "
              + AGAIN);
    } catch (StrictObject.Malformed | TextFile.NotText e) {
      throw new CaptureException(file, e.getMessage() + "; " + AGAIN);
    } catch (AccessDeniedException e) {
      throw new CaptureException(file, "may not be read; change its permissions");
    } catch (IOException e) {
      throw new CaptureException(file, "cannot be read (%s); %s".formatted(reason(e), AGAIN));
    }
  }

  private static List<RegisterImage> units(String json) {
    List<RegisterImage> units = new ArrayList<>();
    for (StrictObject unit : StrictObject.parseArray(json, "unit")) {
      String name = unit.text("name");
      TreeMap<Integer, Integer> words = new TreeMap<>();
      TreeMap<Integer, Integer> halves = new TreeMap<>();
      for (StrictObject register : unit.objects("regs")) {
        int offset = register.integer("offset", 0, 1 << 30);
        int size = register.integer("size", 4, 8);
        long value = register.number("value");
        register.finish();
        if ((size & 3) != 0 || (offset & (size - 1)) != 0) {
          throw new StrictObject.Malformed(
              "register at 0x%x of %s: size has to be 4 or 8, and the offset a multiple of it"
                  .formatted(offset, name));
        }
        if (size == 4) {
          words.put(offset, (int) value);
        } else {
          halves.put(offset, (int) value);
          halves.put(offset + 4, (int) (value >>> 32));
        }
      }
      // Both sizes may have been read, one after the other; of a counter that ran on in between,
      // the two halves have to come from the same pass.
      halves.forEach(words::putIfAbsent);
      units.add(new RegisterImage(name, unit.number("base"), words));
      unit.finish();
    }
    return units;
  }

  private static CaptureFolder memory(Path folder, List<RegisterImage> units, String json) {
    StrictObject all = StrictObject.parse(json, "memory.json");
    if (all.number("page_size") != PAGE) {
      throw new StrictObject.Malformed("field 'page_size' has to be " + PAGE);
    }
    all.has("image"); // says in words where the bytes are
    StrictObject guest = all.object("guest_ram");
    Ram ram = new Ram(guest.number("base"), guest.number("size"));
    guest.finish();
    if (ram.size <= 0 || ((ram.base | ram.size) & (PAGE - 1)) != 0) {
      throw new StrictObject.Malformed("guest_ram has to be whole pages");
    }
    List<Extent> extents = new ArrayList<>();
    long pages = 0;
    for (StrictObject e : all.objects("extents")) {
      Extent extent =
          new Extent(e.number("pa"), e.integer("pages", 1, 1 << 24), e.number("offset"));
      e.finish();
      if ((extent.pa & (PAGE - 1)) != 0 || !ram.holds(extent.pa, (long) extent.pages * PAGE)) {
        throw new StrictObject.Malformed(
            "extent at 0x%x of %d pages does not lie in guest_ram"
                .formatted(extent.pa, extent.pages));
      }
      if (extent.offset != pages * PAGE) {
        throw new StrictObject.Malformed(
            "extent at 0x%x has to begin where the one before it ends in the image, at %d"
                .formatted(extent.pa, pages * PAGE));
      }
      pages += extent.pages;
      extents.add(extent);
    }
    if (all.number("pages") != pages) {
      throw new StrictObject.Malformed(
          "field 'pages' is %s, but the extents have %d"
              .formatted(Long.toUnsignedString(all.number("pages")), pages));
    }
    String sha256 = all.text("sha256");
    all.finish();
    return new CaptureFolder(folder, units, List.of(ram), extents, sha256);
  }

  /** The folder's own name. */
  public String name() {
    Path name = folder.toAbsolutePath().normalize().getFileName();
    return name == null ? folder.toString() : name.toString();
  }

  /** Where it is. */
  public Path folder() {
    return folder;
  }

  /** The units' registers; at least one. */
  public List<RegisterImage> units() {
    return units;
  }

  /**
   * Guest memory as the machine had it; the image has some of its pages, the rest reads as zero.
   */
  public List<Ram> ram() {
    return ram;
  }

  /** The pages that the image has. */
  public List<Extent> extents() {
    return extents;
  }

  /**
   * Adds the guest's memory to the address space, committed page by page, and puts the captured
   * pages into it.
   *
   * @throws CaptureException if the image is missing, has too few or too many bytes, or other bytes
   *     than {@code memory.json} says
   */
  public void load(PhysicalMemory memory) throws CaptureException {
    Path packed = folder.resolve("memory.img.gz");
    Path plain = folder.resolve("memory.img");
    Path file = !Files.exists(packed) && Files.exists(plain) ? plain : packed;
    for (Ram r : ram) {
      memory.addAnonymous(r.base, r.size);
    }
    long expected = extents.stream().mapToLong(e -> (long) e.pages * PAGE).sum();
    MessageDigest digest = digest();
    long done = 0;
    try (InputStream raw = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
        InputStream in = file.equals(packed) ? new GZIPInputStream(raw, 1 << 16) : raw) {
      byte[] page = new byte[PAGE];
      for (Extent e : extents) {
        for (int i = 0; i < e.pages; i++) {
          int n = in.readNBytes(page, 0, PAGE);
          done += n;
          if (n < PAGE) {
            throw new CaptureException(
                file, "ends after %d bytes, %d were expected; %s".formatted(done, expected, AGAIN));
          }
          digest.update(page);
          memory.load(e.pa + (long) i * PAGE, page);
        }
      }
      if (in.read() >= 0) {
        throw new CaptureException(
            file, "has more than the %d bytes expected; %s".formatted(expected, AGAIN));
      }
    } catch (CaptureException e) {
      throw e;
    } catch (NoSuchFileException e) {
      throw new CaptureException(
          file,
          "is missing; the pages that memory.json describes were expected in it, or in memory.img; "
              + AGAIN);
    } catch (AccessDeniedException e) {
      throw new CaptureException(file, "may not be read; change its permissions");
    } catch (IOException e) {
      throw new CaptureException(
          file,
          "cannot be unpacked after %d of %d bytes (%s); %s"
              .formatted(done, expected, reason(e), AGAIN));
    }
    String found = HexFormat.of().formatHex(digest.digest());
    if (!found.equalsIgnoreCase(sha256)) {
      throw new CaptureException(
          file, "has the SHA-256 %s, memory.json says %s; %s".formatted(found, sha256, AGAIN));
    }
  }

  private static String reason(IOException e) {
    return e instanceof EOFException ? "the file ends early" : String.valueOf(e.getMessage());
  }

  private static MessageDigest digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /**
   * The architecture of a captured unit: the one whose name the unit's name begins with, or else
   * the one that recognizes the registers.
   *
   * @param all those to choose from
   * @throws IllegalArgumentException if there is none, or more than one; the message names them
   */
  public static Architecture architecture(RegisterImage unit, List<Architecture> all) {
    List<Architecture> fitting = all.stream().filter(a -> unit.name().startsWith(a.id())).toList();
    if (fitting.size() != 1) {
      fitting = all.stream().filter(a -> a.recognizes(unit)).toList();
    }
    if (fitting.size() != 1) {
      throw new IllegalArgumentException(
          "unit '%s': %s; present are: %s"
              .formatted(
                  unit.name(),
                  fitting.isEmpty()
                      ? "no architecture knows these registers"
                      : "more than one architecture could have these registers ("
                          + ids(fitting)
                          + ")",
                  ids(all)));
    }
    return fitting.getFirst();
  }

  /**
   * The architecture of a captured unit, of all that are present.
   *
   * @throws IllegalArgumentException if there is none, or more than one; the message names them
   */
  public static Architecture architecture(RegisterImage unit) {
    return architecture(unit, Architecture.all());
  }

  private static String ids(List<Architecture> all) {
    return String.join(", ", all.stream().map(Architecture::id).toList());
  }

  /**
   * A captured unit, in the state in which it was.
   *
   * @param host its memory already {@link #load loaded}
   * @throws IllegalArgumentException if no architecture, or more than one, fits
   */
  public static Iommu restore(RegisterImage unit, Host host) {
    return architecture(unit).restore(unit, CacheBehaviour.NORMAL, host);
  }
}
