package org.iommu4j.cli;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.name;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** The arrows of the house (DESIGN: "Dependencies run downward only"), over all of its classes. */
class ArchitectureTest {
  private static final String HOUSE = "org.iommu4j.";

  /** Those that are still to come hold trivially until their module joins the class path. */
  private static final List<String> ARCHITECTURES =
      List.of("riscv", "vtd", "amdvi", "smmuv3", "virtio");

  private static final JavaClasses ALL =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("org.iommu4j");

  @Test
  void every_module_of_the_tree_is_looked_at() throws IOException {
    try (Stream<Path> folders = Files.list(Path.of(".."))) {
      List<String> modules =
          folders
              .filter(d -> Files.exists(d.resolve("src/main/java/module-info.java")))
              .map(d -> d.getFileName().toString())
              .toList();
      assertThat(modules).contains("core", "driver", "machine", "conformance", "cli");
      assertThat(modules)
          .allSatisfy(
              module ->
                  assertThat(ALL.that(resideInAPackage(HOUSE + module + "..")))
                      .as("classes of module " + module + " on the class path of this test")
                      .isNotEmpty());
    }
  }

  // The floors

  @Test
  void core_sees_nothing_of_the_house_but_itself() {
    check(
        seesOnly("core", "core"),
        "core is the vocabulary: what it knew of its users it would impose on all of them");
  }

  @Test
  void core_has_no_circles() {
    check(
        SlicesRuleDefinition.slices()
            .matching(HOUSE + "core.(*)..")
            .should()
            .beFreeOfCycles()
            .allowEmptyShould(true),
        "bits, memory, dma, iotlb are to be read in that order, each without the next");
  }

  @Test
  void the_portable_driver_sees_core_only() {
    check(
        seesOnly("driver", "core", "driver"),
        "one API for all architectures cannot know any of them");
  }

  @Test
  void machine_sees_core_and_driver_only() {
    check(
        seesOnly("machine", "core", "driver", "machine"),
        "a platform finds architectures through ServiceLoader, so that a sixth changes nothing");
  }

  @Test
  void conformance_and_cli_see_no_architecture() {
    for (String module : List.of("conformance", "cli")) {
      for (String architecture : ARCHITECTURES) {
        check(
            noClasses()
                .that()
                .resideInAPackage(HOUSE + module + "..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage(HOUSE + architecture + "..")
                .allowEmptyShould(true),
            "architectures are found through ServiceLoader, so that a sixth changes nothing here");
      }
    }
  }

  @Test
  void nothing_below_the_commands_sees_them() {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackage(HOUSE + "cli..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage(HOUSE + "cli.."),
        "who embeds iommu4j does not embed its commands");
  }

  // The walls

  @ParameterizedTest
  @FieldSource("ARCHITECTURES")
  void an_architecture_sees_core_driver_and_itself_only(String architecture) {
    check(
        seesOnly(architecture, "core", "driver", architecture),
        "what two architectures share belongs to core, and what they do not is no one else's");
  }

  @ParameterizedTest
  @FieldSource("ARCHITECTURES")
  void a_model_never_sees_a_driver(String architecture) {
    check(
        noClasses()
            .that()
            .resideInAPackage(HOUSE + architecture + ".model..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(HOUSE + "driver..", HOUSE + "*.driver..")
            .allowEmptyShould(true),
        "hardware does not know who programs it; anyone's driver must be able to");
  }

  @ParameterizedTest
  @FieldSource("ARCHITECTURES")
  void a_driver_never_sees_a_model(String architecture) {
    check(
        noClasses()
            .that()
            .resideInAPackage(HOUSE + architecture + ".driver..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage(HOUSE + "*.model..")
            .allowEmptyShould(true),
        "a driver that reaches into the model proves nothing about the model");
  }

  @Test
  void a_driver_reaches_hardware_through_mmio_and_memory_only() {
    check(
        noClasses()
            .that()
            .resideInAnyPackage(HOUSE + "driver..", HOUSE + "*.driver..")
            .should()
            .dependOnClassesThat()
            .haveFullyQualifiedName(HOUSE + "core.dma.Iommu")
            .allowEmptyShould(true),
        "translating is what a device can ask for, not what software can");
  }

  @ParameterizedTest
  @FieldSource("ARCHITECTURES")
  void a_layout_is_made_of_bits_only(String architecture) {
    check(
        classes()
            .that()
            .resideInAPackage(HOUSE + architecture + ".layout..")
            .should()
            .onlyDependOnClassesThat(
                resideInAnyPackage(
                        "java..",
                        "org.jspecify..",
                        HOUSE + "core.bits..",
                        HOUSE + architecture + ".layout..")
                    // The list of fault codes is one of the formats.
                    .or(name(HOUSE + "core.dma.FaultReason")))
            .allowEmptyShould(true),
        "registers and formats are data, read by model, driver, inspector and walker alike");
  }

  @Test
  void core_driver_and_architectures_need_no_library() {
    String[] lean =
        Stream.concat(Stream.of("core", "driver"), ARCHITECTURES.stream())
            .map(module -> HOUSE + module + "..")
            .toArray(String[]::new);
    check(
        classes()
            .that()
            .resideInAnyPackage(lean)
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage("java..", "org.jspecify..", "org.iommu4j.."),
        "an emulator that embeds a model must not inherit anyone's dependencies");
  }

  // The hot path

  @Test
  void walkers_and_iotlb_neither_log_nor_use_collections() {
    check(
        noClasses()
            .that()
            .haveSimpleNameEndingWith("Walker")
            .or()
            .resideInAPackage(HOUSE + "core.iotlb..")
            // Settings are read once, when a unit is built.
            .and()
            .doNotHaveSimpleName("CacheSettings")
            .should()
            .dependOnClassesThat(
                resideInAnyPackage("java.util.logging..", "java.util.stream..")
                    .or(assignableTo(System.Logger.class))
                    .or(assignableTo(Collection.class))
                    .or(assignableTo(Map.class)))
            .allowEmptyShould(true),
        "a translation allocates nothing, and a walk has some 10 ns for everything");
  }

  private static ArchRule seesOnly(String module, String... visible) {
    return noClasses()
        .that()
        .resideInAPackage(HOUSE + module + "..")
        .should()
        .dependOnClassesThat(
            resideInAPackage("org.iommu4j..")
                .and(
                    resideInAnyPackage(
                            Stream.of(visible).map(v -> HOUSE + v + "..").toArray(String[]::new))
                        .negate()
                        .as("not of " + String.join(", ", visible))))
        .allowEmptyShould(true);
  }

  private static void check(ArchRule rule, String because) {
    rule.because(because).check(ALL);
  }
}
