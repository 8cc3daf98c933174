package org.iommu4j.driver.support;

import java.util.HashMap;
import java.util.Map;
import java.util.TreeSet;
import org.iommu4j.core.dma.Access;
import org.iommu4j.driver.DomainType;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.Interrupt;
import org.iommu4j.driver.ReservedRegion;
import org.jspecify.annotations.Nullable;

/**
 * Interrupt messages of architectures where they are writes like any other: the page that one is
 * written to is mapped, for writing, into whatever translating domain the device is in.
 *
 * <p>Each target page has one slot in a window of device addresses, the same for all devices and
 * domains, so that a device that moves from one translating domain to another need not be
 * programmed anew.
 *
 * <p>Threads: serialised.
 */
public final class MappedMessages {
  private static final int PAGE_SHIFT = 12;
  private static final long PAGE = 1L << PAGE_SHIFT;
  private static final long OFFSET = PAGE - 1;

  private static final class Slot {
    final long page;
    final int number;
    int users;

    Slot(long page, int number) {
      this.page = page;
      this.number = number;
    }
  }

  private final BaseDriver<?> driver;
  private final long base;
  private final int count;
  private final int paBits;
  private final Map<Long, Slot> slots = new HashMap<>();
  private final TreeSet<Integer> returned = new TreeSet<>();
  private int fresh;

  /**
   * A window without any message.
   *
   * @param base first device address of the window, a multiple of 4096
   * @param bytes its size, a multiple of 4096: 4096 for every page that messages are written to
   * @param paBits bits of a physical address that a mapping can lead to
   */
  public MappedMessages(BaseDriver<?> driver, long base, long bytes, int paBits) {
    this.driver = driver;
    this.base = base;
    this.count = (int) (bytes >>> PAGE_SHIFT);
    this.paBits = paBits;
  }

  /** The window. */
  public ReservedRegion region() {
    return new ReservedRegion(
        base,
        base + ((long) count << PAGE_SHIFT) - 1,
        ReservedRegion.Kind.MESSAGES,
        "the driver maps interrupt messages here");
  }

  /** See {@link org.iommu4j.driver.IommuDriver#interrupt}. */
  public Interrupt open(int source, long targetAddress, int targetData) {
    return new Message(source, targetAddress, targetData);
  }

  private void check(long address) {
    if (address >>> paBits != 0 || (address & 3) != 0) {
      throw new IllegalArgumentException(
          "a message to 0x%x: its address is a multiple of 4 below 0x%x"
              .formatted(address, 1L << paBits));
    }
  }

  private synchronized Slot take(long address) {
    long page = address & -PAGE;
    Slot slot = slots.get(page);
    if (slot == null) {
      Integer number = returned.pollFirst();
      if (number == null) {
        if (fresh == count) {
          throw new DriverException(
              "messages go to %d pages already, and 0x%x has no room in 0x%x..0x%x: close interrupts"
                      .formatted(count, page, region().first(), region().last())
                  + " that are not needed");
        }
        number = fresh++;
      }
      slot = new Slot(page, number);
      slots.put(page, slot);
    }
    slot.users++;
    return slot;
  }

  private synchronized void giveBack(Slot slot) {
    if (--slot.users == 0) {
      slots.remove(slot.page);
      returned.add(slot.number);
    }
  }

  private long iova(Slot slot) {
    return base + ((long) slot.number << PAGE_SHIFT);
  }

  private Fixture fixture(Slot slot) {
    return new Fixture(iova(slot), slot.page, PAGE, Access.WRITE);
  }

  private final class Message implements Interrupt {
    private final int source;
    private @Nullable Slot slot;

    /** What the device may still be programmed with. */
    private @Nullable Slot before;

    private long address;
    private int data;

    Message(int source, long address, int data) {
      this.source = source;
      this.address = address;
      this.data = data;
      this.slot = reach(address);
    }

    private Slot reach(long target) {
      check(target);
      Slot s = take(target);
      try {
        driver.fix(source, fixture(s));
      } catch (IllegalStateException | DriverException e) {
        giveBack(s);
        throw e;
      }
      return s;
    }

    private void leave(@Nullable Slot s) {
      if (s != null) {
        driver.unfix(source, fixture(s));
        giveBack(s); // only now: nobody can reach the page at this address any more
      }
    }

    @Override
    public int source() {
      return source;
    }

    @Override
    public synchronized long address() {
      Slot s = slot;
      return s == null || driver.typeOf(source) == DomainType.IDENTITY
          ? address
          : iova(s) | address & OFFSET;
    }

    @Override
    public synchronized int data() {
      return data;
    }

    @Override
    public synchronized void retarget(long targetAddress, int targetData) {
      Slot s = slot;
      if (s == null) {
        throw new IllegalStateException("the interrupt is closed");
      }
      if ((targetAddress & -PAGE) != s.page) {
        Slot next = reach(targetAddress);
        Slot old = before;
        before = s;
        slot = next;
        address = targetAddress;
        data = targetData;
        leave(old);
      } else {
        check(targetAddress);
        address = targetAddress;
        data = targetData;
      }
    }

    @Override
    public void post(long descriptor, int vector, boolean urgent) {
      throw new IllegalArgumentException(
          "messages cannot be posted here: no table of the unit remaps them");
    }

    @Override
    public synchronized void close() {
      Slot now = slot;
      Slot old = before;
      slot = null;
      before = null;
      try {
        leave(now);
      } finally {
        leave(old);
      }
    }
  }
}
