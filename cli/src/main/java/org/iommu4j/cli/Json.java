package org.iommu4j.cli;

import java.io.PrintWriter;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.machine.description.Units;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Output for programs. Field names are part of the interface: they are written here and in the
 * reports by hand, never taken from a class. Addresses and raw values are strings, {@code 0x...},
 * because JSON's numbers end at 2^53.
 */
final class Json {
  private static final JsonMapper MAPPER =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  private Json() {}

  static ObjectNode object() {
    return JsonNodeFactory.instance.objectNode();
  }

  static ArrayNode array() {
    return JsonNodeFactory.instance.arrayNode();
  }

  static String hex(long value) {
    return Units.address(value);
  }

  static String permissions(int bits) {
    return Access.permissions(bits);
  }

  /** Puts a PASID, null if there is none. */
  static void pasid(ObjectNode node, int pasid) {
    if (pasid == DmaRequest.NO_PASID) {
      node.putNull("pasid");
    } else {
      node.put("pasid", pasid);
    }
  }

  static void print(PrintWriter out, ObjectNode node) {
    out.println(MAPPER.writeValueAsString(node));
    out.flush();
  }
}
