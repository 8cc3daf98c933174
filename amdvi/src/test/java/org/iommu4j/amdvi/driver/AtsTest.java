package org.iommu4j.amdvi.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.iommu4j.amdvi.layout.PprRecord;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.AtsFabric;
import org.iommu4j.core.dma.AtsInvalidation;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.core.dma.PageResponse;
import org.iommu4j.core.memory.Failure;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.DomainType;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.GuestTable;
import org.iommu4j.driver.testing.Tampered;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Devices with translation caches of their own, and devices that ask for pages. */
class AtsTest {
  private static final int RW = Access.READ | Access.WRITE;
  private static final int DEVICE = 0x08;
  private static final int NONE = DmaRequest.NO_PASID;

  /** A device that answers invalidations, or does not, and remembers what it was told. */
  private static final class Device implements AtsFabric {
    final List<AtsInvalidation> invalidations = new ArrayList<>();
    final List<PageResponse> responses = new ArrayList<>();
    final List<Boolean> stillTranslated = new ArrayList<>();
    Rig rig;
    boolean silent;
    long watched = -1;

    @Override
    public void invalidate(AtsInvalidation request) {
      invalidations.add(request);
      if (watched >= 0) {
        stillTranslated.add(ask(rig, watched));
      }
      if (silent) {
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
    Rig rig = builder.fabric(device).driver("ats", true).build();
    device.rig = rig;
    return rig;
  }

  /** A translation request of the device, read and write; whether it may do anything. */
  private static boolean ask(Rig rig, long iova) {
    rig.request.source(DEVICE).pasid(NONE).iova(iova).access(RW);
    rig.request.addressType(AddressType.TRANSLATION_REQUEST);
    try {
      return rig.unit.translate(rig.request, rig.translation) && rig.translation.permissions() != 0;
    } finally {
      rig.request.addressType(AddressType.UNTRANSLATED);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"host", "guest"})
  void a_device_forgets_what_was_unmapped_after_the_unit_has(String tables) {
    Device device = new Device();
    try (Rig rig = start(device, Rig.with().driver("tables", tables))) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      domain.map(0x3000, Rig.DATA + 0x1000, 0x1000, RW);
      assertThat(ask(rig, 0x3000)).isTrue();
      device.watched = 0x3000;
      domain.unmap(0x3000, 0x1000);
      // With guest tables, what it got for PASID 0 by name lies beside what it got without.
      Integer[] pasids = tables.equals("host") ? new Integer[] {NONE} : new Integer[] {NONE, 0};
      assertThat(device.invalidations)
          .allSatisfy(i -> assertThat(i.source()).isEqualTo(DEVICE))
          .allSatisfy(i -> assertThat(i.payload()).isEqualTo(0x3000L))
          .extracting(AtsInvalidation::pasid)
          .containsExactly(pasids);
      assertThat(device.stillTranslated).containsOnly(false);
    }
  }

