package org.iommu4j.riscv.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.Fault;
import org.iommu4j.core.dma.UnknownReason;
import org.iommu4j.core.memory.Failure;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.DomainType;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.testing.Tampered;
import org.iommu4j.riscv.layout.Capabilities;
import org.iommu4j.riscv.layout.Cause;
import org.iommu4j.riscv.layout.FaultRecord;
import org.iommu4j.riscv.layout.Registers;
import org.junit.jupiter.api.Test;

/** The three queues: set up, used up, broken and brought back. */
class QueueTest {
  private static final int RW = Access.READ | Access.WRITE;
  private static final int DEVICE = 0x08;

  private static long read(Rig rig, Register r) {
    return rig.unit.read(r.offset(), r.width());
  }

  private static long base(Rig rig, Register r) {
    return Registers.QUEUE_PPN.get(read(rig, r)) << 12;
  }

  private static long entries(Rig rig, Register r) {
    return 2L << Registers.LOG2SZ_1.get(read(rig, r));
  }

  private static void fault(Rig rig, int times) {
    for (int i = 0; i < times; i++) {
      assertThat(rig.translate(DEVICE, 0x1000L * i, Access.READ)).isFalse();
    }
  }

  // Set-up

  @Test
  void queues_have_the_size_asked_for() {
    try (Rig rig =
        Rig.with()
            .driver("command_entries", 2)
            .driver("fault_entries", 4096)
            .driver("page_request_entries", 128)
            .build()) {
      assertThat(entries(rig, Registers.CQB)).isEqualTo(2);
      assertThat(entries(rig, Registers.FQB)).isEqualTo(4096);
      assertThat(entries(rig, Registers.PQB)).isEqualTo(128);
      assertThat(base(rig, Registers.FQB) % (4096 * 32)).isZero();
      assertThat(Registers.IOMMU_MODE.getInt(read(rig, Registers.DDTP)))
          .isEqualTo(Registers.MODE_3LVL);
    }
  }

  @Test
  void a_smaller_queue_is_taken_where_the_unit_has_no_more() {
    try (Rig rig =
        Rig.with()
            .wrap(
                (unit, memory) ->
                    new Tampered(unit) {
                      @Override
                      public void write(long offset, int size, long value) {
                        boolean base = offset == Registers.FQB.offset();
                        long most = Registers.LOG2SZ_1.set(value, 3);
                        super.write(
                            offset, size, base && Registers.LOG2SZ_1.get(value) > 3 ? most : value);
                      }
                    })
            .build()) {
      assertThat(entries(rig, Registers.FQB)).isEqualTo(16);
      fault(rig, 10);
      assertThat(rig.newFaults()).hasSize(10);
    }
  }

  @Test
  void a_queue_or_root_whose_place_is_fixed_in_hardware_is_used_where_it_is() {
    long place = Rig.DATA + 0x10_0000;
    try (Rig rig =
        Rig.with()
            .wrap(
                (unit, memory) ->
                    new Tampered(unit) {
                      @Override
                      public void write(long offset, int size, long value) {
                        boolean fixed =
                            offset == Registers.CQB.offset() || offset == Registers.DDTP.offset();
                        super.write(
                            offset,
                            size,
                            fixed
                                ? Registers.QUEUE_PPN.set(value, place + offset * 0x1_0000 >>> 12)
                                : value);
                      }
                    })
            .build()) {
      assertThat(base(rig, Registers.CQB)).isEqualTo(place + 0x18_0000);
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      domain.map(0x1000, Rig.DATA, 0x1000, RW);
      assertThat(rig.translate(DEVICE, 0x1000, Access.READ)).isTrue();
      assertThat(rig.memory.readLong(place + 0x10_0000)).as("the root table").isNotZero();
      domain.unmap(0x1000, 0x1000);
      assertThat(rig.translate(DEVICE, 0x1000, Access.READ)).isFalse();
    }
  }

