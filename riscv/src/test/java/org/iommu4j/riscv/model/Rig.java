package org.iommu4j.riscv.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.iommu4j.core.Options;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.dma.DmaPort;
import org.iommu4j.core.testing.UnitRig;
import org.iommu4j.riscv.layout.Capabilities;
import org.iommu4j.riscv.layout.Cause;
import org.iommu4j.riscv.layout.FaultRecord;
import org.iommu4j.riscv.layout.Registers;
import org.iommu4j.riscv.layout.TransactionType;

/**
 * A unit with memory, queues and devices around it, driven from outside: through registers, memory
 * and requests, as hardware would be.
 */
final class Rig extends UnitRig {

  /** A fault record, decoded by this test's own hands. */
  record Fault(
      Cause cause,
      TransactionType type,
      int did,
      int pid,
      boolean pv,
      boolean priv,
      long iotval,
      long iotval2) {}

  /** Settings that differ from the default, then {@link #build}. */
  static final class Builder {
    private final Map<String, String> options = new LinkedHashMap<>();
    private long capabilities = UnitConfig.ALL_CAPABILITIES;

    Builder without(Field... absent) {
      for (Field f : absent) {
        capabilities &= ~f.mask();
      }
      return this;
    }

    Builder with(Field field, long value) {
      capabilities = field.set(capabilities, value);
      return this;
    }

    Builder option(String name, Object value) {
      options.put(name, value.toString());
      return this;
    }

    Rig build() {
      options.put("capabilities", "0x" + Long.toHexString(capabilities));
      return new Rig(Options.of(options));
    }
  }

  private long commandQueue;
  private long faultQueue;
  private long pageRequestQueue;
  private int faultHead;
  private int commandTail;

  private Rig(Options options) {
    super("riscv", options);
  }

  static Builder with() {
    return new Builder();
  }

  /** A unit that has everything, in the given cache behaviour. */
  static Rig standard(String cache) {
    return with().option("cache", cache).build();
  }

  static Rig standard() {
    return standard("normal");
  }

  // ---- registers

  boolean bigEndian() {
    return read(Registers.FCTL, Registers.BE) != 0;
  }

  /** In the byte order of the structures that the unit owns. */
  long ordered(long value) {
    return bigEndian() ? Long.reverseBytes(value) : value;
  }

  // ---- queues

  /** All queues on, all interrupts off: command and fault queue of 128 and page requests of 256. */
  Rig queues() {
    commandQueue = frame();
    faultQueue = frame();
    write(Registers.CQB, Registers.QUEUE_PPN.of(commandQueue >>> 12) | 6);
    write(Registers.CQT, 0);
    write(Registers.CQCSR, Registers.CQEN.mask());
    write(Registers.FQB, Registers.QUEUE_PPN.of(faultQueue >>> 12) | 6);
    write(Registers.FQH, 0);
    write(Registers.FQCSR, Registers.FQEN.mask());
    if (Capabilities.ATS.isSet(read(Capabilities.REGISTER))) {
      pageRequestQueue = frame();
      write(Registers.PQB, Registers.QUEUE_PPN.of(pageRequestQueue >>> 12) | 7);
      write(Registers.PQH, 0);
      write(Registers.PQCSR, Registers.PQEN.mask());
    }
    return this;
  }

  long commandQueue() {
    return commandQueue;
  }

  long faultQueue() {
    return faultQueue;
  }

  long pageRequestQueue() {
    return pageRequestQueue;
  }

  /** Puts one command into the queue. */
  Rig command(long first, long second) {
    long at = commandQueue + 16L * commandTail;
    memory.writeLong(at, ordered(first));
    memory.writeLong(at + 8, ordered(second));
    commandTail = (commandTail + 1) % 128;
    write(Registers.CQT, commandTail);
    return this;
  }

  Rig command(long first) {
    return command(first, 0);
  }

  /** Whether every command so far was executed. */
  boolean idle() {
    return read(Registers.CQH) == commandTail;
  }

  /** Forgets where the queue stood: it was turned off and on again, with cqt at {@code index}. */
  void restarted(int index) {
    commandTail = index;
  }

  /** IOTINVAL of everything with every second stage, IODIR of everything, and a fence. */
  void invalidateAll(int... gscids) {
    command(0x3);
    command(0x1);
    command(0x81);
    for (int gscid : gscids) {
      command(0x2_0000_0001L | (long) gscid << 44);
    }
    command(0x3002);
    assertThat(idle()).isTrue();
  }

  /** The records since the last call. */
  List<Fault> faults() {
    List<Fault> records = new ArrayList<>();
    int tail = (int) read(Registers.FQT);
    for (; faultHead != tail; faultHead = (faultHead + 1) % 128) {
      records.add(record(faultQueue + 32L * faultHead));
    }
    write(Registers.FQH, faultHead);
    return records;
  }

  private Fault record(long at) {
    long first = ordered(memory.readLong(at));
    Cause cause = Cause.of(FaultRecord.CAUSE.getInt(first));
    assertThat(cause).as("cause of %x", first).isNotNull();
    assertThat(memory.readLong(at + 8)).isZero();
    return new Fault(
        cause,
        TransactionType.of(FaultRecord.TTYP.getInt(first)),
        FaultRecord.DID.getInt(first),
        FaultRecord.PID.getInt(first),
        FaultRecord.PV.isSet(first),
        FaultRecord.PRIV.isSet(first),
        ordered(memory.readLong(at + 16)),
        ordered(memory.readLong(at + 24)));
  }

  /** The cause of the only record since the last call; null if there is none. */
  Cause cause() {
    List<Fault> all = faults();
    assertThat(all).hasSizeLessThanOrEqualTo(1);
    return all.isEmpty() ? null : all.getFirst().cause();
  }

  // ---- devices

  /** Whether it passes. */
  boolean access(int did, long iova, int access) {
    return translate(request(did, iova, access));
  }

  DmaPort port(int did) {
    return new DmaPort(unit, memory, did);
  }
}
