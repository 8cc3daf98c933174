/**
 * Registers and in-memory formats of VT-d, declared once as data: model, driver, decoders and tests
 * read the same lines. Each name is the specification's.
 */
@NullMarked
package org.iommu4j.vtd.layout;

import org.jspecify.annotations.NullMarked;
