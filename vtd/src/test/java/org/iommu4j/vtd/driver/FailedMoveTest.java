package org.iommu4j.vtd.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.AtsFabric;
import org.iommu4j.core.dma.AtsInvalidation;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.PageResponse;
import org.iommu4j.core.memory.Mmio;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.DomainType;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.testing.Tampered;
import org.iommu4j.vtd.layout.Registers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A device that could not be moved is attached to nothing, and reaches nothing. */
class FailedMoveTest {
  private static final int RW = Access.READ | Access.WRITE;
  private static final int DEVICE = 0x08;

  /** Makes the next batches fail: none of their descriptors is one that the unit knows. */
  private static final class Spoiler extends Tampered {
    private static final int WAIT = 5;
    private final Mmio unit;
    private final PhysicalMemory memory;
    int batches;

    Spoiler(Mmio unit, PhysicalMemory memory) {
      super(unit);
      this.unit = unit;
      this.memory = memory;
    }

    @Override
    public void write(long offset, int size, long value) {
      if (offset == Registers.IQT.offset() && batches > 0) {
        batches--;
        long queue = Registers.IQA_BASE.in(unit.read(Registers.IQA.offset(), 8));
        for (long at = unit.read(Registers.IQH.offset(), 8); at != value; at = at + 32 & 0x1fff) {
          if ((memory.readLong(queue + at) & 0xf) != WAIT) {
            memory.writeLong(queue + at, 0xf);
          }
        }
      }
      super.write(offset, size, value);
    }
  }

  /** A device that answers, or does not, and remembers of what PASIDs it forgot everything. */
  private static final class Device implements AtsFabric {
    final List<Integer> forgotten = new ArrayList<>();
    Rig rig;
    int silentTimes;
    Runnable givenUp = () -> {};

    @Override
    public void invalidate(AtsInvalidation request) {
      if (silentTimes > 0) {
        if (--silentTimes == 0) {
          givenUp.run();
        }
        rig.unit.invalidationTimedOut(1 << request.tag());
        return;
      }
      if (request.payload() == (Long.MAX_VALUE & -4096 | 1 << 11)) {
        forgotten.add(request.pasid());
      }
      rig.unit.invalidationCompleted(request.source(), false, 1 << request.tag(), 1);
    }

    @Override
    public void respond(PageResponse response) {}
  }

  private Spoiler spoiler;

  private Rig start(Rig.Builder builder) {
    return builder
        .unit("cache", "worst-case")
        .wrap((unit, memory) -> spoiler = new Spoiler(unit, memory))
        .build();
  }

  private Rig start(Rig.Builder builder, Device device) {
    Rig rig = start(builder.fabric(device).driver("ats", true));
    device.rig = rig;
    return rig;
  }

  private static Rig.Builder mode(String mode) {
    return mode.equals("legacy")
        ? Rig.with().driver("mode", "legacy")
        : Rig.with().driver("stage", mode);
  }

