/**
 * DMAR, the ACPI table that tells where VT-d units are, which devices are behind them, and which
 * memory firmware still uses through them; read and written. Follows VT-d 5.10 §8.
 *
 * <p>Errors are what Linux refuses or what cannot be read without guessing; what Linux complains
 * about and goes on with is in {@link org.iommu4j.vtd.firmware.Dmar#warnings}.
 *
 * <p>What is read can be written again byte for byte if reserved bytes are 0. The order of the
 * structures is kept, and structures of types that came later are kept as they are.
 */
@NullMarked
package org.iommu4j.vtd.firmware;

import org.jspecify.annotations.NullMarked;
