package org.iommu4j.machine.scenario;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaPort;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Fault;
import org.iommu4j.core.dma.Inspector;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.dma.InterruptRequest;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.machine.DeviceInterrupt;
import org.iommu4j.machine.Endpoint;
import org.iommu4j.machine.InterruptTarget;
import org.iommu4j.machine.Platform;
import org.iommu4j.machine.Resource;
import org.iommu4j.machine.description.Step;
import org.iommu4j.machine.description.Units;
import org.iommu4j.machine.scenario.StepResult.Outcome;
import org.jspecify.annotations.Nullable;

/** One access of a device, with everything that can be checked about it. */
final class DeviceStep {
  /** A part of the access that lies in one translation. */
  private record Piece(long pa, int length) {}

  /**
   * A message as the device sends it.
   *
   * @param interrupt what it is the message of; null if nobody asked for it
   */
  private record Message(long address, int data, @Nullable DeviceInterrupt interrupt) {}

  private final Platform platform;
  private final int number;
  private final Step.Device step;
  private final Endpoint endpoint;
  private final int source;
  private final String actor;
  private final PhysicalMemory memory;
  private final @Nullable Message message;
  private final List<String> objections = new ArrayList<>();
  private final List<String> conditions = new ArrayList<>();
  private String detail = "";

  /** Bytes that were transferred before the access was stopped. */
  private long before;

  DeviceStep(Platform platform, int number, Step.Device step) {
    this.platform = platform;
    this.number = number;
    this.step = step;
    this.memory = platform.memory();
    endpoint = Player.endpoint(platform, step.device());
    Integer as = step.as();
    source = as == null ? endpoint.source() : as;
    actor = endpoint.label(step.pasid());
    message = step instanceof Step.Msi s ? message(s) : null;
  }

  private Message message(Step.Msi s) {
    String interrupt = s.interrupt();
    if (interrupt != null) {
      DeviceInterrupt i = platform.interrupt(interrupt);
      return new Message(i.message().address(), i.message().data(), i);
    }
    String target = s.target();
    return new Message(
        target == null ? s.address() : platform.target(target).base(), s.data(), null);
  }

  StepResult play() {
    if (Player.lacksPasids(endpoint, step.pasid())) {
      return Player.skipped(number, step, actor, action(), "the unit has no PASIDs");
    }
    if (step instanceof Step.Dma dma
        && dma.kind() == Step.Kind.FETCH
        && !endpoint.unit().driver().capabilities().executePermission()) {
      return Player.skipped(number, step, actor, action(), "the unit knows no execute permission");
    }
    long iova = address();
    Inspector.Walk walk = walk(iova);
    List<Piece> pieces = pieces(iova);
    Outcome outcome =
        switch (step) {
          case Step.Dma s -> dma(s, pieces);
          case Step.Cas s -> cas(s, pieces);
          case Step.Msi s -> msi(Objects.requireNonNull(message));
        };
    List<Fault> faults = endpoint.unit().service(conditions);
    judge(outcome, faults, walk);
    Inspector.Walk shown = before == 0 ? walk : walk(iova + before);
    return new StepResult(
        number,
        step,
        actor,
        action(),
        outcome,
        walk.passes() ? walk.pa() : null,
        walk.permissions(),
        faults,
        conditions,
        shown,
        detail,
        objections);
  }

  private long address() {
    return switch (step) {
      case Step.Dma s -> s.iova();
      case Step.Cas s -> s.iova();
      case Step.Msi s -> Objects.requireNonNull(message).address;
    };
  }

  private long length() {
    return switch (step) {
      case Step.Dma s -> s.length();
      case Step.Cas s -> s.length();
      case Step.Msi s -> 4;
    };
  }

  private int access() {
    return switch (step) {
      case Step.Dma s ->
          switch (s.kind()) {
            case READ -> Access.READ;
            case WRITE -> Access.WRITE;
            case FETCH -> Access.READ | Access.EXECUTE;
          };
      case Step.Cas s -> Access.WRITE | Access.ATOMIC;
      case Step.Msi s -> Access.WRITE;
    };
  }

