package org.iommu4j.amdvi.linux;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.iommu4j.amdvi.layout.EventCode;
import org.iommu4j.amdvi.layout.EventRecord;
import org.iommu4j.amdvi.layout.PprRecord;
import org.iommu4j.core.KernelMessage;
import org.iommu4j.core.KernelMessage.Kind;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Fault;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.core.dma.UnknownReason;
import org.jspecify.annotations.Nullable;

/**
 * Lines that report events. Their spelling over the years, the newest first:
 *
 * <ul>
 *   <li>{@code Event logged [NAME device=0000:00:06.0 ... flags=0x0000]}; where the kernel knows
 *       the device it stands in front of the prefix instead;
 *   <li>{@code device} without the segment, numbers with leading zeroes;
 *   <li>with {@code vflags}, and {@code gid} for the device where a guest is meant, as AMD's series
 *       for virtual IOMMUs has it;
 *   <li>{@code Event logged [} on a line of its own, and the rest on the next, without a prefix.
 * </ul>
 */
final class EventMessages {
  private static final String NAMES =
      "ILLEGAL_DEV_TABLE_ENTRY|IO_PAGE_FAULT|DEV_TAB_HARDWARE_ERROR|PAGE_TAB_HARDWARE_ERROR"
          + "|ILLEGAL_COMMAND_ERROR|COMMAND_HARDWARE_ERROR|IOTLB_INV_TIMEOUT"
          + "|INVALID_DEVICE_REQUEST|INVALID_PPR_REQUEST|RMP_PAGE_FAULT|RMP_HW_ERROR"
          + "|GUEST_EVENT_FAULT|VIOMMU_HARDWARE_ERROR|VIOMMU_HW_ERR|UNKNOWN";

  private static final String FIELD = "(\\w+(?:\\[\\d\\])?)=#?(?:0x)?([0-9a-f:.]+)";

  private static final Pattern EVENT =
      Pattern.compile(
          "(?:Event logged \\[)?(?<name>" + NAMES + ")(?<fields>(?:,? " + FIELD + ")++)\\]?");

  private static final Pattern FIELDS = Pattern.compile(FIELD);

  private static final Pattern DEVICE = Pattern.compile(Known.DEVICE);

  /** What the unit met when it read or wrote memory. */
  private static final List<String> HARDWARE_TYPES =
      List.of(
          "",
          " It ended with a master abort.",
          " It ended with a target abort.",
          " The data were bad.");

  static final List<Known> ALL =
      List.of(
          Known.of(
              Kind.FAULT, "Event logged \\[", m -> "The next line of the log tells the event."),
          Known.of(
              Kind.FAULT,
              "Event logged \\[Device not attached to domain properly\\]",
              m ->
                  "A device sent a request while no driver had it attached; the next line tells"
                      + " which. It may be an alias that IVRS and PCI see differently."),
          Known.of(
              Kind.FAULT,
              "device=(?<unit>" + Known.DEVICE + ") domain=0x[0-9a-f]+",
              m -> "The device that the line before is about."),
          Known.of(
              Kind.FAULT,
              "PPR logged \\[(?:Request ignored due to GN=0|Invalid request format)"
                  + " \\(device=(?<unit>"
                  + Known.DEVICE
                  + ") .*\\]",
              m ->
                  "A page request without a PASID, or one that makes no sense: it is answered as"
                      + " failed."));

  private EventMessages() {}

  /**
   * What the line says, null if it reports no event.
   *
   * @param device what stands in front of the prefix, null if nothing does
   */
  static @Nullable KernelMessage parse(@Nullable String device, String text, String body) {
    Matcher m = EVENT.matcher(body);
    if (!m.matches()) {
      return null;
    }
    Map<String, String> fields = new HashMap<>();
    Matcher f = FIELDS.matcher(m.group("fields"));
    while (f.find()) {
      fields.put(f.group(1), f.group(2));
    }
    String reported = fields.getOrDefault("device", device);
    String unit = reported == null ? AmdviKernelLog.UNIT : reported;
    String name = m.group("name");
    if (name.equals("UNKNOWN")) {
      return unknown(unit, text, fields);
    }
    EventCode event =
        switch (name) {
          case "RMP_HW_ERROR" -> EventCode.RMP_HARDWARE_ERROR;
          case "VIOMMU_HW_ERR" -> EventCode.VIOMMU_HARDWARE_ERROR;
          default -> EventCode.valueOf(name);
        };
    long first = EventRecord.CODE.of(event.code()) | EventRecord.FLAGS.of(number(fields, "flags"));
    long address = 0;
    for (String key : List.of("address", "gpa", "spa")) {
      address |= number(fields, key);
    }
    int tag = (int) (number(fields, "domain") | number(fields, "pasid"));
    return message(event, first, tag, address, unit, text);
  }

