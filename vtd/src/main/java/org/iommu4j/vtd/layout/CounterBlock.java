package org.iommu4j.vtd.layout;

import static org.iommu4j.core.bits.Field.Kind.RO;
import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;

import java.util.List;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;

/**
 * The configuration registers of one performance counter, at PERFCFGOFF_REG + 100h * n. §11.4.
 *
 * @param configuration PERFCNTRCFG_REG
 * @param source filter by requester id
 * @param domain filter by domain id
 * @param pasid filter by PASID
 * @param type filter by address type
 * @param level filter by level of the page table
 */
public record CounterBlock(
    Register configuration,
    Register source,
    Register domain,
    Register pasid,
    Register type,
    Register level) {
  /** Enabled; changes with the enhanced commands only. */
  public static final Field EN = bit("EN", 0).as(RO);

  /** Interrupt on overflow. */
  public static final Field IO = bit("IO", 1);

  /** Global freeze on overflow. */
  public static final Field GFO = bit("GFO", 2);

  /** Event group. */
  public static final Field EGI = bits("EGI", 11, 8);

  /** Events of the group, a bit for each. */
  public static final Field ES = bits("ES", 59, 32);

  /** A filter is in effect. */
  public static final Field EN_FILTER = bit("EN", 31);

  public static final Field RID = bits("RID", 15, 0);
  public static final Field DID = bits("DID", 15, 0);
  public static final Field PASID = bits("PASID", 19, 0);

  /** 0 this PASID, 1 requests with any, 2 requests without. */
  public static final Field PFM = bits("PFM", 21, 20);

  /** Address types or levels, a bit for each. */
  public static final Field SELECTED = bits("selected", 4, 0);

  /** The block of counter {@code n} at an offset of the register page. */
  public CounterBlock(int n, int at) {
    this(
        Register.of64("PERFCNTRCFG" + n + "_REG", at, EN, IO, GFO, EGI, ES),
        Register.of32("PERFRIDFIL" + n + "_REG", at + 0x08, RID, EN_FILTER),
        Register.of32("PERFDIDFIL" + n + "_REG", at + 0x0c, DID, EN_FILTER),
        Register.of32("PERFPASIDFIL" + n + "_REG", at + 0x10, PASID, PFM, EN_FILTER),
        Register.of32("PERFATFIL" + n + "_REG", at + 0x14, SELECTED, EN_FILTER),
        Register.of32("PERFPTLFIL" + n + "_REG", at + 0x18, SELECTED, EN_FILTER));
  }

  /** The filters. */
  public List<Register> filters() {
    return List.of(source, domain, pasid, type, level);
  }

  /** All registers, by offset. */
  public List<Register> registers() {
    return List.of(configuration, source, domain, pasid, type, level);
  }
}
