/** A graph of LangGraph, compiled once: the work of its tools and its checkpoints are kept for a later attempt. */
import { appendFile } from "node:fs/promises";
import { type AgentContext, type AgentInput, BaseAgent, registerAgent } from "@agent-paas/agents";
import { answerWithLangGraph, journaledCheckpointer, journaledTool } from "@agent-paas/agents/adapters/langgraph";
import { tool } from "@langchain/core/tools";
import { Annotation, interrupt, MemorySaver, MessagesAnnotation, StateGraph } from "@langchain/langgraph";
import { ToolNode, toolsCondition } from "@langchain/langgraph/prebuilt";
import { ChatOpenAI } from "@langchain/openai";
import { z } from "zod";

const { OPENAI_BASE_URL: baseURL, OPENAI_API_KEY: apiKey = "" } = process.env;
const { LLM_MODEL: model = "gpt-4o-mini", RESERVATIONS_FILE = "/dev/null" } = process.env;
const chat = new ChatOpenAI({ model, apiKey, configuration: { baseURL }, maxRetries: 0, streaming: true });

const freeTables = tool(({ day }) => ({ day, free: day.length }), {
  name: "free_tables",
  description: "How many tables are free on a day.",
  schema: z.object({ day: z.string() }),
});

const reserve = tool(
  async ({ day, name }) => {
    await appendFile(RESERVATIONS_FILE, `${day} ${name}\n`);
    return `reserved on ${day} for ${name}`;
  },
  {
    name: "reserve",
    description: "Reserves a table.",
    schema: z.object({ day: z.string(), name: z.string() }),
  },
);

const cancel = tool(
  async ({ day }) => {
    // A person is asked; the job waits for the answer, and the tool begins again with it.
    const answer: unknown = interrupt(`Cancel all reservations of ${day}? (yes or no)`);
    if (answer !== "yes") return "not cancelled";
    await appendFile(RESERVATIONS_FILE, `${day} cancelled\n`);
    return `cancelled on ${day}`;
  },
  {
    name: "cancel",
    description: "Cancels all reservations of a day.",
    schema: z.object({ day: z.string() }),
  },
);

// A tool that may be interrupted begins again when it goes on, so it is not wrapped.
const tools = [journaledTool(freeTables, { idempotent: ["free_tables"] }), journaledTool(reserve), cancel];
const withTools = chat.bindTools(tools);
const checkpointer = journaledCheckpointer(() => new MemorySaver());

const desk = new StateGraph(MessagesAnnotation)
  .addNode("model", async ({ messages }) => {
    const instructions = { role: "system", content: "You are the desk of a restaurant. Be brief." };
    return { messages: await withTools.invoke([instructions, ...messages]) };
  })
  .addNode("tools", new ToolNode(tools))
  .addEdge("__start__", "model")
  .addConditionalEdges("model", toolsCondition)
  .addEdge("tools", "model")
  .compile({ checkpointer });

class TableDesk extends BaseAgent {
  static readonly description = "Reserves tables, with LangGraph.";
  static readonly config = z.strictObject({});
  static readonly tools = tools.map(({ name }) => name);

  async *run(input: AgentInput, context: AgentContext<unknown>) {
    return yield* answerWithLangGraph(desk, input, context);
  }
}

registerAgent("langgraph_desk")(TableDesk);

/** What a node returns as `structuredResponse` is the result's `data`. */
const State = Annotation.Root({ ...MessagesAnnotation.spec, structuredResponse: Annotation<unknown>() });
const Guests = z.object({ guests: z.array(z.string()) });

const guests = new StateGraph(State)
  .addNode("model", async ({ messages }) => {
    const answer = await chat.invoke(messages);
    return { messages: answer, structuredResponse: Guests.parse(JSON.parse(answer.text)) };
  })
  .addEdge("__start__", "model")
  .compile();

class GuestList extends BaseAgent {
  static readonly description = "Reads the names of guests out of a text, with LangGraph.";
  static readonly config = z.strictObject({});

  async *run(input: AgentInput, context: AgentContext<unknown>) {
    return yield* answerWithLangGraph(guests, input, context);
  }
}

registerAgent("langgraph_guests")(GuestList);
