/** An agent that ends at once, so that an execute job costs nothing but the platform's own work. */
import { BaseAgent, registerAgent } from "@agent-paas/agents";
import { z } from "zod";

class NoopAgent extends BaseAgent {
  static readonly description = "Does nothing.";
  static readonly config = z.strictObject({});
  async *run() {}
}
registerAgent("noop")(NoopAgent);