  private String action() {
    String at = Units.address(address());
    return switch (step) {
      case Step.Dma s ->
          s.kind().name().toLowerCase(Locale.ROOT) + " " + Units.size(s.length()) + " at " + at;
      case Step.Cas s -> "cas " + s.length() + " at " + at;
      case Step.Msi s -> {
        String name = s.interrupt() == null ? "" : s.interrupt() + ": ";
        yield "msi " + name + (Objects.requireNonNull(message).data & 0xffff_ffffL) + " to " + at;
      }
    };
  }

  private Inspector.Walk walk(long iova) {
    if (message != null) {
      return endpoint.unit().iommu().inspector().walk(request(message));
    }
    DmaRequest request =
        new DmaRequest().source(source).pasid(step.pasid()).iova(iova).access(access());
    return endpoint.unit().iommu().inspector().walk(request);
  }

  /** Where the access leads, as far as it is translated. */
  private List<Piece> pieces(long iova) {
    List<Piece> pieces = new ArrayList<>();
    for (long done = 0; message == null && done < length(); ) {
      Inspector.Walk walk = walk(iova + done);
      if (!walk.passes()) {
        break;
      }
      long page = 1L << Math.clamp(walk.rangeShift(), 0, 30);
      long n = Math.min(length() - done, page - (iova + done & page - 1));
      pieces.add(new Piece(walk.pa(), (int) n));
      done += n;
    }
    return pieces;
  }

  /** Whether all of the access is translated, to memory that is there. */
  private boolean inMemory(List<Piece> pieces) {
    long total = 0;
    for (Piece p : pieces) {
      if (memory.isDevice(p.pa) || memory.status(p.pa, p.length, true) != PhysicalMemory.OK) {
        return false;
      }
      total += p.length;
    }
    return total == length();
  }

  private boolean inBuffers(List<Piece> pieces) {
    return inMemory(pieces)
        && pieces.stream()
            .allMatch(
                p ->
                    platform.resources().stream()
                        .filter(r -> r.kind() == Resource.Kind.BUFFER)
                        .anyMatch(r -> within(p, r)));
  }

  private static boolean within(Piece p, Resource r) {
    long offset = p.pa - r.base();
    return Long.compareUnsigned(offset, r.size()) < 0 && p.length <= r.size() - offset;
  }

  private Outcome dma(Step.Dma s, List<Piece> pieces) {
    byte[] data = new byte[(int) s.length()];
    boolean write = s.kind() == Step.Kind.WRITE;
    if (write || inBuffers(pieces)) {
      for (int i = 0; i < data.length; i++) {
        data[i] = (byte) (number * 31 + i * 7 + 1);
      }
    }
    if (!write && inBuffers(pieces)) {
      put(pieces, data); // what the CPU left there for the device
      data = new byte[data.length];
    }
    try (DmaPort port = port()) {
      switch (s.kind()) {
        case READ -> port.read(s.iova(), data);
        case WRITE -> port.write(s.iova(), data);
        case FETCH -> port.fetch(s.iova(), data);
      }
      if (port.status() == DmaPort.Status.OK && inMemory(pieces)) {
        if (!Arrays.equals(data, get(pieces, data.length))) {
          objections.add(
              write
                  ? "memory does not hold what was written"
                  : "what was read is not what memory holds");
        }
      }
      if (port.status() != DmaPort.Status.OK && port.transferred() > 0) {
        before = port.transferred();
        detail = "after %d of %d bytes".formatted(port.transferred(), s.length());
      }
      return outcome(port.status());
    }
  }

  private Outcome cas(Step.Cas s, List<Piece> pieces) {
    boolean known = inMemory(pieces);
    long before = known ? memory.readBytes(pieces.getFirst().pa, s.length()) : 0;
    long desired = s.length() == 8 ? ~before : ~before & 0xffff_ffffL;
    try (DmaPort port = port()) {
      boolean done =
          s.length() == 8
              ? port.compareAndSwapLong(s.iova(), before, desired)
              : port.compareAndSwapInt(s.iova(), (int) before, (int) desired);
      if (done && known) {
        if (port.value() != before
            || memory.readBytes(pieces.getFirst().pa, s.length()) != desired) {
          objections.add("the swap did not do what it reported");
        }
      }
      return outcome(port.status());
    }
  }

