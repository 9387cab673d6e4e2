/** The tool calls of one model turn: made side by side, told as they finish, answered in the order they were asked. */
import type { AgentContext } from "../agent/agent.ts";
import { type AgentEvent, thought } from "../agent/events.ts";
import type { ModelMessage, ToolCall } from "../model/model.ts";
import type { ToolOutcome } from "../tools/job-tools.ts";
import type { Tool } from "../tools/tool.ts";

/** Of results and arguments, what events show. */
const MAX_SHOWN_CHARS = 2_000;
const MAX_SUMMARY_CHARS = 120;

/**
 * Yields a `tool_call` and a `tool_result` thought for each; returns the messages for the model. What goes wrong in a call is told
 * to the model; rejects, when all calls have settled, with what `JobTools.call` rejects with.
 */
export async function* callTools(
  calls: readonly ToolCall[],
  tools: readonly Tool[],
  { tools: jobTools, signal }: Pick<AgentContext<unknown>, "tools" | "signal">,
): AsyncGenerator<AgentEvent, ModelMessage[]> {
  const messages: ModelMessage[] = [];
  const running = calls.map(async (call, at) => {
    const outcome = await makeCall(call, tools, jobTools, signal);
    messages[at] = { role: "tool", callId: call.id, content: outcome.content };
    return { call, outcome };
  });
  // Their failures are looked at below, perhaps long after they have happened.
  for (const call of running) call.catch(() => {});
  for (const call of calls) yield tellCall(call);
  yield* tellResults(running);
  return messages;
}

async function makeCall(
  call: ToolCall,
  tools: readonly Tool[],
  jobTools: AgentContext<unknown>["tools"],
  signal: AbortSignal,
): Promise<ToolOutcome> {
  const tool = tools.find(({ name }) => name === call.name);
  const args = parseArguments(call.arguments);
  if (tool === undefined) {
    // Without the list of those that there are: it may be another at a retry, which would then not find its steps.
    return notMade(`There is no tool "${call.name}".`);
  }
  if (args === undefined) return notMade("The arguments are not JSON.");
  return jobTools.call(tool, args, signal);
}

/** A call that failed for good is thrown when the others have ended: their results are in the journal then. */
async function* tellResults(
  running: readonly Promise<{ call: ToolCall; outcome: ToolOutcome }>[],
): AsyncGenerator<AgentEvent> {
  const pending = new Map(running.map((promise, at) => [at, promise.then(() => at).catch(() => at)]));
  let failure: { readonly reason: unknown } | null = null;
  while (pending.size > 0) {
    const at = await Promise.race(pending.values());
    pending.delete(at);
    try {
      const settled = await running[at];
      if (settled !== undefined) yield tellResult(settled.call, settled.outcome);
    } catch (reason) {
      failure ??= { reason };
    }
  }
  if (failure !== null) throw failure.reason;
}

const tellCall = ({ id, name, arguments: args }: ToolCall): AgentEvent =>
  thought("tool_call", `${name}(${args.slice(0, MAX_SUMMARY_CHARS)})`, {
    call_id: id,
    name,
    arguments: parseArguments(args) ?? args.slice(0, MAX_SHOWN_CHARS),
  });

const tellResult = ({ id, name }: ToolCall, { status, content, replayed, durationMs }: ToolOutcome): AgentEvent =>
  thought("tool_result", `${name}: ${content.slice(0, MAX_SUMMARY_CHARS)}`, {
    call_id: id,
    name,
    status,
    result: content.slice(0, MAX_SHOWN_CHARS),
    replayed,
    duration_ms: durationMs,
  });

/** No arguments at all count as none to give. */
function parseArguments(text: string): unknown {
  try {
    return JSON.parse(text.trim() === "" ? "{}" : text);
  } catch {
    return undefined;
  }
}

const notMade = (content: string): ToolOutcome => ({ status: "error", content, replayed: false, durationMs: 0 });
