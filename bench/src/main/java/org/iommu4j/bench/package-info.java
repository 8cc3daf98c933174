/** Benchmarks: machines with real tables, and what is measured on them. */
@NullMarked
package org.iommu4j.bench;

import org.jspecify.annotations.NullMarked;
