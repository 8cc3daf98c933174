package org.iommu4j.vtd.model;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLongArray;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.bits.RegisterFile;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.CounterBlock;
import org.iommu4j.vtd.layout.ExtendedCapability;
import org.iommu4j.vtd.layout.Registers;

/**
 * Performance monitoring: counters of events, with filters, and the enhanced commands that govern
 * them. §11.4, performance monitoring and enhanced command registers.
 *
 * <p>While a counter is enabled every request takes the full process, so that what is counted does
 * not depend on short cuts. Device threads count; registers are accessed with the state lock held.
 */
final class PerformanceMonitor {
  private static final int WIDTH = 48;
  private static final long MASK = (1L << WIDTH) - 1;

  /** Distance of the counters' values: 2^(CS + 10) bytes with CS = 0. */
  private static final int STRIDE = 1024;

  private static final int STATUS_AT = 0x7000;
  private static final int VALUES_AT = 0x8000;

  /** By group: the events that are counted. */
  private static final long[] EVENTS = {
    1 << 1, // requests
    1 | 1 << 3 | 1 << 6 | 1 << 7, // memory reads, A/D updates, page requests, their overflow
    0x1ff, // lookups and hits of contexts, PASIDs, both stages' tables; lookups of the HPT
    1 | 1 << 1, // IOTLB lookups, hits
    1 | 1 << 1 | 1 << 2 // interrupt entry cache lookups, remapped hits, posted hits
  };

  // Commands and their results.
  private static final int ENABLE = 0xf0;
  private static final int DISABLE = 0xf1;
  private static final int RESET_CONFIGURATIONS = 0xf2;
  private static final int RESET_VALUES = 0xf3;
  private static final int FREEZE = 0xf4;
  private static final int UNFREEZE = 0xf5;
  private static final int UNDEFINED = 1;
  private static final int FAILED = 16;

  private final VtdIommu unit;
  private final int counters;
  private final AtomicLongArray values;
  private final List<CounterBlock> blocks = new ArrayList<>();
  private final Register overflow = Register.of64("PERFOVFSTS_REG", STATUS_AT, w1c());
  private final Register frozen = Register.of64("PERFFRZSTS_REG", STATUS_AT + 8, ro());

  // What device threads look at: copies of the counters' configurations.
  private volatile long enabled;
  private volatile boolean stopped;
  private final long[] configuration;
  private final long[] sourceFilter;
  private final long[] domainFilter;
  private final long[] pasidFilter;
  private final long[] typeFilter;
  private final long[] levelFilter;

  PerformanceMonitor(VtdIommu unit) {
    this.unit = unit;
    boolean has = unit.config().has(ExtendedCapability.PMS);
    counters = has ? unit.config().counters() : 0;
    values = new AtomicLongArray(counters);
    configuration = new long[counters];
    sourceFilter = new long[counters];
    domainFilter = new long[counters];
    pasidFilter = new long[counters];
    typeFilter = new long[counters];
    levelFilter = new long[counters];
    for (int c = 0; c < counters; c++) {
      blocks.add(new CounterBlock(c, RegisterBank.COUNTER_BLOCKS + 0x100 * c));
    }
  }

  private static Field w1c() {
    return Field.bits("counters", 63, 0).as(Field.Kind.RW1C);
  }

  private static Field ro() {
    return Field.bits("counters", 63, 0).as(Field.Kind.RO);
  }

  /** The end of the registers. */
  static int end(UnitConfig c) {
    return VALUES_AT + STRIDE * Math.max(c.counters(), 1);
  }

  /** Whether anything is to be counted. */
  boolean counting() {
    return enabled != 0 && !stopped;
  }