  /** What the kernel has no words for comes as the record's four words, or only as its code. */
  private static KernelMessage unknown(String unit, String text, Map<String, String> fields) {
    long first = number(fields, "event[1]") << 32 | number(fields, "event[0]");
    long second = number(fields, "event[3]") << 32 | number(fields, "event[2]");
    boolean words = fields.containsKey("event[1]");
    int code = words ? EventRecord.CODE.getInt(first) : (int) number(fields, "type");
    EventCode event = EventCode.of(code);
    if (event == null) {
      FaultReason reason = new UnknownReason(code);
      Fault f = new Fault(reason, 0, DmaRequest.NO_PASID, "event", 0, second, 0);
      return new KernelMessage(unit, Kind.ERROR, text, f, reason.advice() + ".");
    }
    int id = EventRecord.DEVICE_ID.getInt(first);
    String device = "%02x:%02x.%x".formatted(id >>> 8, id >>> 3 & 0x1f, id & 7);
    int tag =
        EventRecord.PASID_19_16.getInt(first) << 16 | EventRecord.DOMAIN_OR_PASID.getInt(first);
    return message(
        event,
        words ? first : EventRecord.CODE.of(code),
        tag,
        second,
        words && id != 0 ? device : unit,
        text);
  }

  private static KernelMessage message(
      EventCode event, long first, int tag, long address, String unit, String text) {
    Causes causes = Causes.of(event, first);
    boolean qemu = Causes.isOfQemu(first);
    int access = qemu ? ofQemu(first) : access(event, first);
    Fault fault =
        new Fault(
            causes.all().getFirst(),
            source(unit),
            hasPasid(event, first) && !qemu ? tag : DmaRequest.NO_PASID,
            transaction(event, first, access),
            access,
            address,
            0);
    return new KernelMessage(unit, kind(event), text, fault, causes.advice() + type(event, first));
  }

  private static Kind kind(EventCode event) {
    return switch (event) {
      case ILLEGAL_DEV_TABLE_ENTRY,
          IO_PAGE_FAULT,
          INVALID_DEVICE_REQUEST,
          INVALID_PPR_REQUEST,
          RMP_PAGE_FAULT ->
          Kind.FAULT;
      case EVENT_COUNTER_ZERO -> Kind.STATE;
      default -> Kind.ERROR;
    };
  }

  private static String type(EventCode event, long first) {
    return switch (event) {
      case DEV_TAB_HARDWARE_ERROR, PAGE_TAB_HARDWARE_ERROR, COMMAND_HARDWARE_ERROR ->
          HARDWARE_TYPES.get(EventRecord.HW_TYPE.getInt(first));
      default -> "";
    };
  }

  private static boolean isOfARequest(EventCode event) {
    return switch (event) {
      case ILLEGAL_DEV_TABLE_ENTRY,
          IO_PAGE_FAULT,
          DEV_TAB_HARDWARE_ERROR,
          PAGE_TAB_HARDWARE_ERROR,
          RMP_PAGE_FAULT,
          RMP_HARDWARE_ERROR ->
          true;
      default -> false;
    };
  }

  private static boolean hasPasid(EventCode event, long first) {
    return event == EventCode.INVALID_PPR_REQUEST
        ? PprRecord.GN.isSet(first)
        : EventRecord.GN.isSet(first);
  }

  /**
   * Choice: RW is valid only with PR (48882 revision 3.00, table 55); units tell it without, too,
   * as a test on hardware found (L. Buytenhek on Linux's iommu list, "iommu/amd: Use
   * report_iommu_fault()", 25 September 2021), and so is it here.
   */
  private static int access(EventCode event, long first) {
    if (event == EventCode.INVALID_PPR_REQUEST) {
      return (PprRecord.R.isSet(first) ? Access.READ : 0)
          | (PprRecord.W.isSet(first) ? Access.WRITE : 0)
          | (PprRecord.EX.isSet(first) ? Access.EXECUTE : 0);
    }
    if (!isOfARequest(event) || EventRecord.I.isSet(first) || EventRecord.TR.isSet(first)) {
      return 0;
    }
    return EventRecord.RW.isSet(first) ? Access.WRITE : Access.READ;
  }

  private static int ofQemu(long first) {
    return (EventRecord.GN.isSet(first) ? Access.READ : 0)
        | (EventRecord.NX.isSet(first) ? Access.WRITE : 0);
  }

  private static String transaction(EventCode event, long first, int access) {
    return switch (event) {
      case ILLEGAL_COMMAND_ERROR, COMMAND_HARDWARE_ERROR -> "command";
      case IOTLB_INV_TIMEOUT -> "invalidation";
      case INVALID_PPR_REQUEST -> "page request";
      case EVENT_COUNTER_ZERO -> "counter";
      case GUEST_EVENT_FAULT, VIOMMU_HARDWARE_ERROR -> "virtual IOMMU";
      default -> {
        if (access != 0) {
          yield (access & Access.WRITE) != 0 ? "DMA write" : "DMA read";
        }
        yield EventRecord.TR.isSet(first)
            ? "translation request"
            : EventRecord.I.isSet(first) ? "interrupt" : "request";
      }
    };
  }

  /** The segment above bus, device and function; 0 if it is no PCI function. */
  private static int source(String device) {
    if (!DEVICE.matcher(device).matches()) {
      return 0;
    }
    String[] parts = device.split("[:.]", -1);
    int n = parts.length;
    int segment = n == 4 ? Integer.parseUnsignedInt(parts[0], 16) : 0;
    return segment << 16
        | Integer.parseInt(parts[n - 3], 16) << 8
        | Integer.parseInt(parts[n - 2], 16) << 3
        | Integer.parseInt(parts[n - 1], 16);
  }

  private static long number(Map<String, String> fields, String key) {
    String digits = fields.getOrDefault(key, "0");
    return digits.matches("[0-9a-f]+") ? Known.hex(digits) : 0;
  }
}
