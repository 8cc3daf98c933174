package org.iommu4j.vtd.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.vtd.model.Tables.GPA;
import static org.iommu4j.vtd.model.Tables.IOVA;
import static org.iommu4j.vtd.model.Tables.PASID;
import static org.iommu4j.vtd.model.Tables.SID;

import java.util.List;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.Completion;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.core.memory.Failure;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.ContextEntry;
import org.iommu4j.vtd.layout.ExtendedCapability;
import org.iommu4j.vtd.layout.FaultRecord;
import org.iommu4j.vtd.layout.FirstStagePte;
import org.iommu4j.vtd.layout.HostPermissionEntry;
import org.iommu4j.vtd.layout.Irte;
import org.iommu4j.vtd.layout.PasidDirectoryEntry;
import org.iommu4j.vtd.layout.PasidEntry;
import org.iommu4j.vtd.layout.Reason;
import org.iommu4j.vtd.layout.Registers;
import org.iommu4j.vtd.layout.RootEntry;
import org.iommu4j.vtd.layout.ScalableContextEntry;
import org.iommu4j.vtd.layout.SecondStagePte;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every reason is produced by something that a device or software does, and by its own name. */
class EveryReasonTest {
  private static final long BEYOND_MEMORY = 0xf000_0000L;
  private static final long ABOVE_HOST = 1L << Rig.HAW;
  private static final int INDEX = 3;
  private static final int WRITE = Access.WRITE;
  private static final int READ = Access.READ;

  private Rig rig = Rig.standard("off");
  private Tables tables = new Tables(rig);
  private boolean fpd;
  private boolean translationRequest;

  @AfterEach
  void close() {
    rig.close();
  }

  /** The unit has other capabilities than usual. */
  private void unit(Rig.Builder builder) {
    rig.close();
    rig = builder.option("cache", "off").build();
    tables = new Tables(rig);
  }