  void addTo(RegisterFile file) {
    UnitConfig c = unit.config();
    if (Capability.ECMDS.isSet(c.cap())) {
      commands(file);
    }
    if (!c.has(ExtendedCapability.PMS)) {
      return;
    }
    file.add(
        Registers.PERFCAP,
        Registers.NCNTR.of(counters)
            | Registers.CW.of(WIDTH)
            | Registers.EGCNT.of(EVENTS.length)
            | Registers.RIDFS.mask()
            | Registers.DIDFS.mask()
            | Registers.PASIDFS.mask()
            | Registers.ATFS.mask()
            | Registers.PTLFS.mask()
            | Registers.CWE.mask()
            | Registers.GFS.mask()
            | Registers.IOS.mask());
    file.add(Registers.PERFCFGOFF, RegisterBank.COUNTER_BLOCKS);
    file.add(Registers.PERFFRZOFF, STATUS_AT + 8);
    file.add(Registers.PERFOVFOFF, STATUS_AT);
    file.add(Registers.PERFCNTROFF, VALUES_AT);
    for (int g = 0; g < EVENTS.length; g++) {
      file.add(Registers.PERFEVNTCAP.get(g), EVENTS[g]);
    }
    Event event = unit.performanceEvent();
    file.add(Registers.PERFINTRSTS, 0, null, (b, a, w) -> event.serviced(), null);
    file.add(
        Registers.PERFINTRCTL,
        Registers.IM.mask(),
        null,
        (b, a, w) -> event.controlWritten(),
        null);
    file.add(Registers.PERFINTRDATA, 0);
    file.add(Registers.PERFINTRADDR, 0);
    file.add(Registers.PERFINTRUADDR, 0);
    file.add(overflow, 0);
    file.add(frozen, 0);
    for (int n = 0; n < counters; n++) {
      counter(file, n);
    }
  }

  private void counter(RegisterFile file, int n) {
    CounterBlock block = blocks.get(n);
    for (Register r : block.registers()) {
      // A running counter keeps its configuration.
      file.add(r, 0, (b, w) -> (enabled >>> n & 1) != 0 ? b : w, null, null);
    }
    Register value =
        Register.of64("PERFCNTR" + n + "_REG", VALUES_AT + STRIDE * n, Field.bits("value", 63, 0));
    file.add(
        value,
        0,
        (b, w) -> w & MASK,
        (b, a, w) -> {
          if ((enabled >>> n & 1) == 0) {
            values.set(n, a);
          }
        },
        stored -> values.get(n));
  }

  private void commands(RegisterFile file) {
    file.add(
        Registers.ECMD,
        0,
        null,
        (b, a, w) -> {
          if (!unit.page().writesUpperHalf(Registers.ECMD)) {
            command(file, a);
          }
        },
        null);
    file.add(Registers.ECEO, 0);
    file.add(Registers.ECRSP, 0);
    file.add(Registers.ECSTS0, 0);
    file.add(Registers.ECSTS1, 0);
    file.add(Registers.ECCAP0, 0);
    file.add(Registers.ECCAP1, 0);
    file.add(Registers.ECCAP2, 0);
    boolean pms = unit.config().has(ExtendedCapability.PMS);
    long all = 0x3fL << Registers.ECNTS.lo();
    file.add(Registers.ECCAP3, pms ? all : 0);
  }

  private void command(RegisterFile file, long command) {
    int code = Registers.ECMD_CMD.getInt(command);
    int result;
    if (!unit.config().has(ExtendedCapability.PMS)) {
      result = UNDEFINED;
    } else {
      int counter = (int) Math.min(Registers.ECMD_OA.get(command), Integer.MAX_VALUE);
      result =
          switch (code) {
            case ENABLE -> enable(file, counter);
            case DISABLE -> disable(file, counter);
            case RESET_CONFIGURATIONS -> resetConfigurations(file);
            case RESET_VALUES -> resetValues();
            case FREEZE -> freeze(file, true);
            case UNFREEZE -> freeze(file, false);
            default -> UNDEFINED;
          };
    }
    file.post(Registers.ECRSP, Registers.ECRSP_SC.of(result));
    unit.refresh();
  }

