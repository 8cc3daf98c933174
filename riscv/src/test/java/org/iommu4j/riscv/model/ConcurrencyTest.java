package org.iommu4j.riscv.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.riscv.model.Map39.A;
import static org.iommu4j.riscv.model.Map39.D;
import static org.iommu4j.riscv.model.Map39.USER;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.random.RandomGenerator;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.DmaPort;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.dma.InterruptRequest;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.testing.Property;
import org.iommu4j.riscv.layout.DeviceContext;
import org.iommu4j.riscv.layout.Registers;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Devices, processors and their messages at the same time. */
@Timeout(60)
class ConcurrencyTest {
  private static final long IOVA = 0x4000_0000L;
  private static final long PAGE_A = Rig.MEMORY + (32L << 20);
  private static final long PAGE_B = PAGE_A + 4096;
  private static final long MILLIS = 400;

  private Rig rig;
  private final AtomicBoolean stop = new AtomicBoolean();
  private final AtomicReference<Throwable> failure = new AtomicReference<>();
  private final List<Thread> threads = new ArrayList<>();

  @AfterEach
  void close() {
    rig.close();
  }

  private interface Body {
    void run() throws InterruptedException;
  }

  /** Runs the body over and over, until {@link #finish}. */
  private void start(Body body) {
    threads.add(
        Thread.ofPlatform()
            .daemon()
            .start(
                () -> {
                  try {
                    while (!stop.get()) {
                      body.run();
                    }
                  } catch (Throwable e) {
                    failure.compareAndSet(null, e);
                  }
                }));
  }

  private void finish() throws InterruptedException {
    stop.set(true);
    for (Thread t : threads) {
      t.join(30_000);
      assertThat(t.isAlive()).as("a thread that does not come back").isFalse();
    }
    if (failure.get() != null) {
      throw new AssertionError(failure.get());
    }
  }

  private void start(String cache, Map39[] first) {
    rig = Rig.standard(cache).queues();
    first[0] = Map39.first(rig);
  }

  @ParameterizedTest
  @ValueSource(strings = {"off", "normal", "worst-case"})
  void no_write_lands_on_a_page_after_its_invalidation_is_complete(String cache)
      throws InterruptedException {
    Map39[] first = new Map39[1];
    start(cache, first);
    new Dir(rig).pscid(5).fsc(8, first[0].root).start();
    first[0].map(IOVA, PAGE_A, USER);
    AtomicLong count = new AtomicLong();
    for (int i = 0; i < 2; i++) {
      DmaPort port = rig.port(Dir.DID);
      long at = IOVA + 8 * i;
      start(() -> port.writeLong(at, count.incrementAndGet()));
    }
    long slot = first[0].slot(IOVA, 0);
    long end = System.nanoTime() + MILLIS * 1_000_000;
    for (int n = 0; System.nanoTime() < end; n++) {
      long from = n % 2 == 0 ? PAGE_A : PAGE_B;
      long to = n % 2 == 0 ? PAGE_B : PAGE_A;
      rig.memory.writeLong(slot, Map39.leaf(to, USER));
      rig.command(0x1_0000_5401L, IOVA >>> 2).command(0x3002);
      assertThat(rig.idle()).isTrue();
      long seen = rig.memory.readLong(from);
      long next = rig.memory.readLong(from + 8);
      Thread.yield();
      assertThat(rig.memory.readLong(from)).isEqualTo(seen);
      assertThat(rig.memory.readLong(from + 8)).isEqualTo(next);
    }
    finish();
    assertThat(count.get()).isGreaterThan(100);
  }

  @ParameterizedTest
  @ValueSource(strings = {"off", "normal", "worst-case"})
  void a_device_that_changes_its_space_leaves_nothing_of_the_old_one(String cache)
      throws InterruptedException {
    Map39[] first = new Map39[1];
    start(cache, first);
    Map39 second = Map39.first(rig).map(IOVA, PAGE_B, USER);
    first[0].map(IOVA, PAGE_A, USER);
    Dir dir = new Dir(rig).pscid(5).fsc(8, first[0].root).start();
    AtomicLong count = new AtomicLong();
    for (int i = 0; i < 2; i++) {
      DmaPort port = rig.port(Dir.DID);
      long at = IOVA + 8 * i;
      start(() -> port.writeLong(at, count.incrementAndGet()));
    }
    long end = System.nanoTime() + MILLIS * 1_000_000;
    for (int n = 0; System.nanoTime() < end; n++) {
      long from = n % 2 == 0 ? PAGE_A : PAGE_B;
      long root = n % 2 == 0 ? second.root : first[0].root;
      rig.memory.writeLong(dir.context + 8 * DeviceContext.FSC, 8L << 60 | root >>> 12);
      rig.command(0x2_0000_0003L | (long) Dir.DID << 40);
      rig.command(0x1_0000_5001L).command(0x3002);
      long seen = rig.memory.readLong(from);
      Thread.yield();
      assertThat(rig.memory.readLong(from)).isEqualTo(seen);
    }
    finish();
  }

