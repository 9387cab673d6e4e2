/** What this agent is for. */
import {
  type AgentContext,
  type AgentInput,
  answer,
  BaseAgent,
  defineTool,
  firstMessages,
  modelConfigFields,
  modelOptions,
  registerAgent,
} from "@agent-paas/agents";
import { z } from "zod";

/** A tool that only this agent has. */
const lookUp = defineTool({
  name: "look_up",
  description: "Looks a word up. Use it before you say what a word means.",
  parameters: z.strictObject({ word: z.string().describe("One word.") }),
  idempotent: true, // a call that a crash interrupted may be made again
  call: ({ word }) => ({ word, letters: word.length }),
});

/** What a request may set in `config`; `GET /agents` publishes it. */
const Config = z.strictObject({
  ...modelConfigFields,
  style: z.enum(["brief", "thorough"]).default("brief").describe("How much the agent says."),
});

export class MyAgent extends BaseAgent<typeof Config> {
  static readonly description = "Says in a sentence what the agent does.";
  static readonly config = Config;
  static readonly tools = [lookUp.name];

  async *run(input: AgentInput, context: AgentContext<z.output<typeof Config>>) {
    const { config } = context;
    const { system_prompt = `You explain words. Be ${config.style}.`, history_tokens } = config;
    const messages = await firstMessages(input, { system_prompt, history_tokens });
    const asked = { messages, tools: [lookUp], options: modelOptions(config), responseSchema: config.response_schema };
    return yield* answer(asked, context);
  }
}

registerAgent("my_agent")(MyAgent);
