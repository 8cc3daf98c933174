/**
 * The driver of Intel VT-d: what a kernel would do with a remapping unit, through its registers and
 * memory only.
 *
 * <p>Follows the architecture specification, revision 5.10, and from version 1.0 on whatever a unit
 * announces of it; what has to be invalidated after which change is its chapter 6, "Caching
 * Translation Information". Where it leaves a choice, this driver does what Linux does.
 *
 * <p>Left out:
 *
 * <ul>
 *   <li>advanced fault logging, extended root and context entries, 2-level and 6-level tables: they
 *       are gone from the architecture;
 *   <li>memory types, forced snooping, execute permission (SSIRWE), accessed and dirty bits of
 *       second stages, privileged requests (SRE = 0), host permission tables, translated requests
 *       with PASID;
 *   <li>enhanced and virtual commands, performance counters, resource ids;
 *   <li>cache-line flushes for units that do not snoop their tables: memory is coherent here;
 *   <li>the upper half of the canonical address space;
 *   <li>taking over a unit that someone else has turned on.
 * </ul>
 *
 * <p>Choices:
 *
 * <ul>
 *   <li>descriptors are submitted in batches that end with a wait, one batch at a time;
 *   <li>an entry that changes while it is present is made not present, forgotten, and made anew: in
 *       between the device's requests are blocked and reported;
 *   <li>domain id 0 is nobody's, 1 is everybody's who passes through, and each table has one of its
 *       own, in first-stage and nested domains, too;
 *   <li>PASID 0 stands for requests without PASID (RID_PASID);
 *   <li>a device whose functions are unknown to us is its own physical function (PFSID);
 *   <li>a device that leaves an invalidation unanswered loses ATS;
 *   <li>a closed driver leaves the unit on and everything blocked, because off means untranslated:
 *       in abort mode where there is one, else over an empty root table, which stays allocated.
 * </ul>
 */
@NullMarked
package org.iommu4j.vtd.driver;

import org.jspecify.annotations.NullMarked;
