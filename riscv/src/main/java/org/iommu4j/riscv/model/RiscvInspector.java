package org.iommu4j.riscv.model;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Inspector;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.core.unit.RangeSearch;
import org.iommu4j.riscv.layout.Cause;
import org.iommu4j.riscv.layout.DeviceContext;
import org.iommu4j.riscv.layout.DirectoryEntry;
import org.iommu4j.riscv.layout.Registers;

/**
 * Looks into a unit with the unit's own walkers, in a workspace where nothing has an effect: what a
 * person is shown is what the hardware would do.
 */
final class RiscvInspector implements Inspector {
  private final RiscvIommu unit;

  RiscvInspector(RiscvIommu unit) {
    this.unit = unit;
  }

  @Override
  public Walk walk(DmaRequest request) {
    Setup s = unit.setup();
    Workspace w = dry();
    List<Step> steps = new ArrayList<>();
    w.trace(steps);
    int code = Translator.translate(s, w, request);
    if (code != 0) {
      Cause cause = Cause.of(code);
      String detail = w.iotval2 == 0 ? "" : ", iotval2 0x%x".formatted(w.iotval2);
      return new Walk(
          steps,
          cause,
          0,
          w.missShift,
          0,
          "blocked: " + (cause == null ? "" : cause.title()) + " (cause " + code + detail + ")");
    }
    int permissions = FirstStageWalker.granted(w.pte) & FirstStageWalker.granted(w.gpte);
    if (w.mrif) {
      return new Walk(
          steps,
          null,
          w.mrifAddress,
          12,
          permissions,
          "interrupt file in memory (MRIF) at 0x%x, notice %d to 0x%x"
              .formatted(w.mrifAddress, w.nid, w.noticeAddress));
    }
    return Walk.passes(
        steps, request.iova(), w.spa, w.shift, permissions, w.msi ? "interrupt file" : "");
  }

  @Override
  public View view(int source, int pasid, int limit) {
    Setup s = unit.setup();
    Workspace w = dry();
    DmaRequest request = new DmaRequest().source(source).pasid(pasid);
    // A plain request tells whether the requester gets anywhere; a translation request asks for
    // permissions without naming any, so one walk tells all of them.
    int code = Translator.translate(s, w, request.iova(0).access(Access.READ));
    if (s.mode == Registers.MODE_BARE || (code == 0 && !w.pscv && !w.gv && w.dc.identity)) {
      return new View(Reach.IDENTITY, null, List.of(), false);
    }
    if (code != 0
        && code >= Cause.ALL_INBOUND_TRANSACTIONS_DISALLOWED.code()
        && code != Cause.MSI_PTE_NOT_VALID.code()
        && code != Cause.MSI_PTE_MISCONFIGURED.code()) {
      return new View(Reach.BLOCKED, Cause.of(code), List.of(), false);
    }
    if (code == 0 && !w.pscv && !w.gv) {
      return new View(Reach.IDENTITY, null, List.of(), false);
    }
    return enumerate(s, w, request, limit);
  }

  /** Every range; see {@link RangeSearch}. */
  private static View enumerate(Setup s, Workspace w, DmaRequest request, int limit) {
    request.addressType(AddressType.UNTRANSLATED).access(Access.READ);
    w.permissive = true;
    RangeSearch search = new RangeSearch(limit);
    while (search.asks()) {
      int code = Translator.translate(s, w, request.iova(search.iova()));
      int shift = code == 0 ? w.shift : w.missShift;
      if (code == 0) {
        search.found(shift, w.mrif ? w.mrifAddress : w.spa, reachable(w), w.msi);
      }
      search.advance(shift, w.pscv && !w.dc.sxl ? signBits(w) - 1 : RangeSearch.NO_SIGN);
    }
    return search.view();
  }

  /** What is granted, less writing where D is clear and the hardware does not set it. */
  private static int reachable(Workspace w) {
    int permissions = FirstStageWalker.granted(w.pte) & FirstStageWalker.granted(w.gpte);
    boolean first = (w.pte & SecondStageWalker.D) != 0 || w.dc.sade;
    boolean second = (w.gpte & SecondStageWalker.D) != 0 || w.dc.gade;
    return first && second ? permissions : permissions & ~Access.WRITE;
  }

  private static int signBits(Workspace w) {
    int mode = w.dc.pdtv ? w.pc.mode : w.dc.fscMode;
    return 12 + 9 * w.dc.levels(mode);
  }

