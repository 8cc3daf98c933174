/** Workloads that take raw tables to set up; they know the layout, not the model. */
@NullMarked
package org.iommu4j.riscv.workload;

import org.jspecify.annotations.NullMarked;
