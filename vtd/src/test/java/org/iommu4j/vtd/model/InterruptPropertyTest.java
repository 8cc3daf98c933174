package org.iommu4j.vtd.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.Options;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.dma.AtsFabric;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.dma.InterruptLines;
import org.iommu4j.core.dma.InterruptRequest;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.memory.Failure;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.core.testing.Property;
import org.iommu4j.vtd.layout.FaultRecord;
import org.iommu4j.vtd.layout.Registers;
import org.iommu4j.vtd.oracle.Interrupts;
import org.iommu4j.vtd.oracle.Messages;
import org.iommu4j.vtd.oracle.World;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random interrupt remapping tables and messages: the model against the oracle. */
class InterruptPropertyTest {
  private static final long QUEUE = 0x5550_0000L;

  /** Bits of the data that an edge-triggered message means something by. */
  private static final int EDGE = ~0x4000;

  private final PhysicalMemory memory = new PhysicalMemory();
  private final InterruptDelivery delivery = new InterruptDelivery();
  private final Map<String, Integer> outcomes = new TreeMap<>();
  private int sent;
  private long sentAddress;
  private int sentData;

  InterruptPropertyTest() {
    memory.addAnonymous(Messages.BASE, Messages.BYTES);
    memory.addAnonymous(QUEUE, 0x1000);
  }

