package org.iommu4j.bench;

import com.code_intelligence.jazzer.junit.FuzzTest;

/** Random programs against the RISC-V unit; see {@link RiscvProgram}. */
class RiscvFuzz {
  @FuzzTest(maxDuration = "20s")
  void no_program_breaks_the_unit(byte[] program) {
    try (RiscvProgram p = new RiscvProgram(program)) {
      p.play();
    }
  }
}
