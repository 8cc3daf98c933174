package org.iommu4j.core.dma;

/**
 * Carries a unit's messages to devices. Called from within the unit: implementations only pass on
 * or store; a completion that comes back at once is allowed.
 */
public interface AtsFabric {
  /** A fabric whose devices know nothing of ATS: invalidations are never answered. */
  AtsFabric NONE =
      new AtsFabric() {
        @Override
        public void invalidate(AtsInvalidation request) {}

        @Override
        public void respond(PageResponse response) {}
      };

  /** An Invalidation Request to the device named in it. */
  void invalidate(AtsInvalidation request);

  /** A Page Request Group Response to the device named in it. */
  void respond(PageResponse response);
}
