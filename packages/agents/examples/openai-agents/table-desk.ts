/** An agent of the OpenAI Agents SDK, made once: the work of its tools and its model is kept for a later attempt. */
import { appendFile } from "node:fs/promises";
import { type AgentContext, type AgentInput, BaseAgent, registerAgent } from "@agent-paas/agents";
import { answerWithOpenAiAgents, journaledModel, journaledTool } from "@agent-paas/agents/adapters/openai-agents";
import { Agent, OpenAIChatCompletionsModel, run, setTracingDisabled, tool } from "@openai/agents";
import OpenAI from "openai";
import { z } from "zod";

// The SDK would send every run's traces to OpenAI.
setTracingDisabled(true);

const { OPENAI_BASE_URL: baseURL, OPENAI_API_KEY: apiKey = "" } = process.env;
const { LLM_MODEL = "gpt-4o-mini", RESERVATIONS_FILE = "/dev/null" } = process.env;
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const model = journaledModel(new OpenAIChatCompletionsModel(client, LLM_MODEL));

const freeTables = tool({
  name: "free_tables",
  description: "How many tables are free on a day.",
  parameters: z.object({ day: z.string() }),
  execute: async ({ day }) => ({ day, free: day.length }),
});

const reserve = tool({
  name: "reserve",
  description: "Reserves a table.",
  parameters: z.object({ day: z.string(), name: z.string() }),
  async execute({ day, name }) {
    await appendFile(RESERVATIONS_FILE, `${day} ${name}\n`);
    return `reserved on ${day} for ${name}`;
  },
});

const cancel = tool({
  name: "cancel",
  description: "Cancels all reservations of a day.",
  parameters: z.object({ day: z.string() }),
  // A person is asked before the tool runs; the job waits for the answer.
  needsApproval: true,
  async execute({ day }) {
    await appendFile(RESERVATIONS_FILE, `${day} cancelled\n`);
    return `cancelled on ${day}`;
  },
});

const tools = [
  journaledTool(freeTables, { idempotent: ["free_tables"] }),
  ...[reserve, cancel].map((each) => journaledTool(each)),
];

const desk = new Agent({
  name: "desk",
  instructions: "You are the desk of a restaurant. Be brief.",
  model,
  tools,
});

class TableDesk extends BaseAgent {
  static readonly description = "Reserves tables, with the OpenAI Agents SDK.";
  static readonly config = z.strictObject({});
  static readonly tools = tools.map(({ name }) => name);

  async *run(input: AgentInput, context: AgentContext<unknown>) {
    return yield* answerWithOpenAiAgents(
      ({ messages, signal }) => run(desk, messages, { stream: true, signal, context: { locale: context.locale } }),
      input,
      context,
    );
  }
}

registerAgent("openai_agents_desk")(TableDesk);

const guests = new Agent({
  name: "guests",
  instructions: "List the guests that the text names.",
  model,
  outputType: z.object({ guests: z.array(z.string()) }),
});

class GuestList extends BaseAgent {
  static readonly description = "Reads the names of guests out of a text, with the OpenAI Agents SDK.";
  static readonly config = z.strictObject({});

  async *run(input: AgentInput, context: AgentContext<unknown>) {
    return yield* answerWithOpenAiAgents(
      ({ messages, signal }) => run(guests, messages, { stream: true, signal }),
      input,
      context,
    );
  }
}

registerAgent("openai_agents_guests")(GuestList);
