/** An agent that delegates: it asks several agents side by side and shows the answer of each under its name. */
import { type AgentContext, type AgentInput, BaseAgent, registerAgent, text, thought } from "@agent-paas/agents";
import { z } from "zod";

const Config = z.strictObject({
  agents: z.array(z.string()).min(1).max(5).default(["chat_basic", "shout"]).describe("The ids of those to ask."),
});

class PanelAgent extends BaseAgent<typeof Config> {
  static readonly description = "Asks several agents the same and shows what each of them answers.";
  static readonly config = Config;

  async *run(input: AgentInput, { agents, config, logger, signal }: AgentContext<z.output<typeof Config>>) {
    yield thought("delegate", config.agents.join(", "), { agents: config.agents });
    const parts = input.parts?.filter(({ type }) => type !== "text") ?? [];
    const asked = config.agents.map(async (agent, at) => {
      const child = agents.run({ name: `${at}`, agent, task: input.text, parts }, signal);
      // The child's events are not shown; its return value holds the whole answer.
      for (;;) {
        const next = await child.next();
        if (next.done) return next.value.content;
      }
    });
    for (const [at, answer] of (await Promise.allSettled(asked)).entries()) {
      if (answer.status === "rejected") logger.warn({ err: answer.reason }, "an agent of the panel failed");
      yield text(`${config.agents[at]}: ${answer.status === "fulfilled" ? answer.value : "(no answer)"}\n`);
    }
  }
}

registerAgent("panel")(PanelAgent);