  @Test
  void each_user_of_a_domain_is_told_with_its_pasid() {
    Device device = new Device();
    try (Rig rig = start(device, Rig.with())) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      domain.attach(DEVICE, 7);
      domain.attach(9);
      domain.map(0x3000, Rig.DATA, 0x1000, RW);
      domain.unmap(0x3000, 0x1000);
      assertThat(device.invalidations)
          .extracting(i -> i.source() + " " + i.pasid())
          .containsExactlyInAnyOrder("8 -1", "8 0", "8 7", "9 -1", "9 0");
      domain.detach(DEVICE, 7);
      assertThat(device.invalidations.getLast().pasid()).isEqualTo(7);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"host", "guest"})
  void a_device_that_does_not_answer_loses_its_translations(String tables) {
    Device device = new Device();
    try (Rig rig = start(device, Rig.with().driver("tables", tables))) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      domain.map(0x3000, Rig.DATA, 0x3000, RW);
      device.silent = true;
      domain.unmap(0x3000, 0x1000);
      assertThat(rig.driver.service()).anyMatch(c -> c.contains("did not answer"));
      assertThat(ask(rig, 0x4000)).isFalse();
      assertThat(rig.translate(DEVICE, 0x4000, Access.READ)).isTrue();
      int told = device.invalidations.size();
      domain.unmap(0x4000, 0x1000);
      assertThat(device.invalidations).hasSize(told);
    }
  }

  /** Uses an address as one that the unit has translated before; whether that passes. */
  private static boolean usesTranslated(Rig rig, long pa) {
    rig.request.source(DEVICE).pasid(NONE).iova(pa).access(RW);
    rig.request.addressType(AddressType.TRANSLATED);
    try {
      return rig.unit.translate(rig.request, rig.translation);
    } finally {
      rig.request.addressType(AddressType.UNTRANSLATED);
    }
  }

  @ParameterizedTest
  @CsvSource({"host, false", "guest, false", "host, true", "guest, true"})
  void a_device_that_is_attached_to_nothing_cannot_use_what_it_still_holds(
      String tables, boolean silent) {
    Device device = new Device();
    try (Rig rig = start(device, Rig.with().driver("tables", tables))) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      domain.map(0x3000, Rig.DATA, 0x1000, RW);
      assertThat(ask(rig, 0x3000)).isTrue();
      assertThat(usesTranslated(rig, Rig.DATA)).isTrue();
      device.silent = silent;
      domain.detach(DEVICE);
      assertThat(usesTranslated(rig, Rig.DATA)).isFalse();
    }
  }

  @Test
  void a_device_that_did_not_answer_loses_its_translations_even_if_the_unit_fails_then() {
    Device device = new Device();
    Runnable[] atEvents = {() -> {}};
    Rig.Builder builder =
        Rig.with()
            .unit("cache", "worst-case")
            .wrap(
                (unit, memory) ->
                    new Tampered(unit) {
                      @Override
                      public long read(long offset, int size) {
                        if (offset == Registers.EVENT_TAIL.offset()) {
                          atEvents[0].run();
                        }
                        return super.read(offset, size);
                      }
                    });
    try (Rig rig = start(device, builder)) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      domain.map(0x3000, Rig.DATA, 0x3000, RW);
      assertThat(ask(rig, 0x4000)).isTrue();
      device.silent = true;
      long ring = Registers.RING_BASE.in(rig.unit.read(Registers.COMMAND_BUFFER.offset(), 8));
      atEvents[0] = () -> rig.memory.inject(ring, 0x2000, Failure.POISON);
      assertThatThrownBy(() -> domain.unmap(0x3000, 0x1000)).isInstanceOf(DriverException.class);
      atEvents[0] = () -> {};
      rig.memory.clearInjections();
      domain.unmap(0x5000, 0x1000);
      assertThat(ask(rig, 0x4000)).isFalse();
    }
  }

  /** More faults than the driver's event log has room for. */
  private static void fillLog(Rig rig) {
    for (int faults = 0; faults < 600; faults++) {
      assertThat(rig.translate(DEVICE, 0x9000, Access.READ)).isFalse();
    }
  }

  @Test
  void a_device_cannot_hide_behind_a_full_log_that_it_does_not_answer() {
    Device device = new Device();
    try (Rig rig = start(device, Rig.with())) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      domain.map(0x3000, Rig.DATA, 0x3000, RW);
      fillLog(rig);
      device.silent = true;
      domain.unmap(0x3000, 0x1000);
      assertThat(ask(rig, 0x4000)).as("it may still use what was unmapped").isFalse();
      device.silent = false;
      assertThat(rig.driver.service())
          .anyMatch(c -> c.contains("overflow"))
          .anyMatch(c -> c.contains("did not answer"));
    }
  }

  @Test
  void a_device_that_answers_keeps_its_cache_though_the_log_was_full() {
    Device device = new Device();
    try (Rig rig = start(device, Rig.with())) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      domain.map(0x3000, Rig.DATA, 0x3000, RW);
      fillLog(rig);
      domain.unmap(0x3000, 0x1000);
      assertThat(device.invalidations).as("asked once more").hasSize(4);
      assertThat(ask(rig, 0x4000)).isTrue();
    }
  }

  /** A guest at the start of the data: PASID 0 and 5 map a page. */
  private static Domain guest(Rig rig, Domain parent, int pasidBits) {
    GuestMemory memory = new GuestMemory(rig, Rig.DATA);
    long gcr3 = memory.table();
    long root = memory.table();
    int levels = (pasidBits + 8) / 9;
    memory.process(gcr3, levels, 0, root);
    memory.process(gcr3, levels, 5, root);
    memory.map(root, 4, 0x3000, 0x8_0000);
    return rig.driver.createNestedDomain(parent, new GuestTable(gcr3, 4, pasidBits));
  }

  private static Domain parent(Rig rig) {
    Domain parent = rig.driver.createDomain(DomainType.NESTING_PARENT);
    parent.map(0, Rig.DATA, 0x10_0000, RW);
    return parent;
  }

  @Test
  void a_guest_s_device_is_asked_about_all_pasids_when_a_page_of_the_host_goes() {
    Device device = new Device();
    try (Rig rig = start(device, Rig.with())) {
      Domain parent = parent(rig);
      Domain nested = guest(rig, parent, 9);
      nested.attach(DEVICE);
      assertThat(ask(rig, 0x3000)).isTrue();
      device.watched = 0x3000;
      parent.unmap(0x8_0000, 0x1000);
      assertThat(device.invalidations).hasSize(513);
      assertThat(device.stillTranslated).as("after the unit has").doesNotContain(true);
      assertThat(device.invalidations.getFirst().pasid()).isEqualTo(NONE);
      assertThat(device.invalidations.subList(1, 513))
          .extracting(AtsInvalidation::pasid)
          .isEqualTo(IntStream.range(0, 512).boxed().toList());
      assertThat(device.invalidations)
          .extracting(AtsInvalidation::payload)
          .containsOnly(0x7fff_ffff_ffff_f800L);
      device.invalidations.clear();
      device.watched = -1;
      nested.invalidate(5, 0x3000, 0x1000, true);
      assertThat(device.invalidations)
          .extracting(i -> i.pasid() + " 0x%x".formatted(i.payload()))
          .containsExactly("5 0x3000");
      device.invalidations.clear();
      nested.invalidate(0x3000, 0x1000, true);
      assertThat(device.invalidations).extracting(AtsInvalidation::pasid).containsExactly(NONE, 0);
      device.invalidations.clear();
      nested.detach(DEVICE);
      assertThat(device.invalidations).as("all again when it leaves").hasSize(513);
    }
  }

  @Test
  void with_more_pasids_than_can_be_asked_about_a_guest_s_device_caches_nothing() {
    Device device = new Device();
    try (Rig rig = start(device, Rig.with())) {
      Domain parent = parent(rig);
      Domain nested = guest(rig, parent, 10);
      nested.attach(DEVICE);
      assertThat(ask(rig, 0x3000)).isFalse();
      assertThat(rig.translate(DEVICE, 5, 0x3000, Access.READ)).isTrue();
      parent.unmap(0x8_0000, 0x1000);
      assertThat(device.invalidations).isEmpty();
      parent.attach(DEVICE);
      assertThat(ask(rig, 0)).as("elsewhere it does").isTrue();
    }
  }

  @Test
  void a_guest_s_device_that_does_not_answer_loses_its_translations() {
    Device device = new Device();
    try (Rig rig = start(device, Rig.with())) {
      Domain parent = parent(rig);
      Domain nested = guest(rig, parent, 9);
      nested.attach(DEVICE);
      assertThat(ask(rig, 0x3000)).isTrue();
      device.silent = true;
      parent.unmap(0x9_0000, 0x1000);
      assertThat(device.invalidations).as("asked once, and not of each PASID").hasSize(2);
      assertThat(rig.driver.service()).anyMatch(c -> c.contains("did not answer"));
      assertThat(ask(rig, 0x3000)).isFalse();
      assertThat(rig.translate(DEVICE, 0x3000, Access.READ)).isTrue();
      assertThat(rig.translate(DEVICE, 5, 0x3000, Access.READ)).isTrue();
      nested.invalidate(5, 0, 0, false);
      assertThat(device.invalidations).hasSize(2);
    }
  }

  private static PageRequest pageRequest(int pasid, int group) {
    return new PageRequest(DEVICE, false, pasid, 0, 0x7000 | (long) group << 3 | 4 | 1);
  }

  @Test
  void page_requests_are_reported_and_answered() {
    Device device = new Device();
    try (Rig rig = start(device, Rig.with().driver("pri", true))) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE, 7);
      rig.unit.pageRequest(pageRequest(7, 3));
      assertThat(rig.driver.service()).isEmpty();
      assertThat(rig.requests)
          .singleElement()
          .satisfies(r -> assertThat(r.source()).isEqualTo(DEVICE))
          .satisfies(r -> assertThat(r.pasid()).isEqualTo(7))
          .satisfies(r -> assertThat(r.payload()).isEqualTo(pageRequest(7, 3).payload()));
      domain.map(0x7000, Rig.DATA, 0x1000, RW);
      rig.driver.respond(rig.requests.getFirst(), 0);
      assertThat(device.responses)
          .singleElement()
          .satisfies(r -> assertThat(r.code()).isZero())
          .satisfies(r -> assertThat(r.pasid()).isEqualTo(7))
          .satisfies(r -> assertThat(r.group()).isEqualTo(3));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void a_page_request_with_reserved_bits_is_refused_for_its_group(boolean last) {
    Device device = new Device();
    try (Rig rig = start(device, Rig.with().driver("pri", true))) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE, 7);
      rig.unit.pageRequest(pageRequest(7, 3));
      long record = firstPageRequest(rig);
      long first = rig.memory.readLong(record) & ~PprRecord.LAST.mask();
      rig.memory.writeLong(record, first | PprRecord.RZ.mask() | PprRecord.LAST.of(last ? 1 : 0));
      assertThat(rig.driver.service()).singleElement().asString().contains("reserved bits");
      assertThat(rig.requests).isEmpty();
      assertThat(device.responses)
          .extracting(r -> r.code() + " " + r.pasid() + " " + r.group())
          .isEqualTo(last ? List.of("1 7 3") : List.of());
    }
  }

  @Test
  void a_record_that_is_no_page_request_is_told() {
    Device device = new Device();
    try (Rig rig = start(device, Rig.with().driver("pri", true))) {
      rig.driver.createDomain(DomainType.DMA_STRICT).attach(DEVICE, 7);
      rig.unit.pageRequest(pageRequest(7, 3));
      long record = firstPageRequest(rig);
      rig.memory.writeLong(record, rig.memory.readLong(record) ^ PprRecord.CODE.of(3));
      assertThat(rig.driver.service()).singleElement().asString().contains("PPRCode 2");
      assertThat(rig.requests).isEmpty();
      assertThat(device.responses).isEmpty();
    }
  }

  private static long firstPageRequest(Rig rig) {
    return Registers.RING_BASE.in(rig.unit.read(Registers.PPR_LOG.offset(), 8));
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 2, 14, 16})
  void a_response_code_that_does_not_exist_is_not_sent(int code) {
    Device device = new Device();
    try (Rig rig = start(device, Rig.with().driver("pri", true))) {
      PageRequest request = pageRequest(7, 3);
      assertThatThrownBy(() -> rig.driver.respond(request, code))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("response code " + code);
      assertThat(device.responses).isEmpty();
    }
  }
}
