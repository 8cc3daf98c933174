package org.iommu4j.bench;

import com.code_intelligence.jazzer.junit.FuzzTest;

/** Random programs against the VT-d unit; see {@link VtdProgram}. */
class VtdFuzz {
  @FuzzTest(maxDuration = "20s")
  void no_program_breaks_the_unit(byte[] program) {
    try (VtdProgram p = new VtdProgram(program)) {
      p.play();
    }
  }
}
