/**
 * A second reading of the specification, slow and obvious: what one request comes to, given memory
 * and registers. It knows neither caches nor the model nor its layouts, and is what the model is
 * compared with.
 */
package org.iommu4j.amdvi.oracle;
