/**
 * The vector format {@code riscv-ref}, as {@code vectors/riscv-ref/FORMAT.md} defines it.
 *
 * <p>The layouts of registers, queues and records are stated here once more, from that document:
 * what checks a model must not read its declarations.
 */
@NullMarked
package org.iommu4j.conformance.riscvref;

import org.jspecify.annotations.NullMarked;
