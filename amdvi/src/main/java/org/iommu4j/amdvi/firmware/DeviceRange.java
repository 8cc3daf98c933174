package org.iommu4j.amdvi.firmware;

/**
 * Devices that a unit's entries name together.
 *
 * @param first lowest DeviceID
 * @param last highest DeviceID
 * @param setting DTE setting
 * @param alias what their requests carry as DeviceID, {@link #NO_ALIAS} if their own
 * @param extended extended DTE setting, 0 if there is none
 */
public record DeviceRange(int first, int last, int setting, int alias, long extended) {
  /** The devices' requests carry their own ids. */
  public static final int NO_ALIAS = -1;

  /** Whether the device is one of them. */
  public boolean covers(int deviceId) {
    return deviceId >= first && deviceId <= last;
  }

  /** How many there are. */
  public int size() {
    return last - first + 1;
  }
}
