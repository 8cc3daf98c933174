package org.iommu4j.conformance.capture;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.machine.capture.RequesterId;
import org.iommu4j.machine.capture.StrictObject;

/**
 * One line of {@code expected.jsonl}: a range of a device's addresses.
 *
 * @param source requester id
 * @param pasid PASID or {@link DmaRequest#NO_PASID}
 * @param iova first address
 * @param size bytes, whole pages
 * @param pa where {@code iova} leads, if anything is granted
 * @param granted {@link Access} bits that have to pass
 * @param refused {@link Access} bits that have to fault
 * @param origin how it is known
 */
record Expectation(
    int source, int pasid, long iova, long size, long pa, int granted, int refused, String origin) {
  static final int PAGE = 4096;

  /** Every page is asked for twice, at some 100 ns: three seconds. */
  private static final long LARGEST = 64L << 30;

  static Expectation read(StrictObject line) {
    int source = requester(line, "rid");
    if (line.has("requester")) {
      requester(line, "requester"); // as the bus shows it; the tables are the kernel's rid's
    }
    int pasid = line.integer("pasid", 0, 0xfffff, DmaRequest.NO_PASID);
    long iova = line.number("iova");
    long size = line.number("size");
    if (size <= 0 || ((iova | size) & (PAGE - 1)) != 0) {
      throw new StrictObject.Malformed(line.what() + ": iova and size have to be whole pages");
    }
    if (size > LARGEST || Long.compareUnsigned(iova + size - 1, iova) < 0) {
      throw new StrictObject.Malformed(
          "%s: a range has at most 64 GiB, none beyond the last address; found 0x%x bytes at 0x%x"
              .formatted(line.what(), size, iova));
    }
    String origin = line.text("src");
    Expectation all;
    if (line.flag("fault", false)) {
      int refused =
          switch (line.choice("access", "any", "read", "write")) {
            case "read" -> Access.READ;
            case "write" -> Access.WRITE;
            default -> Access.READ | Access.WRITE;
          };
      all = new Expectation(source, pasid, iova, size, 0, 0, refused, origin);
    } else {
      int granted = (line.flag("read") ? Access.READ : 0) | (line.flag("write") ? Access.WRITE : 0);
      // What the kernel asked for, and how often QEMU saw it: not what the device may do.
      line.number("prot");
      line.number("seen_by_qemu");
      all =
          new Expectation(
              source,
              pasid,
              iova,
              size,
              line.number("pa"),
              granted,
              (Access.READ | Access.WRITE) & ~granted,
              origin);
    }
    line.finish();
    return all;
  }

  private static int requester(StrictObject line, String field) {
    try {
      return RequesterId.parse(line.text(field));
    } catch (IllegalArgumentException e) {
      throw new StrictObject.Malformed(line.what() + ": field '" + field + "': " + e.getMessage());
    }
  }

  /** One line for people. */
  String describe() {
    return "%s%s iova 0x%x size 0x%x: %s"
        .formatted(
            RequesterId.format(source),
            pasid == DmaRequest.NO_PASID ? "" : " pasid " + pasid,
            iova,
            size,
            granted == 0
                ? "faults on " + Access.permissions(refused)
                : "pa 0x%x %s".formatted(pa, Access.permissions(granted)));
  }
}
