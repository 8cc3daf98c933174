/** Vectors and captures, and what runs them against the models. */
@NullMarked
package org.iommu4j.conformance;

import org.jspecify.annotations.NullMarked;
