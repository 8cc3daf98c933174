package org.iommu4j.vtd.model;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.Inspector;
import org.iommu4j.core.dma.InterruptBus;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.memory.EntryPair;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.ExtendedCapability;
import org.iommu4j.vtd.layout.Irte;
import org.iommu4j.vtd.layout.Reason;
import org.iommu4j.vtd.layout.Registers;
import org.jspecify.annotations.Nullable;

/**
 * Interrupt remapping: from a device's message to what processors see. §5. One message at a time:
 * so an invalidation of the interrupt entry cache, which takes the same lock, waits for the message
 * under way.
 */
final class InterruptRemapper {
  // A request's address and data. §5.1.2.
  private static final Field FORMAT = Field.bit("interrupt format", 4);
  private static final Field SHV = Field.bit("SHV", 3);
  private static final Field HANDLE_LOW = Field.bits("handle 14:0", 19, 5);
  private static final Field HANDLE_HIGH = Field.bit("handle 15", 2);

  // What is sent: address bits and data bits of the compatibility format.
  private static final int LEVEL_ASSERTED = 1 << 14;
  private static final int TRIGGER_LEVEL = 1 << 15;

  // Events of the performance monitor.
  private static final int LOOKUP = 0;
  private static final int REMAPPED_HIT = 1;
  private static final int POSTED_HIT = 2;

  private static final int LOWEST_RESERVED = 3;
  private static final int HIGHEST_RESERVED = 6;
  private static final int SVT_RESERVED = 3;

  private final VtdIommu unit;
  private final IrteCache cache;
  private final PostedInterrupts posted;

  private final long remappedReserved0 = Irte.REMAPPED.reservedMask(0);
  private final long remappedReserved1 = Irte.REMAPPED.reservedMask(1);
  private final long postedReserved0 = Irte.POSTED.reservedMask(0);
  private final long postedReserved1 = Irte.POSTED.reservedMask(1);

  // What the command register latched and enabled. Guarded by this.
  private long irta;
  private boolean enabled;
  private boolean compatibility;

  // The message under way: whether it passes as it is, else the entry that it stands for.
  private boolean asItIs;
  private boolean indexed;
  private boolean loaded;
  private int index;
  private long low;
  private long high;
  private final EntryPair pair = new EntryPair();

  InterruptRemapper(VtdIommu unit) {
    this.unit = unit;
    UnitConfig c = unit.config();
    this.cache = new IrteCache(c);
    this.posted = new PostedInterrupts(unit);
  }

  /** SIRTP: the table is taken over. */
  synchronized void table(long register) {
    irta = register;
    if (Capability.ESIRTPS.isSet(unit.config().cap())) {
      cache.invalidate(0, 16);
    }
  }

  /** IRE and CFI. */
  synchronized void enable(boolean ires, boolean cfis) {
    if (enabled && !ires && Capability.ESIRTPS.isSet(unit.config().cap())) {
      cache.invalidate(0, 16);
    }
    enabled = ires;
    compatibility = cfis;
  }

  /**
   * Interrupt entry cache invalidation.
   *
   * @param mask how many low bits of the index are ignored; 16: all entries
   */
  synchronized void invalidate(int index, int mask) {
    cache.invalidate(index, mask);
  }

  /**
   * Carries a message out.
   *
   * @return whether it was delivered
   */
  synchronized boolean deliver(int source, long address, int data, InterruptDelivery out) {
    Reason fault = decide(source, address, data, false);
    if (fault != null) {
      return refuse(fault, source, address, out);
    }
    if (asItIs) {
      return send(address, data, out);
    }
    boolean eime = Registers.EIME.isSet(irta);
    if (Irte.IM.isSet(low)) {
      Reason failed = posted.post(low, high, eime, out);
      return failed == null || refuse(failed, source, address, out);
    }
    return send(address(low, eime), data(low), out);
  }

