package org.iommu4j.vtd.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaPort;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.DomainType;
import org.iommu4j.driver.Interrupt;
import org.iommu4j.vtd.layout.Capability;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Devices at work in threads of their own while the driver changes what they may do. */
class DriverStressTest {
  private static final int RW = Access.READ | Access.WRITE;
  private static final long FREED = 0xdead_dead_dead_deadL;
  private static final int[] DEVICES = {0x08, 0x110};

  private static Rig start(String mode, String cache, int cm) {
    Rig.Builder b = Rig.with().cap(Capability.CM, cm).unit("cache", cache);
    return (mode.equals("legacy") ? b.driver("mode", "legacy") : b.driver("stage", mode)).build();
  }

  @ParameterizedTest
  @CsvSource({
    "legacy, normal, 0",
    "first, normal, 0",
    "second, normal, 1",
    "legacy, worst-case, 1",
    "first, worst-case, 0",
    "second, worst-case, 0"
  })
  void memory_that_was_unmapped_is_never_read_again(String mode, String cache, int cm)
      throws Exception {
    try (Rig rig = start(mode, cache, cm)) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      AtomicBoolean stop = new AtomicBoolean();
      AtomicReference<String> breach = new AtomicReference<>();
      List<Thread> readers = new ArrayList<>();
      long large = Rig.RAM + (2L << 30);
      rig.memory.writeLong(large, 7);
      for (int source : DEVICES) {
        domain.attach(source);
        readers.add(
            Thread.ofPlatform()
                .start(
                    () -> {
                      try (DmaPort port = rig.port(source)) {
                        while (!stop.get()) {
                          for (long iova = 0; iova < 0x4000; iova += 0x1000) {
                            if (port.readLong(iova) && port.value() == FREED) {
                              breach.set("0x%x reads freed memory".formatted(iova));
                            }
                          }
                          if (port.readLong(0x4000_0000L) && port.value() != 7) {
                            breach.set("the rest of a large page reads " + port.value());
                          }
                        }
                      }
                    }));
      }
      for (int i = 0; i < 1_000 && breach.get() == null; i++) {
        long iova = (long) (i & 3) << 12;
        long page = Rig.DATA + ((i & 7) << 12);
        rig.memory.writeLong(page, 1);
        domain.map(iova, page, 0x1000, RW);
        switch (i & 15) {
          case 0 -> domain.map(0x4000_0000L, large, 1 << 30, Access.READ);
          case 8 -> domain.unmap(0x4020_0000L, 0x1000);
          case 15 -> domain.unmap(0x4000_0000L, 1 << 30);
          default -> Thread.onSpinWait();
        }
        domain.unmap(iova, i % 5 == 0 ? 0x20_0000 : 0x1000);
        rig.memory.writeLong(page, FREED);
        if (i % 50 == 0) {
          rig.driver.service();
        }
      }
      stop.set(true);
      for (Thread t : readers) {
        t.join();
      }
      assertThat(breach).hasNullValue();
    }
  }

  @ParameterizedTest
  @CsvSource({"legacy, normal", "first, worst-case", "second, normal", "second, worst-case"})
  void a_device_that_moves_never_mixes_its_domains(String mode, String cache) throws Exception {
    try (Rig rig = start(mode, cache, 0)) {
      boolean pasids = rig.driver.capabilities().pasidBits() > 0;
      AtomicBoolean stop = new AtomicBoolean();
      AtomicReference<String> breach = new AtomicReference<>();
      Domain[] domains = new Domain[2];
      for (int d = 0; d < 2; d++) {
        domains[d] = rig.driver.createDomain(DomainType.DMA_STRICT);
        domains[d].map(0x1000, Rig.DATA + (d << 12), 0x1000, RW);
        rig.memory.writeLong(Rig.DATA + (d << 12), 100 + d);
      }
      Thread device =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try (DmaPort port = rig.port(0x08)) {
                      while (!stop.get()) {
                        if (port.readLong(0x1000) && port.value() >>> 1 != 50) {
                          breach.set("reads " + port.value());
                        }
                      }
                    }
                  });
      for (int i = 0; i < 400; i++) {
        int d = i & 1;
        domains[d].attach(0x08);
        if (pasids && i % 3 == 0) {
          domains[1 - d].attach(0x08, 5);
        } else if (pasids && i % 3 == 1) {
          domains[1 - d].detach(0x08, 5);
          domains[d].detach(0x08, 5);
        }
        // Nothing of the other domain is in flight or cached: take its page away and look.
        rig.memory.writeLong(Rig.DATA + ((1 - d) << 12), FREED);
        Thread.onSpinWait();
        assertThat(rig.translate(0x08, 0x1000, Access.READ)).isTrue();
        assertThat(rig.translation.pa()).isEqualTo(Rig.DATA + (d << 12));
        rig.memory.writeLong(Rig.DATA + ((1 - d) << 12), 100 + 1 - d);
        if (i % 50 == 0) {
          rig.driver.service();
        }
      }
      stop.set(true);
      device.join();
      assertThat(breach).hasNullValue();
    }
  }

  @ParameterizedTest
  @CsvSource({"legacy, normal", "first, normal", "second, worst-case"})
  void domains_and_interrupts_of_many_threads_do_not_disturb_each_other(String mode, String cache)
      throws Exception {
    try (Rig rig = start(mode, cache, 0)) {
      AtomicReference<String> breach = new AtomicReference<>();
      List<Thread> owners = new ArrayList<>();
      List<Domain> domains = new ArrayList<>();
      for (int t = 0; t < 3; t++) {
        int source = 0x10 + t;
        Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
        domains.add(domain);
        domain.attach(source);
        long data = Rig.DATA + ((long) t << 20);
        owners.add(Thread.ofPlatform().start(() -> work(rig, domain, source, data, breach)));
      }
      // Meanwhile other devices come and go in the same domains.
      while (owners.stream().anyMatch(Thread::isAlive)) {
        for (Domain d : domains) {
          d.attach(0x20);
          if (rig.driver.capabilities().pasidBits() > 0) {
            d.attach(0x20, 3);
            d.detach(0x20, 3);
          }
          d.detach(0x20);
        }
        rig.driver.service();
      }
      assertThat(breach).hasNullValue();
      domains.forEach(Domain::close);
      assertThat(rig.driver.attached()).isEmpty();
    }
  }

  private static void work(
      Rig rig, Domain domain, int source, long data, AtomicReference<String> breach) {
    try (DmaPort port = rig.port(source)) {
      for (int i = 0; i < 300; i++) {
        long iova = (long) (i & 31) << 16;
        domain.map(iova, data, 0x5000, RW);
        if (!port.writeLong(iova + 0x4000, i)) {
          breach.set("0x%x is not mapped".formatted(iova));
        }
        try (Domain.Batch batch = domain.batch()) {
          batch.unmap(iova, 0x3000);
          batch.unmap(iova + 0x3000, 0x2000);
        }
        if (port.readLong(iova + 0x4000)) {
          breach.set("0x%x is still mapped".formatted(iova));
        }
        try (Interrupt irq = rig.driver.interrupt(source, 0xfee0_0000L, 0x20)) {
          irq.retarget(0xfee0_1000L, 0x21);
        }
      }
    } catch (RuntimeException e) {
      breach.set(e.toString());
    }
  }
}
