/**
 * Intel Virtualization Technology for Directed I/O, as its architecture specification, revision
 * 5.10 (D51397-018), describes it. Sections named "§" are of that document.
 */
@NullMarked
package org.iommu4j.vtd;

import org.jspecify.annotations.NullMarked;
