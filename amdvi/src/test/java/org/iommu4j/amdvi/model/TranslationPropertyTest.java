package org.iommu4j.amdvi.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import org.iommu4j.amdvi.layout.Command;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.amdvi.oracle.Answer;
import org.iommu4j.amdvi.oracle.Ask;
import org.iommu4j.amdvi.oracle.Interrupts;
import org.iommu4j.amdvi.oracle.Oracle;
import org.iommu4j.amdvi.oracle.PageRequests;
import org.iommu4j.amdvi.oracle.ReverseMap;
import org.iommu4j.amdvi.oracle.World;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.Options;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.AtsFabric;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.dma.InterruptLines;
import org.iommu4j.core.dma.InterruptRequest;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.memory.Failure;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.core.testing.Property;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random entries, tables, requests and interrupts: the model against a second, slow reading of the
 * specification. What is compared is all that can be seen: the outcome, address and permissions,
 * messages to processors, the event's record, and every byte of the tables afterwards.
 */
class TranslationPropertyTest {
  /** Far from the tables in every bit, so that no damaged pointer leads here. */
  private static final long RINGS = 0x2_5550_0000L;

  private static final long EVENTS = RINGS + 0x1000;
  private static final long GA_LOG = RINGS + 0x2000;
  private static final long PPR_LOG = RINGS + 0x3000;
  private static final int EPOCHS = 3;
  private static final int REQUESTS = 14;

  private final PhysicalMemory memory = new PhysicalMemory();
  private final Translation translation = new Translation();
  private final InterruptDelivery delivery = new InterruptDelivery();
  private final Map<String, Integer> outcomes = new TreeMap<>();
  private long messageAddress;
  private int messageData;
  private int messages;

  TranslationPropertyTest() {
    memory.addAnonymous(World.BASE, World.BYTES);
    memory.addAnonymous(RINGS, 0x4000);
    memory.addAnonymous(ReverseMap.BASE, ReverseMap.BYTES);
  }

