package org.iommu4j.core.memory;

import java.util.ArrayList;
import java.util.List;

/** A register page that notes what is done to it. */
final class RecordingDevice implements Mmio {
  final List<String> accesses = new ArrayList<>();
  long answer;

  @Override
  public long read(long offset, int size) {
    accesses.add("read %x/%d".formatted(offset, size));
    return answer;
  }

  @Override
  public void write(long offset, int size, long value) {
    accesses.add("write %x/%d %x".formatted(offset, size, value));
  }
}
