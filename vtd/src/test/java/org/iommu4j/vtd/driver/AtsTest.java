package org.iommu4j.vtd.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.AtsFabric;
import org.iommu4j.core.dma.AtsInvalidation;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.core.dma.PageResponse;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.DomainType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Devices with translation caches of their own, and devices that ask for pages. */
class AtsTest {
  private static final int RW = Access.READ | Access.WRITE;
  private static final int DEVICE = 0x08;
  private static final int NONE = DmaRequest.NO_PASID;
  private static final long ALL = Long.MAX_VALUE & -4096 | 1 << 11;

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

  private static Rig start(Device device, Rig.Builder builder) {
    Rig rig = builder.fabric(device).driver("ats", "true").build();
    device.rig = rig;
    return rig;
  }

  private static Rig.Builder mode(String mode) {
    return mode.equals("legacy")
        ? Rig.with().driver("mode", "legacy")
        : Rig.with().driver("stage", mode);
  }

  /** A translation request of the device, read and write; whether it may do anything. */
  private static boolean ask(Rig rig, int source, long iova) {
    rig.request.source(source).pasid(NONE).iova(iova).access(RW);
    rig.request.addressType(AddressType.TRANSLATION_REQUEST);
    try {
      return rig.unit.translate(rig.request, rig.translation) && rig.translation.permissions() != 0;
    } finally {
      rig.request.addressType(AddressType.UNTRANSLATED);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"legacy", "first", "second"})
  void a_device_forgets_what_was_unmapped_after_the_unit_has(String mode) {
    Device device = new Device();
    try (Rig rig = start(device, mode(mode))) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      domain.map(0x3000, Rig.DATA + 0x1000, 0x3000, RW);
      assertThat(ask(rig, DEVICE, 0x3000)).isTrue();
      device.watched = 0x3000;
      domain.unmap(0x3000, 0x3000);
      assertThat(device.invalidations)
          .extracting(AtsInvalidation::payload)
          .containsExactly(0x3000L, 0x4800L);
      assertThat(device.stillTranslated).containsExactly(false, false);
      device.watched = -1;
      domain.detach(DEVICE);
      assertThat(device.invalidations.getLast().payload()).isEqualTo(ALL);
    }
  }

  @Test
  void each_user_of_a_domain_is_told_with_its_pasid_twice_where_that_is_needed() {
    for (boolean twice : new boolean[] {false, true}) {
      Device device = new Device();
      try (Rig rig = start(device, Rig.with().driver("qat_extra_flush", twice))) {
        Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
        domain.attach(DEVICE);
        domain.attach(DEVICE, 7);
        domain.attach(9);
        domain.map(0x3000, Rig.DATA, 0x1000, RW);
        domain.unmap(0x3000, 0x1000);
        assertThat(device.invalidations).hasSize(twice ? 6 : 3);
        assertThat(device.invalidations)
            .extracting(i -> i.source() + " " + i.pasid())
            .contains("8 -1", "8 7", "9 -1");
        domain.detach(DEVICE, 7);
        assertThat(device.invalidations.getLast().pasid()).isEqualTo(7);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"legacy", "first", "second"})
  void a_device_that_does_not_answer_loses_its_translations(String mode) {
    Device device = new Device();
    try (Rig rig = start(device, mode(mode))) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      domain.map(0x3000, Rig.DATA, 0x3000, RW);
      device.silentTimes = 1;
      domain.unmap(0x3000, 0x1000);
      assertThat(ask(rig, DEVICE, 0x4000)).as("late once").isTrue();
      assertThat(rig.driver.service()).anyMatch(c -> c.contains("FSTS.ITE"));
      device.silentTimes = 9;
      domain.unmap(0x4000, 0x1000);
      assertThat(rig.driver.service()).anyMatch(c -> c.contains("ATS is turned off"));
      assertThat(ask(rig, DEVICE, 0x5000)).isFalse();
      assertThat(rig.translate(DEVICE, 0x5000, Access.READ)).isTrue();
      int told = device.invalidations.size();
      domain.unmap(0x5000, 0x1000);
      assertThat(device.invalidations).hasSize(told);
      device.silentTimes = 0;
      domain.detach(DEVICE);
      domain.attach(DEVICE);
      domain.map(0x3000, Rig.DATA, 0x1000, RW);
      assertThat(ask(rig, DEVICE, 0x3000)).as("trusted again once it is empty").isTrue();
    }
  }

  private static PageRequest pageRequest(int pasid, int group, boolean last) {
    return new PageRequest(
        DEVICE, false, pasid, 0, 0x7000 | (long) group << 3 | (last ? 4 : 0) | 1);
  }

  @Test
  void page_requests_are_reported_and_answered() {
    Device device = new Device();
    try (Rig rig = start(device, Rig.with().messages().driver("pri", "true"))) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE, 7);
      rig.unit.pageRequest(pageRequest(7, 3, true));
      assertThat(rig.messages).containsExactly(new Rig.Message(Rig.DOORBELL, 0x41));
      assertThat(rig.driver.service()).isEmpty();
      assertThat(rig.requests).containsExactly(pageRequest(7, 3, true));
      domain.map(0x7000, Rig.DATA, 0x1000, RW);
      rig.driver.respond(rig.requests.getFirst(), 0);
      assertThat(device.responses)
          .singleElement()
          .satisfies(r -> assertThat(r.code()).isZero())
          .satisfies(r -> assertThat(r.pasid()).isEqualTo(7))
          .satisfies(r -> assertThat(r.group()).isEqualTo(3));
      rig.unit.pageRequest(pageRequest(7, 4, true));
      assertThat(rig.messages).as("announced again").hasSize(2);
    }
  }

  @Test
  void what_is_asked_for_under_a_pasid_that_goes_is_refused() {
    Device device = new Device();
    try (Rig rig = start(device, Rig.with().driver("pri", "true"))) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE, 7);
      domain.attach(DEVICE, 8);
      rig.unit.pageRequest(pageRequest(7, 1, false));
      rig.unit.pageRequest(pageRequest(7, 1, true));
      rig.unit.pageRequest(pageRequest(8, 2, true));
      domain.detach(DEVICE, 7);
      assertThat(device.responses)
          .singleElement()
          .satisfies(r -> assertThat(r.code()).isEqualTo(1))
          .satisfies(r -> assertThat(r.pasid()).isEqualTo(7));
      rig.driver.service();
      assertThat(rig.requests).containsExactly(pageRequest(8, 2, true));
    }
  }

  @Test
  void a_queue_that_overflows_is_said_and_goes_on() {
    Device device = new Device();
    try (Rig rig =
        start(device, Rig.with().driver("pri", "true").driver("page_request_pages", 1))) {
      rig.driver.createDomain(DomainType.DMA_STRICT).attach(DEVICE);
      for (int i = 0; i < 200; i++) {
        rig.unit.pageRequest(pageRequest(NONE, i, true));
      }
      assertThat(rig.driver.service()).anyMatch(c -> c.contains("overflow"));
      assertThat(rig.requests).hasSize(127);
      rig.unit.pageRequest(pageRequest(NONE, 5, true));
      assertThat(rig.driver.service()).isEmpty();
      assertThat(rig.requests).hasSize(128);
    }
  }

  @Test
  void what_was_lost_while_a_pasid_was_drained_is_said_later() {
    Device device = new Device();
    try (Rig rig =
        start(device, Rig.with().driver("pri", "true").driver("page_request_pages", 1))) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE, 7);
      for (int i = 0; i < 200; i++) {
        rig.unit.pageRequest(pageRequest(7, i, true));
      }
      domain.detach(DEVICE, 7);
      assertThat(rig.driver.service()).singleElement().asString().contains("overflow");
      assertThat(rig.driver.service()).isEmpty();
    }
  }
}
