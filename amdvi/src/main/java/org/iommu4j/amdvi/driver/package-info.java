/**
 * The driver of AMD-Vi: what a kernel would do with a unit, through its registers and memory only.
 *
 * <p>Follows publication 48882; where that leaves a choice, this driver does what Linux does.
 *
 * <p>Left out:
 *
 * <ul>
 *   <li>SNP, virtual IOMMUs, MARC, SMI filters, secure ATS, performance counters;
 *   <li>segmented device tables, dual logs, exclusion ranges (what firmware reserves is mapped
 *       1:1);
 *   <li>accessed and dirty bits of host tables;
 *   <li>the upper half of the canonical address space;
 *   <li>the capability block: what it says (NpCache, IotlbSup) is a setting, because it lies in
 *       configuration space;
 *   <li>workarounds for errata of single processors;
 *   <li>taking over a unit that someone else has turned on.
 * </ul>
 *
 * <p>Choices:
 *
 * <ul>
 *   <li>commands are submitted in batches that end with a COMPLETION_WAIT, one batch at a time;
 *   <li>an entry that translates is blocked before it changes: in between the device's requests are
 *       refused and reported;
 *   <li>with guest tables every device has a domain id of its own, because caches tell its address
 *       spaces apart by PASID; with host tables every domain has one;
 *   <li>PASID 0 stands for requests without PASID (GIOV); a device's cache is asked about both;
 *   <li>nested domains are there with GCR3TRPMode only, as in Linux: a guest's GCR3 table lies in
 *       its own memory. Each has a domain id, and what its parent unmaps is forgotten under all of
 *       them;
 *   <li>a device in a domain of host tables, nested or not, has no PASIDs of the driver's;
 *   <li>a device on a guest's GCR3 table of two or three levels caches nothing itself: no command
 *       makes it forget all PASIDs;
 *   <li>messages to virtual processors are logged while those do not run if they are urgent
 *       (GALogIntr);
 *   <li>a device that leaves an invalidation unanswered loses ATS;
 *   <li>a closed driver leaves the unit on and everything blocked, because off means untranslated:
 *       the device table stays allocated.
 * </ul>
 */
@NullMarked
package org.iommu4j.amdvi.driver;

import org.jspecify.annotations.NullMarked;
