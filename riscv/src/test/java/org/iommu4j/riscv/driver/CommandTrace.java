package org.iommu4j.riscv.driver;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.memory.Mmio;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.riscv.layout.Command;
import org.iommu4j.riscv.layout.Registers;

/** Stands between driver and unit and writes down every command that is submitted. */
final class CommandTrace implements Mmio {
  private final Mmio unit;
  private final PhysicalMemory memory;
  private final List<String> commands = new ArrayList<>();
  private long tail;

  CommandTrace(Mmio unit, PhysicalMemory memory) {
    this.unit = unit;
    this.memory = memory;
  }

  /** The commands since the last call. */
  List<String> take() {
    List<String> all = List.copyOf(commands);
    commands.clear();
    return all;
  }

  @Override
  public long read(long offset, int size) {
    return unit.read(offset, size);
  }

  @Override
  public void write(long offset, int size, long value) {
    if (offset == Registers.CQT.offset()) {
      long cqb = unit.read(Registers.CQB.offset(), 8);
      long entries = 2L << Registers.LOG2SZ_1.get(cqb);
      long base = Registers.QUEUE_PPN.get(cqb) << 12;
      boolean on = Registers.CQON.isSet(unit.read(Registers.CQCSR.offset(), 4));
      for (; on && tail != value; tail = (tail + 1) % entries) {
        long at = base + tail * Command.BYTES;
        commands.add(describe(memory.readLong(at), memory.readLong(at + 8)));
      }
      tail = value;
    }
    unit.write(offset, size, value);
  }

  private static String describe(long first, long second) {
    int func3 = Command.FUNC3.getInt(first);
    return switch (Command.OPCODE.getInt(first)) {
      case Command.IOTINVAL ->
          (func3 == Command.FUNC3_VMA ? "VMA" : "GVMA")
              + (Command.GV.isSet(first) ? " gscid=" + Command.GSCID.get(first) : "")
              + (Command.PSCV.isSet(first) ? " pscid=" + Command.PSCID.get(first) : "")
              + (Command.AV.isSet(first) ? address(second) : "")
              + (Command.NL.isSet(first) ? " nl" : "");
      case Command.IOFENCE ->
          "FENCE"
              + (Command.PR.isSet(first) && Command.PW.isSet(first) ? "" : " without order")
              + (Command.AV.isSet(first) ? "" : " unseen");
      case Command.IODIR ->
          (func3 == Command.FUNC3_INVAL_DDT ? "DDT" : "PDT pid=" + Command.PID.get(first))
              + (Command.DV.isSet(first) ? " did=" + Command.DID.get(first) : "");
      case Command.ATS ->
          (func3 == Command.FUNC3_INVAL ? "ATS" : "PRGR")
              + " rid="
              + Command.RID.get(first)
              + (Command.PV.isSet(first) ? " pid=" + Command.PID.get(first) : "")
              + " 0x%x".formatted(second);
      default -> "0x%x 0x%x".formatted(first, second);
    };
  }

  private static String address(long second) {
    long page = Command.ADDR.get(second);
    if (!Command.S.isSet(second)) {
      return " 0x%x".formatted(page << 12);
    }
    long ones = page & ~(page + 1);
    return " 0x%x+0x%x".formatted((page & ~ones) << 12, (ones + 1) << 13);
  }
}
