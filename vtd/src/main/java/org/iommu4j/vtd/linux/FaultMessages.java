package org.iommu4j.vtd.linux;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.iommu4j.core.KernelMessage;
import org.iommu4j.core.KernelMessage.Kind;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Fault;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.core.dma.UnknownReason;
import org.iommu4j.vtd.layout.FaultRecord;
import org.iommu4j.vtd.layout.Reason;
import org.jspecify.annotations.Nullable;

/**
 * Lines that report faults. Their spelling over the years, the newest first:
 *
 * <ul>
 *   <li>numbers have 0x, the reason is hexadecimal, a request without PASID is {@code NO_PASID},
 *       and in the newest kernels the device has its segment;
 *   <li>{@code PASID ffffffff} stands before the address, the reason is decimal;
 *   <li>no PASID at all, the reason is decimal;
 *   <li>the reason is on a line of its own, {@code DMAR:[fault reason 06] ...}.
 * </ul>
 *
 * <p>Of the two type bits only the first is told: atomics are reads, page requests are writes.
 */
final class FaultMessages {
  private static final String DEVICE =
      "\\[+((?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7])\\]";

  private static final String REASON = "\\[fault reason (0x)?([0-9a-f]{1,4})\\]";

  private static final Pattern DMA =
      Pattern.compile(
          "\\[DMA (Read|Write)(?: NO_PASID| PASID 0x([0-9a-f]{1,8}))?\\] Request device "
              + DEVICE
              + "(?: PASID ([0-9a-f]{1,8}))? fault addr (?:0x)?([0-9a-f]{1,16})(?:\\s*"
              + REASON
              + ".*)?\\s*");

  private static final Pattern INTERRUPT =
      Pattern.compile(
          "(?:\\[INTR-REMAP\\] )?Request device "
              + DEVICE
              + " fault index (?:0x)?([0-9a-f]{1,16})(?:\\s*"
              + REASON
              + ".*)?\\s*");

  private static final Pattern ALONE = Pattern.compile(REASON + ".*");

  private static final String NEXT_LINE = "The next line of the log tells the reason.";

  private FaultMessages() {}

  /** What the line says, null if it reports no fault. */
  static @Nullable KernelMessage parse(String text, String body) {
    Matcher m = DMA.matcher(body);
    if (m.matches()) {
      return dma(m, text);
    }
    m = INTERRUPT.matcher(body);
    if (m.matches()) {
      boolean told = m.group(4) != null;
      int code = told ? code(m, 3) : 0;
      long index = Long.parseUnsignedLong(m.group(2), 16);
      return message(
          m.group(1), text, told, fault(code, m.group(1), DmaRequest.NO_PASID, 0, index));
    }
    m = ALONE.matcher(body);
    if (m.matches()) {
      int code = code(m, 1);
      return new KernelMessage(
          VtdKernelLog.UNIT, Kind.FAULT, text, null, advice(code, reason(code)));
    }
    return null;
  }

  private static KernelMessage dma(Matcher m, String text) {
    boolean told = m.group(7) != null;
    int code = told ? code(m, 6) : 0;
    String pasid = m.group(2) != null ? m.group(2) : m.group(4);
    int access = m.group(1).equals("Read") ? Access.READ : Access.WRITE;
    long address = Long.parseUnsignedLong(m.group(5), 16);
    Fault f =
        fault(
            code,
            m.group(3),
            pasid == null ? DmaRequest.NO_PASID : Integer.parseUnsignedInt(pasid, 16),
            access,
            // The kernel prints interrupt faults that it has no words for as if they were of DMA.
            isInterrupt(code) ? FaultRecord.INDEX.get(address) : address);
    return message(m.group(3), text, told, f);
  }

  private static KernelMessage message(String device, String text, boolean told, Fault f) {
    String advice = told ? advice(f.reason().code(), f.reason()) : NEXT_LINE;
    return new KernelMessage(device, Kind.FAULT, text, f, advice);
  }

  private static Fault fault(int code, String device, int pasid, int access, long address) {
    boolean interrupt = access == 0 || isInterrupt(code);
    String transaction = interrupt ? "interrupt" : access == Access.READ ? "DMA read" : "DMA write";
    return new Fault(
        reason(code), source(device), pasid, transaction, interrupt ? 0 : access, address, 0);
  }

  private static boolean isInterrupt(int code) {
    return code >= Reason.IR_REQUEST_RESERVED.code() && code < Reason.RTA_1_1.code();
  }

  /** Decimal, unless it has 0x. */
  private static int code(Matcher m, int group) {
    String digits = m.group(group + 1);
    try {
      return Integer.parseInt(digits, m.group(group) == null ? 10 : 16);
    } catch (NumberFormatException e) {
      return Integer.parseInt(digits, 16);
    }
  }

  /** The segment above bus, device and function. */
  private static int source(String device) {
    String[] parts = device.split("[:.]", -1);
    int n = parts.length;
    int segment = n == 4 ? Integer.parseUnsignedInt(parts[0], 16) : 0;
    return segment << 16
        | Integer.parseInt(parts[n - 3], 16) << 8
        | Integer.parseInt(parts[n - 2], 16) << 3
        | Integer.parseInt(parts[n - 1], 16);
  }

  /** Choice: where several reasons share a code the first one stands for them. */
  private static FaultReason reason(int code) {
    List<Reason> all = Reason.of(code);
    return all.isEmpty() ? new UnknownReason(code) : all.getFirst();
  }

  /** The reason's advice, and those of the others with the same code. */
  private static String advice(int code, FaultReason reason) {
    List<Reason> all = Reason.of(code);
    StringBuilder s = new StringBuilder(reason.advice());
    for (Reason r : all.subList(Math.min(1, all.size()), all.size())) {
      s.append("; or ").append(r.id()).append(", ").append(r.title()).append(": ");
      s.append(r.advice());
    }
    return s.toString();
  }
}
