/** Asks a provider as the platform does, and gathers what a client would see. */
import {
  type AgentEvent,
  answer,
  defineTool,
  type Model,
  type ModelRequest,
  type ModelTurn,
  type ToolCall,
} from "@agent-paas/agents";
import { createBudget } from "@agent-paas/agents/job/budget.ts";
import { createToolbox } from "@agent-paas/agents/registry/toolbox.ts";
import { APPROVE_ALL, createMemoryJournal } from "@agent-paas/agents/testing";
import { createJobTools } from "@agent-paas/agents/tools/job-tools.ts";
import { DEFAULT_LIMITS } from "@agent-paas/shared/contract/limits.ts";
import { z } from "zod";

export type Gathered = {
  readonly shown: string;
  readonly thoughts: string;
  readonly calls: readonly { readonly name: string; readonly args: unknown; readonly id: string }[];
  /** The last turn, of a single one that did not fail. */
  readonly turn?: ModelTurn;
  readonly error?: unknown;
};

export const lookup = defineTool({
  name: "lookup",
  description: "Finds a word.",
  parameters: z.strictObject({ word: z.string().optional() }),
  idempotent: true,
  call: ({ word }) => `found ${word ?? "nothing"}`,
});

const LOOKUP = { name: lookup.name, description: lookup.description, parameters: lookup.parameters };

/** One model turn. */
export async function askOnce(model: Model, request: ModelRequest, offersTools: boolean): Promise<Gathered> {
  const pieces = { text: "", reasoning: "" };
  const stream = model.stream(offersTools ? { ...request, tools: [LOOKUP] } : request, new AbortController().signal);
  try {
    for (;;) {
      const step = await stream.next();
      if (step.done) {
        const calls = step.value.toolCalls.map(callOf);
        return { shown: pieces.text, thoughts: pieces.reasoning, calls, turn: step.value };
      }
      const { type, content } = step.value;
      if (type !== "reset") {
        pieces[type] += content;
        continue;
      }
      pieces.reasoning += content;
      pieces.text = "";
    }
  } catch (error) {
    return { shown: pieces.text, thoughts: pieces.reasoning, calls: [], error };
  }
}

/** The text that a client shows after these events. */
const shownBy = (events: readonly AgentEvent[]): string =>
  events.reduce((text, { event, data }) => {
    if (event !== "message") return text;
    return data.type === "reset" ? String(data.content) : text + String(data.content);
  }, "");

const callOf = ({ id, name, arguments: args }: ToolCall) => ({ id, name, args: JSON.parse(args) });

/** Turns and tool calls until the answer is there. */
export async function askInLoop(model: Model, { messages, ...options }: ModelRequest): Promise<Gathered> {
  const { signal } = new AbortController();
  const tools = createJobTools({
    toolbox: createToolbox(),
    budget: createBudget({ ...DEFAULT_LIMITS, deadline_ms: 5_000 }, () => {}),
    journal: createMemoryJournal(),
    approvals: APPROVE_ALL,
    retriever: { search: async () => [] },
    logger: { info: () => {}, warn: () => {}, error: () => {} },
    ...{ jobId: "job", sessionId: null, owner: "ann", collection: null, ended: signal },
  });
  const context = { model, tools, signal, locale: "en", owner: "ann" } as const;
  const events: AgentEvent[] = [];
  let error: unknown;
  try {
    for await (const event of answer({ messages, options, tools: [lookup] }, context)) events.push(event);
  } catch (caught) {
    error = caught;
  }
  const ofType = (type: string) => events.filter(({ data }) => data.type === type).map(({ data }) => data.content);
  const calls = events.flatMap(({ event, data }) =>
    event === "thought" && data.type === "tool_call"
      ? [{ id: String(data.call_id), name: String(data.name), args: data.arguments }]
      : [],
  );
  const gathered = { shown: shownBy(events), thoughts: ofType("reasoning").join(""), calls };
  return error === undefined ? gathered : { ...gathered, error };
}
