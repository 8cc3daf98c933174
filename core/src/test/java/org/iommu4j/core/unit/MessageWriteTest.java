package org.iommu4j.core.unit;

import static org.assertj.core.api.Assertions.assertThat;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.dma.InterruptRequest;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.core.testing.ToyIommu;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MessageWriteTest {
  private static final long RAM = 0x8000_0000L;

  private final PhysicalMemory memory = new PhysicalMemory();
  private final ToyIommu unit = new ToyIommu();
  private final InterruptDelivery out = new InterruptDelivery();

  MessageWriteTest() {
    memory.addAnonymous(RAM, 1 << 20);
  }

  @AfterEach
  void close() {
    memory.close();
  }

  private static InterruptRequest message(long address) {
    return new InterruptRequest().set(0x10, address, 0x1234_5678);
  }

  @Test
  void a_message_is_written_where_its_address_leads() {
    unit.map(0x5000, RAM, Access.READ | Access.WRITE);
    assertThat(new MessageWrite(unit, memory).deliver(message(0x5008), out)).isTrue();
    assertThat(out.kind()).isEqualTo(InterruptDelivery.Kind.WRITTEN);
    assertThat(out.address()).isEqualTo(RAM + 8);
    assertThat(memory.readInt(RAM + 8)).isEqualTo(0x1234_5678);
  }

  @Test
  void a_blocked_message_has_the_reason_of_its_translation() {
    assertThat(new MessageWrite(unit, memory).deliver(message(0x5008), out)).isFalse();
    assertThat(out.reason()).isEqualTo(ToyIommu.Reason.NOT_MAPPED);
  }

  @Test
  void a_message_that_is_not_aligned_is_not_translated() {
    unit.map(0x5000, RAM, Access.READ | Access.WRITE);
    assertThat(new MessageWrite(unit, memory).deliver(message(0x5002), out)).isFalse();
    assertThat(out.reason()).isNull();
    assertThat(unit.asked).isEmpty();
  }

  @Test
  void a_message_to_where_nothing_is_is_not_delivered() {
    unit.map(0x5000, 0x10_0000_0000L, Access.READ | Access.WRITE);
    assertThat(new MessageWrite(unit, memory).deliver(message(0x5008), out)).isFalse();
    assertThat(out.reason()).isNull();
  }

  @Test
  void what_ends_at_a_message_target_is_delivered_there() {
    unit.mapMessage(0x5000);
    MessageWrite writes =
        new MessageWrite(
            unit,
            memory,
            (request, translation, data, delivery) -> {
              assertThat(request.iova()).isEqualTo(0x5008);
              delivery.deliver(InterruptDelivery.Kind.RECORDED, 0x77, data, 0);
              return true;
            });
    assertThat(writes.deliver(message(0x5008), out)).isTrue();
    assertThat(out.kind()).isEqualTo(InterruptDelivery.Kind.RECORDED);
    assertThat(out.address()).isEqualTo(0x77);
  }

  @Test
  void a_unit_without_message_targets_blocks_what_ends_at_one() {
    unit.mapMessage(0x5000);
    assertThat(new MessageWrite(unit, memory).deliver(message(0x5008), out)).isFalse();
  }
}