  private InterruptRequest request(Message m) {
    return new InterruptRequest().set(source, m.address, m.data).pasid(step.pasid());
  }

  private Outcome msi(Message m) {
    List<Map<Integer, Long>> before =
        platform.targets().stream().map(InterruptTarget::latched).toList();
    InterruptDelivery delivery = new InterruptDelivery();
    boolean delivered = endpoint.unit().iommu().remap(request(m), delivery);
    if (!delivered) {
      return delivery.reason() == null ? Outcome.ABORTED : Outcome.BLOCKED;
    }
    switch (delivery.kind()) {
      case WRITTEN -> {
        detail = latched(before);
        DeviceInterrupt i = m.interrupt;
        if (detail.isEmpty()) {
          objections.add(
              "the message went to %s, where no interrupt target latched it"
                  .formatted(Units.address(delivery.address())));
        } else if (i != null && !detail.equals(latch(i.target(), i.data()))) {
          objections.add(detail + ", expected was: " + latch(i.target(), i.data()));
        }
      }
      case RECORDED ->
          detail =
              "recorded in the file at %s, notice to %s"
                  .formatted(Units.address(delivery.address()), Units.address(delivery.notice()));
      default -> detail = "accepted without effect";
    }
    return Outcome.OK;
  }

  /** What was latched since, in words; empty if nothing was. */
  private String latched(List<Map<Integer, Long>> before) {
    for (int n = 0; n < before.size(); n++) {
      InterruptTarget target = platform.targets().get(n);
      for (Map.Entry<Integer, Long> now : target.latched().entrySet()) {
        if (!now.getValue().equals(before.get(n).get(now.getKey()))) {
          return latch(target, now.getKey());
        }
      }
    }
    return "";
  }

  private static String latch(InterruptTarget target, int identity) {
    return "%s latched %d".formatted(target.name(), identity & 0xffff_ffffL);
  }

  private DmaPort port() {
    return new DmaPort(endpoint.unit().iommu(), memory, source).pasid(step.pasid());
  }

  private static Outcome outcome(DmaPort.Status status) {
    return switch (status) {
      case OK -> Outcome.OK;
      case BLOCKED -> Outcome.BLOCKED;
      case ABORTED, POISONED -> Outcome.ABORTED;
    };
  }

  private void put(List<Piece> pieces, byte[] data) {
    int done = 0;
    for (Piece p : pieces) {
      memory.write(p.pa, data, done, p.length);
      done += p.length;
    }
  }

  private byte[] get(List<Piece> pieces, int length) {
    byte[] data = new byte[length];
    int done = 0;
    for (Piece p : pieces) {
      memory.read(p.pa, data, done, p.length);
      done += p.length;
    }
    return data;
  }

  private void judge(Outcome outcome, List<Fault> faults, Inspector.Walk walk) {
    Player.compare(step.expect(), outcome, objections);
    if (outcome == Outcome.BLOCKED && faults.isEmpty()) {
      objections.add("it was blocked, but the driver received no record of it");
    }
    if (outcome == Outcome.OK && !faults.isEmpty()) {
      objections.add("it was carried out, but the driver received a fault");
    }
    if (outcome == Outcome.OK && !walk.passes()) {
      objections.add("it was carried out, but the tables do not allow it: " + walk.outcome());
    }
    if (step instanceof Step.Dma s && outcome == Outcome.OK) {
      @Nullable Long wanted = s.pa();
      if (wanted != null && walk.passes() && walk.pa() != wanted) {
        objections.add(
            "expected to lead to %s, led to %s"
                .formatted(Units.address(wanted), Units.address(walk.pa())));
      }
    }
  }
}