  @AfterEach
  void close() {
    memory.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"off", "normal", "worst-case"})
  void the_model_agrees_with_the_specification_read_slowly(String cache) {
    Property.of("interrupts, cache " + cache, 1_000, RandomGenerator::nextLong)
        .holdsForEach(seed -> new Run(cache, seed).play());
    if (!Property.repeatsOne()) {
      assertThat(new TreeSet<>(outcomes.keySet()))
          .contains("delivered 0", "recorded 0", "blocked 20", "blocked 21", "blocked 22")
          .contains("blocked 23", "blocked 24", "blocked 25", "blocked 26", "blocked 27")
          .contains("blocked 28", "blocked 2a", "blocked 2b");
    }
  }

  /** One table. */
  private final class Run {
    private final Messages world;
    private final Interrupts oracle;
    private final Iommu unit;
    private final RandomGenerator random;
    private int tail;
    private int record;

    Run(String cache, long seed) {
      world = new Messages(Property.random(seed));
      random = Property.random(~seed);
      oracle = new Interrupts(world.machine, world.image);
      Map<String, String> options = new TreeMap<>();
      options.put("ver", "0x50");
      options.put("cap", "0x" + Long.toHexString(world.machine.cap()));
      options.put("ecap", "0x" + Long.toHexString(world.machine.ecap()));
      options.put("haw", "" + world.machine.haw());
      options.put("cache", cache);
      memory.clearInjections();
      memory.load(Messages.BASE, world.image.bytes());
      Host host =
          new Host(
              memory,
              AtsFabric.NONE,
              InterruptLines.NONE,
              (address, data) -> {
                sent++;
                sentAddress = address;
                sentData = data;
                return PhysicalMemory.OK;
              });
      unit = Architecture.named("vtd").create(Options.of(options), host);
      write(Registers.IQA, QUEUE);
      command(Registers.QIE.mask());
      write(Registers.IRTA, world.machine.irta());
      command(Registers.SIRTP.mask());
      invalidate();
      if (world.machine.ires()) {
        command(Registers.IRE.mask());
      }
      if (world.machine.cfis()) {
        command(Registers.CFI.mask());
      }
    }

    private void write(Register r, long value) {
      unit.write(r.offset(), r.width(), value);
    }

    private long read(Register r) {
      return unit.read(r.offset(), r.width());
    }

    private void command(long bit) {
      write(Registers.GCMD, read(Registers.GSTS) & 0x96ff_ffffL | bit);
    }

    private void invalidate() {
      if ((world.machine.cap() >>> 62 & 1) != 0 && random.nextBoolean()) {
        command(Registers.SIRTP.mask());
        return;
      }
      memory.writeLong(QUEUE + 16L * tail, 4);
      memory.writeLong(QUEUE + 16L * tail + 8, 0);
      tail = (tail + 1) % 256;
      write(Registers.IQT, 16L * tail);
      assertThat(read(Registers.IQH)).isEqualTo(16L * tail);
    }

    void play() {
      for (int epoch = 0; epoch < 3; epoch++) {
        memory.clearInjections();
        world.image.heal();
        if (epoch > 0) {
          world.change();
          memory.load(Messages.BASE, world.image.bytes());
        }
        if (epoch == 2) {
          World.Failing f = world.failing();
          memory.inject(
              f.at(),
              64,
              f.kind() == 0
                  ? Failure.ACCESS
                  : f.kind() == 1 ? Failure.WRITE_ACCESS : Failure.POISON);
        }
        invalidate();
        for (int i = 0; i < 20; i++) {
          one(world.message());
        }
        compareMemory();
      }
    }

    private void one(Messages.Message m) {
      Interrupts.Delivery e = oracle.remap(m.sid(), m.address(), m.data());
      int before = sent;
      boolean done =
          unit.remap(new InterruptRequest().set(m.sid(), m.address(), m.data()), delivery);
      String what = m + "\n  " + e + "\n  " + world.machine;
      outcomes.merge("%s %x".formatted(e.kind(), e.code()), 1, Integer::sum);
      assertThat(done).as("%s: %s", what, delivery.reason()).isEqualTo(e.code() == 0);
      if (e.code() != 0) {
        assertThat(delivery.reason()).as(what).isNotNull();
        assertThat("%x".formatted(delivery.reason().code()))
            .as(what)
            .isEqualTo("%x".formatted(e.code()));
        assertThat(delivery.kind()).as(what).isEqualTo(InterruptDelivery.Kind.BLOCKED);
      } else if (e.kind().equals("recorded")) {
        assertThat(delivery.kind()).as(what).isEqualTo(InterruptDelivery.Kind.RECORDED);
      } else {
        assertThat(delivery.kind()).as(what).isEqualTo(InterruptDelivery.Kind.WRITTEN);
      }
      assertThat(sent - before).as(what).isEqualTo(e.address() == 0 ? 0 : 1);
      if (e.address() != 0) {
        assertThat(Long.toHexString(sentAddress & ~3L))
            .as(what)
            .isEqualTo(Long.toHexString(e.address() & ~3L));
        int mask = (e.data() & 0x8000) != 0 || e.address() == m.address() ? -1 : EDGE;
        assertThat(Integer.toHexString(sentData & mask))
            .as(what)
            .isEqualTo(Integer.toHexString(e.data() & mask));
      }
      record(m, e, what);
    }

    private void record(Messages.Message m, Interrupts.Delivery e, String what) {
      long status = read(Registers.FSTS);
      assertThat(Registers.PPF.isSet(status))
          .as("recorded, " + what)
          .isEqualTo(e.logged() && e.code() != 0);
      if (e.code() == 0 || !e.logged()) {
        return;
      }
      int index = Registers.FRI.getInt(status);
      if (!world.machine.ires()) {
        // With neither kind of remapping on, the unit may start with the first register again.
        record = index;
      }
      assertThat(index).as(what).isEqualTo(record);
      Register high = FaultRecord.high(world.machine.cap(), record);
      assertThat(Long.toHexString(read(high)))
          .as(what)
          .isEqualTo(Long.toHexString(1L << 63 | (long) e.code() << 32 | m.sid()));
      long fi = read(FaultRecord.low(world.machine.cap(), record));
      if (e.index() >= 0) {
        assertThat(fi).as(what).isEqualTo((long) e.index() << 48);
      } else {
        assertThat(fi).as(what).isIn(0L, m.address() & ~0xfffL);
      }
      write(high, FaultRecord.F.mask());
      record = (record + 1) % FaultRecord.count(world.machine.cap());
    }

    private void compareMemory() {
      byte[] now = new byte[Messages.BYTES];
      memory.clearInjections();
      memory.read(Messages.BASE, now, 0, now.length);
      assertThat(Arrays.mismatch(now, world.image.bytes()))
          .as("first byte that differs, " + world.machine)
          .isEqualTo(-1);
    }
  }
}
