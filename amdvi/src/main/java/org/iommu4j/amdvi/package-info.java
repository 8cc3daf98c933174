/**
 * AMD I/O Virtualization Technology, the AMD IOMMU, as publication 48882 and the drivers and
 * emulators that follow it describe it.
 */
@NullMarked
package org.iommu4j.amdvi;

import org.jspecify.annotations.NullMarked;
