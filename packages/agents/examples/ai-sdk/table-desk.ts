/** An agent of the AI SDK, made once: the work of its tools and its model is kept for a later attempt. */
import { appendFile } from "node:fs/promises";
import { type AgentContext, type AgentInput, BaseAgent, registerAgent } from "@agent-paas/agents";
import { answerWithAiSdk, journaledModel, journaledTools } from "@agent-paas/agents/adapters/ai-sdk";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { isStepCount, Output, streamText, ToolLoopAgent, tool } from "ai";
import { z } from "zod";

const { OPENAI_BASE_URL: baseURL = "https://api.openai.com/v1", OPENAI_API_KEY: apiKey = "" } = process.env;
const { LLM_MODEL = "gpt-4o-mini", RESERVATIONS_FILE = "/dev/null" } = process.env;
const provider = createOpenAICompatible({ name: "provider", baseURL, apiKey, includeUsage: true });
const model = journaledModel(provider(LLM_MODEL));

const tools = journaledTools(
  {
    free_tables: tool({
      description: "How many tables are free on a day.",
      inputSchema: z.object({ day: z.string() }),
      execute: ({ day }) => ({ day, free: day.length }),
    }),
    reserve: tool({
      description: "Reserves a table.",
      inputSchema: z.object({ day: z.string(), name: z.string() }),
      async execute({ day, name }) {
        await appendFile(RESERVATIONS_FILE, `${day} ${name}\n`);
        return `reserved on ${day} for ${name}`;
      },
    }),
    cancel: tool({
      description: "Cancels all reservations of a day.",
      inputSchema: z.object({ day: z.string() }),
      async execute({ day }) {
        await appendFile(RESERVATIONS_FILE, `${day} cancelled\n`);
        return `cancelled on ${day}`;
      },
    }),
  },
  { idempotent: ["free_tables"] },
);

const instructions = "You are the desk of a restaurant. Be brief.";
const desk = new ToolLoopAgent({
  ...{ model, tools, instructions, stopWhen: isStepCount(10), maxRetries: 0 },
  // A person is asked before the tool runs; the job waits for the answer.
  toolApproval: { cancel: "user-approval" },
});

class TableDesk extends BaseAgent {
  static readonly description = "Reserves tables, with the AI SDK.";
  static readonly config = z.strictObject({});
  static readonly tools = Object.keys(tools);

  async *run(input: AgentInput, context: AgentContext<unknown>) {
    return yield* answerWithAiSdk(
      ({ messages, abortSignal }) => desk.stream({ messages, abortSignal }),
      input,
      context,
    );
  }
}

registerAgent("ai_sdk_desk")(TableDesk);

/** `streamText` with a structured output: it is checked by the SDK and becomes the result's `data`. */
class GuestList extends BaseAgent {
  static readonly description = "Reads the names of guests out of a text, with the AI SDK.";
  static readonly config = z.strictObject({});

  async *run(input: AgentInput, context: AgentContext<unknown>) {
    const output = Output.object({ schema: z.object({ guests: z.array(z.string()) }) });
    return yield* answerWithAiSdk((asked) => streamText({ model, output, maxRetries: 0, ...asked }), input, context);
  }
}

registerAgent("ai_sdk_guests")(GuestList);