  /**
   * Follows a message without any effect: nothing is delivered, recorded, or taken from a cache.
   */
  synchronized Inspector.Walk follow(int source, long address, int data) {
    Reason fault = decide(source, address, data, true);
    List<Inspector.Step> steps = new ArrayList<>();
    if (loaded) {
      Layout layout = Irte.IM.isSet(low) ? Irte.POSTED : Irte.REMAPPED;
      steps.add(new Inspector.Step(layout.name() + " " + index, layout, at(), List.of(low, high)));
    }
    if (fault != null) {
      String outcome =
          "blocked: %s (%s, reason %s)".formatted(fault.title(), fault.id(), fault.codeText());
      return new Inspector.Walk(steps, fault, 0, 0, 0, outcome);
    }
    boolean eime = Registers.EIME.isSet(irta);
    if (!asItIs && Irte.IM.isSet(low)) {
      long descriptor = PostedInterrupts.descriptor(low, high);
      return new Inspector.Walk(
          steps,
          null,
          descriptor,
          6,
          Access.WRITE,
          "posted: vector %d in the descriptor at 0x%x".formatted(Irte.VV.getInt(low), descriptor));
    }
    long to = asItIs ? address : address(low, eime);
    int what = asItIs ? data : data(low);
    return new Inspector.Walk(
        steps,
        null,
        to,
        2,
        Access.WRITE,
        "%s: vector %d to processor %d"
            .formatted(
                asItIs ? "passes as it is" : "remapped",
                InterruptBus.vector(what),
                to >>> 12 & 0xff | to >>> 40 << 8));
  }

  /**
   * What becomes of a message, before posting.
   *
   * @param dry without caches
   */
  private @Nullable Reason decide(int source, long address, int data, boolean dry) {
    UnitConfig c = unit.config();
    asItIs = false;
    indexed = false;
    loaded = false;
    if (!enabled) {
      asItIs = !c.has(ExtendedCapability.IRREQ);
      return asItIs ? null : Reason.IR_REMAPPING_REQUIRED;
    }
    boolean eime = Registers.EIME.isSet(irta);
    if (c.has(ExtendedCapability.EIMER) && !eime) {
      return Reason.IR_EIME_REQUIRED;
    }
    if (!FORMAT.isSet(address)) {
      asItIs = (compatibility && !eime) || c.quirks().compatibilityPasses();
      return asItIs ? null : Reason.IR_COMPATIBILITY;
    }
    boolean sub = SHV.isSet(address);
    if ((sub || c.quirks().upperDataChecked()) && data >>> 16 != 0) {
      return Reason.IR_REQUEST_RESERVED;
    }
    int handle = HANDLE_LOW.getInt(address) | HANDLE_HIGH.getInt(address) << 15;
    index = handle + (sub ? data & 0xffff : 0);
    indexed = true;
    Reason fault = locate(source, dry);
    if (fault != null) {
      return fault;
    }
    boolean malformed = malformed(eime);
    if (loaded && !dry && (!malformed || unit.setup().keepsFaults)) {
      cache.fill(index, low, high);
    }
    // §5.1.4: whether the source may send this interrupt comes before the reserved bits.
    return !verified(Irte.SVT.getInt(high), source)
        ? Reason.IR_SOURCE
        : malformed ? Reason.IR_RESERVED : null;
  }

  private boolean send(long address, int data, InterruptDelivery out) {
    if (unit.host().interrupts().deliver(address, data) != PhysicalMemory.OK) {
      out.block(null);
      return false;
    }
    out.deliver(InterruptDelivery.Kind.WRITTEN, address, data, 0);
    return true;
  }

  private boolean refuse(Reason reason, int source, long address, InterruptDelivery out) {
    boolean fpd = indexed && Irte.FPD.isSet(low);
    if (!fpd || !reason.qualified()) {
      unit.reportInterrupt(reason, source, indexed ? (long) index << 48 : address);
    }
    out.block(reason);
    return false;
  }

