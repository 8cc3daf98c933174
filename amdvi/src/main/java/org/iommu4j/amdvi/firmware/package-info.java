/**
 * IVRS, the ACPI table that tells where AMD-Vi units are, which devices are behind them, and which
 * memory firmware still uses through them; read and written. Follows 48882, "I/O Virtualization
 * ACPI Table", revisions 1 and 2 of the table.
 *
 * <p>Errors are what Linux refuses, what makes it go round for ever, or what cannot be read without
 * guessing; what Linux goes on with is in {@link org.iommu4j.amdvi.firmware.Ivrs#warnings}.
 *
 * <p>What is read can be written again byte for byte if reserved bytes are 0. The order of blocks
 * and entries is kept; those of types that came later are kept as they are.
 */
@NullMarked
package org.iommu4j.amdvi.firmware;

import org.jspecify.annotations.NullMarked;
