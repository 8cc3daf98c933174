package org.iommu4j.machine;

import org.iommu4j.driver.Interrupt;

/**
 * An interrupt that a driver made for a device.
 *
 * @param name its name
 * @param endpoint the device
 * @param target where it arrives
 * @param data what arrives there: the identity, or on a PC the vector
 * @param message what the device is programmed with
 */
public record DeviceInterrupt(
    String name, Endpoint endpoint, InterruptTarget target, int data, Interrupt message) {}