  private int enable(RegisterFile file, int n) {
    if (n >= counters) {
      return FAILED;
    }
    CounterBlock block = blocks.get(n);
    long config = file.get(block.configuration());
    int group = CounterBlock.EGI.getInt(config);
    long events = CounterBlock.ES.get(config);
    if (group >= EVENTS.length || events == 0 || (events & ~EVENTS[group]) != 0) {
      return FAILED;
    }
    boolean filtered = false;
    for (Register f : block.filters()) {
      filtered |= CounterBlock.EN_FILTER.isSet(file.get(f));
    }
    boolean levels = CounterBlock.EN_FILTER.isSet(file.get(block.level()));
    boolean domains = CounterBlock.EN_FILTER.isSet(file.get(block.domain()));
    // Choice: levels belong to the reads of tables, domains to what happens once one is known.
    if ((filtered && Long.bitCount(events) > 1)
        || (levels && !(group == 1 && events == 1))
        || (domains && group != 1 && group != 3)
        || (filtered && group == 4 && CounterBlock.EN_FILTER.isSet(file.get(block.pasid())))) {
      return FAILED;
    }
    configuration[n] = config;
    sourceFilter[n] = file.get(block.source());
    domainFilter[n] = file.get(block.domain());
    pasidFilter[n] = file.get(block.pasid());
    typeFilter[n] = file.get(block.type());
    levelFilter[n] = file.get(block.level());
    file.post(block.configuration(), CounterBlock.EN, 1);
    enabled |= 1L << n;
    return 0;
  }

  private int disable(RegisterFile file, int n) {
    if (n >= counters) {
      return FAILED;
    }
    enabled &= ~(1L << n);
    file.post(blocks.get(n).configuration(), CounterBlock.EN, 0);
    return 0;
  }

  private int resetConfigurations(RegisterFile file) {
    enabled = 0;
    for (CounterBlock block : blocks) {
      for (Register r : block.registers()) {
        file.post(r, 0);
      }
    }
    return 0;
  }

  private int resetValues() {
    for (int n = 0; n < counters; n++) {
      values.set(n, 0);
    }
    return 0;
  }

  private int freeze(RegisterFile file, boolean on) {
    stopped = on;
    file.post(frozen, on ? (counters == 64 ? -1L : (1L << counters) - 1) : 0);
    return 0;
  }

  /**
   * Something happened.
   *
   * @param pasid negative for none
   * @param type 0 untranslated, 1 translation request, 2 translated
   * @param level of the table entry, from 0
   */
  void count(int source, int pasid, int domain, int type, int group, int event, int level) {
    for (long left = enabled; left != 0; left &= left - 1) {
      int n = Long.numberOfTrailingZeros(left);
      long config = configuration[n];
      if (stopped
          || CounterBlock.EGI.getInt(config) != group
          || (CounterBlock.ES.get(config) >>> event & 1) == 0
          || !passes(sourceFilter[n], CounterBlock.RID, source)
          || !passes(domainFilter[n], CounterBlock.DID, domain)
          || !passesPasid(pasidFilter[n], pasid)
          || !selected(typeFilter[n], type)
          || !selected(levelFilter[n], level)) {
        continue;
      }
      if ((values.incrementAndGet(n) & MASK) == 0) {
        overflowed(n, config);
      }
    }
  }

  /** An event of the interrupt entry cache. */
  void countInterrupt(int source, int event) {
    count(source, DmaRequest.NO_PASID, 0, 0, 4, event, 0);
  }

  private static boolean passes(long filter, Field field, int value) {
    return !CounterBlock.EN_FILTER.isSet(filter) || field.getInt(filter) == value;
  }

  private static boolean passesPasid(long filter, int pasid) {
    if (!CounterBlock.EN_FILTER.isSet(filter)) {
      return true;
    }
    return switch (CounterBlock.PFM.getInt(filter)) {
      case 0 -> CounterBlock.PASID.getInt(filter) == pasid;
      case 1 -> pasid >= 0;
      case 2 -> pasid < 0;
      default -> false;
    };
  }

  private static boolean selected(long filter, int bit) {
    return !CounterBlock.EN_FILTER.isSet(filter)
        || (CounterBlock.SELECTED.get(filter) >>> bit & 1) != 0;
  }

  private void overflowed(int n, long config) {
    values.set(n, 0);
    synchronized (unit.state()) {
      RegisterFile r = unit.registers();
      r.post(overflow, r.get(overflow) | 1L << n);
      if (CounterBlock.GFO.isSet(config)) {
        stopped = true;
        r.post(frozen, counters == 64 ? -1L : (1L << counters) - 1);
      }
      if (CounterBlock.IO.isSet(config)) {
        unit.performanceEvent().raise(Registers.PIS.mask());
      }
    }
  }
}
