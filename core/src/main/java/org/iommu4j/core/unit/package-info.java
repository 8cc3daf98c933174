/** What the models of all architectures are built on; nothing that who embeds one has to know. */
@NullMarked
package org.iommu4j.core.unit;

import org.jspecify.annotations.NullMarked;