  @Test
  void a_unit_that_is_busy_for_a_while_is_waited_for() {
    AtomicInteger left = new AtomicInteger();
    try (Rig rig =
        Rig.with()
            .wrap(
                (unit, memory) ->
                    new Tampered(unit) {
                      @Override
                      public long read(long offset, int size) {
                        long value = super.read(offset, size);
                        boolean csr = offset >= Registers.CQCSR.offset() && offset <= 0x50;
                        if (csr && left.getAndDecrement() > 0) {
                          long on = Registers.FQON.isSet(value) ? 0 : 1;
                          return Registers.FQ_BUSY.mask() | Registers.FQON.set(value, on);
                        }
                        return offset == Registers.DDTP.offset() && left.getAndDecrement() > 0
                            ? value | Registers.DDTP_BUSY.mask()
                            : value;
                      }

                      @Override
                      public void write(long offset, int size, long value) {
                        super.write(offset, size, value);
                        left.set(3);
                      }
                    })
            .build()) {
      assertThat(rig.translate(DEVICE, 0, Access.READ)).isFalse();
      assertThat(rig.newFaults()).hasSize(1);
    }
  }

  @Test
  void a_unit_that_hangs_is_given_up_with_the_register_that_shows_it() {
    assertThatThrownBy(
            () ->
                Rig.with()
                    .driver("timeout_ms", 5)
                    .wrap(
                        (unit, memory) ->
                            new Tampered(unit) {
                              @Override
                              public long read(long offset, int size) {
                                long value = super.read(offset, size);
                                return offset == Registers.FQCSR.offset()
                                    ? value | Registers.FQ_BUSY.mask()
                                    : value;
                              }
                            })
                    .build())
        .isInstanceOf(DriverException.class)
        .hasMessageContaining("fqcsr.busy stays 1");
  }

  // Interrupts

  @Test
  void messages_go_to_the_hosts_address_with_a_vector_each() {
    try (Rig rig = Rig.with().messages().build()) {
      fault(rig, 3);
      assertThat(rig.messages)
          .as("one for three: it is pending")
          .containsExactly(Rig.message(0x41));
      assertThat(rig.newFaults()).hasSize(3);
      fault(rig, 1);
      assertThat(rig.messages).containsExactly(Rig.message(0x41), Rig.message(0x41));
    }
  }

  @Test
  void a_unit_with_one_vector_shares_it() {
    try (Rig rig = Rig.with().messages().unit("vector_bits", 0).build()) {
      fault(rig, 1);
      assertThat(rig.messages).containsExactly(Rig.message(0x40));
    }
  }

  @Test
  void wires_are_used_where_there_is_nowhere_to_send_messages() {
    List<Integer> raised = new ArrayList<>();
    try (Rig rig =
        Rig.with()
            .lines(
                (line, level) -> {
                  if (level) {
                    raised.add(line);
                  }
                })
            .build()) {
      fault(rig, 1);
      assertThat(raised).containsExactly(1);
      assertThat(rig.newFaults()).hasSize(1);
      fault(rig, 1);
      assertThat(raised).containsExactly(1, 1);
    }
  }

  @Test
  void without_either_the_driver_is_polled() {
    long messagesOnly = Rig.BASE & ~Capabilities.IGS.mask();
    try (Rig rig = Rig.with().capabilities(messagesOnly, Capabilities.SV39).build()) {
      fault(rig, 2);
      assertThat(read(rig, Registers.IPSR)).isZero();
      assertThat(rig.newFaults()).hasSize(2);
    }
  }

  // Fault queue

