package org.iommu4j.riscv.driver;

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
import org.iommu4j.core.memory.Failure;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.DomainType;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.testing.Tampered;
import org.iommu4j.riscv.layout.Registers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A device that could not be moved is attached to nothing, and reaches nothing. */
class FailedMoveTest {
  private static final int RW = Access.READ | Access.WRITE;
  private static final int DEVICE = 0x08;

  /** A device that answers, or does not. */
  private static final class Device implements AtsFabric {
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
      } else {
        rig.unit.invalidationCompleted(
            request.source(), request.segmented(), 1 << request.tag(), 1);
      }
    }

    @Override
    public void respond(PageResponse response) {}
  }

  private static Rig start(String stage, Device device) {
    return start(Rig.with(), stage, device);
  }

  private static Rig start(Rig.Builder builder, String stage, Device device) {
    Rig rig =
        builder
            .driver("stage", stage)
            .driver("ats", true)
            .fabric(device)
            .unit("cache", "worst-case")
            .build();
    device.rig = rig;
    return rig;
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

  /** No command can be read. */
  private static void spoil(Rig rig) {
    long queue = Registers.QUEUE_PPN.get(rig.unit.read(Registers.CQB.offset(), 8)) << 12;
    rig.memory.inject(queue, 0x4000, Failure.POISON);
  }

  @ParameterizedTest
  @ValueSource(strings = {"first", "second", "nested"})
  void a_device_whose_move_failed_cannot_use_what_it_still_holds(String stage) {
    try (Rig rig = start(stage, new Device())) {
      Domain one = rig.driver.createDomain(DomainType.DMA_STRICT);
      Domain two = rig.driver.createDomain(DomainType.DMA_STRICT);
      one.map(0x3000, Rig.DATA, 0x1000, RW);
      one.attach(DEVICE);
      assertThat(send(rig, AddressType.TRANSLATION_REQUEST, 0x3000)).isTrue();
      spoil(rig);
      assertThatThrownBy(() -> two.attach(DEVICE)).isInstanceOf(DriverException.class);
      rig.memory.clearInjections();
      one.unmap(0x3000, 0x1000);
      assertThat(send(rig, AddressType.TRANSLATED, Rig.DATA)).isFalse();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"first", "second", "nested"})
  void a_device_whose_move_failed_walks_no_table_that_was_given_back(String stage) {
    try (Rig rig = start(stage, new Device())) {
      Domain one = rig.driver.createDomain(DomainType.DMA_STRICT);
      Domain two = rig.driver.createDomain(DomainType.DMA_STRICT);
      one.map(0x3000, Rig.DATA, 0x1000, RW);
      one.attach(DEVICE);
      assertThat(rig.translate(DEVICE, 0x3000, Access.READ)).isTrue();
      spoil(rig);
      assertThatThrownBy(() -> two.attach(DEVICE)).isInstanceOf(DriverException.class);
      rig.memory.clearInjections();
      one.close();
      // Somebody else's tables lie where those of the closed domain lay.
      for (int i = 0; i < 4; i++) {
        rig.driver.createDomain(DomainType.DMA_STRICT).map(0x3000, Rig.DATA + 0x1000, 0x1000, RW);
      }
      assertThat(rig.translate(DEVICE, 0x3000, Access.READ)).isFalse();
    }
  }

  @Test
  void a_device_that_did_not_answer_loses_its_translations_even_if_the_unit_fails_then() {
    Device device = new Device();
    Runnable[] whenEnabled = {() -> {}};
    Rig.Builder builder =
        Rig.with()
            .wrap(
                (unit, memory) ->
                    new Tampered(unit) {
                      @Override
                      public void write(long offset, int size, long value) {
                        super.write(offset, size, value);
                        if (offset == Registers.CQCSR.offset() && Registers.FQEN.isSet(value)) {
                          whenEnabled[0].run();
                        }
                      }
                    });
    try (Rig rig = start(builder, "first", device)) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      domain.map(0x3000, Rig.DATA, 0x3000, RW);
      assertThat(send(rig, AddressType.TRANSLATION_REQUEST, 0x4000)).isTrue();
      device.silentTimes = 2;
      // The queue stops at the unanswered command, and is turned on again.
      device.givenUp = () -> whenEnabled[0] = () -> spoil(rig);
      assertThatThrownBy(() -> domain.unmap(0x3000, 0x1000)).isInstanceOf(DriverException.class);
      whenEnabled[0] = () -> {};
      rig.memory.clearInjections();
      domain.unmap(0x4000, 0x1000);
      assertThat(send(rig, AddressType.TRANSLATED, Rig.DATA + 0x1000)).isFalse();
      assertThat(rig.translate(DEVICE, 0x5000, Access.READ)).as("still attached").isTrue();
    }
  }

  @Test
  void a_move_that_fails_again_and_again_loses_no_memory() {
    try (Rig rig = start("first", new Device())) {
      Domain one = rig.driver.createDomain(DomainType.DMA_STRICT);
      Domain two = rig.driver.createDomain(DomainType.DMA_STRICT);
      one.attach(DEVICE, 5);
      for (int i = 0; i < 3; i++) {
        spoil(rig);
        assertThatThrownBy(() -> two.attach(DEVICE, 5)).isInstanceOf(DriverException.class);
        rig.memory.clearInjections();
      }
      two.attach(DEVICE, 5);
      rig.driver.close();
      assertThat(rig.frames.inUse()).isZero();
    }
  }

  @Test
  void a_pasid_for_which_there_is_no_memory_loses_none() {
    for (boolean attached : new boolean[] {false, true}) {
      try (Rig rig = start("first", new Device())) {
        Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
        domain.attach(DEVICE);
        if (!attached) {
          domain.detach(DEVICE); // but the way to the device's context is there
        }
        List<Long> taken = new ArrayList<>();
        assertThatThrownBy(
                () -> {
                  while (true) {
                    taken.add(rig.frames.allocate(4096));
                  }
                })
            .isInstanceOf(DriverException.class);
        rig.frames.free(taken.removeLast(), 4096);
        assertThatThrownBy(() -> domain.attach(DEVICE, 5)).isInstanceOf(DriverException.class);
        taken.forEach(at -> rig.frames.free(at, 4096));
        rig.driver.close();
        assertThat(rig.frames.inUse()).isZero();
      }
    }
  }
}
