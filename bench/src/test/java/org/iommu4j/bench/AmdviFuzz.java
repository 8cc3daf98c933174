package org.iommu4j.bench;

import com.code_intelligence.jazzer.junit.FuzzTest;

/** Random programs against the AMD unit; see {@link AmdviProgram}. */
class AmdviFuzz {
  @FuzzTest(maxDuration = "20s")
  void no_program_breaks_the_unit(byte[] program) {
    try (AmdviProgram p = new AmdviProgram(program)) {
      p.play();
    }
  }
}
