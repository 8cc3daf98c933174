package org.iommu4j.riscv.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.riscv.model.Map39.USER;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A device's thread that looked at the unit's setup before ddtp changed, and walks when all that
 * was cached has been invalidated: nothing that it finds may be kept.
 */
class LateWalkTest {
  private static final long IOVA = 0x4000_0000L;
  private static final long TARGET = Rig.MEMORY + (32L << 20);

  private Rig rig = Rig.standard();

  @AfterEach
  void close() {
    rig.close();
  }

  private void directory(long target) {
    Map39 first = Map39.first(rig);
    first.map(IOVA, target, USER);
    new Dir(rig).fsc(8, first.root).start();
  }

  private DmaRequest request() {
    return rig.request(Dir.DID, IOVA, Access.READ);
  }

  @ParameterizedTest
  @ValueSource(strings = {"normal", "worst-case"})
  void a_new_directory_counts_for_all_requests_that_follow(String cache) {
    rig.close();
    rig = Rig.standard(cache).queues();
    RiscvIommu unit = (RiscvIommu) rig.unit;
    directory(TARGET);
    Setup old = unit.setup();
    directory(TARGET + 0x1000);
    rig.invalidateAll();
    assertThat(Translator.translate(old, unit.attached(rig.translation), request())).isZero();
    assertThat(unit.iotlb().size()).isZero();
    assertThat(rig.translate(request())).isTrue();
    assertThat(rig.translation.pa()).isEqualTo(TARGET + 0x1000);
    assertThat(unit.iotlb().size()).isEqualTo(1);
  }
}
