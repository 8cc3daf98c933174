/**
 * Registers and in-memory formats of AMD-Vi, declared once as data: model, driver, decoders and
 * tests read the same lines. Each name is the specification's: "AMD I/O Virtualization Technology
 * (IOMMU) Specification", publication 48882, cited as "48882".
 */
@NullMarked
package org.iommu4j.amdvi.layout;

import org.jspecify.annotations.NullMarked;
