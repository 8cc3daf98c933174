package org.iommu4j.conformance.riscvref;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.iommu4j.conformance.Bench;
import org.iommu4j.conformance.CommonSteps;
import org.iommu4j.conformance.CommonSteps.Write;
import org.iommu4j.conformance.Difference;
import org.iommu4j.conformance.Format;
import org.iommu4j.conformance.Step;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.Options;
import org.iommu4j.core.memory.Failure;
import org.iommu4j.machine.capture.StrictObject;
import org.jspecify.annotations.Nullable;

/** The format {@code riscv-ref}. */
public final class RiscvRefFormat extends Format<RiscvRefBench> {
  /** FORMAT §2; these are options of the architecture under the same names. */
  private static final List<String> SETTINGS =
      List.of(
          "capabilities",
          "fctl",
          "reset_iommu_mode",
          "max_iommu_mode",
          "max_devid_mask",
          "vector_bits",
          "event_counters",
          "counter_bits",
          "event_id_limit",
          "qosid_mask",
          "bare_range");

  private static final int TR_REQ_CTL = 0x260;

  @Override
  public boolean owns(String id) {
    return id.startsWith("riscv-ref/");
  }

  @Override
  protected boolean advisory(StrictObject row) {
    if (row.has("oracle")) {
      row.text("oracle"); // where the expectation comes from
    }
    return row.flag("advisory", false);
  }

  @Override
  protected Map<String, String> options(String arch, StrictObject setup) {
    Map<String, String> options = new LinkedHashMap<>();
    for (String name : SETTINGS) {
      setup.number(name);
      options.put(name, setup.scalar(name));
    }
    StrictObject writable = setup.object("fctl_writable");
    for (String bit : List.of("be", "wsi", "gxl")) {
      options.put("fctl_writable." + bit, Boolean.toString(writable.flag(bit)));
    }
    writable.finish();
    setup.has("ats_fills_ioatc"); // the oracle's own affair
    return options;
  }

  @Override
  protected @Nullable Step<? super RiscvRefBench> step(
      String action, StrictObject fields, String arch) {
    return switch (action) {
      case "write" -> write((Write) CommonSteps.read(action, fields));
      case "dma" -> DmaStep.read(fields);
      case "page-request" -> PageRequestStep.read(fields);
      case "expect-message" -> MessageStep.read(fields);
      case "ats-inval-completion" -> InvalidationSteps.completion(fields);
      case "ats-inval-timeout" -> InvalidationSteps.timeout(fields);
      case "tr-response" -> DebugStep.read(fields);
      case "mem-fault" -> inject(fields);
      case "mem-fault-clear" -> RiscvRefFormat::clear;
      default -> CommonSteps.read(action, fields);
    };
  }

  /** A register write; one that starts a debug translation is remembered for its answer. */
  private static Step<RiscvRefBench> write(@Nullable Write write) {
    if (write == null) {
      throw new IllegalStateException("write is a common step");
    }
    return bench -> {
      if (write.offset() == TR_REQ_CTL) {
        bench.debugRequestComes();
      }
      return write.run(bench);
    };
  }

  private static Step<Bench> inject(StrictObject fields) {
    Failure kind =
        switch (fields.choice("kind", "access", "write-access", "corrupt")) {
          case "access" -> Failure.ACCESS;
          case "write-access" -> Failure.WRITE_ACCESS;
          default -> Failure.POISON;
        };
    long pa = fields.number("pa");
    long length = fields.number("len");
    return bench -> {
      bench.memory().inject(pa, length, kind);
      return List.of();
    };
  }

  private static List<Difference> clear(Bench bench) {
    bench.memory().clearInjections();
    return List.of();
  }

  @Override
  protected RiscvRefBench bench(Architecture architecture, Options options, String arch) {
    return new RiscvRefBench(architecture, options);
  }
}
