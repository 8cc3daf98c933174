package org.iommu4j.vtd.linux;

import static org.iommu4j.vtd.linux.Known.HEX;
import static org.iommu4j.vtd.linux.Known.error;
import static org.iommu4j.vtd.linux.Known.hex;
import static org.iommu4j.vtd.linux.Known.of;
import static org.iommu4j.vtd.linux.Known.state;

import java.util.List;
import java.util.regex.Matcher;
import org.iommu4j.core.KernelMessage.Kind;
import org.iommu4j.core.bits.FieldText;
import org.iommu4j.core.bits.Layout;
import org.iommu4j.vtd.layout.ContextEntry;
import org.iommu4j.vtd.layout.Descriptor;
import org.iommu4j.vtd.layout.PasidDirectoryEntry;
import org.iommu4j.vtd.layout.PasidEntry;
import org.iommu4j.vtd.layout.RootEntry;
import org.iommu4j.vtd.layout.ScalableContextEntry;

/** Lines about the invalidation queue, and the dumps of tables and descriptors, decoded. */
final class QueueMessages {
  /** What IQERCD_REG.IQEI says. §11.4.9.9. */
  private static final List<String> QUEUE_ERRORS =
      List.of(
          "the unit does not tell why",
          "the tail is beyond the queue",
          "the descriptor could not be read",
          "there is no descriptor of the type, or not of this width",
          "a reserved field of the descriptor is set",
          "descriptors of this width do not go with the translation table mode",
          "the tail is not a multiple of the descriptor's size",
          "the translation table mode is invalid");

  private static final String TOO_LATE =
      "The device has to answer an invalidation of its translation cache within a minute. It may be"
          + " gone, hung or in a low-power state, and may still use translations that are gone.";

  static final List<Known> ALL =
      List.of(
          of(
              Kind.ERROR,
              "VT-d detected Invalidation Queue Error: Reason " + HEX,
              QueueMessages::why),
          of(
              Kind.ERROR,
              "VT-d detected Invalidation Time-out Error: SID " + HEX,
              m -> requester(m) + TOO_LATE),
          of(
              Kind.ERROR,
              "VT-d detected Invalidation Completion Error: SID " + HEX,
              m ->
                  requester(m)
                      + "A device answered an invalidation that it was not asked for, or answered"
                      + " wrongly."),
          of(
              Kind.ERROR,
              "VT-d detected invalid descriptor: qw0 = " + HEX + ", qw1 = " + HEX,
              m -> "The unit refused it. " + descriptor(m, 1)),
          error(
              "VT-d detected invalid descriptor: low=[0-9a-f]+, high=[0-9a-f]+",
              "The unit refused the descriptor; the kernel replaced it by a harmless one."),
          of(
              Kind.ERROR,
              "QI (?:HEAD|PRIOR): .*? qw0 = " + HEX + ", qw1 = " + HEX,
              m -> descriptor(m, 1)),
          state(
              "Invalidation Queue Error \\(IQE\\) cleared",
              "The queue goes on; the descriptor that was refused has had no effect."),
          state(
              "Invalidation Time-out Error \\(ITE\\) cleared",
              "The queue goes on; invalidations that were waited for are sent again."),
          state("Invalidation Completion Error \\(ICE\\) cleared", "The queue goes on."),
          error("Flush IOTLB failed", "The unit did not invalidate: stale translations remain."),
          error(
              "Invalid input npages = -?\\d+",
              "The kernel asked for an invalidation of no pages; it was left out."),
          of(
              Kind.WARNING,
              "Invalidate non-aligned address " + HEX + ", order (\\d+)",
              m ->
                  "The range was made larger to be aligned; too much is invalidated, not too"
                      + " little."),
          error(
              "(?<unit>dmar\\d+): Unexpected (?:context-cache|iotlb) invalidation type 0x[0-9a-f]+",
              "The kernel asked for an invalidation that there is not: a mistake of the kernel."),
          state(
              "Dump (?<unit>dmar\\d+) table entries for IOVA 0x[0-9a-f]+",
              "The entries that the request met follow."),
          state(
              "(?:root|context|pasid directory|pasid|legacy mode page|scalable mode page) table is"
                  + " not present",
              "The walk ends here: the request cannot be translated."),
          of(
              Kind.STATE,
              "scalable mode root entry: hi " + HEX + ", low " + HEX,
              m -> FieldText.of(RootEntry.SCALABLE, hex(m, 2), hex(m, 1))),
          of(Kind.STATE, "root entry: " + HEX, m -> FieldText.of(RootEntry.LEGACY, hex(m, 1), 0)),
          of(Kind.STATE, "context entry: hi " + HEX + ", low " + HEX, QueueMessages::context),
          of(
              Kind.STATE,
              "pasid dir entry: " + HEX,
              m -> FieldText.of(PasidDirectoryEntry.LAYOUT, hex(m, 1))),
          of(Kind.STATE, "pasid table entry\\[(\\d)\\]: " + HEX, QueueMessages::pasid),
          of(
              Kind.STATE,
              "pte level: (\\d), pte value: " + HEX,
              m ->
                  (hex(m, 2) & 3) == 0
                      ? "The entry of level %s is not present.".formatted(m.group(1))
                      : "The entry of level %s leads to 0x%x."
                          .formatted(m.group(1), hex(m, 2) & 0x000f_ffff_ffff_f000L)),
          state(
              "page table not present at level \\d+",
              "The walk ends here: the address is not mapped."));

  private QueueMessages() {}

  private static String why(Matcher m) {
    long code = hex(m, 1);
    String reason =
        code >= 0 && code < QUEUE_ERRORS.size()
            ? QUEUE_ERRORS.get((int) code)
            : "code 0x%x is not known".formatted(code);
    return "The unit stopped at a descriptor: " + reason + ". The next lines show it.";
  }

  private static String requester(Matcher m) {
    long sid = hex(m, 1);
    return sid == 0
        ? "The unit may not tell which device. "
        : "Device %02x:%02x.%x. ".formatted(sid >> 8, sid >> 3 & 0x1f, sid & 7);
  }

  private static String descriptor(Matcher m, int group) {
    long low = hex(m, group);
    Layout layout = Descriptor.layout(Descriptor.type(low));
    return layout == null
        ? "There is no descriptor of type %d.".formatted(Descriptor.type(low))
        : layout.name() + ": " + FieldText.of(layout, low, hex(m, group + 1));
  }

  /**
   * Choice: the line is the same in both modes. In legacy mode a present entry has AW in its upper
   * word, which is never 0; in scalable mode Linux leaves that word 0.
   */
  private static String context(Matcher m) {
    long high = hex(m, 1);
    Layout layout = high == 0 ? ScalableContextEntry.LAYOUT : ContextEntry.LAYOUT;
    return layout.name() + ": " + FieldText.of(layout, hex(m, 2), high);
  }

  private static String pasid(Matcher m) {
    int word = Integer.parseInt(m.group(1));
    return word < PasidEntry.LAYOUT.words().size()
        ? FieldText.of(PasidEntry.LAYOUT.words().get(word), hex(m, 2))
        : "A PASID entry has no such word.";
  }
}
