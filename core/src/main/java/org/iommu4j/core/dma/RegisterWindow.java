package org.iommu4j.core.dma;

import org.iommu4j.core.memory.Mmio;

/**
 * A range of a unit's registers apart from its register page, for the embedding program to place:
 *
 * <pre>{@code
 * for (RegisterWindow w : iommu.registerWindows()) {
 *   memory.addDevice(w.base(), w.bytes(), w.registers());
 * }
 * }</pre>
 *
 * @param name the specification's name of the range
 * @param base where the unit's own registers say that it is; 0 if it was not placed
 * @param bytes its size
 * @param registers what is in it, offsets from its beginning
 */
public record RegisterWindow(String name, long base, long bytes, Mmio registers) {}