  @AfterEach
  void close() {
    memory.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"off", "normal"})
  void the_model_agrees_with_the_specification_read_slowly(String cache) {
    Property.of("translation, cache " + cache, 800, RandomGenerator::nextLong)
        .holdsForEach(seed -> new Run(cache, seed).play());
    // Not a test of the model, but of this one: it must get around.
    if (!Property.repeatsOne()) {
      assertThat(outcomes.keySet())
          .contains("granted", "message", "delivered", "posted", "page request")
          .contains("posted with an interrupt", "RMP_PAGE_FAULT", "RMP_LARGE_PAGE")
          .contains("RMP_TABLE_WRITE", "RMP_BACKING_PAGE", "RMP_HARDWARE", "DTE_MODE")
          .contains("DTE_RESERVED", "DTE_IO_CONTROL", "DEVICE_OUT_OF_TABLE", "BLOCKED")
          .contains("DTE_PERMISSION", "TOO_WIDE", "NOT_PRESENT", "PTE_RESERVED", "PTE_LEVEL")
          .contains("PTE_SKIPPED", "PERMISSION", "GCR3_INVALID", "GUEST_NOT_CANONICAL")
          .contains("GUEST_NOT_PRESENT", "GUEST_RESERVED", "GUEST_PERMISSION", "GUEST_USER")
          .contains("GUEST_NO_EXECUTE", "PASID_WITHOUT_GUEST", "INTERRUPT_INDEX")
          .contains("INTERRUPT_DISABLED", "INTERRUPT_ENTRY", "INTERRUPT_TYPE", "INTERRUPT_RANGE")
          .contains(
              "TRANSLATED_WITHOUT_IOTLB", "PORT_IO", "SYSTEM_MANAGEMENT", "INTERRUPT_RESERVED")
          .contains(
              "PPR_NOT_ALLOWED",
              "PPR_WITHOUT_GUEST",
              "TRANSLATION_NOT_ALLOWED",
              "TRANSLATION_OF_SPECIAL_RANGE",
              "PAGE_TABLE_READ",
              "DEVICE_TABLE_READ");
      assertThat(outcomes.get("granted")).isGreaterThan(5_000);
    }
  }

  /** One world. */
  private final class Run {
    private final World world;
    private final Oracle oracle;
    private final Interrupts interrupts;
    private final PageRequests pages;
    private final Iommu unit;
    private int commands;
    private int events;
    private int logged;
    private int requested;

    Run(String cache, long seed) {
      world = new World(Property.random(seed));
      oracle = new Oracle(world.machine, world.image, world.rmp);
      interrupts = new Interrupts(world.machine, world.image, world.rmp);
      pages = new PageRequests(world.machine, world.image);
      Map<String, String> options = new TreeMap<>();
      options.put("cap_header", "0x" + Integer.toHexString(world.machine.header()));
      options.put("efr", "0x" + Long.toHexString(world.machine.efr()));
      options.put("efr2", "0x" + Long.toHexString(world.machine.efr2()));
      options.put("cache", cache);
      if (world.rmp != null) {
        options.put("rmp_base", "0x" + Long.toHexString(ReverseMap.BASE));
        options.put("rmp_cfg", "0x" + Long.toHexString(ReverseMap.CFG));
      }
      memory.clearInjections();
      unit =
          Architecture.named("amdvi")
              .create(
                  Options.of(options),
                  new Host(memory, AtsFabric.NONE, InterruptLines.NONE, this::message));
      for (int i = 0; i < 8; i++) {
        Register r = i == 0 ? Registers.DEVICE_TABLE : Registers.DEVICE_TABLE_SEGMENT.get(i - 1);
        if (world.machine.tables()[i] != 0) {
          write(r, world.machine.tables()[i]);
        }
      }
      write(Registers.COMMAND_BUFFER, Rig.ring(RINGS));
      write(Registers.EVENT_LOG, Rig.ring(EVENTS));
      write(Registers.EXCLUSION_BASE, world.machine.exclusionBase());
      write(Registers.EXCLUSION_LIMIT, world.machine.exclusionLimit());
      long control = world.machine.control();
      if ((control & Control.GAM_EN.mask()) != 0) {
        write(Registers.GA_LOG, Rig.ring(GA_LOG));
      }
      if ((control & Control.PPR_LOG_EN.mask()) != 0) {
        write(Registers.PPR_LOG, Rig.ring(PPR_LOG));
      }
      write(Control.REGISTER, control);
      assertThat(read(Control.REGISTER)).as(world.toString()).isEqualTo(control);
    }

    private int message(long address, int data) {
      messageAddress = address;
      messageData = data;
      messages++;
      return PhysicalMemory.OK;
    }

    private void write(Register r, long value) {
      unit.write(r.offset(), r.width(), value);
    }

    private long read(Register r) {
      return unit.read(r.offset(), r.width());
    }

    void play() {
      for (int epoch = 0; epoch < EPOCHS; epoch++) {
        if (epoch > 0) {
          world.damage();
          world.takeInterrupts();
        }
        memory.clearInjections();
        world.image.heal();
        memory.load(World.BASE, world.image.bytes());
        if (world.rmp != null) {
          memory.load(ReverseMap.BASE, world.rmp.image.bytes());
          memory.inject(ReverseMap.UNREAD, ReverseMap.UNREAD_BYTES, Failure.ACCESS);
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
        for (int i = 0; i < REQUESTS; i++) {
          one(world.ask());
          if (i % 3 == 0) {
            interrupt(world.message());
            page(world.page());
          }
        }
        compareMemory();
      }
    }

    /** Everything, as the specification asks for after a change of everything. */
    private void invalidate() {
      oracle.forget();
      if ((world.machine.control() & 1) == 0) {
        return;
      }
      long at = RINGS + 16L * commands;
      memory.writeLong(at, Command.OPCODE.of(Command.INVALIDATE_IOMMU_ALL));
      memory.writeLong(at + 8, 0);
      commands = (commands + 1) % Rig.RING;
      write(Registers.COMMAND_TAIL, 16L * commands);
      assertThat(read(Registers.COMMAND_HEAD)).isEqualTo(16L * commands);
    }

    private void one(Ask ask) {
      Answer expected = oracle.ask(ask);
      boolean passed = unit.translate(request(ask), translation);
      String what = ask + "\n  " + expected + "\n  " + world;
      outcomes.merge(
          expected.cause().isEmpty() ? expected.status() : expected.cause(), 1, Integer::sum);
      assertThat(passed).as(what).isEqualTo(!expected.status().equals("aborted"));
      if (passed) {
        granted(ask, expected, what);
      } else if (!expected.cause().isEmpty()) {
        assertThat(translation.reason()).as(what).isEqualTo(Reason.valueOf(expected.cause()));
      }
      record(expected.logged(), expected.first(), expected.second(), what);
    }

    private void granted(Ask ask, Answer e, String what) {
      int p = translation.permissions();
      int all =
          (e.readable() ? Access.READ : 0)
              | (e.writable() ? Access.WRITE : 0)
              | (e.executable() && e.readable() ? Access.EXECUTE : 0);
      if (ask.kind() == Ask.Kind.TRANSLATION_REQUEST) {
        assertThat(p & ~Access.EXECUTE).as(what).isEqualTo(all & ~Access.EXECUTE);
        assertThat(p & ~all).as(what).isZero();
        if (p == 0) {
          return;
        }
        assertThat(translation.untranslatedOnly()).as(what).isEqualTo(e.untranslatedOnly());
      } else {
        assertThat(p & ~all).as(what).isZero();
      }
      if (e.status().equals("message")) {
        assertThat(translation.target()).as(what).isEqualTo(Translation.MESSAGE);
        return;
      }
      assertThat(translation.target()).as(what).isEqualTo(Translation.MEMORY);
      assertThat(translation.pa()).as(what).isEqualTo(e.pa());
      int most = (p & Access.WRITE) != 0 ? e.writeShift() : e.sizeShift();
      assertThat(translation.rangeShift()).as(what).isBetween(12, Math.max(12, most));
    }

    private void interrupt(World.Message m) {
      Interrupts.Delivery e = interrupts.remap(m.device(), m.address(), m.data());
      int before = messages;
      boolean passed =
          unit.remap(new InterruptRequest().set(m.device(), m.address(), m.data()), delivery);
      String what = m + "\n  " + e + "\n  " + world;
      outcomes.merge(e.cause().isEmpty() ? e.kind() : e.cause(), 1, Integer::sum);
      assertThat(passed).as(what).isEqualTo(!e.kind().equals("blocked"));
      if (!passed) {
        assertThat(Objects.toString(delivery.reason())).as(what).isEqualTo(e.cause());
        assertThat(delivery.kind()).as(what).isEqualTo(InterruptDelivery.Kind.BLOCKED);
      }
      boolean told = e.kind().equals("posted with an interrupt");
      boolean sent = e.kind().equals("delivered") || told;
      assertThat(messages - before).as(what).isEqualTo(sent ? 1 : 0);
      if (sent) {
        assertThat(messageAddress).as(what).isEqualTo(e.address());
        assertThat(messageData).as(what).isEqualTo(e.data());
      }
      if (passed && !e.kind().equals("delivered")) {
        assertThat(delivery.kind()).as(what).isEqualTo(InterruptDelivery.Kind.RECORDED);
        assertThat(delivery.notice()).as(what).isEqualTo(told ? 0 : e.address());
      }
      record(e.logged(), e.first(), e.second(), what);
      if (e.gaLog() != 0) {
        assertThat(memory.readLong(GA_LOG + 8L * logged)).as(what).isEqualTo(e.gaLog());
        logged++;
      }
      if ((world.machine.control() & Control.GAM_EN.mask()) != 0) {
        assertThat(read(Registers.GA_TAIL)).as(what).isEqualTo(8L * logged);
      }
    }

    private void page(World.Page p) {
      if (!pages.knows(p.device())) {
        return;
      }
      PageRequests.Outcome e =
          pages.ask(p.device(), p.pasid(), p.privileged(), p.execute(), p.payload());
      int access = (p.privileged() ? Access.PRIVILEGED : 0) | (p.execute() ? Access.EXECUTE : 0);
      unit.pageRequest(new PageRequest(p.device(), false, p.pasid(), access, p.payload()));
      String what = p + "\n  " + e + "\n  " + world;
      outcomes.merge(e.cause().isEmpty() ? "page request" : e.cause(), 1, Integer::sum);
      if (e.cause().isEmpty()) {
        long at = PPR_LOG + 16L * requested++;
        assertThat(new Rig.Record(memory.readLong(at), memory.readLong(at + 8)))
            .as(what)
            .isEqualTo(new Rig.Record(e.first(), e.second()));
      }
      assertThat(read(Registers.PPR_TAIL)).as(what).isEqualTo(16L * requested);
      record(!e.cause().isEmpty(), e.first(), e.second(), what);
    }

    private void record(boolean isLogged, long first, long second, String what) {
      int tail = (int) read(Registers.EVENT_TAIL) / 16;
      if (!isLogged || (world.machine.control() & 1) == 0) {
        assertThat(tail).as(what).isEqualTo(events);
        return;
      }
      assertThat(tail).as(what).isEqualTo((events + 1) % Rig.RING);
      long at = EVENTS + 16L * events;
      Rig.Record found = new Rig.Record(memory.readLong(at), memory.readLong(at + 8));
      assertThat(found).as(what).isEqualTo(new Rig.Record(first, second));
      events = tail;
      write(Registers.EVENT_HEAD, 16L * tail);
    }

    private void compareMemory() {
      byte[] now = new byte[World.BYTES];
      memory.clearInjections();
      memory.read(World.BASE, now, 0, now.length);
      int at = Arrays.mismatch(now, world.image.bytes());
      assertThat(at)
          .as(
              () ->
                  "first byte that differs: 0x%x instead of 0x%x, %s"
                      .formatted(now[at], world.image.bytes()[at], world))
          .isEqualTo(-1);
    }
  }

  private static DmaRequest request(Ask ask) {
    int access =
        switch (ask.what()) {
          case READ -> Access.READ;
          case WRITE ->
              ask.kind() == Ask.Kind.TRANSLATION_REQUEST
                  ? Access.READ | Access.WRITE
                  : Access.WRITE;
          case ATOMIC -> Access.WRITE | Access.ATOMIC;
        };
    return new DmaRequest()
        .source(ask.device())
        .pasid(ask.pasid())
        .iova(ask.address())
        .access(
            access
                | (ask.execute() ? Access.EXECUTE : 0)
                | (ask.privileged() ? Access.PRIVILEGED : 0))
        .addressType(AddressType.valueOf(ask.kind().name()));
  }
}
