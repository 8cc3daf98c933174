package org.iommu4j.riscv.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import org.iommu4j.core.Options;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.Completion;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.memory.Failure;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.core.testing.Property;
import org.iommu4j.riscv.RiscvArchitecture;
import org.iommu4j.riscv.layout.Cause;
import org.iommu4j.riscv.layout.Registers;
import org.iommu4j.riscv.oracle.Answer;
import org.iommu4j.riscv.oracle.Ask;
import org.iommu4j.riscv.oracle.Oracle;
import org.iommu4j.riscv.oracle.World;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random contexts, tables and requests: the model against a second, slow reading of the
 * specification. What is compared is all that can be seen: the outcome, address, permissions and
 * memory type, the fault record, and every byte of the tables afterwards.
 */
class TranslationPropertyTest {
  /** Far from the tables in every bit, so that no damaged pointer leads here. */
  private static final long QUEUES = 0x2_5550_0000L;

  private static final int EPOCHS = 3;
  private static final int REQUESTS = 14;

  private final PhysicalMemory memory = new PhysicalMemory();
  private final Translation translation = new Translation();
  private final Map<String, Integer> outcomes = new TreeMap<>();

  TranslationPropertyTest() {
    memory.addAnonymous(World.BASE, World.BYTES);
    memory.addAnonymous(QUEUES, 0x2000);
  }

