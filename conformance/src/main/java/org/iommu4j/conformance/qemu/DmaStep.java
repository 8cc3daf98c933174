package org.iommu4j.conformance.qemu;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.iommu4j.conformance.Difference;
import org.iommu4j.conformance.Differences;
import org.iommu4j.conformance.Step;
import org.iommu4j.core.dma.DmaPort;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.machine.capture.StrictObject;

/**
 * {@code dma}: a device's access, with data that really moves.
 *
 * @param data what is written, or what has to be read; nothing where an access has to fault
 * @param pa where the first byte lies; only meaningful if it has to pass
 */
record DmaStep(
    int source, int pasid, long iova, boolean write, byte[] data, boolean passes, long pa)
    implements Step<QemuBench> {

  static DmaStep read(StrictObject fields) {
    boolean write = fields.choice("op", "read", "write").equals("write");
    int length = fields.integer("len", 1, 4096);
    if (fields.has("via")) {
      fields.choice("via", "msi"); // the same as any other write of four bytes
    }
    StrictObject expect = fields.object("expect");
    boolean passes = expect.choice("status", "success", "fault").equals("success");
    byte[] data = fields.has("data") ? fields.bytes("data") : new byte[length];
    if (data.length != length || (!fields.has("data") && (write || passes))) {
      throw new StrictObject.Malformed(
          "%s: field 'data' has to be %d bytes".formatted(fields.what(), length));
    }
    DmaStep step =
        new DmaStep(
            fields.integer("rid", 0, 0xffff),
            fields.integer("pasid", 0, 0xfffff, DmaRequest.NO_PASID),
            fields.number("iova"),
            write,
            data,
            passes,
            passes ? expect.number("pa") : 0);
    expect.finish();
    return step;
  }

  @Override
  public List<Difference> run(QemuBench bench) {
    DmaPort port = bench.port(source).pasid(pasid);
    byte[] moved = write ? data : new byte[data.length];
    boolean done = write ? port.write(iova, moved) : port.read(iova, moved);
    Differences found = new Differences();
    if (done != passes) {
      FaultReason reason = port.reason();
      found.add(
          "status",
          passes ? "success" : "fault",
          done
              ? "success, pa " + Differences.hex(port.translation().pa())
              : port.status() + (reason == null ? "" : ": " + reason.title()));
    } else if (done) {
      found.hex("pa", pa, port.translation().pa());
      byte[] there = write ? bench.bytes(pa, data.length) : moved;
      if (!Arrays.equals(data, there)) {
        found.add(
            write ? "memory at " + Differences.hex(pa) : "data read",
            HexFormat.of().formatHex(data),
            HexFormat.of().formatHex(there));
      }
    }
    return found.list();
  }
}
