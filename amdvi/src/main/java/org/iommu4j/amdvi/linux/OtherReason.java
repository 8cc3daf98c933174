package org.iommu4j.amdvi.linux;

import org.iommu4j.amdvi.layout.EventCode;
import org.iommu4j.core.dma.FaultReason;

/** Reasons of events that only units with SEV-SNP log. */
enum OtherReason implements FaultReason {
  RMP_PAGE_FAULT(
      EventCode.RMP_PAGE_FAULT,
      "Reverse map table forbids the access",
      "the page belongs to a guest with SEV-SNP, or not to the one that the device is for"),
  RMP_HARDWARE(
      EventCode.RMP_HARDWARE_ERROR,
      "Reverse map table cannot be read",
      "the table lies where there is no memory, or the memory is bad");

  private final EventCode event;
  private final String title;
  private final String advice;

  OtherReason(EventCode event, String title, String advice) {
    this.event = event;
    this.title = title;
    this.advice = advice;
  }

  @Override
  public int code() {
    return event.code();
  }

  @Override
  public String title() {
    return title;
  }

  @Override
  public String advice() {
    return advice;
  }
}
