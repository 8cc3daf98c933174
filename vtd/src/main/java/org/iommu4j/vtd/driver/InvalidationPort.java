package org.iommu4j.vtd.driver;

import java.util.List;

/** How invalidations are carried out: through the queue, or one by one through registers. */
interface InvalidationPort {
  void start();

  void stop();

  /**
   * Carries out a batch. When it returns, all of it is complete, and no access that was made under
   * what it removed is in flight.
   *
   * @throws org.iommu4j.driver.DriverException if the unit refuses one, or does not get on
   */
  void run(Descriptors batch);

  /**
   * The same for a batch that asks devices.
   *
   * @return false if a device did not answer in time; its cache may hold what it did
   */
  boolean ask(Descriptors batch);

  /** What went wrong since the last call, for people. */
  List<String> conditions();
}
