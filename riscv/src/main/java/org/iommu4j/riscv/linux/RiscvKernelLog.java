package org.iommu4j.riscv.linux;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.iommu4j.core.KernelLog;
import org.iommu4j.core.KernelMessage;
import org.iommu4j.core.KernelMessage.Kind;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Fault;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.core.dma.UnknownReason;
import org.iommu4j.riscv.layout.Cause;
import org.iommu4j.riscv.layout.FaultRecord;
import org.jspecify.annotations.Nullable;

/** Reads the lines of Linux's RISC-V IOMMU driver. */
public final class RiscvKernelLog implements KernelLog {
  /** Time stamps, log levels and host names may come first, then driver, device and message. */
  private static final Pattern LINE =
      Pattern.compile(
          "(?:^|.*[\\s\\]>])(?:riscv,iommu|iommu_pci) (\\S+): (?:error -\\w+: )?(.*?)\\s*");

  private static final Pattern FAULT =
      Pattern.compile(
          "Fault (\\d{1,9}) devid: 0x([0-9a-f]{1,8}) iotval: ([0-9a-f]{1,16})"
              + " iotval2: ([0-9a-f]{1,16})");

  private static final Pattern RECORD_QUEUE =
      Pattern.compile("Queue #(\\d+) error; memory fault:([01]) overflow:([01])");

  private static final Pattern COMMAND_QUEUE =
      Pattern.compile(
          "Queue #(\\d+) error; fault:([01]) timeout:([01]) illegal:([01]) fence_w_ip:([01])");

  /** Of the device, not of the unit. */
  private static final Pattern ATTACHED =
      Pattern.compile("(?:^|.*[\\s\\]>])(\\S+): (already attached to IOMMU device directory)\\s*");

  /** The transaction type is in the record and not in the line. */
  private static final String TRANSACTION = "transaction";

  private record Known(Pattern pattern, Kind kind, String advice) {
    static Known of(String regex, Kind kind, String advice) {
      return new Known(Pattern.compile(regex), kind, advice);
    }
  }

  private static final List<Known> KNOWN =
      List.of(
          Known.of(
              "Hardware error: command execution timeout",
              Kind.ERROR,
              "The unit did not complete its commands within 90 s. Unmapped pages may still be"
                  + " reachable; the command queue probably stopped at an error that an earlier"
                  + " line names. It is said only once."),
          Known.of(
              "Hardware error: command enqueue failed",
              Kind.ERROR,
              "The command queue stayed full: the unit takes no commands, so invalidations are"
                  + " lost. It is said only once."),
          Known.of("using MSIs", Kind.STATE, "The unit's own interrupts are messages."),
          Known.of(
              "using wire-signaled interrupts",
              Kind.STATE,
              "The unit's own interrupts come by wire."),
          Known.of(
              "failed to find an MSI domain",
              Kind.WARNING,
              "No interrupt controller takes the unit's messages: check msi-parent or the IMSIC."
                  + " Wires are tried next, if the unit has any."),
          Known.of(
              "failed to allocate MSIs",
              Kind.WARNING,
              "The interrupt controller gave no vectors to the unit. Wires are tried next, if the"
                  + " unit has any."),
          Known.of(
              "unable to use wire-signaled interrupts",
              Kind.ERROR,
              "The unit is not used, and DMA is not translated: it can only send messages, and"
                  + " these could not be set up (the kernel's words say wires)."),
          Known.of(
              "no IRQ resources provided",
              Kind.ERROR,
              "The unit is not used, and DMA is not translated: firmware gives it no interrupts."),
          Known.of(
              "invalid IGS",
              Kind.ERROR,
              "The unit is not used: capabilities.IGS has the reserved value 3."),
          Known.of(
              "could not map register region",
              Kind.ERROR,
              "The unit is not used: its register page, as firmware tells it, cannot be mapped."),
          Known.of(
              "unexpected device state",
              Kind.ERROR,
              "The unit is not used: it was on already, or its byte order is not the processor's."
                  + " Firmware or an earlier kernel left it so."),
          Known.of(
              "timeout when setting ddtp \\(ddt mode: \\d+, read: [0-9a-f]+\\)",
              Kind.ERROR,
              "The unit stays busy changing its mode: DMA may be blocked or untranslated."),
          Known.of(
              "DDTP update failed hw: [0-9a-f]+ vs [0-9a-f]+",
              Kind.ERROR,
              "The unit does not take mode Off or Bare, which all have to."),
          Known.of(
              "DDTP hw mode \\d+, failed to set \\d+",
              Kind.ERROR,
              "The unit takes no device directory of any depth, so nothing is translated."),
          Known.of(
              "cannot register (?:sysfs|iommu) interface",
              Kind.ERROR,
              "The unit works, and the kernel could not register it: devices stay without it."));

