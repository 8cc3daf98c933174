/**
 * Concurrency tests (jcstress) of the promise that an invalidation reported complete is complete.
 *
 * <p>Run with {@code bin/java25 -jar bench/target/jcstress.jar -m quick -t stress}.
 */
@NullMarked
package org.iommu4j.bench.stress;

import org.jspecify.annotations.NullMarked;
