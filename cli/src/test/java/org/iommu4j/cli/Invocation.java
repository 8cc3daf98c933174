package org.iommu4j.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What a command said and how it ended. */
record Invocation(int status, String out, String err) {
  /** Runs a command as a shell would, into memory. */
  static Invocation of(String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine command = Main.commandLine(false, false);
    command.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
    int status = command.execute(args);
    command.getOut().flush();
    command.getErr().flush();
    return new Invocation(status, out.toString(), err.toString());
  }

  JsonNode json() {
    return JsonMapper.shared().readTree(out);
  }
}
