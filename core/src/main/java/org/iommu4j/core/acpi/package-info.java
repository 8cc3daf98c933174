/** What all ACPI tables share: the header, bounded reading, writing with lengths and checksum. */
@NullMarked
package org.iommu4j.core.acpi;

import org.jspecify.annotations.NullMarked;