  /** For the service loader. */
  public RiscvKernelLog() {}

  @Override
  public String architecture() {
    return "riscv";
  }

  @Override
  public @Nullable KernelMessage parse(String line) {
    if (line.length() > LONGEST) {
      return null;
    }
    Matcher m = LINE.matcher(line);
    if (!m.matches()) {
      Matcher attached = ATTACHED.matcher(line);
      return attached.matches()
          ? new KernelMessage(
              attached.group(1),
              Kind.WARNING,
              attached.group(2),
              null,
              "The device's context was valid before the driver came to it. Devices of one"
                  + " conventional PCI bus have one requester id, so they share a context and an"
                  + " address space; otherwise an earlier kernel left it.")
          : null;
    }
    String unit = m.group(1);
    String text = m.group(2);
    Matcher fault = FAULT.matcher(text);
    if (fault.matches()) {
      Fault f = fault(fault);
      return new KernelMessage(unit, Kind.FAULT, text, f, f.reason().advice());
    }
    Matcher records = RECORD_QUEUE.matcher(text);
    if (records.matches()) {
      return new KernelMessage(unit, Kind.ERROR, text, null, lost(records));
    }
    Matcher commands = COMMAND_QUEUE.matcher(text);
    if (commands.matches()) {
      return new KernelMessage(unit, Kind.ERROR, text, null, stopped(commands));
    }
    for (Known k : KNOWN) {
      if (k.pattern.matcher(text).matches()) {
        return new KernelMessage(unit, k.kind, text, null, k.advice);
      }
    }
    return null;
  }

  private static Fault fault(Matcher m) {
    int code = Integer.parseInt(m.group(1));
    Cause cause = Cause.of(code);
    FaultReason reason = cause == null ? new UnknownReason(code) : cause;
    long iotval2 = Long.parseUnsignedLong(m.group(4), 16);
    long flags = FaultRecord.IMPLICIT.mask() | FaultRecord.IMPLICIT_WRITE.mask();
    return new Fault(
        reason,
        Integer.parseUnsignedInt(m.group(2), 16),
        DmaRequest.NO_PASID,
        TRANSACTION,
        access(cause),
        Long.parseUnsignedLong(m.group(3), 16),
        // Only guest-page faults have a second address; QEMU repeats the first one elsewhere.
        isGuest(cause) ? iotval2 & ~flags : 0);
  }

  private static boolean isGuest(@Nullable Cause cause) {
    return cause == Cause.INSTRUCTION_GUEST_PAGE_FAULT
        || cause == Cause.READ_GUEST_PAGE_FAULT
        || cause == Cause.WRITE_GUEST_PAGE_FAULT;
  }

  /** As far as the cause tells it. */
  private static int access(@Nullable Cause cause) {
    if (cause == null) {
      return 0;
    }
    return switch (cause) {
      case INSTRUCTION_ACCESS_FAULT, INSTRUCTION_PAGE_FAULT, INSTRUCTION_GUEST_PAGE_FAULT ->
          Access.READ | Access.EXECUTE;
      case READ_ADDRESS_MISALIGNED, READ_ACCESS_FAULT, READ_PAGE_FAULT, READ_GUEST_PAGE_FAULT ->
          Access.READ;
      case WRITE_ADDRESS_MISALIGNED, WRITE_ACCESS_FAULT, WRITE_PAGE_FAULT, WRITE_GUEST_PAGE_FAULT ->
          Access.WRITE;
      default -> 0;
    };
  }

  private static String lost(Matcher m) {
    boolean memory = m.group(2).equals("1");
    String queue =
        switch (m.group(1)) {
          case "1" -> "fault queue";
          case "2" -> "page-request queue";
          default -> "queue " + m.group(1);
        };
    return memory
        ? "The unit could not write to its " + queue + ": records are lost."
        : "The "
            + queue
            + " was full: faults came faster than they were read, and the rest of"
            + " them is unknown. The first ones before this line tell the cause.";
  }

  private static String stopped(Matcher m) {
    if (m.group(2).equals("1")) {
      return "The unit could not read its command queue or write a fence's data. The kernel clears"
          + " the error and does not repeat what was lost: unmapped pages may still be reachable.";
    }
    if (m.group(3).equals("1")) {
      return "A device did not answer an invalidation of its own cache in time: it may still use"
          + " translations that are gone.";
    }
    if (m.group(4).equals("1")) {
      return "The unit calls a command illegal, and stays at it: this line repeats without end."
          + " Kernel and unit disagree about what the unit can do.";
    }
    return "A fence raised an interrupt that this kernel never asks for.";
  }
}
