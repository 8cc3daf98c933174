package org.iommu4j.machine;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.dma.Fault;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.IommuDriver;
import org.jspecify.annotations.Nullable;

/** An IOMMU of a platform, with the driver that programs it; a captured one has no driver. */
public final class Unit implements AutoCloseable {
  private final String name;
  private final Architecture architecture;
  private final Iommu iommu;
  private final long base;
  private final @Nullable IommuDriver driver;
  private final List<Fault> faults = new ArrayList<>();

  /**
   * A unit of a platform.
   *
   * @param base the physical address of its registers
   * @param driver what programs it; started already
   */
  public Unit(
      String name,
      Architecture architecture,
      Iommu iommu,
      long base,
      @Nullable IommuDriver driver) {
    this.name = name;
    this.architecture = architecture;
    this.iommu = iommu;
    this.base = base;
    this.driver = driver;
    if (driver != null) {
      driver.onFault(faults::add);
    }
  }

  /** Its name. */
  public String name() {
    return name;
  }

  /** Its architecture. */
  public Architecture architecture() {
    return architecture;
  }

  /** The hardware. */
  public Iommu iommu() {
    return iommu;
  }

  /** The physical address of its registers. */
  public long base() {
    return base;
  }

  /** Whether a driver programs it. */
  public boolean driven() {
    return driver != null;
  }

  /**
   * What programs it.
   *
   * @throws IllegalStateException if nothing does
   */
  public IommuDriver driver() {
    if (driver == null) {
      throw new IllegalStateException(name + " was captured, no driver programs it");
    }
    return driver;
  }

  /**
   * Does what the interrupt handler does, and hands over the faults that it found.
   *
   * @param conditions takes what the handler met besides records
   */
  public List<Fault> service(List<String> conditions) {
    if (driver == null) {
      return List.of();
    }
    try {
      conditions.addAll(driver.service());
    } catch (DriverException e) {
      conditions.add("the driver gave up: " + e.getMessage());
    }
    List<Fault> taken = List.copyOf(faults);
    faults.clear();
    return taken;
  }

  /** Takes the unit down. */
  @Override
  public void close() {
    if (driver != null) {
      try {
        driver.close();
      } catch (DriverException e) {
        // The platform goes, and its memory with it: a unit that will not be quiet harms no one.
        System.getLogger(Unit.class.getName())
            .log(System.Logger.Level.DEBUG, name + " did not come down", e);
      }
    }
  }
}
