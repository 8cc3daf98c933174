package org.iommu4j.core;

import java.util.Collection;
import java.util.List;
import java.util.ServiceLoader;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.iotlb.CacheBehaviour;

/**
 * One IOMMU architecture: the hardware half of its module, found through {@link ServiceLoader}.
 * Adding an architecture is adding a module that provides this (and the driver's counterpart).
 */
public interface Architecture {
  /**
   * One setting of a unit.
   *
   * @param name as it is written in a platform file
   * @param type what may be written
   * @param standard the default, as text
   * @param meaning one sentence
   */
  record Option(String name, String type, String standard, String meaning) {}

  /** Short lower-case name: {@code riscv}, {@code vtd}, {@code amdvi}, {@code smmuv3}, ... */
  String id();

  /** The architecture's own name. */
  String title();

  /** The specification and revision that the model follows. */
  String specification();

  /** The settings of a unit. */
  List<Option> options();

  /** Every reason for which this architecture reports a fault. */
  List<? extends FaultReason> faultReasons();

  /** Every register that a unit can have. */
  Collection<Register> registers();

  /** Bits of a requester id: PCI functions are {@code segment:bus:devfn} where that fits. */
  int sourceBits();

  /**
   * The physical address to which an interrupt message for a processor is written, on the machines
   * that have such units.
   *
   * @param cpu the processor, counted from 0
   */
  long interruptAddress(int cpu);

  /**
   * What a processor tells interrupts apart by, in the data of a message: all of it, or on a PC the
   * vector.
   */
  default int interruptIdentity(int data) {
    return data;
  }

  /**
   * A unit in its reset state.
   *
   * @throws Options.InvalidOption if a setting is unknown or cannot be used
   */
  Iommu create(Options options, Host host);

  /**
   * A unit in the state that a register image shows: its identification registers configure it, its
   * control registers are taken as they are. Nothing is executed, no interrupt is sent.
   *
   * @param image the registers
   * @param cache how much it caches from now on; nothing is cached yet
   * @param host its {@code memory} already holds the captured pages
   * @throws IllegalArgumentException if no unit can be in that state
   */
  Iommu restore(RegisterImage image, CacheBehaviour cache, Host host);

  /** Whether a register image can be of this architecture; see the capture's own hints first. */
  boolean recognizes(RegisterImage image);

  /** All architectures that are present, by id. */
  static List<Architecture> all() {
    return ServiceLoader.load(Architecture.class).stream()
        .map(ServiceLoader.Provider::get)
        .sorted((a, b) -> a.id().compareTo(b.id()))
        .toList();
  }

  /**
   * The architecture of that name.
   *
   * @throws IllegalArgumentException if it is not present; the message names those that are
   */
  static Architecture named(String id) {
    List<Architecture> all = all();
    for (Architecture a : all) {
      if (a.id().equals(id)) {
        return a;
      }
    }
    throw new IllegalArgumentException(
        "architecture '"
            + id
            + "' is not present; present are "
            + String.join(", ", all.stream().map(Architecture::id).toList()));
  }
}
