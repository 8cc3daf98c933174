/**
 * What Linux says about AMD-Vi units: the log lines of its driver (prefix {@code AMD-Vi}) as of
 * Linux 7.2 and, where events, units and tables are concerned, the older spellings as well; and
 * their files below {@code /sys/class/iommu}.
 */
@NullMarked
package org.iommu4j.amdvi.linux;

import org.jspecify.annotations.NullMarked;
