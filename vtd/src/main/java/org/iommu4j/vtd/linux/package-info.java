/**
 * What Linux says about VT-d units: the log lines of its drivers (prefixes {@code DMAR} and {@code
 * DMAR-IR}) as of Linux 7.2 and, where faults and tables are concerned, the older spellings as
 * well; and their files below {@code /sys/class/iommu}.
 */
@NullMarked
package org.iommu4j.vtd.linux;

import org.jspecify.annotations.NullMarked;
