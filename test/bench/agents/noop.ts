/** An agent that is done at once: what is left of an execute job is the platform's own share. */
import { BaseAgent, registerAgent } from "@agent-paas/agents";
import { z } from "zod";

class NoopAgent extends BaseAgent {
  static readonly description = "Does nothing.";
  static readonly config = z.strictObject({});
  async *run() {}
}
registerAgent("noop")(NoopAgent);
