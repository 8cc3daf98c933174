/** The commands. */
@NullMarked
package org.iommu4j.cli;

import org.jspecify.annotations.NullMarked;
