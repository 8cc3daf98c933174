/** Who reaches what, computed from the tables that the hardware would read. */
@NullMarked
package org.iommu4j.machine.reach;

import org.jspecify.annotations.NullMarked;
