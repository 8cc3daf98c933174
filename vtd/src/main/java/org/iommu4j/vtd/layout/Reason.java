package org.iommu4j.vtd.layout;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.dma.FaultReason;

/**
 * The reasons of faults, under the ids of the specification's tables; several share a code. §7.1.
 *
 * <p>Each says how a translation request and a translated request end that meet it: {@link
 * Response}. An untranslated request ends as an Unsupported Request, a page request is answered
 * with Invalid Request.
 */
public enum Reason implements FaultReason {
  LRT_1(
      0x08,
      false,
      Response.CA,
      Response.UR,
      "Error reading the root entry",
      "the root table lies where there is no memory: check RTADDR_REG.RTA"),
  LRT_2(
      0x01,
      false,
      Response.UR,
      Response.UR,
      "Present bit in root entry is clear",
      "no driver set up any function of this bus: the requester id is unknown, spoofed or an"
          + " alias"),
  LRT_3(
      0x0a,
      false,
      Response.CA,
      Response.UR,
      "Reserved bits set in root entry",
      "the root entry is corrupt, or points above the host address width"),
  LCT_1(
      0x09,
      false,
      Response.CA,
      Response.UR,
      "Error reading the context entry",
      "the context table lies where there is no memory: check the root entry's CTP"),
  LCT_2(
      0x02,
      true,
      Response.UR,
      Response.UR,
      "Present bit in context entry is clear",
      "no driver attached this function: the requester id is unknown, spoofed or an alias of a"
          + " bridge"),
  LCT_3(
      0x0b,
      true,
      Response.CA,
      Response.UR,
      "Reserved bits set in context entry",
      "the context entry is corrupt, names a domain id beyond CAP.ND, or a table above the host"
          + " address width"),
  LCT_4_1(
      0x03,
      true,
      Response.CA,
      Response.UR,
      "Address width of the context entry is not supported",
      "AW has to be one that CAP.SAGAW announces, for pass-through the largest"),
  LCT_4_2(
      0x03,
      true,
      Response.CA,
      Response.UR,
      "Translation type of the context entry is not supported",
      "TT is reserved, asks for device-TLBs without ECAP.DT or for pass-through without ECAP.PT"),
  LCT_4_3(
      0x03,
      true,
      Response.CA,
      Response.NA,
      "Error reading the second-stage root table",
      "SSPTPTR of the context entry leads where there is no memory"),
  LCT_5(
      0x0d,
      true,
      Response.UR,
      Response.UR,
      "Translation or translated request is blocked",
      "the device uses ATS, the context entry does not allow it: TT has to be 01b"),
  LSS_1(
      0x07,
      true,
      Response.CA,
      Response.NA,
      "Error reading a second-stage entry",
      "a page-table page lies where there is no memory: the entry above it is corrupt or its page"
          + " was freed"),
  LSS_2(
      0x0c,
      true,
      Response.CA,
      Response.NA,
      "Reserved bits set in second-stage entry",
      "the entry is corrupt, a superpage is misaligned or of a size that CAP.SSLPS does not"
          + " announce"),
  LGN_1_1(
      0x04,
      true,
      Response.S0,
      Response.NA,
      "Address beyond the address width of the domain",
      "the device sent an address above what the page table covers: look for a truncated or"
          + " sign-extended pointer"),
  LGN_1_2(
      0x04,
      true,
      Response.NA,
      Response.UR,
      "Translated address beyond the host address width",
      "the device sent a translated address that no translation gave it"),
  LGN_1_3(
      0x04,
      true,
      Response.NA,
      Response.NA,
      "Pass-through address beyond the host address width",
      "the device sent an address that no memory has"),
  LGN_2(
      0x05,
      true,
      Response.PERMS,
      Response.NA,
      "Write permission is missing",
      "the address is not mapped, was unmapped, or is mapped read-only (DMA direction)"),
  LGN_3(
      0x06,
      true,
      Response.PERMS,
      Response.NA,
      "Read permission is missing",
      "the address is not mapped, was unmapped, or is mapped write-only (DMA direction)"),
  LGN_4(
      0x0e,
      true,
      Response.CA,
      Response.UR,
      "Translation leads to the interrupt address range",
      "a page table maps 0xfeexxxxx: interrupts must not be forged by DMA"),
  IR_REQUEST_RESERVED(
      0x20,
      false,
      Response.NA,
      Response.NA,
      "Reserved bits set in the interrupt request",
      "the device's MSI address or data was not programmed for interrupt remapping"),
  IR_INDEX(
      0x21,
      false,
      Response.NA,
      Response.NA,
      "Interrupt index beyond the remapping table",
      "the MSI address names an entry that does not exist: IRTA_REG.S, or a stale MSI address"),
  IR_NOT_PRESENT(
      0x22,
      true,
      Response.NA,
      Response.NA,
      "Present bit in interrupt remapping entry is clear",
      "the interrupt was freed while the device still sends it, or its MSI address is wrong"),
  IR_ACCESS(
      0x23,
      false,
      Response.NA,
      Response.NA,
      "Error reading the interrupt remapping entry",
      "the table lies where there is no memory: check IRTA_REG"),
  IR_RESERVED(
      0x24,
      true,
      Response.NA,
      Response.NA,
      "Reserved bits set in interrupt remapping entry",
      "the entry is corrupt, or of a format that the unit does not have"),
  IR_COMPATIBILITY(
      0x25,
      false,
      Response.NA,
      Response.NA,
      "Compatibility-format interrupt is blocked",
      "the device's MSI was programmed without remapping: firmware or a driver that bypasses the"
          + " kernel"),
  IR_SOURCE(
      0x26,
      true,
      Response.NA,
      Response.NA,
      "Source-id verification failed",
      "another requester than the owner of the entry sent the interrupt: spoofing, or an alias"
          + " behind a bridge"),
  IR_DESCRIPTOR_ACCESS(
      0x27,
      true,
      Response.NA,
      Response.NA,
      "Error accessing the posted interrupt descriptor",
      "PDA of the entry leads where there is no memory"),
  IR_DESCRIPTOR_RESERVED(
      0x28,
      true,
      Response.NA,
      Response.NA,
      "Reserved bits set in the posted interrupt descriptor",
      "the descriptor is corrupt, or PDA leads elsewhere"),
  IR_MALFORMED(
      0x29,
      false,
      Response.NA,
      Response.NA,
      "Access to the interrupt address range is no interrupt",
      "a read, an atomic or a write that is not of four bytes to 0xfeexxxxx"),
  IR_EIME_REQUIRED(
      0x2a,
      false,
      Response.NA,
      Response.NA,
      "Extended interrupt mode is required",
      "the unit demands IRTA_REG.EIME = 1 (ECAP.EIMER)"),
  IR_REMAPPING_REQUIRED(
      0x2b,
      false,
      Response.NA,
      Response.NA,
      "Interrupt remapping is required",
      "the unit demands GSTS_REG.IRES = 1 (ECAP.IRREQ)"),
  RTA_1_1(
      0x30,
      false,
      Response.CA,
      Response.UR,
      "Abort-DMA mode is not supported",
      "RTADDR_REG.TTM is 11b without ECAP.ADMS"),
  RTA_1_2(
      0x30,
      false,
      Response.CA,
      Response.UR,
      "Translation table mode is reserved",
      "RTADDR_REG.TTM is 10b"),
  RTA_1_3(
      0x30,
      false,
      Response.CA,
      Response.UR,
      "Scalable mode is not supported",
      "RTADDR_REG.TTM is 01b without ECAP.SMTS"),
  RTA_1_4(
      0x30,
      false,
      Response.CA,
      Response.UR,
      "SSIRWE is set in legacy mode",
      "RTADDR_REG.SSIRWE has no meaning with TTM 00b"),
  RTA_2(
      0x31,
      false,
      Response.UR,
      Response.UR,
      "Request with PASID in legacy mode",
      "the device uses PASIDs: scalable mode is needed"),
  RTA_3(
      0x32,
      false,
      Response.NA,
      Response.NA,
      "Page request in legacy mode",
      "the device asks for pages: scalable mode is needed"),
  RTA_4(
      0x33,
      false,
      Response.UR,
      Response.UR,
      "All requests are aborted",
      "RTADDR_REG.TTM is abort-DMA: the unit was never programmed, or was shut down"),
  RTA_5(
      0x34,
      false,
      Response.UR,
      Response.UR,
      "Execute requests are not supported",
      "the device set Execute Requested in its PASID prefix"),
  SRT_1(
      0x38,
      false,
      Response.CA,
      Response.UR,
      "Error reading the scalable-mode root entry",
      "the root table lies where there is no memory: check RTADDR_REG.RTA"),
  SRT_2(
      0x39,
      false,
      Response.UR,
      Response.UR,
      "Present bit in scalable-mode root entry is clear",
      "no driver set up any function of this half of the bus"),
  SRT_3(
      0x3a,
      false,
      Response.CA,
      Response.UR,
      "Reserved bits set in scalable-mode root entry",
      "the root entry is corrupt, or points above the host address width"),
  SCT_1(
      0x40,
      false,
      Response.CA,
      Response.UR,
      "Error reading the scalable-mode context entry",
      "the context table lies where there is no memory: check the root entry"),
  SCT_2(
      0x41,
      true,
      Response.UR,
      Response.UR,
      "Present bit in scalable-mode context entry is clear",
      "no driver attached this function: the requester id is unknown, spoofed or an alias of a"
          + " bridge"),
  SCT_3(
      0x42,
      true,
      Response.CA,
      Response.UR,
      "Reserved bits set in scalable-mode context entry",
      "the entry is corrupt, or enables what ECAP does not announce"),
  SCT_4_1(
      0x43,
      true,
      Response.CA,
      Response.UR,
      "Page requests are enabled without the device-TLB",
      "PRE needs DTE in the context entry"),
  SCT_4_2(
      0x43,
      true,
      Response.CA,
      Response.UR,
      "RID_PASID is beyond the PASID directory",
      "PDTS of the context entry is too small for its own RID_PASID"),
  SCT_4_3(
      0x43,
      true,
      Response.CA,
      Response.UR,
      "Translated requests with PASID are enabled without PASIDs",
      "EPTR needs PASIDE in the context entry"),
  SCT_5(
      0x44,
      true,
      Response.UR,
      Response.UR,
      "Translation or translated request is blocked",
      "the device uses ATS, the context entry does not allow it: DTE is 0"),
  SCT_6(
      0x45,
      true,
      Response.UR,
      Response.NA,
      "Request with PASID is blocked",
      "the device uses PASIDs, the context entry does not allow it: PASIDE is 0"),
  SCT_7(
      0x46,
      true,
      Response.UR,
      Response.UR,
      "PASID is beyond the PASID directory",
      "the device uses a PASID that PDTS of its context entry does not reach"),
  SCT_8(
      0x47,
      true,
      Response.NA,
      Response.NA,
      "Page request is blocked",
      "the device asks for pages, the context entry does not allow it: PRE is 0"),
  SCT_9(
      0x48,
      true,
      Response.UR,
      Response.UR,
      "PASID is the one for requests without PASID",
      "the device uses RID_PASID explicitly"),
  SCT_10(
      0x49,
      true,
      Response.NA,
      Response.UR,
      "Translated request with PASID is blocked",
      "EPTR of the context entry is 0"),
  SPD_1(
      0x50,
      false,
      Response.CA,
      Response.CA,
      "Error reading the PASID directory entry",
      "the directory lies where there is no memory: check PASIDDIRPTR"),
  SPD_2(
      0x51,
      true,
      Response.S0,
      Response.UR,
      "Present bit in PASID directory entry is clear",
      "nobody set up this PASID for the device"),
  SPD_3(
      0x52,
      true,
      Response.CA,
      Response.CA,
      "Reserved bits set in PASID directory entry",
      "the entry is corrupt, or points above the host address width"),
  SPT_1(
      0x58,
      false,
      Response.CA,
      Response.CA,
      "Error reading the PASID entry",
      "the PASID table lies where there is no memory: check the directory entry"),
  SPT_2(
      0x59,
      true,
      Response.S0,
      Response.UR,
      "Present bit in PASID entry is clear",
      "nobody set up this PASID for the device, or it was torn down while the device still uses"
          + " it"),
  SPT_3(
      0x5a,
      true,
      Response.CA,
      Response.CA,
      "Reserved bits set in PASID entry",
      "the entry is corrupt, or enables what ECAP does not announce"),
  SPT_4_1(
      0x5b,
      true,
      Response.CA,
      Response.CA,
      "Address width of the PASID entry is not supported",
      "AW has to be one that CAP.SAGAW announces"),
  SPT_4_2(
      0x5b,
      true,
      Response.CA,
      Response.CA,
      "Translation type of the PASID entry is not supported",
      "PGTT is reserved, or not announced by ECAP"),
  SPT_4_3(
      0x5b,
      true,
      Response.CA,
      Response.CA,
      "First-stage paging mode is not supported",
      "FSPM is reserved, or 5-level without CAP.FS5LP"),
  SPT_4_4(
      0x5b,
      true,
      Response.CA,
      Response.CA,
      "First-stage root is beyond the second stage",
      "FSPTPTR of a nested entry has to be a guest address that AW covers"),
  SPT_5(
      0x5c,
      true,
      Response.S0,
      Response.NA,
      "Execute requests are not enabled",
      "the device set Execute Requested in its PASID prefix"),
  SPT_6(
      0x5d,
      true,
      Response.S0,
      Response.NA,
      "Supervisor requests are not enabled",
      "the request is privileged, SRE of the PASID entry is 0"),
  SPT_9(
      0x60,
      true,
      Response.NA,
      Response.UR,
      "Translated address beyond the host permission table",
      "HPTSZ of the PASID entry is too small for it"),
  SFS_1(
      0x70,
      true,
      Response.S0,
      Response.NA,
      "Error reading a first-stage entry",
      "a page-table page lies where there is no memory: the entry above it is corrupt or its page"
          + " was freed"),
  SFS_2(
      0x71,
      true,
      Response.S0,
      Response.NA,
      "Present bit in first-stage entry is clear",
      "the address is not mapped, or was unmapped while the device still uses it"),
  SFS_3(
      0x72,
      true,
      Response.S0,
      Response.NA,
      "Reserved bits set in first-stage entry",
      "the entry is corrupt, a superpage is misaligned or of a size that CAP does not announce"),
  SFS_4(
      0x73,
      true,
      Response.S0,
      Response.NA,
      "Error reading the first-stage root table",
      "FSPTPTR of the PASID entry leads where there is no memory"),
  SFS_5(
      0x74,
      true,
      Response.S0,
      Response.NA,
      "First-stage entry is beyond the second stage",
      "a guest's page table lies at a guest address that the second stage does not cover"),
  SFS_6(
      0x75,
      true,
      Response.S0,
      Response.NA,
      "Second stage denies reading the first-stage root table",
      "the hypervisor does not map the page that the guest uses as root"),
  SFS_7(
      0x76,
      true,
      Response.S0,
      Response.NA,
      "Second stage denies reading a first-stage entry",
      "the hypervisor does not map a page that the guest uses as page table"),
  SFS_8(
      0x77,
      true,
      Response.S0,
      Response.NA,
      "Second stage denies updating a first-stage entry",
      "the hypervisor maps the guest's page table read-only, accessed and dirty bits cannot be"
          + " set"),
  SFS_9(
      0x90,
      true,
      Response.S0,
      Response.NA,
      "Accessed or dirty bit in memory that is not snooped",
      "PWSNP of the PASID entry has to be 1"),
  SFS_10(
      0x91,
      true,
      Response.S0,
      Response.NA,
      "Accessed or dirty bit could not be set",
      "the page table lies in memory that cannot be written"),
  SSS_1(
      0x78,
      true,
      Response.CA,
      Response.NA,
      "Error reading a second-stage entry",
      "a page-table page lies where there is no memory: the entry above it is corrupt or its page"
          + " was freed"),
  SSS_2(
      0x79,
      true,
      Response.S0,
      Response.NA,
      "Second-stage entry is not present",
      "the address is not mapped, or was unmapped while the device still uses it"),
  SSS_3(
      0x7a,
      true,
      Response.CA,
      Response.NA,
      "Reserved bits set in second-stage entry",
      "the entry is corrupt, a superpage is misaligned or of a size that CAP.SSLPS does not"
          + " announce"),
  SSS_4(
      0x7b,
      true,
      Response.CA,
      Response.NA,
      "Error reading the second-stage root table",
      "SSPTPTR of the PASID entry leads where there is no memory"),
  SSS_5(
      0x7c,
      true,
      Response.CA,
      Response.NA,
      "Second-stage accessed or dirty bit in memory that is not snooped",
      "PWSNP of the PASID entry has to be 1"),
  SSS_6(
      0x7d,
      true,
      Response.CA,
      Response.NA,
      "Second-stage accessed or dirty bit could not be set",
      "the page table lies in memory that cannot be written"),
  SGN_1(
      0x80,
      true,
      Response.S0,
      Response.NA,
      "Address is not canonical",
      "the device sent an address in the hole between the two halves: a truncated pointer"),
  SGN_2(
      0x81,
      true,
      Response.S0,
      Response.NA,
      "User request of a supervisor page",
      "U/S of the mapping is 0"),
  SGN_4_1(
      0x83,
      true,
      Response.NA,
      Response.UR,
      "Translated address beyond the host address width",
      "the device sent a translated address that no translation gave it"),
  SGN_4_2(
      0x83,
      true,
      Response.S0,
      Response.NA,
      "Pass-through address beyond the host address width",
      "the device sent an address that no memory has"),
  SGN_5(
      0x84,
      true,
      Response.S0,
      Response.NA,
      "Address beyond the second stage",
      "the address is above what AW of the PASID entry covers"),
  SGN_6(
      0x85,
      true,
      Response.PERMS,
      Response.NA,
      "Write permission is missing",
      "the page is mapped read-only (DMA direction)"),
  SGN_7(
      0x86,
      true,
      Response.PERMS,
      Response.NA,
      "Read permission is missing",
      "the page is mapped write-only (DMA direction)"),
  SGN_8(
      0x87,
      true,
      Response.CA,
      Response.UR,
      "Translation leads to the interrupt address range",
      "a page table maps 0xfeexxxxx: interrupts must not be forged by DMA"),
  SGN_10(
      0x89,
      true,
      Response.UR,
      Response.UR,
      "PASID is wider than the unit supports",
      "ECAP.PSS tells how many bits a PASID has"),
  HPT_1(
      0xa0,
      true,
      Response.NA,
      Response.CA,
      "Error reading a host permission table entry",
      "a table lies where there is no memory"),
  HPT_2(
      0xa1,
      true,
      Response.NA,
      Response.CA,
      "Reserved bits set in host permission table entry",
      "the entry is corrupt"),
  HPT_3(
      0xa2,
      true,
      Response.NA,
      Response.CA,
      "Error reading the host permission table's root",
      "HPTPTR of the PASID entry leads where there is no memory"),
  HPT_4(
      0xa3,
      true,
      Response.NA,
      Response.UR,
      "Host permission table grants nothing",
      "no permission was ever given for the page: the device uses a stale translation"),
  HPT_5(
      0xa4,
      true,
      Response.NA,
      Response.UR,
      "Host permission table denies the write",
      "the permission was taken back: the device uses a stale translation"),
  HPT_6(
      0xa5,
      true,
      Response.NA,
      Response.UR,
      "Host permission table denies the read",
      "the permission was taken back: the device uses a stale translation");

