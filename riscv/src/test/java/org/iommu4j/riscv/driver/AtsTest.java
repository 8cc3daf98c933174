package org.iommu4j.riscv.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.AtsFabric;
import org.iommu4j.core.dma.AtsInvalidation;
import org.iommu4j.core.dma.Fault;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.core.dma.PageResponse;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.DomainType;
import org.iommu4j.riscv.layout.Cause;
import org.junit.jupiter.api.Test;

/** Devices with translation caches of their own. */
class AtsTest {
  private static final int RW = Access.READ | Access.WRITE;
  private static final int DEVICE = 0x08;

  /** A device that answers invalidations, or does not, and remembers what it was told. */
  private static final class Device implements AtsFabric {
    final List<AtsInvalidation> invalidations = new ArrayList<>();
    final List<PageResponse> responses = new ArrayList<>();
    final List<Boolean> stillTranslated = new ArrayList<>();
    Rig rig;
    int silentTimes;
    long watched = -1;

    @Override
    public void invalidate(AtsInvalidation request) {
      invalidations.add(request);
      if (watched >= 0) {
        stillTranslated.add(ask(rig, DEVICE, watched));
      }
      if (silentTimes > 0) {
        silentTimes--;
        rig.unit.invalidationTimedOut(1 << request.tag());
      } else {
        rig.unit.invalidationCompleted(
            request.source(), request.segmented(), 1 << request.tag(), 1);
      }
    }

    @Override
    public void respond(PageResponse response) {
      responses.add(response);
    }
  }

  private static Rig start(Device device, String pri) {
    Rig rig = Rig.with().fabric(device).driver("ats", "true").driver("pri", pri).build();
    device.rig = rig;
    return rig;
  }

  /** A translation request of the device, read and write; whether it may do anything. */
  private static boolean ask(Rig rig, int source, long iova) {
    rig.request.source(source).pasid(-1).iova(iova).access(RW);
    rig.request.addressType(AddressType.TRANSLATION_REQUEST);
    try {
      return rig.unit.translate(rig.request, rig.translation) && rig.translation.permissions() != 0;
    } finally {
      rig.request.addressType(AddressType.UNTRANSLATED);
    }
  }

  private static boolean translated(Rig rig, long pa) {
    rig.request.source(DEVICE).pasid(-1).iova(pa).access(Access.READ);
    rig.request.addressType(AddressType.TRANSLATED);
    try {
      return rig.unit.translate(rig.request, rig.translation);
    } finally {
      rig.request.addressType(AddressType.UNTRANSLATED);
    }
  }

