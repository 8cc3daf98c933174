package org.iommu4j.riscv.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.riscv.layout.DeviceContext.EN_ATS;
import static org.iommu4j.riscv.layout.DeviceContext.PDTV;
import static org.iommu4j.riscv.model.Dir.DID;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.BridgeError;
import org.iommu4j.core.dma.DmaPort;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.memory.Failure;
import org.iommu4j.core.memory.Mmio;
import org.iommu4j.riscv.layout.Cause;
import org.iommu4j.riscv.layout.DeviceContext;
import org.iommu4j.riscv.layout.Registers;
import org.iommu4j.riscv.layout.TransactionType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every cause code is produced by something that a device, a bridge or software does. */
class EveryCauseTest {
  private static final long IOVA = 0x4000_1000L;
  private static final long BEYOND_MEMORY = 0xf000_0000L;

  private final Rig rig = Rig.standard().queues();

  @AfterEach
  void close() {
    rig.close();
  }

  @ParameterizedTest
  @EnumSource(Cause.class)
  void every_cause_is_recorded_with_all_that_belongs_to_it(Cause cause) {
    Rig.Fault expected = produce(cause);
    assertThat(rig.faults()).containsExactly(expected);
  }

  @ParameterizedTest
  @EnumSource(Cause.class)
  void with_dtf_only_the_causes_that_the_specification_lists_are_recorded(Cause cause) {
    dtf = true;
    Rig.Fault expected = produce(cause);
    boolean always =
        switch (cause.code()) {
          case 256, 257, 258, 259, 268, 272, 273 -> true;
          default -> false;
        };
    assertThat(cause.recordedDespiteDtf()).isEqualTo(always);
    if (always) {
      assertThat(rig.faults()).containsExactly(expected);
    } else {
      assertThat(rig.faults()).isEmpty();
    }
  }

  @Test
  void causes_are_found_by_their_code_and_no_other() {
    for (Cause cause : Cause.values()) {
      assertThat(Cause.of(cause.code())).isEqualTo(cause);
      assertThat(cause.title()).isNotBlank();
      assertThat(cause.advice()).isNotBlank();
    }
    for (int code : new int[] {-1, 0, 2, 3, 8, 14, 22, 255, 275, 4095, Integer.MIN_VALUE}) {
      assertThat(Cause.of(code)).isNull();
    }
  }

  private boolean dtf;

  /** Brings the cause about; returns the record that there has to be. */
  private Rig.Fault produce(Cause cause) {
    return switch (cause) {
      case INSTRUCTION_ACCESS_FAULT -> tableBeyondMemory(cause, Access.READ | Access.EXECUTE);
      case READ_ACCESS_FAULT -> tableBeyondMemory(cause, Access.READ);
      case WRITE_ACCESS_FAULT -> tableBeyondMemory(cause, Access.WRITE);
      case READ_ADDRESS_MISALIGNED -> misalignedRead(cause);
      case WRITE_ADDRESS_MISALIGNED -> misalignedAtomic(cause);
      case INSTRUCTION_PAGE_FAULT -> notMapped(cause, Access.READ | Access.EXECUTE);
      case READ_PAGE_FAULT -> notMapped(cause, Access.READ);
      case WRITE_PAGE_FAULT -> notMapped(cause, Access.WRITE);
      case INSTRUCTION_GUEST_PAGE_FAULT -> notMappedBehind(cause, Access.READ | Access.EXECUTE);
      case READ_GUEST_PAGE_FAULT -> notMappedBehind(cause, Access.READ);
      case WRITE_GUEST_PAGE_FAULT -> notMappedBehind(cause, Access.WRITE);
      case ALL_INBOUND_TRANSACTIONS_DISALLOWED -> read(cause);
      case DDT_ENTRY_LOAD_ACCESS_FAULT -> {
        rig.write(Registers.DDTP, 4 | BEYOND_MEMORY >>> 12 << 10);
        yield read(cause);
      }
      case DDT_ENTRY_NOT_VALID -> {
        dir().words[DeviceContext.TC] = 0;
        dir.start();
        yield read(cause);
      }
      case DDT_ENTRY_MISCONFIGURED -> {
        dir().words[DeviceContext.TC] |= 1L << 40;
        dir.start();
        yield read(cause);
      }
      case DDT_DATA_CORRUPTION -> {
        dir().start();
        rig.memory.inject(dir.context, 8, Failure.POISON);
        yield read(cause);
      }
      case TRANSACTION_TYPE_DISALLOWED -> {
        dir().start();
        DmaRequest request = rig.request(DID, IOVA, Access.READ | Access.PRIVILEGED).pasid(5);
        assertThat(rig.translate(request)).isFalse();
        yield record(cause, TransactionType.UNTRANSLATED_READ, IOVA, 0, 5, true);
      }
      case MSI_PTE_LOAD_ACCESS_FAULT -> message(cause, BEYOND_MEMORY, 0, 0);
      case MSI_PTE_NOT_VALID -> message(cause, rig.frame(), 0, 0);
      case MSI_PTE_MISCONFIGURED -> message(cause, rig.frame(), 1, 0);
      case MSI_PT_DATA_CORRUPTION -> {
        long table = rig.frame();
        rig.memory.inject(table, 16, Failure.POISON);
        yield message(cause, table, 7, 0);
      }
      case MRIF_ACCESS_FAULT -> message(cause, rig.frame(), 3 | BEYOND_MEMORY >>> 9 << 7, 0);
      case MRIF_DATA_CORRUPTION -> {
        long mrif = rig.frame();
        rig.memory.inject(mrif, 8, Failure.POISON);
        yield message(cause, rig.frame(), 3 | mrif >>> 9 << 7, 0);
      }
      case PDT_ENTRY_LOAD_ACCESS_FAULT -> process(cause, BEYOND_MEMORY);
      case PDT_ENTRY_NOT_VALID -> process(cause, rig.frame());
      case PDT_ENTRY_MISCONFIGURED -> {
        long pdt = rig.frame();
        rig.memory.writeLong(pdt + 16 * 5, 1 | 1 << 3);
        yield process(cause, pdt);
      }
      case PDT_DATA_CORRUPTION -> {
        long pdt = rig.frame();
        rig.memory.inject(pdt, 4096, Failure.POISON);
        yield process(cause, pdt);
      }
      case INTERNAL_DATA_PATH_ERROR -> {
        dir().start();
        rig.unit.bridgeError(rig.request(DID, IOVA, Access.READ), BridgeError.INTERNAL);
        yield record(cause, TransactionType.UNTRANSLATED_READ, IOVA, 0);
      }
      case IOMMU_MSI_WRITE_ACCESS_FAULT -> {
        dir().start();
        rig.write(Registers.ICVEC, 0);
        rig.write(Registers.MSI_ADDR.get(0), BEYOND_MEMORY);
        rig.write(Registers.CQCSR, Registers.CQEN.mask() | Registers.CIE.mask());
        rig.command(0); // illegal
        yield new Rig.Fault(cause, TransactionType.NONE, 0, 0, false, false, BEYOND_MEMORY, 0);
      }
      case PT_DATA_CORRUPTION -> {
        Map39 map = Map39.first(rig);
        rig.memory.inject(map.root, 4096, Failure.POISON);
        dir().fsc(8, map.root).start();
        yield read(cause);
      }
    };
  }

