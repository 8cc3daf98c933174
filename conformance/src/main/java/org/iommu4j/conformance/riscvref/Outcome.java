package org.iommu4j.conformance.riscvref;

import java.util.List;
import org.iommu4j.conformance.Difference;
import org.iommu4j.conformance.Differences;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.Completion;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.machine.capture.StrictObject;
import org.jspecify.annotations.Nullable;

/** How a transaction has to end, as far as the device sees it. */
sealed interface Outcome {
  /** What differs in the unit's answer. */
  List<Difference> compare(boolean passed, Translation answer);

  /** The fields of {@code expect}, but for the faults. */
  static Outcome read(StrictObject expect, AddressType type) {
    String status = expect.choice("status", "success", "unsupported-request", "completer-abort");
    if (!status.equals("success")) {
      return new Refused(status);
    }
    if (type == AddressType.TRANSLATION_REQUEST) {
      return AtsAnswer.read(expect);
    }
    expect.flag("msi", false); // an MSI PTE gave the translation: nothing that a device sees
    int pbmt = expect.integer("pbmt", 0, 3);
    if (!expect.has("mrif")) {
      return new Memory(expect.number("pa"), pbmt);
    }
    StrictObject mrif = expect.object("mrif");
    InterruptFile file =
        new InterruptFile(
            mrif.number("addr"), mrif.integer("nid", 0, 0x7ff), mrif.number("notice_pa"), pbmt);
    mrif.finish();
    return file;
  }

  /** The completion status in the vectors' words. */
  static String word(Completion completion) {
    return switch (completion) {
      case SUCCESS -> "success";
      case UNSUPPORTED_REQUEST -> "unsupported-request";
      case COMPLETER_ABORT -> "completer-abort";
    };
  }

  private static Differences succeeded(boolean passed, Translation answer) {
    Differences found = new Differences();
    FaultReason reason = answer.reason();
    if (answer.completion() != Completion.SUCCESS || !passed) {
      found.add(
          "status",
          "success",
          word(answer.completion())
              + (passed ? "" : ", blocked")
              + (reason == null ? "" : ": " + reason.title() + " (" + reason.code() + ")"));
    }
    return found;
  }

  /** The request is refused. */
  record Refused(String status) implements Outcome {
    @Override
    public List<Difference> compare(boolean passed, Translation answer) {
      String found = word(answer.completion());
      if (passed || !found.equals(status)) {
        return new Differences()
            .add("status", status, passed ? found + ", " + describe(answer) : found)
            .list();
      }
      return List.of();
    }

    private static String describe(Translation answer) {
      return "pa 0x%x %s".formatted(answer.pa(), Access.permissions(answer.permissions()));
    }
  }

  /** The request leads to memory or a register page. */
  record Memory(long pa, int pbmt) implements Outcome {
    @Override
    public List<Difference> compare(boolean passed, Translation answer) {
      Differences found = succeeded(passed, answer);
      if (found.list().isEmpty()) {
        found
            .same("target", "memory", target(answer))
            .hex("pa", pa, answer.pa())
            .decimal("pbmt", pbmt, answer.memoryType());
      }
      return found.list();
    }
  }

  /** The request leads to a memory-resident interrupt file. */
  record InterruptFile(long address, int nid, long notice, int pbmt) implements Outcome {
    @Override
    public List<Difference> compare(boolean passed, Translation answer) {
      Differences found = succeeded(passed, answer);
      if (found.list().isEmpty()) {
        found
            .same("target", "mrif", target(answer))
            .hex("mrif.addr", address, answer.messageAddress())
            .decimal("mrif.nid", nid, answer.noticeData())
            .hex("mrif.notice_pa", notice, answer.noticeAddress())
            .decimal("pbmt", pbmt, answer.memoryType());
      }
      return found.list();
    }
  }

  private static String target(Translation answer) {
    return answer.target() == Translation.MESSAGE ? "mrif" : "memory";
  }

  /** The answer to a translation request; what is null is not determined. */
  record AtsAnswer(
      boolean read,
      boolean write,
      @Nullable Boolean execute,
      @Nullable Boolean privileged,
      @Nullable Boolean global,
      @Nullable Boolean untranslatedOnly,
      @Nullable Boolean noSnoop,
      @Nullable Boolean cxlIo,
      int ama,
      @Nullable Long pa,
      @Nullable Long size)
      implements Outcome {

    static AtsAnswer read(StrictObject expect) {
      return new AtsAnswer(
          expect.flag("r"),
          expect.flag("w"),
          flag(expect, "exe"),
          flag(expect, "priv"),
          flag(expect, "global"),
          flag(expect, "u"),
          flag(expect, "n"),
          flag(expect, "cxl_io"),
          expect.integer("ama", 0, 7, 0),
          expect.has("pa") ? (Long) expect.number("pa") : null,
          expect.has("size") ? (Long) expect.number("size") : null);
    }

    private static @Nullable Boolean flag(StrictObject expect, String name) {
      return expect.has(name) ? (Boolean) expect.flag(name) : null;
    }

    @Override
    public List<Difference> compare(boolean passed, Translation answer) {
      Differences found = new Differences();
      // An answer that grants nothing is a success on the bus, whatever translate() returned.
      if (read || write || answer.completion() != Completion.SUCCESS) {
        found = succeeded(passed, answer);
      }
      if (!found.list().isEmpty()) {
        return found.list();
      }
      int granted = answer.permissions();
      found.same("r", read, (granted & Access.READ) != 0);
      found.same("w", write, (granted & Access.WRITE) != 0);
      compare(found, "exe", execute, (granted & Access.EXECUTE) != 0);
      if (!read && !write) {
        return found.list();
      }
      compare(found, "priv", privileged, answer.privileged());
      compare(found, "global", global, answer.global());
      compare(found, "u", untranslatedOnly, answer.untranslatedOnly());
      // The unit has neither N nor AMA: both are always 0 in its answers.
      compare(found, "n", noSnoop, false);
      found.decimal("ama", ama, 0);
      compare(found, "cxl_io", cxlIo, answer.cxlIo());
      if (pa != null && !Boolean.TRUE.equals(untranslatedOnly)) {
        found.hex("pa", pa, answer.pa());
      }
      if (size != null && answer.rangeShift() > 63 - Long.numberOfLeadingZeros(size)) {
        found.add("size", "at most " + Differences.hex(size), "2^" + answer.rangeShift());
      }
      return found.list();
    }

    private static void compare(
        Differences found, String name, @Nullable Boolean expected, boolean actual) {
      if (expected != null) {
        found.same(name, expected, actual);
      }
    }
  }
}
