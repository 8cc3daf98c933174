package org.iommu4j.conformance;

/**
 * One thing that came out otherwise than expected.
 *
 * @param field what it is: a register or one of its fields, a field of a record, an address
 * @param expected what the vector or capture says
 * @param actual what the model did
 */
public record Difference(String field, String expected, String actual) {}