  @ParameterizedTest
  @ValueSource(strings = {"off", "normal"})
  void setting_a_and_d_loses_no_change_of_software(String cache) throws InterruptedException {
    Map39[] first = new Map39[1];
    start(cache, first);
    new Dir(rig).pscid(5).tc(DeviceContext.SADE).fsc(8, first[0].root).start();
    first[0].map(IOVA, PAGE_A, USER & ~A & ~D);
    long slot = first[0].slot(IOVA, 0);
    for (int i = 0; i < 2; i++) {
      DmaPort port = rig.port(Dir.DID);
      start(() -> assertThat(port.writeLong(IOVA, 1)).isTrue());
    }
    long end = System.nanoTime() + MILLIS * 1_000_000;
    for (int n = 1; System.nanoTime() < end; n++) {
      // Software's own two bits count; A and D are taken away again.
      long software = (long) (n & 3) << 8;
      while (true) {
        long e = rig.memory.readLong(slot);
        long wanted = e & ~(3L << 8 | A | D) | software;
        if (rig.memory.compareAndExchangeLong(slot, e, wanted) == e) {
          break;
        }
      }
      rig.command(0x1_0000_5001L);
      long now = rig.memory.readLong(slot);
      assertThat(now & ~(A | D)).isEqualTo(Map39.leaf(PAGE_A, USER & ~A & ~D) | software);
    }
    finish();
  }

  @ParameterizedTest
  @ValueSource(strings = {"off", "normal", "worst-case"})
  void nobody_waits_for_ever(String cache) throws InterruptedException {
    Map39[] first = new Map39[1];
    start(cache, first);
    long page = 0x2000_0000L;
    rig.memory.addDevice(page, 4096, rig.unit);
    first[0].map(IOVA, PAGE_A, USER).map(IOVA + 4096, page, USER);
    new Dir(rig)
        .pscid(5)
        .tc(DeviceContext.EN_ATS, DeviceContext.EN_PRI)
        .fsc(8, first[0].root)
        .start();
    // The unit's own messages go to its own registers, where they may not go.
    for (int v = 0; v < 4; v++) {
      rig.write(Registers.MSI_ADDR.get(v), page + 4 * v);
    }
    rig.write(Registers.ICVEC, 0x3210);
    for (var csr : List.of(Registers.CQCSR, Registers.FQCSR, Registers.PQCSR)) {
      rig.write(csr, 3);
    }
    for (int i = 0; i < 2; i++) {
      DmaPort port = rig.port(Dir.DID);
      RandomGenerator random = Property.random(i);
      start(() -> access(port, random));
    }
    start(this::messages);
    start(this::protocol);
    RandomGenerator random = Property.random(9);
    long end = System.nanoTime() + MILLIS * 1_000_000;
    while (System.nanoTime() < end) {
      processor(random);
    }
    // Whatever still waits for a device gets its timeout.
    rig.unit.invalidationTimedOut(-1);
    finish();
  }

  private static void access(DmaPort port, RandomGenerator random) {
    long iova = IOVA + 4096 * random.nextInt(3) + 8 * random.nextInt(64);
    switch (random.nextInt(4)) {
      case 0 -> port.readLong(iova);
      case 1 -> port.write(iova, new byte[random.nextInt(5000)]);
      case 2 -> port.compareAndSwapLong(iova, 0, 1);
      default -> port.writeInt(iova & 0xff | IOVA + 4096, random.nextInt(4));
    }
  }

  private void messages() {
    InterruptDelivery out = new InterruptDelivery();
    boolean ignored = rig.unit.remap(new InterruptRequest().set(Dir.DID, IOVA + 64, 3), out);
    ignored = rig.unit.remap(new InterruptRequest().set(Dir.DID ^ 1, IOVA, 3), out);
  }

  private void protocol() {
    rig.unit.pageRequest(new PageRequest(Dir.DID, false, 5, 0, 0x1007));
    rig.unit.invalidationCompleted(Dir.DID & 0xffff, false, -1, 1);
    DmaRequest request =
        rig.request(Dir.DID, IOVA, Access.READ).addressType(AddressType.TRANSLATION_REQUEST);
    boolean ignored = rig.unit.translate(request, new Translation());
  }

  private void processor(RandomGenerator random) {
    long queue = rig.commandQueue();
    long tail = rig.read(Registers.CQT);
    long command = new long[] {1, 3, 0x3002, 4, 0x81, 0x7f}[random.nextInt(6)];
    rig.memory.writeLong(queue + 16 * tail, command);
    rig.memory.writeLong(queue + 16 * tail + 8, 0);
    rig.write(Registers.CQT, tail + 1);
    switch (random.nextInt(5)) {
      case 0 -> rig.write(Registers.CQCSR, rig.read(Registers.CQCSR));
      case 1 -> rig.write(Registers.IPSR, 15);
      case 2 -> rig.write(Registers.FQH, rig.read(Registers.FQT));
      case 3 -> rig.write(Registers.PQCSR, 0x303);
      default -> rig.write(Registers.FQCSR, 0x303);
    }
  }
}
