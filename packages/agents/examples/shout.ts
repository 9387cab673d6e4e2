import { type AgentContext, type AgentInput, BaseAgent, registerAgent, text } from "@agent-paas/agents";
import { z } from "zod";

const Config = z.strictObject({ marks: z.int().min(1).max(9).default(1) });

class ShoutAgent extends BaseAgent<typeof Config> {
  static readonly description = "Repeats what it is told, louder.";
  static readonly config = Config;
  async *run(input: AgentInput, { config }: AgentContext<z.output<typeof Config>>) {
    for (const word of input.text.split(" ")) yield text(`${word.toUpperCase()} `);
    yield text("!".repeat(config.marks));
  }
}

registerAgent("shout")(ShoutAgent);
