package org.iommu4j.driver.support;

import org.iommu4j.driver.Interrupt;

/** A message on a unit that does not remap any: the device sends it as it shall arrive. */
public final class PlainInterrupt implements Interrupt {
  private final int source;
  private long address;
  private int data;
  private boolean closed;

  /** With what the device shall send, which a processor has to take. */
  public PlainInterrupt(int source, long address, int data) {
    PcMessage.check(address, data);
    this.source = source;
    this.address = address;
    this.data = data;
  }

  @Override
  public int source() {
    return source;
  }

  @Override
  public synchronized long address() {
    return address;
  }

  @Override
  public synchronized int data() {
    return data;
  }

  @Override
  public synchronized void retarget(long targetAddress, int targetData) {
    if (closed) {
      throw new IllegalStateException("the interrupt is closed");
    }
    PcMessage.check(targetAddress, targetData);
    address = targetAddress;
    data = targetData;
  }

  @Override
  public void post(long descriptor, int vector, boolean urgent) {
    throw new IllegalArgumentException("messages cannot be posted: the unit does not remap them");
  }

  /** Nothing keeps the device from sending it all the same. */
  @Override
  public synchronized void close() {
    closed = true;
  }
}
