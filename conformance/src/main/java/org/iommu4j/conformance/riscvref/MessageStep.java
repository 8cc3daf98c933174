package org.iommu4j.conformance.riscvref;

import java.util.List;
import org.iommu4j.conformance.Difference;
import org.iommu4j.conformance.Differences;
import org.iommu4j.conformance.Mailbox;
import org.iommu4j.conformance.Step;
import org.iommu4j.core.dma.AtsInvalidation;
import org.iommu4j.core.dma.PageResponse;
import org.iommu4j.machine.capture.StrictObject;
import org.jspecify.annotations.Nullable;

/** {@code expect-message}: the next message that the step before this one caused. */
sealed interface MessageStep extends Step<RiscvRefBench> {
  static MessageStep read(StrictObject fields) {
    Device device = Device.read(fields);
    int pasid = Device.pasid(fields);
    if (fields.choice("kind", "prgr", "inval-req").equals("prgr")) {
      return new Response(
          device,
          pasid,
          fields.integer("prgi", 0, 511),
          fields.integer("response", 0, 15),
          fields.has("payload"),
          fields.number("payload", 0));
    }
    return new Invalidation(device, pasid, fields.text("tag"), fields.number("payload"));
  }

  @Override
  default boolean takesMessages() {
    return true;
  }

  /** Page Request Group Response; its payload counts only if a command gave it. */
  record Response(Device device, int pasid, int group, int code, boolean whole, long payload)
      implements MessageStep {
    @Override
    public List<Difference> run(RiscvRefBench bench) {
      Record message = bench.messages().take();
      if (!(message instanceof PageResponse m)) {
        return MessageStep.another("Page Request Group Response", message);
      }
      Differences found =
          new Differences()
              .hex("response.source", device.source(), m.source())
              .same("response.segmented", device.segmented(), m.segmented())
              .decimal("response.pasid", pasid, m.pasid())
              .decimal("response.prgi", group, m.group())
              .decimal("response.response", code, m.code());
      if (whole) {
        found.hex("response.payload", payload, m.payload());
      }
      return found.list();
    }
  }

  /** Invalidation Request; the ITag is the unit's choice and gets the vector's name. */
  record Invalidation(Device device, int pasid, String tag, long payload) implements MessageStep {
    @Override
    public List<Difference> run(RiscvRefBench bench) {
      Record message = bench.messages().take();
      if (!(message instanceof AtsInvalidation m)) {
        return MessageStep.another("Invalidation Request", message);
      }
      bench.bind(tag, m.tag());
      return new Differences()
          .hex("invalidation.source", device.source(), m.source())
          .same("invalidation.segmented", device.segmented(), m.segmented())
          .decimal("invalidation.pasid", pasid, m.pasid())
          .hex("invalidation.payload", payload, m.payload())
          .list();
    }
  }

  private static List<Difference> another(String expected, @Nullable Record found) {
    return new Differences().add("message", expected, Mailbox.describe(found)).list();
  }
}
