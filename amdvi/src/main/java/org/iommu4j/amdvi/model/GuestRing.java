package org.iommu4j.amdvi.model;

import org.iommu4j.amdvi.layout.PrivateSpace;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.amdvi.layout.VirtualFunction;
import org.iommu4j.amdvi.layout.VirtualFunctionControl;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.bits.RegisterFile;

/** The rings of a guest's IOMMU: which registers place them, and where they are without. */
enum GuestRing {
  COMMANDS(
      VirtualFunctionControl.COMMAND_CONTROL,
      VirtualFunctionControl.BASE,
      VirtualFunctionControl.COMMAND_CONTROL,
      VirtualFunctionControl.LEN,
      VirtualFunction.COMMAND_HEAD,
      VirtualFunction.COMMAND_TAIL,
      PrivateSpace.COMMANDS),
  EVENTS(
      VirtualFunctionControl.EVENT_CONTROL,
      VirtualFunctionControl.BASE,
      VirtualFunctionControl.EVENT_CONTROL,
      VirtualFunctionControl.LEN,
      VirtualFunction.EVENT_HEAD,
      VirtualFunction.EVENT_TAIL,
      PrivateSpace.EVENT_LOG),
  EVENTS_B(
      VirtualFunctionControl.EVENT_B_CONTROL,
      VirtualFunctionControl.BASE,
      VirtualFunctionControl.EVENT_CONTROL,
      VirtualFunctionControl.LEN_B,
      VirtualFunction.EVENT_B_HEAD,
      VirtualFunction.EVENT_B_TAIL,
      PrivateSpace.EVENT_LOG_B),
  PPR(
      VirtualFunctionControl.PPR_CONTROL,
      VirtualFunctionControl.PPR_BASE,
      VirtualFunctionControl.PPR_CONTROL,
      VirtualFunctionControl.LEN,
      VirtualFunction.PPR_HEAD,
      VirtualFunction.PPR_TAIL,
      PrivateSpace.PPR_LOG),
  PPR_B(
      VirtualFunctionControl.PPR_B_CONTROL,
      VirtualFunctionControl.BASE,
      VirtualFunctionControl.PPR_CONTROL,
      VirtualFunctionControl.LEN_B,
      VirtualFunction.PPR_B_HEAD,
      VirtualFunction.PPR_B_TAIL,
      PrivateSpace.PPR_LOG_B);

  /** Bytes of an entry of any ring. */
  static final int ENTRY = 16;

  /** The shortest length that there is: 256 entries. */
  private static final int SHORTEST = 8;

  private final Register baseRegister;
  private final Field base;
  private final Register lengthRegister;
  private final Field length;
  final Register head;
  final Register tail;
  private final long privateBase;

  GuestRing(
      Register baseRegister,
      Field base,
      Register lengthRegister,
      Field length,
      Register head,
      Register tail,
      long privateBase) {
    this.baseRegister = baseRegister;
    this.base = base;
    this.lengthRegister = lengthRegister;
    this.length = length;
    this.head = head;
    this.tail = tail;
    this.privateBase = privateBase;
  }

  /** Whether the control registers hold a length that there is. */
  boolean valid(RegisterFile control) {
    return control.get(lengthRegister, length) >= SHORTEST;
  }

  /** Bytes of the ring, 16 to 512 KiB. */
  long bytes(RegisterFile control) {
    return (long) ENTRY << control.get(lengthRegister, length);
  }

  /** The guest-physical address of what a pointer names. */
  long address(RegisterFile control, long pointer) {
    return (control.get(baseRegister, base) << 12) + pointer;
  }

  /** The same in the private address space, for GstBufferTRPMode = 0. */
  long privateAddress(int guest, long pointer) {
    return privateBase + ((long) guest << PrivateSpace.RING_SHIFT) + pointer;
  }

  /**
   * Of a log with two rings: the field that tells where they are is the first's or the second's.
   */
  static GuestRing events(RegisterFile page) {
    return page.get(VirtualFunction.STATUS, Registers.EVENT_LOG_ACTIVE) != 0 ? EVENTS_B : EVENTS;
  }

  static GuestRing pageRequests(RegisterFile page) {
    return page.get(VirtualFunction.STATUS, Registers.PPR_LOG_ACTIVE) != 0 ? PPR_B : PPR;
  }

  /** The other ring of the same log. */
  GuestRing other() {
    return switch (this) {
      case EVENTS -> EVENTS_B;
      case EVENTS_B -> EVENTS;
      case PPR -> PPR_B;
      case PPR_B -> PPR;
      case COMMANDS -> COMMANDS;
    };
  }

  boolean isSecond() {
    return this == EVENTS_B || this == PPR_B;
  }
}