  @ParameterizedTest
  @EnumSource(Reason.class)
  void every_reason_is_recorded_with_all_that_belongs_to_it(Reason reason) {
    Rig.Fault expected = produce(reason);
    assertThat(rig.faults()).containsExactly(expected);
    assertThat(rig.faults()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(Reason.class)
  void with_fpd_only_what_is_not_qualified_is_recorded(Reason reason) {
    fpd = true;
    Rig.Fault expected = produce(reason);
    if (reason.qualified()) {
      assertThat(rig.faults()).isEmpty();
    } else {
      assertThat(rig.faults()).containsExactly(expected);
    }
  }

  @ParameterizedTest
  @EnumSource(Reason.class)
  void a_translation_request_is_answered_as_the_table_says(Reason reason) {
    if (reason.translation() == Reason.Response.NA) {
      // Those that only other requests meet are in the tests above.
      assertThat(neverTranslationRequests()).contains(reason);
      return;
    }
    translationRequest = true;
    Rig.Fault expected = produce(reason);
    boolean recorded =
        reason.translation() == Reason.Response.UR
            || reason.translation() == Reason.Response.CA
            || reason == Reason.SFS_10;
    if (recorded) {
      assertThat(rig.faults()).containsExactly(expected);
    } else {
      assertThat(rig.faults()).isEmpty();
    }
  }

  private static List<Reason> neverTranslationRequests() {
    return List.of(Reason.values()).stream()
        .filter(
            r ->
                r.name().startsWith("IR_")
                    || r.name().startsWith("HPT_")
                    || List.of(
                            Reason.LGN_1_2,
                            Reason.LGN_1_3,
                            Reason.RTA_3,
                            Reason.SCT_8,
                            Reason.SCT_10,
                            Reason.SPT_9,
                            Reason.SGN_4_1)
                        .contains(r))
        .toList();
  }

  // ---- requests

  private Rig.Fault asks(Reason reason, int pasid, long iova, int access, AddressType type) {
    DmaRequest request = rig.request(SID, iova, access).pasid(pasid).addressType(type);
    boolean passed = rig.translate(request);
    Reason.Response response =
        switch (type) {
          case UNTRANSLATED -> Reason.Response.UR;
          case TRANSLATION_REQUEST -> reason.translation();
          case TRANSLATED -> reason.translated();
        };
    switch (response) {
      case UR, CA -> {
        assertThat(passed).isFalse();
        assertThat(rig.reason()).isEqualTo(reason);
        assertThat(rig.translation.completion())
            .isEqualTo(
                response == Reason.Response.UR
                    ? Completion.UNSUPPORTED_REQUEST
                    : Completion.COMPLETER_ABORT);
      }
      case S0 -> {
        assertThat(passed).isTrue();
        assertThat(rig.translation.permissions()).isZero();
      }
      case PERMS -> {
        assertThat(passed).isTrue();
        assertThat(rig.translation.permissions() & access).isNotEqualTo(access);
      }
      case NA -> throw new AssertionError(reason + " cannot happen to " + request);
    }
    boolean present = pasid >= 0;
    boolean write = type != AddressType.TRANSLATION_REQUEST && (access & WRITE) != 0;
    return new Rig.Fault(
        iova & ~0xfffL,
        FaultRecord.F.of(1)
            | FaultRecord.FR.of(reason.code())
            | FaultRecord.SID.of(SID)
            | FaultRecord.T1.of(write ? 0 : 1)
            | FaultRecord.AT.of(type.ordinal())
            | FaultRecord.PP.of(present ? 1 : 0)
            | FaultRecord.PV.of(present ? pasid : 0)
            | FaultRecord.EXE.of(present && (access & Access.EXECUTE) != 0 ? 1 : 0)
            | FaultRecord.PRIV.of(present && (access & Access.PRIVILEGED) != 0 ? 1 : 0));
  }

  private Rig.Fault plain(Reason reason, int pasid, long iova, int access) {
    if (!translationRequest) {
      return asks(reason, pasid, iova, access, AddressType.UNTRANSLATED);
    }
    return asks(reason, pasid, iova, access | READ | WRITE, AddressType.TRANSLATION_REQUEST);
  }

  private Rig.Fault reads(Reason reason) {
    return plain(reason, DmaRequest.NO_PASID, IOVA, READ);
  }

  private Rig.Fault translated(Reason reason, long address, int access) {
    return asks(reason, DmaRequest.NO_PASID, address, access, AddressType.TRANSLATED);
  }

  private Rig.Fault pageRequest(Reason reason) {
    rig.unit.pageRequest(new PageRequest(SID, false, DmaRequest.NO_PASID, 0, IOVA | 5));
    assertThat(rig.responses).hasSize(1);
    assertThat(rig.responses.getFirst().code()).isEqualTo(1);
    return new Rig.Fault(
        IOVA,
        FaultRecord.F.of(1)
            | FaultRecord.FR.of(reason.code())
            | FaultRecord.SID.of(SID)
            | FaultRecord.T2.of(1));
  }

  private Rig.Fault interrupt(Reason reason, long address, int data, boolean indexed) {
    assertThat(rig.remap(SID, address, data)).isFalse();
    assertThat(rig.delivery.reason()).isEqualTo(reason);
    return new Rig.Fault(
        indexed ? FaultRecord.INDEX.of(INDEX) : address & ~0xfffL,
        FaultRecord.F.of(1) | FaultRecord.FR.of(reason.code()) | FaultRecord.SID.of(SID));
  }

  private Rig.Fault indexed(Reason reason) {
    return interrupt(reason, Rig.messageAddress(INDEX), 0, true);
  }

  // ---- machines

  private Tables legacy(int tt) {
    tables.legacy(tt);
    rig.enable();
    return fpd ? tables.or(tables.context, ContextEntry.FPD.of(1)) : tables;
  }

  private Tables legacy() {
    return legacy(ContextEntry.TT_ATS);
  }

  private Tables scalable(int pgtt) {
    tables.scalable(pgtt);
    rig.enable();
    return fpd ? tables.or(tables.context, ScalableContextEntry.FPD.of(1)) : tables;
  }

  private Tables first() {
    return scalable(PasidEntry.FIRST_STAGE);
  }

  private Tables second() {
    return scalable(PasidEntry.SECOND_STAGE);
  }

  private Tables nested() {
    return scalable(PasidEntry.NESTED);
  }

  private Tables throughPass() {
    return scalable(PasidEntry.PASS_THROUGH);
  }

  /** The entry of requests without PASID. */
  private long entry() {
    return tables.pasidEntry(Tables.RID);
  }

  /** Loads from there fail. */
  private void fails(long at) {
    rig.memory.inject(at & ~63L, 64, Failure.POISON);
  }

  private void cannotBeWritten(long at) {
    rig.memory.inject(at, 8, Failure.WRITE_ACCESS);
  }

  private long interrupts(boolean extended, long low, long high) {
    long table = tables.interrupts(extended);
    rig.command(Registers.IRE, true);
    long at = table + 16L * INDEX;
    rig.store(at, low | Irte.FPD.of(fpd ? 1 : 0), high);
    return at;
  }

  private static long remapped() {
    return Irte.P.of(1) | Irte.V.of(0x41) | Irte.XAPIC_DST.of(2);
  }

  private static long posted(long descriptor) {
    return Irte.P.of(1) | Irte.IM.of(1) | Irte.VV.of(0x41) | Irte.PDAL.of(descriptor >>> 6);
  }

  /** Brings the reason about; returns the record that there has to be. */
  private Rig.Fault produce(Reason reason) {
    return switch (reason) {
      case LRT_1 -> {
        legacy();
        fails(tables.rootEntry);
        yield reads(reason);
      }
      case LRT_2 -> {
        legacy().clear(tables.rootEntry, 1);
        yield reads(reason);
      }
      case LRT_3 -> {
        legacy().or(tables.rootEntry, 2);
        yield reads(reason);
      }
      case LCT_1 -> {
        legacy();
        rig.store(tables.rootEntry, BEYOND_MEMORY | RootEntry.P.of(1));
        yield reads(reason);
      }
      case LCT_2 -> {
        legacy().clear(tables.context, 1);
        yield reads(reason);
      }
      case LCT_3 -> {
        legacy().or(tables.context + 8, 1L << 40);
        yield reads(reason);
      }
      case LCT_4_1 -> {
        legacy().or(tables.context + 8, 4);
        yield reads(reason);
      }
      case LCT_4_2 -> {
        legacy().or(tables.context, ContextEntry.TT.of(3));
        yield reads(reason);
      }
      case LCT_4_3 -> {
        legacy();
        rig.store(tables.context, rig.load(tables.context) & 0xfff | BEYOND_MEMORY);
        yield reads(reason);
      }
      case LCT_5 -> {
        legacy(ContextEntry.TT_UNTRANSLATED);
        yield translationRequest ? reads(reason) : translated(reason, tables.data, READ);
      }
      case LSS_1 -> {
        legacy();
        rig.store(tables.secondSlot(IOVA, 2), BEYOND_MEMORY | Tables.SS_RW);
        yield reads(reason);
      }
      case LSS_2 -> {
        legacy().or(tables.secondSlot(IOVA, 1), SecondStagePte.IW.of(1));
        yield reads(reason);
      }
      case LGN_1_1 -> {
        legacy();
        yield plain(reason, DmaRequest.NO_PASID, 1L << 48, READ);
      }
      case LGN_1_2 -> {
        legacy();
        yield translated(reason, ABOVE_HOST, READ);
      }
      case LGN_1_3 -> {
        legacy(ContextEntry.TT_PASS_THROUGH);
        yield plain(reason, DmaRequest.NO_PASID, ABOVE_HOST, READ);
      }
      case LGN_2 -> {
        legacy().clear(tables.secondSlot(IOVA, 1), SecondStagePte.W.of(1));
        yield plain(reason, DmaRequest.NO_PASID, IOVA, WRITE);
      }
      case LGN_3 -> {
        legacy().clear(tables.secondSlot(IOVA, 1), SecondStagePte.R.of(1));
        yield reads(reason);
      }
      case LGN_4 -> {
        legacy().mapSecond(IOVA, 0xfee0_1000L | Tables.SS_RW);
        yield reads(reason);
      }
      case IR_REQUEST_RESERVED -> {
        interrupts(false, remapped(), 0);
        yield interrupt(reason, Rig.messageAddress(INDEX) | 8, 1 << 16, false);
      }
      case IR_INDEX -> {
        interrupts(false, remapped(), 0);
        Rig.Fault f = interrupt(reason, Rig.messageAddress(256), 0, true);
        yield new Rig.Fault(FaultRecord.INDEX.of(256), f.high());
      }
      case IR_NOT_PRESENT -> {
        interrupts(false, remapped() & ~1, 0);
        yield indexed(reason);
      }
      case IR_ACCESS -> {
        fails(interrupts(false, remapped(), 0));
        yield indexed(reason);
      }
      case IR_RESERVED -> {
        interrupts(false, remapped() | 1 << 12, 0);
        yield indexed(reason);
      }
      case IR_COMPATIBILITY -> {
        interrupts(false, remapped(), 0);
        yield interrupt(reason, 0xfee0_1000L, 0x41, false);
      }
      case IR_SOURCE -> {
        interrupts(false, remapped(), Irte.SVT.of(Irte.SVT_SID) | Irte.SID.of(SID ^ 8));
        yield indexed(reason);
      }
      case IR_DESCRIPTOR_ACCESS -> {
        interrupts(false, posted(BEYOND_MEMORY), Irte.PDAH.of(BEYOND_MEMORY >>> 32));
        yield indexed(reason);
      }
      case IR_DESCRIPTOR_RESERVED -> {
        long descriptor = rig.frame();
        rig.store(descriptor + 32, 4);
        interrupts(false, posted(descriptor), 0);
        yield indexed(reason);
      }
      case IR_MALFORMED -> {
        legacy();
        yield plain(reason, DmaRequest.NO_PASID, 0xfee0_1000L, READ);
      }
      case IR_EIME_REQUIRED -> {
        unit(Rig.with().ecap(ExtendedCapability.EIMER, 1));
        interrupts(false, remapped(), 0);
        yield interrupt(reason, Rig.messageAddress(INDEX), 0, false);
      }
      case IR_REMAPPING_REQUIRED -> {
        unit(Rig.with().ecap(ExtendedCapability.IRREQ, 1));
        yield interrupt(reason, Rig.messageAddress(INDEX), 0, false);
      }
      case RTA_1_1 -> {
        unit(Rig.with().ecap(ExtendedCapability.ADMS, 0));
        yield mode(reason, Registers.TTM.of(3));
      }
      case RTA_1_2 -> mode(reason, Registers.TTM.of(2));
      case RTA_1_3 -> {
        unit(legacyOnly());
        yield mode(reason, Registers.TTM.of(1));
      }
      case RTA_1_4 -> mode(reason, Registers.SSIRWE.of(1));
      case RTA_2 -> {
        legacy();
        yield plain(reason, PASID, IOVA, READ);
      }
      case RTA_3 -> {
        legacy();
        rig.pageRequests();
        yield pageRequest(reason);
      }
      case RTA_4 -> mode(reason, Registers.TTM.of(Registers.TTM_ABORT));
      case RTA_5 -> {
        unit(Rig.with().version(0x80));
        second();
        yield plain(reason, PASID, IOVA, READ | Access.EXECUTE);
      }
      case SRT_1 -> {
        second();
        fails(tables.rootEntry);
        yield reads(reason);
      }
      case SRT_2 -> {
        second().clear(tables.rootEntry, 1);
        yield reads(reason);
      }
      case SRT_3 -> {
        second().or(tables.rootEntry, 2);
        yield reads(reason);
      }
      case SCT_1 -> {
        second();
        rig.store(tables.rootEntry, BEYOND_MEMORY | RootEntry.LP.of(1));
        yield reads(reason);
      }
      case SCT_2 -> {
        second().clear(tables.context, 1);
        yield reads(reason);
      }
      case SCT_3 -> {
        second().or(tables.context + 16, 1);
        yield reads(reason);
      }
      case SCT_4_1 -> {
        second().clear(tables.context, ScalableContextEntry.DTE.of(1));
        yield reads(reason);
      }
      case SCT_4_2 -> {
        second().or(tables.context + 8, 1 << 13);
        yield reads(reason);
      }
      case SCT_4_3 -> {
        second()
            .clear(tables.context, ScalableContextEntry.PASIDE.of(1))
            .or(tables.context, ScalableContextEntry.EPTR.of(1));
        yield reads(reason);
      }
      case SCT_5 -> {
        second()
            .clear(tables.context, ScalableContextEntry.DTE.of(1) | ScalableContextEntry.PRE.of(1));
        yield translationRequest ? reads(reason) : translated(reason, tables.data, READ);
      }
      case SCT_6 -> {
        second().clear(tables.context, ScalableContextEntry.PASIDE.of(1));
        yield plain(reason, PASID, IOVA, READ);
      }
      case SCT_7 -> {
        second();
        yield plain(reason, 1 << 13, IOVA, READ);
      }
      case SCT_8 -> {
        second().clear(tables.context, ScalableContextEntry.PRE.of(1));
        rig.pageRequests();
        yield pageRequest(reason);
      }
      case SCT_9 -> {
        second();
        yield plain(reason, Tables.RID, IOVA, READ);
      }
      case SCT_10 -> {
        second();
        yield asks(reason, PASID, tables.data, READ, AddressType.TRANSLATED);
      }
      case SPD_1 -> {
        second();
        fails(tables.directoryEntry);
        yield reads(reason);
      }
      case SPD_2 -> {
        second().clear(tables.directoryEntry, 1);
        yield reads(reason);
      }
      case SPD_3 -> {
        second().or(tables.directoryEntry, 4);
        yield reads(reason);
      }
      case SPT_1 -> {
        second();
        rig.store(tables.directoryEntry, BEYOND_MEMORY | PasidDirectoryEntry.P.of(1));
        yield reads(reason);
      }
      case SPT_2 -> {
        second().clear(entry(), 1);
        yield reads(reason);
      }
      case SPT_3 -> {
        second().or(entry() + 24, 1);
        yield reads(reason);
      }
      case SPT_4_1 -> {
        second().or(entry(), PasidEntry.AW.of(4));
        yield reads(reason);
      }
      case SPT_4_2 -> {
        second().or(entry(), PasidEntry.PGTT.of(5));
        yield reads(reason);
      }
      case SPT_4_3 -> {
        first().or(entry() + 16, PasidEntry.FSPM.of(2));
        yield reads(reason);
      }
      case SPT_4_4 -> {
        // A second stage of 39 bits.
        nested().clear(entry(), PasidEntry.AW.of(7)).or(entry(), PasidEntry.AW.of(1));
        tables.or(entry() + 16, 1L << 40);
        yield reads(reason);
      }
      case SPT_5 -> {
        second();
        yield plain(reason, PASID, IOVA, READ | Access.EXECUTE);
      }
      case SPT_6 -> {
        first();
        yield plain(reason, PASID, IOVA, READ | Access.PRIVILEGED);
      }
      case SPT_9 -> {
        unit(Rig.with().option("haw", 52));
        second().hostPermissions(tables.data, 3);
        yield translated(reason, 1L << 49, READ);
      }
      case SFS_1 -> {
        first();
        rig.store(tables.firstSlot(IOVA, 2), BEYOND_MEMORY | Tables.FS_ALL);
        yield reads(reason);
      }
      case SFS_2 -> {
        first().clear(tables.firstSlot(IOVA, 1), 1);
        yield reads(reason);
      }
      case SFS_3 -> {
        first().or(tables.firstSlot(IOVA, 1), ABOVE_HOST);
        yield reads(reason);
      }
      case SFS_4 -> {
        first();
        rig.store(entry() + 16, BEYOND_MEMORY);
        yield reads(reason);
      }
      case SFS_5 -> {
        // A second stage of 39 bits cannot be asked about this table. It has the same tables but
        // the uppermost: the entry there for addresses below 2^39.
        nested();
        tables.or(tables.firstSlot(IOVA, 3), 1L << 42);
        narrow();
        yield reads(reason);
      }
      case SFS_6 -> {
        nested().clear(tables.secondSlot(tables.first, 1), SecondStagePte.R.of(1));
        yield reads(reason);
      }
      case SFS_7 -> {
        nested();
        long table = rig.load(tables.firstSlot(IOVA, 3)) & ~0xfffL;
        tables.clear(tables.secondSlot(table, 1), SecondStagePte.R.of(1));
        yield reads(reason);
      }
      case SFS_8 -> {
        nested().clear(tables.secondSlot(tables.first, 1), SecondStagePte.W.of(1));
        yield reads(reason);
      }
      case SFS_9 -> {
        first().clear(entry() + 8, PasidEntry.PWSNP.of(1));
        yield reads(reason);
      }
      case SFS_10 -> {
        first();
        cannotBeWritten(tables.firstSlot(IOVA, 1));
        yield reads(reason);
      }
      case SSS_1 -> {
        second();
        rig.store(tables.secondSlot(IOVA, 2), BEYOND_MEMORY | Tables.SS_RW);
        yield reads(reason);
      }
      case SSS_2 -> {
        second().mapSecond(IOVA, 0);
        yield reads(reason);
      }
      case SSS_3 -> {
        second().or(tables.secondSlot(IOVA, 1), ABOVE_HOST);
        yield reads(reason);
      }
      case SSS_4 -> {
        second();
        rig.store(entry(), rig.load(entry()) & 0xfff | BEYOND_MEMORY);
        yield reads(reason);
      }
      case SSS_5 -> {
        second().or(entry(), PasidEntry.SSADE.of(1)).clear(entry() + 8, PasidEntry.PWSNP.of(1));
        yield reads(reason);
      }
      case SSS_6 -> {
        second().or(entry(), PasidEntry.SSADE.of(1));
        cannotBeWritten(tables.secondSlot(IOVA, 1));
        yield reads(reason);
      }
      case SGN_1 -> {
        first();
        yield plain(reason, DmaRequest.NO_PASID, 1L << 47, READ);
      }
      case SGN_2 -> {
        first().clear(tables.firstSlot(IOVA, 1), FirstStagePte.US.of(1));
        yield reads(reason);
      }
      case SGN_4_1 -> {
        second();
        yield translated(reason, ABOVE_HOST, READ);
      }
      case SGN_4_2 -> {
        throughPass();
        yield plain(reason, DmaRequest.NO_PASID, ABOVE_HOST, READ);
      }
      case SGN_5 -> {
        second();
        yield plain(reason, DmaRequest.NO_PASID, 1L << 48, READ);
      }
      case SGN_6 -> {
        first().clear(tables.firstSlot(IOVA, 1), FirstStagePte.RW.of(1));
        yield plain(reason, DmaRequest.NO_PASID, IOVA, WRITE);
      }
      case SGN_7 -> {
        nested().clear(tables.secondSlot(GPA, 1), SecondStagePte.R.of(1));
        yield reads(reason);
      }
      case SGN_8 -> {
        second().mapSecond(IOVA, 0xfee0_1000L | Tables.SS_RW);
        yield reads(reason);
      }
      case SGN_10 -> {
        unit(Rig.with().ecap(ExtendedCapability.PSS, 9));
        second();
        yield plain(reason, 1 << 10, IOVA, READ);
      }
      case HPT_1 -> {
        second().hostPermissions(tables.data, 3);
        rig.store(
            tables.hostEntry(tables.data, 2) + 8, BEYOND_MEMORY | HostPermissionEntry.AV.of(1));
        yield translated(reason, tables.data, READ);
      }
      case HPT_2 -> {
        second().hostPermissions(tables.data, 3);
        tables.or(tables.hostEntry(tables.data, 2) + 8, 1 << 5);
        yield translated(reason, tables.data, READ);
      }
      case HPT_3 -> {
        second().hostPermissions(tables.data, 3);
        rig.store(entry() + 32, BEYOND_MEMORY);
        yield translated(reason, tables.data, READ);
      }
      case HPT_4 -> {
        second().hostPermissions(tables.data, 0);
        yield translated(reason, tables.data, READ | Access.ZERO_LENGTH);
      }
      case HPT_5 -> {
        second().hostPermissions(tables.data, 1);
        yield translated(reason, tables.data, WRITE);
      }
      case HPT_6 -> {
        second().hostPermissions(tables.data, 2);
        yield translated(reason, tables.data, READ);
      }
    };
  }

  /** The second stage is one of three levels from now on: what was below the first entry. */
  private void narrow() {
    long third = rig.load(tables.second) & ~0xfffL;
    rig.store(
        entry(), third | rig.load(entry()) & 0xfff & ~PasidEntry.AW.mask() | PasidEntry.AW.of(1));
  }

  private static Rig.Builder legacyOnly() {
    return Rig.with()
        .ecap(ExtendedCapability.SMTS, 0)
        .ecap(ExtendedCapability.MTS, 0)
        .ecap(ExtendedCapability.NEST, 0)
        .ecap(ExtendedCapability.PRS, 0)
        .ecap(ExtendedCapability.SRS, 0)
        .ecap(ExtendedCapability.EAFS, 0)
        .ecap(ExtendedCapability.PASID, 0)
        .ecap(ExtendedCapability.SSADS, 0)
        .ecap(ExtendedCapability.SSTS, 0)
        .ecap(ExtendedCapability.FSTS, 0)
        .ecap(ExtendedCapability.SMPWCS, 0)
        .ecap(ExtendedCapability.RPS, 0)
        .ecap(ExtendedCapability.RPRIVS, 0)
        .ecap(ExtendedCapability.HPTS, 0)
        .ecap(ExtendedCapability.PTRS, 0)
        .ecap(ExtendedCapability.SSIRWS, 0)
        .ecap(ExtendedCapability.SMS, 0)
        .ecap(ExtendedCapability.HPT1GPS, 0)
        .cap(Capability.FS1GP, 0)
        .cap(Capability.FS5LP, 0);
  }

  /** Whatever the tables are: the mode decides. */
  private Rig.Fault mode(Reason reason, long bits) {
    tables.legacy(ContextEntry.TT_ATS);
    rig.write(Registers.RTADDR, tables.root | bits);
    rig.command(Registers.SRTP, true);
    rig.enable();
    return reads(reason);
  }
}