  @AfterEach
  void close() {
    memory.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"off", "normal", "worst-case"})
  void the_model_agrees_with_the_specification_read_slowly(String cache) {
    Property.of("translation, cache " + cache, 800, RandomGenerator::nextLong)
        .holdsForEach(seed -> new Run(cache, seed).play());
    // Not a test of the model, but of this one: it must get around.
    if (!Property.repeatsOne()) {
      assertThat(outcomes.keySet())
          .contains("granted", "msi", "mrif", "1", "5", "7", "12", "13", "15", "20", "21", "23")
          .contains("257", "258", "259", "260", "262", "263", "265", "266", "267");
      assertThat(outcomes.get("granted")).isGreaterThan(5_000);
    }
  }

  /** One world. */
  private final class Run {
    private final World world;
    private final Oracle oracle;
    private final Iommu unit;
    private int commands;
    private int faults;

    Run(String cache, long seed) {
      world = new World(Property.random(seed));
      oracle = new Oracle(world.machine, world.image);
      Map<String, String> options = new TreeMap<>();
      options.put("capabilities", "0x" + Long.toHexString(world.machine.capabilities()));
      options.put("fctl", "" + ((world.machine.be() ? 1 : 0) | (world.machine.gxl() ? 4 : 0)));
      options.put("fctl_writable.be", "" + world.machine.beWritable());
      options.put("fctl_writable.gxl", "" + world.machine.gxlWritable());
      options.put("cache", cache);
      options.put("iotlb.sets", "64");
      options.put("walk_cache.sets", "16");
      memory.clearInjections();
      unit = new RiscvArchitecture().create(Options.of(options), Host.of(memory));
      write(Registers.CQB, Registers.QUEUE_PPN.of(QUEUES >>> 12) | 7);
      write(Registers.CQT, 0);
      write(Registers.CQCSR, 1);
      write(Registers.FQB, Registers.QUEUE_PPN.of(QUEUES + 4096 >>> 12) | 6);
      write(Registers.FQCSR, 1);
      write(Registers.DDTP, world.machine.mode() | world.machine.root() >>> 12 << 10);
    }

    private void write(Register r, long value) {
      unit.write(r.offset(), r.width(), value);
    }

    private long read(Register r) {
      return unit.read(r.offset(), r.width());
    }

    void play() {
      for (int epoch = 0; epoch < EPOCHS; epoch++) {
        Set<Integer> gscids = new TreeSet<>(world.gscids());
        if (epoch > 0) {
          world.damage();
          gscids.addAll(world.gscids());
        }
        memory.clearInjections();
        world.image.heal();
        memory.load(World.BASE, world.image.bytes());
        if (epoch == 2) {
          World.Failing f = world.failing();
          memory.inject(
              f.at(),
              8,
              f.kind() == 0
                  ? Failure.ACCESS
                  : f.kind() == 1 ? Failure.WRITE_ACCESS : Failure.POISON);
        }
        invalidate(gscids);
        for (int i = 0; i < REQUESTS; i++) {
          one(world.ask());
        }
        compareMemory();
      }
    }

    /** Everything, as the specification asks for after a change of everything. */
    private void invalidate(Set<Integer> gscids) {
      List<Long> all = new ArrayList<>(List.of(0x3L, 0x1L, 0x81L));
      for (int gscid : gscids) {
        all.add(0x2_0000_0001L | (long) gscid << 44);
      }
      all.add(0x3002L);
      for (long command : all) {
        long at = QUEUES + 16L * commands;
        memory.writeLong(at, world.machine.be() ? Long.reverseBytes(command) : command);
        memory.writeLong(at + 8, 0);
        commands = (commands + 1) % 256;
      }
      write(Registers.CQT, commands);
      assertThat(read(Registers.CQH)).isEqualTo(commands);
    }

    private void one(Ask ask) {
      Answer expected = oracle.ask(ask);
      boolean passed = unit.translate(request(ask), translation);
      String what = ask + "\n  " + expected + "\n  " + world;
      outcomes.merge(
          expected.cause() != 0
              ? "" + expected.cause()
              : expected.mrif() ? "mrif" : expected.msi() ? "msi" : "granted",
          1,
          Integer::sum);
      if (expected.status().equals("success")) {
        assertThat(passed).as(what).isTrue();
        granted(ask, expected, what);
      } else {
        assertThat(passed).as(what).isFalse();
        assertThat(translation.reason()).as(what).isEqualTo(Cause.of(expected.cause()));
        assertThat(translation.detail()).as(what).isEqualTo(expected.iotval2());
        assertThat(translation.completion())
            .as(what)
            .isEqualTo(
                expected.status().equals("ur")
                    ? Completion.UNSUPPORTED_REQUEST
                    : Completion.COMPLETER_ABORT);
      }
      record(ask, expected, what);
    }

    private void granted(Ask ask, Answer e, String what) {
      int p = translation.permissions();
      if (ask.kind() == Ask.Kind.TRANSLATION_REQUEST) {
        boolean exe = e.readable() && e.executable() && ask.execute() && ask.pasid() >= 0;
        assertThat(p)
            .as(what)
            .isEqualTo(
                (e.readable() ? 1 : 0)
                    | (e.writable() && e.dirty() ? Access.WRITE : 0)
                    | (exe ? Access.EXECUTE : 0));
        if (e.cause() != 0) {
          return;
        }
        assertThat(translation.untranslatedOnly()).as(what).isEqualTo(e.mrif());
        assertThat(translation.global())
            .as(what)
            .isEqualTo(e.global() && ask.pasid() >= 0 && !e.msi());
        assertThat(translation.privileged())
            .as(what)
            .isEqualTo(ask.privileged() && ask.pasid() >= 0);
        assertThat(translation.cxlIo())
            .as(what)
            .isEqualTo(ask.cxl() && (e.msi() || e.t2gpa() || e.pbmt() != 0));
      } else {
        int all =
            (e.readable() ? 1 : 0)
                | (e.writable() ? Access.WRITE : 0)
                | (e.executable() ? Access.EXECUTE : 0);
        assertThat(p & ~all).as(what).isZero();
      }
      assertThat(translation.memoryType()).as(what).isEqualTo(e.pbmt());
      assertThat(translation.rangeShift()).as(what).isBetween(12, Math.max(12, e.sizeShift()));
      if (e.mrif() && ask.kind() != Ask.Kind.TRANSLATION_REQUEST) {
        assertThat(translation.target()).as(what).isEqualTo(Translation.MESSAGE);
        assertThat(translation.messageAddress()).as(what).isEqualTo(e.mrifAddress());
        assertThat(translation.noticeAddress()).as(what).isEqualTo(e.notice());
        assertThat(translation.noticeData()).as(what).isEqualTo(e.nid());
        return;
      }
      assertThat(translation.target()).as(what).isEqualTo(Translation.MEMORY);
      boolean gpa = ask.kind() == Ask.Kind.TRANSLATION_REQUEST && e.t2gpa();
      if (!e.mrif()) {
        assertThat(translation.pa()).as(what).isEqualTo(gpa ? e.gpa() : e.pa());
      }
      if (e.msiMask() != -1) {
        // The interrupt file nearest to the address is not within the range.
        long file = (e.gpa() >>> 12 & e.msiMask()) | (e.msiPattern() & ~e.msiMask());
        int shift = translation.rangeShift() - 12;
        assertThat(file >>> shift).as(what).isNotEqualTo(e.gpa() >>> 12 >>> shift);
      }
    }

    private void record(Ask ask, Answer expected, String what) {
      int tail = (int) read(Registers.FQT);
      if (!expected.logged()) {
        assertThat(tail).as(what).isEqualTo(faults);
        return;
      }
      assertThat(tail).as(what).isEqualTo((faults + 1) % 128);
      long at = QUEUES + 4096 + 32L * faults;
      long[] w = new long[4];
      for (int i = 0; i < 4; i++) {
        long raw = memory.readLong(at + 8 * i);
        w[i] = world.machine.be() ? Long.reverseBytes(raw) : raw;
      }
      boolean pv = ask.pasid() >= 0;
      long first =
          expected.cause()
              | (pv ? (long) ask.pasid() << 12 | 1L << 32 : 0)
              | (pv && ask.privileged() ? 1L << 33 : 0)
              | (long) ask.type() << 34
              | (long) ask.did() << 40;
      assertThat(w).as(what).containsExactly(first, 0, ask.iova(), expected.iotval2());
      faults = tail;
      write(Registers.FQH, tail);
    }

    private void compareMemory() {
      byte[] now = new byte[World.BYTES];
      memory.clearInjections();
      memory.read(World.BASE, now, 0, now.length);
      assertThat(Arrays.mismatch(now, world.image.bytes()))
          .as("first byte that differs, " + world)
          .isEqualTo(-1);
    }
  }

  private static DmaRequest request(Ask ask) {
    int access =
        switch (ask.kind()) {
          case TRANSLATION_REQUEST -> Access.READ | (ask.write() ? Access.WRITE : 0);
          default -> ask.write() ? Access.WRITE : Access.READ;
        };
    return new DmaRequest()
        .source(ask.did())
        .pasid(ask.pasid())
        .iova(ask.iova())
        .access(
            access
                | (ask.execute() ? Access.EXECUTE : 0)
                | (ask.privileged() ? Access.PRIVILEGED : 0)
                | (ask.cxl() ? Access.CXL : 0))
        .addressType(AddressType.valueOf(ask.kind().name()));
  }
}