  @Override
  public List<Context> contexts(int limit) {
    Setup s = unit.setup();
    List<Context> found = new ArrayList<>();
    if (s.mode >= Registers.MODE_1LVL) {
      directory(s, dry(), s.ddt, s.levels() - 1, 0, found, limit);
    }
    return found;
  }

  private void directory(
      Setup s, Workspace w, long table, int level, int prefix, List<Context> found, int limit) {
    int leafBits = s.extended ? 6 : 7;
    int entries = level == 0 ? 1 << leafBits : level == 1 ? 512 : s.extended ? 512 : 256;
    int bytes = level > 0 ? 8 : s.extended ? 64 : 32;
    for (int i = 0; i < entries && found.size() < limit && w.patience > 0; i++, w.patience--) {
      if (w.fetch(s, table + (long) i * bytes) != PhysicalMemory.OK) {
        return;
      }
      long e = s.be ? Long.reverseBytes(w.entry()) : w.entry();
      if (!DirectoryEntry.V.isSet(e)) {
        continue;
      }
      int shift = level == 0 ? 0 : level == 1 ? leafBits : leafBits + 9;
      int id = prefix | i << shift;
      if (level > 0) {
        directory(s, w, DirectoryEntry.PPN.get(e) << 12, level - 1, id, found, limit);
      } else {
        found.add(new Context(id, DmaRequest.NO_PASID, describe(s, w, id)));
        processes(s, w, id, found, limit);
      }
    }
  }

  private static String describe(Setup s, Workspace w, int id) {
    int code = DirectoryWalker.device(s, w, id, w.dcScratch);
    if (code != 0) {
      Cause cause = Cause.of(code);
      return cause == null ? "cause " + code : cause.title();
    }
    DcEntry dc = w.dcScratch;
    List<String> parts = new ArrayList<>();
    if (dc.pdtv) {
      parts.add(
          dc.fscMode == DeviceContext.PDTP_BARE
              ? "PDT Bare"
              : "PDT of " + DirectoryWalker.processBits(dc.fscMode) + " bits");
    } else if (dc.fscMode != DeviceContext.IOSATP_BARE) {
      parts.add((dc.sxl ? "Sv32" : "Sv" + signBits(dc)) + " PSCID " + dc.pscid);
    }
    if (dc.gLevels != 0) {
      parts.add("Sv" + (dc.gWide ? 32 : 9 * dc.gLevels + 12) + "x4 GSCID " + dc.gscid);
    }
    if (parts.isEmpty()) {
      parts.add("identity");
    }
    if (dc.msiFlat) {
      parts.add("MSI table");
    }
    if (dc.enAts) {
      parts.add(dc.enPri ? "ATS, PRI" : "ATS");
    }
    return String.join(", ", parts);
  }

  private static int signBits(DcEntry dc) {
    return 12 + 9 * dc.levels(dc.fscMode);
  }

  private static void processes(Setup s, Workspace w, int id, List<Context> found, int limit) {
    DcEntry dc = new DcEntry();
    if (DirectoryWalker.device(s, w, id, dc) != 0
        || !dc.pdtv
        || dc.fscMode == DeviceContext.PDTP_BARE) {
      return;
    }
    w.access = Access.READ;
    int all = 1 << DirectoryWalker.processBits(dc.fscMode);
    for (int pid = 0; pid < all && found.size() < limit && w.patience > 0; w.patience--) {
      int code = DirectoryWalker.process(s, w, dc, pid, w.pcScratch);
      if (code == 0) {
        found.add(new Context(id, pid, "PSCID " + w.pcScratch.pscid));
      }
      pid = next(s, w, dc, pid, code);
    }
  }

  /** The next process id worth asking for: an absent table of the PDT is skipped as a whole. */
  private static int next(Setup s, Workspace w, DcEntry dc, int pid, int code) {
    if (code == 0 || dc.fscMode == DeviceContext.PDTP_PD8) {
      return pid + 1;
    }
    List<Step> steps = new ArrayList<>();
    w.trace(steps);
    int ignored = DirectoryWalker.process(s, w, dc, pid, w.pcScratch);
    w.trace(null);
    boolean leaf = !steps.isEmpty() && steps.getLast().what().startsWith("process context");
    return leaf ? pid + 1 : (pid | 0xff) + 1;
  }

  private Workspace dry() {
    Workspace w = new Workspace(unit);
    w.dry(true);
    w.patience = RangeSearch.STEPS;
    return w;
  }
}
