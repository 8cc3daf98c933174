package org.iommu4j.core.memory;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Anonymous memory that commits a page when it is first touched.
 *
 * <p>{@code Arena.allocate} would commit and zero every page at once (0.6 s a GiB); {@code mmap}
 * takes microseconds for any size. Where {@code mmap} cannot be called, a sparse file that is
 * deleted at once serves the same.
 */
@SuppressWarnings("restricted") // mmap(2) is the reason for this class
final class NativeMemory {
  private static final int PROT_READ_WRITE = 3;
  private static final int MAP_PRIVATE = 2;
  private static final int MAP_NORESERVE_LINUX = 0x4000;
  private static final int MAP_ANONYMOUS_LINUX = 0x20;
  private static final int MADV_HUGEPAGE = 14;

  private static final boolean LINUX = System.getProperty("os.name", "").startsWith("Linux");
  private static final AddressLayout ADDRESS = ValueLayout.ADDRESS;
  private static final @Nullable MethodHandle MMAP =
      handle(
          "mmap",
          FunctionDescriptor.of(
              ValueLayout.JAVA_LONG,
              ADDRESS,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_LONG));
  private static final @Nullable MethodHandle MUNMAP =
      handle("munmap", FunctionDescriptor.of(ValueLayout.JAVA_INT, ADDRESS, ValueLayout.JAVA_LONG));
  private static final @Nullable MethodHandle MADVISE =
      handle(
          "madvise",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT, ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT));

  private NativeMemory() {}

  /** {@code size} zero bytes, page aligned, released with the arena. */
  static MemorySegment anonymous(long size, Arena arena) {
    MemorySegment mapped = mmap(size, arena);
    return mapped != null ? mapped : sparseFile(size, arena);
  }

  private static @Nullable MemorySegment mmap(long size, Arena arena) {
    if (MMAP == null || MUNMAP == null) {
      return null;
    }
    try {
      int flags = MAP_PRIVATE | MAP_ANONYMOUS_LINUX | MAP_NORESERVE_LINUX;
      long at = (long) MMAP.invokeExact(MemorySegment.NULL, size, PROT_READ_WRITE, flags, -1, 0L);
      if (at == -1) {
        return null;
      }
      return MemorySegment.ofAddress(at).reinterpret(size, arena, NativeMemory::unmap);
    } catch (Throwable e) {
      return null;
    }
  }

  private static void unmap(MemorySegment segment) {
    MethodHandle munmap = MUNMAP;
    if (munmap != null) {
      try {
        int ignored = (int) munmap.invokeExact(segment, segment.byteSize());
      } catch (Throwable e) {
        throw new IllegalStateException("munmap", e);
      }
    }
  }

  /** Asks for huge pages; a wish, so a refusal changes nothing. */
  static void adviseHugePages(MemorySegment segment) {
    MethodHandle madvise = MADVISE;
    if (madvise != null) {
      try {
        int ignored = (int) madvise.invokeExact(segment, segment.byteSize(), MADV_HUGEPAGE);
      } catch (Throwable e) {
        throw new IllegalStateException("madvise", e);
      }
    }
  }

  private static MemorySegment sparseFile(long size, Arena arena) {
    try {
      Path file = Files.createTempFile("iommu4j", ".mem");
      try (FileChannel channel =
          FileChannel.open(
              file,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE,
              StandardOpenOption.DELETE_ON_CLOSE)) {
        return channel.map(FileChannel.MapMode.READ_WRITE, 0, size, arena);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("no memory of " + size + " bytes can be had", e);
    }
  }

  private static @Nullable MethodHandle handle(String name, FunctionDescriptor type) {
    if (!LINUX) {
      return null;
    }
    try {
      Linker linker = Linker.nativeLinker();
      Optional<MemorySegment> symbol = linker.defaultLookup().find(name);
      return symbol.map(s -> linker.downcallHandle(s, type)).orElse(null);
    } catch (RuntimeException | LinkageError e) {
      return null; // no native access: the sparse file serves
    }
  }
}
