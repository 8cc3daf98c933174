/** The portable software side: domains, mapping, attachment, interrupt messages, fault handling. */
@NullMarked
package org.iommu4j.driver;

import org.jspecify.annotations.NullMarked;
