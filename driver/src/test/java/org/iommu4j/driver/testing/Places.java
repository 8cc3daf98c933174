package org.iommu4j.driver.testing;

import java.util.List;
import java.util.random.RandomGenerator;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.testing.Gen;

/**
 * Where random steps happen: few places of each kind, so that steps meet.
 *
 * @param sources the devices
 * @param pasids the PASIDs they use, beside none
 * @param first an address that is looked at from the start
 * @param iovas where ranges begin
 * @param gigabytes how large the largest range is
 */
public record Places(
    List<Integer> sources, List<Integer> pasids, long first, Gen<Long> iovas, int gigabytes)
    implements Gen<Step> {
  /**
   * On a PC: two functions of one bus, one of its upper half, one of another bus; addresses below
   * the interrupt range and above it.
   */
  public static Places ofPc(long first) {
    return new Places(
        List.of(0x08, 0x09, 0x90, 0x208),
        List.of(1, 65),
        first,
        random -> (random.nextInt(4) == 0 ? 1L << 37 : 0) + page(random, 3),
        1);
  }

  /** A page in the first {@code gigabytes}, near to where large pages begin. */
  public static long page(RandomGenerator random, int gigabytes) {
    long at =
        random.nextLong(gigabytes) << 30 | random.nextLong(3) << 21 | random.nextLong(3) << 16;
    return random.nextInt(8) == 0 ? at + 0x12_3000 : at | random.nextLong(4) << 12;
  }

  private static <T> T one(List<T> all, RandomGenerator random) {
    return all.get(random.nextInt(all.size()));
  }

  private long size(RandomGenerator random) {
    return switch (random.nextInt(5)) {
      case 0 -> 0x1000;
      case 1 -> random.nextLong(1, 40) << 12;
      case 2 -> 1L << random.nextInt(12, 23);
      case 3 -> random.nextLong(1, 5) << 21;
      default -> random.nextLong(1, gigabytes + 1L) << 30;
    };
  }

  private static int permissions(RandomGenerator random) {
    return switch (random.nextInt(4)) {
      case 0 -> Access.READ;
      case 1 -> Access.READ | Access.EXECUTE;
      case 2 -> Access.WRITE;
      default -> Access.READ | Access.WRITE;
    };
  }

  /** One step. */
  @Override
  public Step next(RandomGenerator random) {
    int domain = random.nextInt(DriverWorld.DOMAINS);
    int source = one(sources, random);
    int pasid = one(pasids, random);
    int none = DmaRequest.NO_PASID;
    long iova = iovas.next(random);
    long size = size(random);
    return switch (random.nextInt(15)) {
      case 0, 1, 2, 3 -> {
        long pa = random.nextInt(3) == 0 ? 0x1_0000_1000L : 0x1_0000_0000L;
        yield new Step.Map(domain, iova, pa + iova, size, permissions(random));
      }
      case 4, 5 -> new Step.Unmap(domain, List.of(iova), size);
      case 6 -> new Step.Unmap(domain, List.of(iova, iovas.next(random), iovas.next(random)), size);
      case 7, 8, 9 -> new Step.Attach(source, none, domain);
      case 10 -> new Step.Detach(source, none, domain);
      case 11 -> new Step.Attach(source, pasid, domain);
      case 12 -> new Step.Detach(source, pasid, domain);
      case 13 -> new Step.Remap(domain, iova, 0x2_0000_0000L + iova, size);
      default ->
          random.nextInt(3) == 0 ? new Step.Reopen(domain) : new Step.Attach(source, pasid, domain);
    };
  }
}
