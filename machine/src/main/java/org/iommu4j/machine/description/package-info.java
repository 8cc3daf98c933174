/** Platform files: YAML, checked by a schema, read into records that know where they stood. */
@NullMarked
package org.iommu4j.machine.description;

import org.jspecify.annotations.NullMarked;