  @Test
  void a_device_forgets_what_was_unmapped_after_the_unit_has() {
    Device device = new Device();
    try (Rig rig = start(device, "false")) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      domain.map(0x3000, Rig.DATA + 0x1000, 0x3000, RW);
      assertThat(ask(rig, DEVICE, 0x3000)).isTrue();
      assertThat(translated(rig, Rig.DATA)).isTrue();
      device.watched = 0x3000;
      domain.unmap(0x3000, 0x3000);
      assertThat(device.invalidations)
          .extracting(AtsInvalidation::payload)
          .containsExactly(0x3000L, 0x4800L);
      assertThat(device.stillTranslated).containsExactly(false, false);
    }
  }

  @Test
  void each_user_of_a_domain_is_told_with_its_pasid() {
    Device device = new Device();
    try (Rig rig = start(device, "false")) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      domain.attach(DEVICE, 7);
      domain.attach(0x1_0009);
      device.invalidations.clear();
      domain.map(0x3000, Rig.DATA, 0x1000, RW);
      domain.unmap(0x3000, 0x1000);
      assertThat(device.invalidations)
          .extracting(i -> List.of(i.source(), i.pasid(), i.segmented()))
          .containsExactly(
              List.of(DEVICE, -1, false), List.of(DEVICE, 7, false), List.of(0x1_0009, -1, true));
    }
  }

  @Test
  void a_device_that_changes_domains_forgets_everything() {
    Device device = new Device();
    try (Rig rig = start(device, "false")) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      Domain other = rig.driver.createDomain(DomainType.DMA_STRICT);
      other.attach(DEVICE);
      assertThat(device.invalidations)
          .singleElement()
          .satisfies(i -> assertThat(i.payload()).isEqualTo(0x7fff_ffff_ffff_f801L));
      other.attach(DEVICE, 3);
      device.invalidations.clear();
      other.detach(DEVICE, 3);
      assertThat(device.invalidations)
          .singleElement()
          .satisfies(i -> assertThat(i.payload()).isEqualTo(0x7fff_ffff_ffff_f800L))
          .satisfies(i -> assertThat(i.pasid()).isEqualTo(3));
    }
  }

  @Test
  void a_device_that_is_slow_once_is_asked_again() {
    Device device = new Device();
    try (Rig rig = start(device, "false")) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      domain.map(0x3000, Rig.DATA, 0x1000, RW);
      device.silentTimes = 1;
      domain.unmap(0x3000, 0x1000);
      assertThat(device.invalidations).hasSize(2);
      assertThat(rig.driver.service()).singleElement().asString().contains("did not answer");
      assertThat(translated(rig, Rig.DATA)).as("still trusted").isTrue();
    }
  }

  @Test
  void a_device_that_never_answers_loses_its_translations_and_nothing_else() {
    Device device = new Device();
    try (Rig rig = start(device, "false")) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      domain.attach(0x10);
      domain.map(0x3000, Rig.DATA, 0x1000, RW);
      domain.map(0x9000, Rig.DATA, 0x1000, RW);
      assertThat(ask(rig, DEVICE, 0x3000)).isTrue();
      device.silentTimes = 2;
      domain.unmap(0x3000, 0x1000);
      assertThat(translated(rig, Rig.DATA)).isFalse();
      assertThat(rig.newFaults())
          .extracting(Fault::reason)
          .containsExactly(Cause.TRANSACTION_TYPE_DISALLOWED);
      assertThat(rig.translate(DEVICE, 0x9000, Access.READ)).isTrue();
      assertThat(ask(rig, 0x10, 0x9000)).as("the other device").isTrue();
      device.invalidations.clear();
      domain.unmap(0x9000, 0x1000);
      assertThat(device.invalidations)
          .extracting(AtsInvalidation::source)
          .as("not asked any more")
          .containsExactly(0x10);
      // Plugged in anew it is given another chance, once its cache is empty.
      domain.detach(DEVICE);
      domain.attach(DEVICE);
      domain.map(0x3000, Rig.DATA, 0x1000, RW);
      assertThat(ask(rig, DEVICE, 0x3000)).isTrue();
    }
  }

  @Test
  void a_device_asks_for_a_page_and_gets_an_answer() {
    Device device = new Device();
    try (Rig rig = start(device, "true")) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      domain.attach(DEVICE, 7);
      rig.driver.onPageRequest(
          r -> {
            domain.map(r.payload() & -4096, Rig.DATA, 0x1000, RW);
            rig.driver.respond(r, 0);
          });
      long payload = 0x5000 | 9 << 3 | 7; // group 9, last, read and write
      rig.unit.pageRequest(new PageRequest(DEVICE, false, 7, 0, payload));
      assertThat(rig.driver.service()).isEmpty();
      assertThat(rig.requests).containsExactly(new PageRequest(DEVICE, false, 7, 0, payload));
      assertThat(device.responses)
          .singleElement()
          .satisfies(r -> assertThat(r.group()).isEqualTo(9))
          .satisfies(r -> assertThat(r.pasid()).isEqualTo(7))
          .satisfies(r -> assertThat(r.code()).isZero());
      assertThat(rig.translate(DEVICE, 7, 0x5000, Access.WRITE)).isTrue();
    }
  }

  @Test
  void page_requests_that_overflow_are_answered_by_the_unit_and_the_queue_goes_on() {
    Device device = new Device();
    Rig rig =
        Rig.with()
            .fabric(device)
            .driver("ats", "true")
            .driver("pri", "true")
            .driver("page_request_entries", 4)
            .build();
    device.rig = rig;
    try (rig) {
      rig.driver.createDomain(DomainType.DMA_STRICT).attach(DEVICE);
      for (int i = 0; i < 6; i++) {
        rig.unit.pageRequest(new PageRequest(DEVICE, false, -1, 0, 0x5000 | i << 3 | 7));
      }
      assertThat(device.responses).hasSize(3);
      assertThat(rig.driver.service())
          .containsExactly("page-request queue: overflow, records were lost");
      assertThat(rig.requests).hasSize(3);
      rig.unit.pageRequest(new PageRequest(DEVICE, false, -1, 0, 0x5000 | 7));
      assertThat(rig.driver.service()).isEmpty();
      assertThat(rig.requests).hasSize(4);
    }
  }

  @Test
  void without_the_setting_devices_get_no_translations() {
    try (Rig rig = Rig.with().build()) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      domain.map(0x3000, Rig.DATA, 0x1000, RW);
      assertThat(ask(rig, DEVICE, 0x3000)).isFalse();
      assertThat(translated(rig, Rig.DATA)).isFalse();
    }
  }
}