  private long at() {
    return Registers.IRTA_BASE.in(irta) + (long) index * Irte.BYTES;
  }

  /** The entry of the index, in {@code low} and {@code high}. */
  private @Nullable Reason locate(int source, boolean dry) {
    low = 0;
    high = 0;
    long at = at();
    if (index >= 2 << Registers.IRTA_S.getInt(irta) || (at & unit.setup().beyond) != 0) {
      return Reason.IR_INDEX;
    }
    boolean counting = unit.setup().counting && !dry;
    if (counting) {
      unit.monitor().countInterrupt(source, LOOKUP);
    }
    IrteCache.Entry kept = dry ? null : cache.lookup(index);
    if (kept != null) {
      low = kept.low();
      high = kept.high();
      if (counting) {
        unit.monitor().countInterrupt(source, Irte.IM.isSet(low) ? POSTED_HIT : REMAPPED_HIT);
      }
      return Irte.P.isSet(low) ? null : Reason.IR_NOT_PRESENT;
    }
    PhysicalMemory memory = unit.host().memory();
    if (memory.status(at, Irte.BYTES, false) != PhysicalMemory.OK || !memory.readPair(at, pair)) {
      return Reason.IR_ACCESS;
    }
    low = pair.first();
    high = pair.second();
    loaded = true;
    if (Irte.P.isSet(low)) {
      return null;
    }
    if (!dry && unit.setup().keepsFaults) {
      cache.fill(index, low, high);
    }
    return Reason.IR_NOT_PRESENT;
  }

  /** Whether the entry has reserved bits or reserved values. */
  private boolean malformed(boolean eime) {
    boolean im = Irte.IM.isSet(low);
    if (im && !Capability.PI.isSet(unit.config().cap())) {
      return true;
    }
    long reserved0 = im ? postedReserved0 : remappedReserved0;
    long reserved1 = im ? postedReserved1 : remappedReserved1;
    if ((low & reserved0) != 0
        || (high & reserved1) != 0
        || Irte.SVT.getInt(high) == SVT_RESERVED) {
      return true;
    }
    if (im) {
      return ((Irte.PDAH.get(high) << 32) & unit.setup().beyond) != 0;
    }
    int dlm = Irte.DLM.getInt(low);
    boolean tooWide = !eime && Irte.DST.in(low) != Irte.XAPIC_DST.in(low);
    return dlm == LOWEST_RESERVED || dlm == HIGHEST_RESERVED || tooWide;
  }

  private boolean verified(int svt, int source) {
    int sid = Irte.SID.getInt(high);
    return switch (svt) {
      case Irte.SVT_NONE -> true;
      case Irte.SVT_SID -> {
        int sq = Irte.SQ.getInt(high);
        int ignored = sq == 0 ? 0 : sq == 1 ? 0b100 : sq == 2 ? 0b110 : 0b111;
        yield ((source ^ sid) & 0xffff & ~ignored) == 0;
      }
      case Irte.SVT_BUS -> {
        int bus = source >>> 8 & 0xff;
        boolean reversed = unit.config().quirks().reversedBusRange();
        int first = reversed ? sid & 0xff : sid >>> 8;
        int last = reversed ? sid >>> 8 : sid & 0xff;
        yield first <= bus && bus <= last;
      }
      default -> true; // reserved, which is for later
    };
  }

  private static long address(long irte, boolean eime) {
    int destination = eime ? (int) Irte.DST.get(irte) : Irte.XAPIC_DST.getInt(irte);
    return InterruptBus.address(destination)
        | (Irte.RH.isSet(irte) ? 1 << 3 : 0)
        | (Irte.DM.isSet(irte) ? 1 << 2 : 0);
  }

  private static int data(long irte) {
    return Irte.V.getInt(irte)
        | Irte.DLM.getInt(irte) << 8
        | LEVEL_ASSERTED
        | (Irte.TM.isSet(irte) ? TRIGGER_LEVEL : 0);
  }
}
