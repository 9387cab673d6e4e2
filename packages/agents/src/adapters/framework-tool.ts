/** Calls of a framework's tools as calls of the job: counted, bounded, and kept in the journal (I5). */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { parseJson } from "@agent-paas/shared/json/exact-json.ts";
import { Suspended } from "../job/inquiries.ts";
import { DEFAULT_TIMEOUT_MS, type Tool } from "../tools/tool.ts";
import { type OpenCall, withOuter } from "./framework-calls.ts";
import { currentRun, type FrameworkRun, withinCall } from "./framework-run.ts";

export type FrameworkToolOptions = {
  /**
   * Names of the tools whose calls may be repeated when their end is unknown: reads. Default: none; then a call that a
   * crash interrupted is reported to the model as in doubt, and not made again.
   */
  readonly idempotent?: readonly string[];
  /**
   * Names of the tools of which a person must approve every call. Default: none. It is the platform's approval, with
   * edited arguments; that of the framework is a question.
   */
  readonly needsApproval?: readonly string[];
  /** Time limit of one call, ms. Default: 30 s. */
  readonly timeoutMs?: number;
};

export type FrameworkCall = {
  readonly name: string;
  readonly args: unknown;
  /** The framework's id of the call, if it has one. */
  readonly id?: string | undefined;
};

/** What the model should read instead of a result: the call failed, or is in doubt. */
export class FrameworkToolError extends Error {
  override readonly name = "FrameworkToolError";
}

/** The whole of a result travels as JSON; the platform's own limit applies. */
const MAX_RESULT_CHARS = Number.MAX_SAFE_INTEGER;

/**
 * Makes the call by `work`, unless an earlier attempt has finished it; `work` gets the arguments as a person left them.
 * Returns what JSON keeps of the value. Outside a job it only does the work. Throws a `FrameworkToolError` for a call
 * that failed or is in doubt. A call that must end the run, as one that waits for a person, does so when no other is in
 * flight, and has no outcome: with one, the framework would go on.
 */
export async function callInJob<Value>(
  { name, args, id }: FrameworkCall,
  { idempotent = [], needsApproval = [], timeoutMs = DEFAULT_TIMEOUT_MS }: FrameworkToolOptions,
  work: (args: unknown, signal: AbortSignal | undefined) => Promise<Value> | Value,
): Promise<Value> {
  const run = currentRun();
  if (run === undefined) return work(args, undefined);
  const call: OpenCall = { name, idempotent: idempotent.includes(name), outer: run.call };
  const tool: Tool = {
    ...{ name, description: "", parameters: { type: "object" }, timeoutMs, maxResultChars: MAX_RESULT_CHARS },
    idempotent: call.idempotent,
    needsApproval: needsApproval.includes(name),
    parse: (given) => given,
    async call(decided, { signal }) {
      return JSON.stringify({ value: await withinCall(run, call, () => work(decided, signal)) });
    },
  };
  run.signal.throwIfAborted();
  run.calls.begin(call);
  const outcome = await run.context.tools.call(tool, args, run.signal).catch((error) => endRun(run, call, error));
  run.calls.end(call);
  if (outcome.status !== "ok") {
    if (id !== undefined) run.outcomes.set(id, outcome);
    throw new FrameworkToolError(outcome.content);
  }
  const value = read<Value>(outcome.content);
  if (id !== undefined) run.outcomes.set(id, { ...outcome, content: asText(value) });
  return value;
}

/** Never resolves. */
async function endRun(run: FrameworkRun, call: OpenCall, error: unknown): Promise<never> {
  await run.calls.othersEnded(call);
  const around = [...withOuter(call)].slice(1).find(({ idempotent }) => !idempotent);
  run.fail(error instanceof Suspended && around !== undefined ? waitsWithin(around) : error);
  return new Promise<never>(() => {});
}

/** The attempt that follows would find the outer call in doubt. */
const waitsWithin = ({ name }: OpenCall): PlatformError =>
  new PlatformError("agent_failed", {
    message: `A call within the tool "${name}" waits for a person: the tool must be idempotent, or not be wrapped.`,
  });

const asText = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""));

/** A result that was too long is cut, and no JSON any more: then it is a text. So is one that a note precedes. */
function read<Value>(content: string): Value {
  const value = valueIn<Value>(content);
  if (value !== undefined) return value.value;
  const end = content.indexOf("\n");
  const noted = valueIn<unknown>(content.slice(end + 1));
  return (noted === undefined ? content : `${content.slice(0, end)}\n${asText(noted.value)}`) as Value;
}

function valueIn<Value>(content: string): { readonly value: Value } | undefined {
  try {
    return parseJson(content) as { readonly value: Value };
  } catch {
    return undefined;
  }
}
