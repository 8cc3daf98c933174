package org.iommu4j.driver;

/**
 * One interrupt message of a device, made to arrive: what the device's MSI capability is to be
 * programmed with, so that its write becomes the message that was asked for.
 *
 * <pre>{@code
 * Interrupt irq = driver.interrupt(source, 0xFEE0_1000L, 0x41); // processor 1, vector 41h
 * device.programMsi(irq.address(), irq.data());
 * ...
 * irq.retarget(0xFEE0_2000L, 0x41); // processor 2
 * device.programMsi(irq.address(), irq.data()); // the same as before where a table remaps
 * }</pre>
 *
 * <p>Threads: all methods may be called from any thread.
 */
public interface Interrupt extends AutoCloseable {
  /** For {@link #runsOn}: no processor. */
  int NOWHERE = -1;

  /** Requester id of the device. */
  int source();

  /**
   * The address for the MSI capability. Where messages are translated as other writes are, it
   * depends on the domain that the device is in; {@link IommuDriver#interrupt} says how.
   */
  long address();

  /** The data for the MSI capability. */
  int data();

  /**
   * Makes the message arrive elsewhere. When it returns, the device is to be programmed with {@link
   * #address} and {@link #data} again, if they changed; what it sends until then still arrives, at
   * the old place if they changed and at the new one if not.
   *
   * @param targetAddress as for {@link IommuDriver#interrupt}
   * @param targetData as for {@link IommuDriver#interrupt}
   * @throws IllegalArgumentException if that cannot be reached
   * @throws IllegalStateException if the interrupt is closed
   * @throws DriverException if the unit does not do as it should
   */
  void retarget(long targetAddress, int targetData);

  /**
   * Posts the message to a processor of a virtual machine, until the next {@link #retarget} or
   * {@code post}: the unit sets the vector's bit in the descriptor, and notifies the processor that
   * runs it. When it returns, nothing goes to the old place any more.
   *
   * <p>Who is notified, the descriptor says on VT-d (NV, NDST, SN); elsewhere nobody is before
   * {@link #runsOn}.
   *
   * @param descriptor physical address of what the unit sets the bit in, in the architecture's
   *     format and alignment: on VT-d the posted-interrupt descriptor, on AMD-Vi the virtual APIC
   *     backing page; it has to stay there
   * @param vector virtual vector, 0..255
   * @param urgent somebody is told even while the virtual processor does not run: on VT-d whom the
   *     descriptor names, though it suppresses notifications; on AMD-Vi the driver, whose {@link
   *     IommuDriver#onPosted} tells
   * @throws IllegalArgumentException if the unit cannot post ({@link
   *     Capabilities#postedInterrupts}), or not there
   * @throws IllegalStateException if the interrupt is closed
   * @throws DriverException if the unit does not do as it should
   */
  void post(long descriptor, int vector, boolean urgent);

  /**
   * Says where the virtual processor runs that the message is posted to. Nothing is waited for: it
   * holds for messages that come from now on. Those that came while it ran nowhere are in the
   * descriptor only, and for the caller to find.
   *
   * <p>On VT-d this writes NDST and SN of the descriptor, which all interrupts with the same
   * descriptor share; NV is the caller's. On AMD-Vi each interrupt has to be told.
   *
   * @param processor APIC id of the processor that runs it, or {@link #NOWHERE}
   * @throws IllegalArgumentException if the unit cannot notify that processor
   * @throws IllegalStateException if the message is not posted, or the interrupt is closed
   */
  default void runsOn(int processor) {
    throw new IllegalStateException("the message is not posted");
  }

  /**
   * Takes the message away: when it returns, what the device sends with it is blocked and reported,
   * unless another interrupt of the device leads to the same place. Closing again does nothing.
   *
   * @throws DriverException if the unit does not do as it should
   */
  @Override
  void close();
}