  private Dir dir;

  private Dir dir() {
    dir = new Dir(rig);
    if (dtf) {
      dir.tc(DeviceContext.DTF);
    }
    return dir;
  }

  private static Rig.Fault record(Cause cause, TransactionType type, long iotval, long iotval2) {
    return new Rig.Fault(cause, type, DID, 0, false, false, iotval, iotval2);
  }

  private static Rig.Fault record(
      Cause cause, TransactionType type, long iotval, long iotval2, int pid, boolean priv) {
    return new Rig.Fault(cause, type, DID, pid, true, priv, iotval, iotval2);
  }

  private static TransactionType type(int access) {
    return (access & Access.WRITE) != 0
        ? TransactionType.UNTRANSLATED_WRITE
        : (access & Access.EXECUTE) != 0
            ? TransactionType.UNTRANSLATED_EXECUTE
            : TransactionType.UNTRANSLATED_READ;
  }

  private Rig.Fault fails(Cause cause, int access, long iotval2) {
    assertThat(rig.access(DID, IOVA, access)).isFalse();
    assertThat(rig.translation.reason()).isEqualTo(cause);
    return record(cause, type(access), IOVA, iotval2);
  }

  private Rig.Fault read(Cause cause) {
    return fails(cause, Access.READ, 0);
  }

  private Rig.Fault tableBeyondMemory(Cause cause, int access) {
    dir().fsc(8, BEYOND_MEMORY).start();
    return fails(cause, access, 0);
  }

  private Rig.Fault notMapped(Cause cause, int access) {
    dir().fsc(8, Map39.first(rig).root).start();
    return fails(cause, access, 0);
  }

  private Rig.Fault notMappedBehind(Cause cause, int access) {
    dir().iohgatp(8, 7, Map39.second(rig).root).start();
    return fails(cause, access, IOVA);
  }

  /** A device writes a message to the first interrupt file of its guest. */
  private Rig.Fault message(Cause cause, long table, long low, long high) {
    rig.memory.writeLong(table, low);
    rig.memory.writeLong(table + 8, high);
    dir().iohgatp(8, 7, Map39.second(rig).root).msi(table, 0xff, IOVA >>> 12 & ~0xffL).start();
    long iova = IOVA & ~0xf_ffffL;
    try (DmaPort port = rig.port(DID)) {
      assertThat(port.writeInt(iova, 33)).isFalse();
    }
    return record(cause, TransactionType.UNTRANSLATED_WRITE, iova, 0);
  }

  private Rig.Fault process(Cause cause, long pdt) {
    dir().tc(PDTV, EN_ATS).fsc(1, pdt).start();
    DmaRequest request = rig.request(DID, IOVA, Access.READ).pasid(5);
    assertThat(rig.translate(request)).isFalse();
    assertThat(rig.translation.reason()).isEqualTo(cause);
    return record(cause, TransactionType.UNTRANSLATED_READ, IOVA, 0, 5, false);
  }

  private Rig.Fault misalignedAtomic(Cause cause) {
    dir().start();
    try (DmaPort port = rig.port(DID)) {
      assertThat(port.compareAndSwapLong(Rig.MEMORY + 4, 0, 1)).isFalse();
      assertThat(port.status()).isEqualTo(DmaPort.Status.ABORTED);
    }
    assertThat(rig.memory.readLong(Rig.MEMORY)).isZero();
    return record(cause, TransactionType.UNTRANSLATED_WRITE, Rig.MEMORY + 4, 0);
  }

  private Rig.Fault misalignedRead(Cause cause) {
    dir().start();
    rig.memory.addDevice(
        BEYOND_MEMORY,
        4096,
        new Mmio() {
          @Override
          public long read(long offset, int size) {
            throw new AssertionError("reached");
          }

          @Override
          public void write(long offset, int size, long value) {
            throw new AssertionError("reached");
          }
        });
    try (DmaPort port = rig.port(DID)) {
      assertThat(port.readInt(BEYOND_MEMORY + 2)).isFalse();
    }
    return record(cause, TransactionType.UNTRANSLATED_READ, BEYOND_MEMORY + 2, 0);
  }
}
