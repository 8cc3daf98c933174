/** The vector format of the QEMU vectors, as {@code vectors/qemu/FORMAT.md} defines it. */
@NullMarked
package org.iommu4j.conformance.qemu;

import org.jspecify.annotations.NullMarked;