  @Test
  void faults_are_decoded() {
    try (Rig rig = Rig.with().build()) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      domain.attach(DEVICE, 5);
      domain.map(0x2000, Rig.DATA, 0x1000, Access.READ);
      rig.translate(DEVICE, 0x1008, Access.READ);
      rig.translate(DEVICE, 0x2008, Access.WRITE);
      rig.translate(DEVICE, 5, 0x1008, Access.READ | Access.EXECUTE);
      rig.translate(DEVICE, 5, 0x2008, Access.READ | Access.PRIVILEGED);
      rig.translate(0x1_0008, 0x1008, Access.WRITE);
      List<Fault> faults = rig.newFaults();
      assertThat(faults)
          .extracting(Fault::reason)
          .containsExactly(
              Cause.READ_PAGE_FAULT,
              Cause.WRITE_PAGE_FAULT,
              Cause.INSTRUCTION_PAGE_FAULT,
              Cause.TRANSACTION_TYPE_DISALLOWED,
              Cause.DDT_ENTRY_NOT_VALID);
      assertThat(faults).extracting(Fault::pasid).containsExactly(-1, -1, 5, 5, -1);
      assertThat(faults)
          .extracting(Fault::access)
          .containsExactly(
              Access.READ,
              Access.WRITE,
              Access.READ | Access.EXECUTE,
              Access.READ | Access.PRIVILEGED,
              Access.WRITE);
      assertThat(faults).extracting(Fault::address).containsSubsequence(0x1008L, 0x2008L);
      assertThat(faults.getLast().source()).isEqualTo(0x1_0008);
      assertThat(faults.getFirst())
          .hasToString("Read page fault (13) untranslated read of 0x1008 by 0x8");
    }
  }

  @Test
  void a_guest_page_fault_tells_its_guest_address_and_how_it_came_about() {
    try (Rig rig = Rig.with().driver("stage", "second").build()) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      rig.translate(DEVICE, 0x1238, Access.WRITE);
      assertThat(rig.newFaults())
          .singleElement()
          .satisfies(f -> assertThat(f.reason()).isEqualTo(Cause.WRITE_GUEST_PAGE_FAULT))
          .satisfies(f -> assertThat(f.detail()).isEqualTo(0x1238));
    }
    try (PhysicalMemory memory = new PhysicalMemory()) {
      memory.addAnonymous(0, 4096);
      memory.writeLong(
          0,
          FaultRecord.CAUSE.of(21)
              | FaultRecord.TTYP.of(2)
              | FaultRecord.DID.of(7)
              | FaultRecord.PID.of(9));
      memory.writeLong(16, 0x5678);
      memory.writeLong(24, 0x8000_1000L | 3);
      Fault fault = Records.fault(memory, 0);
      assertThat(fault.detail()).isEqualTo(0x8000_1000L);
      assertThat(fault.transaction())
          .isEqualTo("untranslated read (in an update of a table entry)");
      assertThat(fault.pasid()).as("PV is 0").isEqualTo(-1);
      memory.writeLong(24, 0x8000_1000L | 1);
      assertThat(Records.fault(memory, 0).transaction()).contains("in a read of a table entry");
      memory.writeLong(0, FaultRecord.CAUSE.of(2048));
      assertThat(Records.fault(memory, 0).reason()).isEqualTo(new UnknownReason(2048));
    }
  }

  @Test
  void an_overflow_loses_records_but_no_interrupt() {
    try (Rig rig = Rig.with().messages().driver("fault_entries", 4).build()) {
      fault(rig, 10);
      assertThat(Registers.FQOF.isSet(read(rig, Registers.FQCSR))).isTrue();
      assertThat(rig.driver.service()).containsExactly("fault queue: overflow, records were lost");
      assertThat(rig.faults).hasSize(3);
      assertThat(read(rig, Registers.IPSR)).isZero();
      int messages = rig.messages.size();
      fault(rig, 1);
      assertThat(rig.messages).as("a new interrupt").hasSize(messages + 1);
      assertThat(rig.driver.service()).isEmpty();
      assertThat(rig.faults).hasSize(4);
    }
  }

  @Test
  void faults_that_come_while_the_driver_is_at_it_are_announced_or_taken() {
    // Whenever a record arrives between two register accesses of service(), it is either taken by
    // it or announced by an interrupt after it.
    for (int when = 1; when < 16; when++) {
      int moment = when;
      AtomicInteger accesses = new AtomicInteger(Integer.MIN_VALUE);
      Rig[] self = new Rig[1];
      try (Rig rig =
          Rig.with()
              .messages()
              .driver("fault_entries", 4)
              .wrap(
                  (unit, memory) ->
                      new Tampered(unit) {
                        @Override
                        public long read(long offset, int size) {
                          strike();
                          return super.read(offset, size);
                        }

                        @Override
                        public void write(long offset, int size, long value) {
                          strike();
                          super.write(offset, size, value);
                        }

                        private void strike() {
                          if (accesses.incrementAndGet() == moment) {
                            self[0].translate(0x77, 0x7000, Access.READ);
                          }
                        }
                      })
              .build()) {
        self[0] = rig;
        for (int before : new int[] {0, 1, 2, 3, 8}) {
          fault(rig, before);
          rig.messages.clear();
          accesses.set(0);
          rig.driver.service();
          accesses.set(Integer.MIN_VALUE);
          boolean taken = rig.faults.stream().anyMatch(f -> f.source() == 0x77);
          boolean queued = read(rig, Registers.FQT) != read(rig, Registers.FQH);
          assertThat(queued && rig.messages.isEmpty())
              .as("moment %d, %d before: queued without interrupt", moment, before)
              .isFalse();
          rig.driver.service();
          rig.driver.service();
          taken |= rig.faults.stream().anyMatch(f -> f.source() == 0x77);
          rig.faults.clear();
          rig.messages.clear();
          // Whatever happened, the queue works and announces itself.
          fault(rig, 1);
          assertThat(rig.messages).as("moment %d, %d before", moment, before).hasSize(1);
          assertThat(rig.newFaults()).hasSize(1);
          assertThat(taken || before == 8 || before == 3 || moment > 8).isTrue();
        }
      }
    }
  }

  @Test
  void a_memory_fault_of_the_fault_queue_is_survived() {
    try (Rig rig = Rig.with().messages().build()) {
      rig.memory.inject(base(rig, Registers.FQB), 4096, Failure.WRITE_ACCESS);
      fault(rig, 2);
      rig.memory.clearInjections();
      assertThat(rig.driver.service())
          .containsExactly("fault queue: memory fault, a record was lost");
      fault(rig, 2);
      assertThat(rig.newFaults()).hasSize(2);
    }
  }

  // Command queue

  @Test
  void more_commands_than_the_queue_holds_are_fed_in() {
    try (Rig rig =
        Rig.with()
            .capabilities(Rig.BASE, Capabilities.SV39)
            .driver("command_entries", 4)
            .driver("flush_limit", 1000)
            .build()) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      domain.map(0, Rig.DATA + 0x1000, 300 << 12, RW);
      for (int i = 0; i < 300; i++) {
        assertThat(rig.translate(DEVICE, (long) i << 12, Access.READ)).isTrue();
      }
      domain.unmap(0, 300 << 12);
      for (int i = 0; i < 300; i++) {
        assertThat(rig.translate(DEVICE, (long) i << 12, Access.READ)).isFalse();
      }
    }
  }

  /** Fails the unit's reads of the command queue until the driver looks at cqcsr so many times. */
  private static Rig.Builder failing(AtomicInteger looks, Failure how) {
    return Rig.with()
        .wrap(
            (unit, memory) ->
                new Tampered(unit) {
                  @Override
                  public long read(long offset, int size) {
                    if (offset == Registers.CQCSR.offset() && looks.decrementAndGet() == 0) {
                      memory.clearInjections();
                    }
                    return super.read(offset, size);
                  }
                });
  }

  @Test
  void commands_that_the_unit_could_not_read_are_repeated() {
    for (Failure how : List.of(Failure.POISON)) {
      AtomicInteger looks = new AtomicInteger(Integer.MAX_VALUE);
      try (Rig rig = failing(looks, how).build()) {
        Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
        domain.attach(DEVICE);
        domain.map(0x1000, Rig.DATA, 0x1000, RW);
        assertThat(rig.translate(DEVICE, 0x1000, Access.READ)).isTrue();
        looks.set(1);
        rig.memory.inject(base(rig, Registers.CQB), 4096, how);
        domain.unmap(0x1000, 0x1000);
        assertThat(rig.translate(DEVICE, 0x1000, Access.READ)).isFalse();
        assertThat(rig.driver.service())
            .singleElement()
            .asString()
            .contains("command queue: memory fault");
      }
    }
  }

  @Test
  void a_command_queue_that_stays_unreadable_is_an_error_and_the_page_is_not_reused() {
    AtomicInteger looks = new AtomicInteger(Integer.MAX_VALUE);
    Rig rig = failing(looks, Failure.POISON).build();
    Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
    domain.map(0, Rig.DATA, 0x1000, RW);
    long used = rig.frames.inUse();
    rig.memory.inject(base(rig, Registers.CQB), 4096, Failure.POISON);
    assertThatThrownBy(() -> domain.unmap(0, 1 << 30))
        .isInstanceOf(DriverException.class)
        .hasMessageContaining("cannot read its commands");
    assertThat(rig.frames.inUse()).as("its tables are not given back").isEqualTo(used);
    rig.memory.clearInjections();
    rig.close();
  }

  @Test
  void an_attachment_that_failed_is_made_up_for_by_the_next() {
    for (boolean process : new boolean[] {false, true}) {
      AtomicInteger looks = new AtomicInteger(Integer.MAX_VALUE);
      try (Rig rig = failing(looks, Failure.POISON).build()) {
        int pasid = process ? 5 : -1;
        Domain old = rig.driver.createDomain(DomainType.DMA_STRICT);
        Domain next = rig.driver.createDomain(DomainType.DMA_STRICT);
        old.map(0x1000, Rig.DATA, 0x1000, RW);
        next.map(0x1000, Rig.DATA + 0x1000, 0x1000, RW);
        attach(old, pasid);
        assertThat(rig.translate(DEVICE, pasid, 0x1000, Access.READ)).isTrue();
        rig.memory.inject(base(rig, Registers.CQB), 4096, Failure.POISON);
        assertThatThrownBy(() -> attach(next, pasid)).isInstanceOf(DriverException.class);
        rig.memory.clearInjections();
        assertThat(rig.driver.attached()).isEmpty();
        assertThat(rig.driver.domainOf(DEVICE).type()).isEqualTo(DomainType.BLOCKED);
        attach(next, pasid);
        assertThat(rig.translate(DEVICE, pasid, 0x1000, Access.READ)).isTrue();
        assertThat(rig.translation.pa()).isEqualTo(Rig.DATA + 0x1000);
        attach(old, pasid);
        assertThat(rig.translate(DEVICE, pasid, 0x1000, Access.READ)).isTrue();
        assertThat(rig.translation.pa()).isEqualTo(Rig.DATA);
      }
    }
  }

  private static void attach(Domain domain, int pasid) {
    if (pasid < 0) {
      domain.attach(DEVICE);
    } else {
      domain.attach(DEVICE, pasid);
    }
  }

  @Test
  void an_illegal_command_is_reported_with_its_bits() {
    // A unit that claims non-leaf invalidation and does not have it.
    try (Rig rig =
        Rig.with()
            .capabilities(Rig.BASE, Capabilities.SV39)
            .wrap(
                (unit, memory) ->
                    new Tampered(unit) {
                      @Override
                      public long read(long offset, int size) {
                        long value = super.read(offset, size);
                        return offset == 0 ? value | Capabilities.NL.mask() : value;
                      }
                    })
            .build()) {
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.map(0, Rig.DATA, 0x1000, RW);
      assertThatThrownBy(() -> domain.unmap(0, 1 << 21))
          .isInstanceOf(DriverException.class)
          .hasMessageContaining("illegal")
          .hasMessageContaining("0x0000000500001401");
      // The queue works again, but what it would not do is not done.
      Domain other = rig.driver.createDomain(DomainType.DMA_STRICT);
      other.map(0, Rig.DATA, 0x1000, RW);
      assertThat(other.unmap(0, 0x1000)).isEqualTo(0x1000);
      assertThatThrownBy(() -> domain.map(0, Rig.DATA, 0x1000, RW))
          .isInstanceOf(DriverException.class)
          .hasMessageContaining("illegal");
    }
  }
}
