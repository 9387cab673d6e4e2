/**
 * The tool calls of one model turn: they are made side by side and shown as they finish, and their results go to the
 * model in the order of the calls.
 */

import { NumberOutOfRange, parseJson } from "@agent-paas/shared/json/exact-json.ts";
import { cutText } from "@agent-paas/shared/text.ts";
import type { AgentContext } from "../agent/agent.ts";
import { type AgentEvent, thought } from "../agent/events.ts";
import type { ModelMessage, ToolCall, ToolSpec } from "../model/model.ts";
import { toClientCall } from "../model/open-turn.ts";
import type { ToolOutcome } from "../tools/job-tools.ts";
import type { Tool } from "../tools/tool.ts";

/** Events show the beginning of results and arguments, characters. */
const MAX_SHOWN_CHARS = 2_000;
const MAX_SUMMARY_CHARS = 120;

/** What the model is told of a call within which its turn reached the limit of output tokens. */
const CUT =
  "The call was not made: your turn reached the limit of output tokens within it. Call again with shorter arguments.";

const NO_JSON = "The arguments are not JSON.";

/**
 * Yields a `tool_call` and a `tool_result` thought for each call; returns the messages for the model. A failed call is
 * a message for the model. `isCut`: the turn reached the limit of output tokens, so its last call may not be whole.
 * When `JobTools.call` rejects, this rejects with its first error after all calls have settled. Calls of the client's
 * tools are left to it, without a message, unless their arguments are of no use to anybody.
 */
export async function* callTools(
  calls: readonly ToolCall[],
  tools: readonly Tool[],
  { tools: jobTools, signal, clientTools = [] }: CallContext,
  isCut = false,
): AsyncGenerator<AgentEvent, ModelMessage[]> {
  const isLeft = (call: ToolCall): boolean =>
    clientTools.some(({ name }) => name === call.name) && parseArguments(call.arguments) !== undefined;
  const mayBeCut = (call: ToolCall): boolean => isCut && call === calls.at(-1) && !isWhole(call);
  const made = calls.filter((call) => mayBeCut(call) || !isLeft(call));
  const messages: ModelMessage[] = [];
  const running = made.map(async (call, at) => {
    const outcome = mayBeCut(call) ? notMade(CUT) : await makeCall(call, { tools, clientTools, jobTools, signal });
    messages[at] = { role: "tool", callId: call.id, content: outcome.content };
    return { call, outcome };
  });
  // `showResults` reads the failures, perhaps long after they happened; until then they must not count as unhandled.
  for (const call of running) call.catch(() => {});
  for (const call of made) yield showCall(call);
  yield* showResults(running);
  return messages;
}

type CallContext = Pick<AgentContext<unknown>, "tools" | "signal"> &
  Partial<Pick<AgentContext<unknown>, "clientTools">>;

type Callable = {
  readonly tools: readonly Tool[];
  readonly clientTools: readonly ToolSpec[];
  readonly jobTools: AgentContext<unknown>["tools"];
  readonly signal: AbortSignal;
};

async function makeCall(call: ToolCall, { tools, clientTools, jobTools, signal }: Callable): Promise<ToolOutcome> {
  const tool = tools.find(({ name }) => name === call.name);
  const args = parseArguments(call.arguments);
  if (tool === undefined) {
    if (clientTools.some(({ name }) => name === call.name)) return notMade(NO_JSON);
    // The message does not list the known tools: they may differ at a retry, and the next turn's journal entry is found
    // by its messages.
    return notMade(`There is no tool "${call.name}".`);
  }
  if (args instanceof NumberOutOfRange) return notMade(`The arguments cannot be kept as they are: ${args.message}.`);
  if (args === undefined) return notMade(NO_JSON);
  return jobTools.call(tool, args, signal);
}

/** Throws the first failure after all other calls have ended, so that their results are in the journal for a retry. */
async function* showResults(
  running: readonly Promise<{ call: ToolCall; outcome: ToolOutcome }>[],
): AsyncGenerator<AgentEvent> {
  const pending = new Map(running.map((promise, at) => [at, promise.then(() => at).catch(() => at)]));
  let failure: { readonly reason: unknown } | null = null;
  while (pending.size > 0) {
    const at = await Promise.race(pending.values());
    pending.delete(at);
    try {
      const settled = await running[at];
      if (settled !== undefined) yield showResult(settled.call, settled.outcome);
    } catch (reason) {
      failure ??= { reason };
    }
  }
  if (failure !== null) throw failure.reason;
}

export const showCall = ({ id, name, arguments: args }: ToolCall): AgentEvent =>
  thought("tool_call", `${name}(${cutText(args, MAX_SUMMARY_CHARS)})`, {
    call_id: id,
    name,
    arguments: shownArguments(args),
  });

/** Nothing is cut: the client is to make the call. */
export const showClientCall = (call: ToolCall): AgentEvent => {
  const { call_id, name, arguments: args } = toClientCall(call);
  const content = `${name}(${cutText(args, MAX_SUMMARY_CHARS)})`;
  return thought("tool_call", content, { call_id, name, arguments: args, client: true });
};

function shownArguments(args: string): unknown {
  const parsed = parseArguments(args);
  return parsed === undefined || parsed instanceof NumberOutOfRange ? cutText(args, MAX_SHOWN_CHARS) : parsed;
}

export const showResult = (
  { id, name }: Pick<ToolCall, "id" | "name">,
  { status, content, replayed, durationMs }: ToolOutcome,
): AgentEvent =>
  thought("tool_result", `${name}: ${cutText(content, MAX_SUMMARY_CHARS)}`, {
    call_id: id,
    name,
    status,
    result: cutText(content, MAX_SHOWN_CHARS),
    replayed,
    duration_ms: durationMs,
  });

const isWhole = ({ arguments: text }: ToolCall): boolean => text.trim() !== "" && parseArguments(text) !== undefined;

/**
 * Undefined for what is no JSON, an error for a number that cannot be kept. Empty arguments count as an empty object,
 * because some providers send none.
 */
function parseArguments(text: string): unknown {
  try {
    return parseJson(text.trim() === "" ? "{}" : text);
  } catch (error) {
    return error instanceof NumberOutOfRange ? error : undefined;
  }
}

const notMade = (content: string): ToolOutcome => ({ status: "error", content, replayed: false, durationMs: 0 });