  /** How a request that meets the fault ends. */
  public enum Response {
    /** It cannot meet it. */
    NA,
    /** Unsupported Request. */
    UR,
    /** Completer Abort. */
    CA,
    /** Success that grants nothing; not recorded, the device may ask for the page. */
    S0,
    /** Success with the permissions there are; not recorded. */
    PERMS
  }

  private static final List<List<Reason>> BY_CODE = byCode();

  private final int code;
  private final boolean qualified;
  private final Response translation;
  private final Response translated;
  private final String title;
  private final String advice;

  Reason(
      int code,
      boolean qualified,
      Response translation,
      Response translated,
      String title,
      String advice) {
    this.code = code;
    this.qualified = qualified;
    this.translation = translation;
    this.translated = translated;
    this.title = title;
    this.advice = advice;
  }

  @Override
  public int code() {
    return code;
  }

  @Override
  public String codeText() {
    return "0x%02x".formatted(code);
  }

  @Override
  public String title() {
    return title;
  }

  @Override
  public String advice() {
    return advice;
  }

  /**
   * Whether fault processing disable (FPD) in an entry that was met keeps it from being recorded.
   */
  public boolean qualified() {
    return qualified;
  }

  /** How a translation request ends that meets it. */
  public Response translation() {
    return translation;
  }

  /** How a translated request ends that meets it. */
  public Response translated() {
    return translated;
  }

  /** The id as the specification writes it, e.g. {@code LGN.1.2}. */
  public String id() {
    return name().replace('_', '.');
  }

  /** The reasons of a code, in the specification's order; empty if it has none. */
  public static List<Reason> of(int code) {
    return code >= 0 && code < BY_CODE.size() ? BY_CODE.get(code) : List.of();
  }

  private static List<List<Reason>> byCode() {
    List<List<Reason>> all = new ArrayList<>();
    for (int code = 0; code < 256; code++) {
      List<Reason> some = new ArrayList<>();
      for (Reason r : values()) {
        if (r.code == code) {
          some.add(r);
        }
      }
      all.add(List.copyOf(some));
    }
    return List.copyOf(all);
  }
}
