/** Checks a capture: what its kernel had mapped, and nothing else, has to come out. */
@NullMarked
package org.iommu4j.conformance.capture;

import org.jspecify.annotations.NullMarked;
