package org.iommu4j.core.testing;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongUnaryOperator;

/**
 * One store of 16 bytes, which Java has not: what software does with {@code cmpxchg16b}. On x86
 * with Linux only.
 */
@SuppressWarnings("restricted")
public final class WideStore {
  /** void store(void* at, long first, long second). */
  private static final int[] CODE = {
    0x53, // push rbx
    0x48,
    0x89,
    0xf3, // mov rbx, rsi
    0x48,
    0x89,
    0xd1, // mov rcx, rdx
    0x48,
    0x8b,
    0x07, // mov rax, [rdi]
    0x48,
    0x8b,
    0x57,
    0x08, // mov rdx, [rdi + 8]
    0xf0,
    0x48,
    0x0f,
    0xc7,
    0x0f, // again: lock cmpxchg16b [rdi]
    0x75,
    0xf9, // jne again
    0x5b, // pop rbx
    0xc3 // ret
  };

  private static final long PAGE = 4096;
  private static final int READ_WRITE = 3;
  private static final int READ_EXECUTE = 5;
  private static final int PRIVATE_ANONYMOUS = 0x22;

  private final MethodHandle store;

  private WideStore(MethodHandle store) {
    this.store = store;
  }

  /** Empty where there is no such store. */
  public static Optional<WideStore> find() {
    try {
      Path processor = Path.of("/proc/cpuinfo");
      if (!System.getProperty("os.arch", "").equals("amd64")
          || !Files.exists(processor)
          || !Files.readString(processor).contains(" cx16 ")) {
        return Optional.empty();
      }
      // The page stays for as long as the process does.
      MethodHandle mmap =
          call(
              "mmap",
              FunctionDescriptor.of(
                  JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
      long at =
          (long) mmap.invokeExact(MemorySegment.NULL, PAGE, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0L);
      if (at == -1) {
        return Optional.empty();
      }
      MemorySegment code = MemorySegment.ofAddress(at).reinterpret(PAGE);
      for (int n = 0; n < CODE.length; n++) {
        code.set(JAVA_BYTE, n, (byte) CODE[n]);
      }
      MethodHandle mprotect =
          call("mprotect", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
      if ((int) mprotect.invokeExact(code, PAGE, READ_EXECUTE) != 0) {
        return Optional.empty(); // a system that lets nobody make code
      }
      return Optional.of(
          new WideStore(
              Linker.nativeLinker()
                  .downcallHandle(code, FunctionDescriptor.ofVoid(ADDRESS, JAVA_LONG, JAVA_LONG))));
    } catch (IOException e) {
      return Optional.empty();
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private static MethodHandle call(String name, FunctionDescriptor type) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(linker.defaultLookup().find(name).orElseThrow(), type);
  }

  /**
   * Has another thread store the entries of 0, 1, 2 and so on over each other while {@code body}
   * runs; the entry of 0 is there before.
   */
  public void during(
      MemorySegment at, LongUnaryOperator first, LongUnaryOperator second, Runnable body) {
    set(at, first.applyAsLong(0), second.applyAsLong(0));
    AtomicBoolean stop = new AtomicBoolean();
    Thread writer =
        new Thread(
            () -> {
              for (long n = 1; !stop.get(); n++) {
                set(at, first.applyAsLong(n), second.applyAsLong(n));
              }
            });
    writer.start();
    try {
      body.run();
    } finally {
      stop.set(true);
      try {
        writer.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Stores both halves at once into 16 bytes, aligned to as many. */
  public void set(MemorySegment at, long first, long second) {
    if ((at.address() & 15) != 0 || at.byteSize() < 16) {
      throw new IllegalArgumentException("no aligned 16 bytes: " + at);
    }
    try {
      store.invokeExact(at, first, second);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }
}
