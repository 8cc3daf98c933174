package org.iommu4j.core.dma;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * {@code membarrier(2)}, private expedited: a full memory barrier on every processor that runs a
 * thread of this process. The rare drainer pays for it, so that the frequent device access needs no
 * barrier at all (about 7 ns each on x86-64).
 *
 * <p>Where the call does not exist (other systems, no native access), {@link #AVAILABLE} is false
 * and every access uses a full fence: slower, equally correct.
 */
@SuppressWarnings("restricted") // membarrier(2) is the reason for this class
final class Membarrier {
  private static final int REGISTER_PRIVATE_EXPEDITED = 1 << 4;
  private static final int PRIVATE_EXPEDITED = 1 << 3;

  private static final long NUMBER =
      switch (System.getProperty("os.name", "") + "/" + System.getProperty("os.arch", "")) {
        case "Linux/amd64" -> 324;
        case "Linux/aarch64", "Linux/riscv64" -> 283;
        default -> -1;
      };
  private static final @Nullable MethodHandle SYSCALL = syscall();

  /** Whether the processors can be ordered from one side. */
  static final boolean AVAILABLE =
      !Boolean.getBoolean("iommu4j.fullFences") && call(REGISTER_PRIVATE_EXPEDITED) == 0;

  private Membarrier() {}

  /** Orders every thread of this process; only to be called if {@link #AVAILABLE}. */
  static void expedite() {
    if (call(PRIVATE_EXPEDITED) != 0) {
      throw new IllegalStateException("membarrier(2) was registered and now fails");
    }
  }

  private static long call(int command) {
    MethodHandle syscall = SYSCALL;
    if (syscall == null) {
      return -1;
    }
    try {
      return (long) syscall.invokeExact(NUMBER, command, 0, 0);
    } catch (Throwable e) {
      return -1;
    }
  }

  private static @Nullable MethodHandle syscall() {
    if (NUMBER < 0) {
      return null;
    }
    try {
      Linker linker = Linker.nativeLinker();
      Optional<MemorySegment> symbol = linker.defaultLookup().find("syscall");
      FunctionDescriptor type =
          FunctionDescriptor.of(
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT);
      Linker.Option variadic = Linker.Option.firstVariadicArg(1);
      return symbol.map(s -> linker.downcallHandle(s, type, variadic)).orElse(null);
    } catch (RuntimeException | LinkageError e) {
      return null;
    }
  }
}
