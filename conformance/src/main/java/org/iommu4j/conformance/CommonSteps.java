package org.iommu4j.conformance;

import java.util.Arrays;
import java.util.List;
import org.iommu4j.machine.capture.StrictObject;
import org.jspecify.annotations.Nullable;

/** The steps that every vector format has: memory and registers, stored to and looked at. */
public final class CommonSteps {
  private CommonSteps() {}

  /**
   * Reads one of them.
   *
   * @return null if {@code action} is none of them
   */
  public static @Nullable Step<Bench> read(String action, StrictObject fields) {
    return switch (action) {
      case "mem" -> new Store(fields.number("pa"), fields.bytes("hex"));
      case "write" -> new Write(offset(fields), size(fields), fields.number("value"));
      case "read" ->
          new Read(offset(fields), size(fields), fields.number("value"), fields.number("mask", -1));
      case "peek" -> peek(fields);
      default -> null;
    };
  }

  private static long offset(StrictObject fields) {
    return fields.integer("off", 0, 1 << 30);
  }

  private static int size(StrictObject fields) {
    int size = fields.integer("size", 1, 8);
    if (Integer.bitCount(size) != 1) {
      throw new StrictObject.Malformed(fields.what() + ": field 'size' has to be 1, 2, 4 or 8");
    }
    return size;
  }

  private static Peek peek(StrictObject fields) {
    byte[] hex = fields.bytes("hex");
    byte[] mask = fields.has("mask") ? fields.bytes("mask") : null;
    if (mask != null && mask.length != hex.length) {
      throw new StrictObject.Malformed(
          "%s: 'mask' has %d bytes, 'hex' %d".formatted(fields.what(), mask.length, hex.length));
    }
    return new Peek(fields.number("pa"), masked(hex, mask), mask);
  }

  private static byte[] masked(byte[] bytes, byte @Nullable [] mask) {
    if (mask != null) {
      for (int i = 0; i < bytes.length; i++) {
        bytes[i] &= mask[i];
      }
    }
    return bytes;
  }

  private record Store(long pa, byte[] bytes) implements Step<Bench> {
    @Override
    public List<Difference> run(Bench bench) {
      bench.memory().load(pa, bytes);
      return List.of();
    }
  }

  /**
   * A register write.
   *
   * @param offset in the register page
   * @param size bytes
   * @param value what is written
   */
  public record Write(long offset, int size, long value) implements Step<Bench> {
    @Override
    public List<Difference> run(Bench bench) {
      bench.unit().write(offset, size, value);
      return List.of();
    }
  }

  private record Read(long offset, int size, long value, long mask) implements Step<Bench> {
    @Override
    public List<Difference> run(Bench bench) {
      long found = bench.unit().read(offset, size);
      return (found & mask) == value
          ? List.of()
          : RegisterNames.differences(bench.architecture(), offset, size, value, found, mask);
    }
  }

  private record Peek(long pa, byte[] expected, byte @Nullable [] mask) implements Step<Bench> {
    @Override
    public List<Difference> run(Bench bench) {
      byte[] found = masked(bench.bytes(pa, expected.length), mask);
      return Arrays.equals(expected, found) ? List.of() : bench.inMemory(pa, expected, found, mask);
    }
  }
}
