package org.iommu4j.vtd.oracle;

/** The process stops with a condition. */
final class Stop extends RuntimeException {
  private static final long serialVersionUID = 1L;

  final String id;

  Stop(String id) {
    super(id, null, false, false);
    this.id = id;
  }
}