  private static boolean send(Rig rig, AddressType type, long address) {
    rig.request.source(DEVICE).pasid(DmaRequest.NO_PASID).iova(address).access(RW);
    rig.request.addressType(type);
    try {
      return rig.unit.translate(rig.request, rig.translation) && rig.translation.permissions() != 0;
    } finally {
      rig.request.addressType(AddressType.UNTRANSLATED);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "legacy, false",
    "first, false",
    "second, false",
    "legacy, true",
    "first, true",
    "second, true"
  })
  void a_device_whose_move_failed_reaches_nothing_that_is_unmapped_later(
      String mode, boolean close) {
    try (Rig rig = start(mode(mode))) {
      Domain one = rig.driver.createDomain(DomainType.DMA_STRICT);
      Domain two = rig.driver.createDomain(DomainType.DMA_STRICT);
      one.map(0x3000, Rig.DATA, 0x1000, RW);
      one.attach(DEVICE);
      assertThat(rig.translate(DEVICE, 0x3000, Access.READ)).isTrue();
      spoiler.batches = 1;
      assertThatThrownBy(() -> two.attach(DEVICE)).isInstanceOf(DriverException.class);
      assertThat(rig.driver.domainOf(DEVICE).type()).isEqualTo(DomainType.BLOCKED);
      if (close) {
        one.close();
      } else {
        one.unmap(0x3000, 0x1000);
      }
      assertThat(rig.translate(DEVICE, 0x3000, Access.READ)).isFalse();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"legacy", "first", "second"})
  void nor_with_addresses_that_were_translated_before(String mode) {
    Device device = new Device();
    try (Rig rig = start(mode(mode), device)) {
      Domain one = rig.driver.createDomain(DomainType.DMA_STRICT);
      Domain two = rig.driver.createDomain(DomainType.DMA_STRICT);
      one.map(0x3000, Rig.DATA, 0x1000, RW);
      one.attach(DEVICE);
      assertThat(send(rig, AddressType.TRANSLATION_REQUEST, 0x3000)).isTrue();
      spoiler.batches = 1;
      assertThatThrownBy(() -> two.attach(DEVICE)).isInstanceOf(DriverException.class);
      one.unmap(0x3000, 0x1000);
      assertThat(send(rig, AddressType.TRANSLATED, Rig.DATA)).isFalse();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"legacy", "first", "second"})
  void a_device_whose_move_failed_forgets_what_it_holds_before_it_is_trusted_again(String mode) {
    Device device = new Device();
    try (Rig rig = start(mode(mode), device)) {
      Domain one = rig.driver.createDomain(DomainType.DMA_STRICT);
      Domain two = rig.driver.createDomain(DomainType.DMA_STRICT);
      boolean pasids = !mode.equals("legacy");
      one.attach(DEVICE);
      if (pasids) {
        one.attach(DEVICE, 7);
      }
      spoiler.batches = 1;
      assertThatThrownBy(() -> two.attach(DEVICE)).isInstanceOf(DriverException.class);
      assertThat(device.forgotten).isEmpty();
      two.attach(DEVICE);
      assertThat(device.forgotten).containsExactlyElementsOf(pasids ? List.of(-1, 7) : List.of(-1));
      two.map(0x3000, Rig.DATA, 0x1000, RW);
      assertThat(send(rig, AddressType.TRANSLATION_REQUEST, 0x3000)).isTrue();
    }
  }

  @Test
  void a_device_that_did_not_answer_forgets_all_pasids_before_it_is_trusted_again() {
    Device device = new Device();
    try (Rig rig = start(mode("first"), device)) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE, 7);
      domain.attach(DEVICE, 8);
      domain.map(0x3000, Rig.DATA, 0x1000, RW);
      device.silentTimes = 2;
      domain.unmap(0x3000, 0x1000);
      assertThat(rig.driver.service()).anyMatch(c -> c.contains("ATS is turned off"));
      domain.detach(DEVICE, 7);
      domain.detach(DEVICE, 8);
      device.forgotten.clear();
      domain.attach(DEVICE);
      assertThat(device.forgotten).contains(7, 8);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"legacy", "first", "second"})
  void a_device_that_did_not_answer_loses_its_translations_even_if_the_unit_fails_then(
      String mode) {
    Device device = new Device();
    try (Rig rig = start(mode(mode), device)) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      domain.map(0x3000, Rig.DATA, 0x3000, RW);
      assertThat(send(rig, AddressType.TRANSLATION_REQUEST, 0x4000)).isTrue();
      device.silentTimes = 2;
      device.givenUp = () -> spoiler.batches = 1;
      assertThatThrownBy(() -> domain.unmap(0x3000, 0x1000)).isInstanceOf(DriverException.class);
      domain.unmap(0x4000, 0x1000);
      assertThat(send(rig, AddressType.TRANSLATED, Rig.DATA + 0x1000)).isFalse();
      assertThat(rig.translate(DEVICE, 0x5000, Access.READ)).as("still attached").isTrue();
      assertThat(send(rig, AddressType.TRANSLATION_REQUEST, 0x5000)).isFalse();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"legacy", "first", "second"})
  void a_move_that_fails_again_and_again_loses_no_memory(String mode) {
    try (Rig rig = start(mode(mode))) {
      Domain one = rig.driver.createDomain(DomainType.DMA_STRICT);
      Domain two = rig.driver.createDomain(DomainType.DMA_STRICT);
      one.attach(DEVICE);
      for (int i = 0; i < 3; i++) {
        spoiler.batches = 1;
        assertThatThrownBy(() -> two.attach(DEVICE)).isInstanceOf(DriverException.class);
      }
      two.attach(DEVICE);
      rig.driver.close();
      assertThat(rig.frames.inUse()).isZero();
    }
  }
}
