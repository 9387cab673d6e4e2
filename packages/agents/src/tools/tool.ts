/** A tool: a function that a model or an agent can call, with the schema of its arguments and the limits of a call. */
import { SECOND } from "@agent-paas/shared/time.ts";
import { z } from "zod";
import type { AgentLogger } from "../job/agent-logger.ts";
import type { Retriever } from "../retrieval/retriever.ts";

export type ToolContext = {
  readonly jobId: string;
  /** Null for a job without a session. */
  readonly sessionId: string | null;
  readonly owner: string;
  /** Names this call, and is the same when a retry repeats the call: an idempotency key for other services. */
  readonly callId: string;
  /** Aborts at the call's time limit and when the run is aborted. Every wait in the tool must end with it. */
  readonly signal: AbortSignal;
  /** Aborts when the run has ended, however it did: what a tool keeps for a job ends with it. */
  readonly ended: AbortSignal;
  /** Says that a long call makes progress: its time limit begins anew, within the tool's `longestMs`. */
  readonly stillWorking: () => void;
  readonly logger: AgentLogger;
  readonly retriever: Retriever;
  /** The collection that the agent's config names, or null. */
  readonly collection: string | null;
};

export type Tool = {
  /** `a-z A-Z 0-9 _ -`, at most 64 characters: what model providers accept. */
  readonly name: string;
  /** For the model: what the tool does and when to use it. */
  readonly description: string;
  /** JSON Schema of the arguments, an object. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /**
   * Whether a call may be repeated when its end is unknown. False for a call with an effect, which is then reported as
   * `in_doubt` and not repeated (I5).
   */
  readonly idempotent: boolean;
  /**
   * Whether a person must approve a call before it is made: always, or by its parsed arguments. Default: false. The job
   * waits for the decision without a worker.
   */
  readonly needsApproval?: boolean | ((args: unknown) => boolean);
  /** Whether the operator has switched it off: it is not offered, and a request that names it gets its error. */
  readonly isOff?: boolean;
  /** Time limit of one call, ms. */
  readonly timeoutMs: number;
  /** That of a call that reports progress (`stillWorking`), ms. Default: `timeoutMs`. */
  readonly longestMs?: number;
  /** A longer result is cut to this many characters. */
  readonly maxResultChars: number;
  /**
   * Checks and converts the arguments for `call`; may return a promise. Throws a `ToolError` that describes the problem
   * to the model. `owner`: whose job it is.
   */
  parse(args: unknown, owner?: string): unknown;
  /** Returns a text or a JSON value. The model reads the message of a `ToolError`; other errors are only logged. */
  call(args: unknown, context: ToolContext): Promise<unknown>;
};

/** A failure whose message the model reads, so that it can try something else. */
export class ToolError extends Error {
  override readonly name = "ToolError";
}

export const DEFAULT_TIMEOUT_MS = 30 * SECOND;
export const DEFAULT_MAX_RESULT_CHARS = 16_000;

const TOOL_NAME = /^[a-zA-Z0-9_-]{1,64}$/;

export type ToolDefinition<Parameters extends z.ZodType> = {
  /** `a-z A-Z 0-9 _ -`, at most 64 characters. */
  readonly name: string;
  /** For the model: what the tool does and when to use it. */
  readonly description: string;
  /** A strict object. The model sees its JSON Schema; `call` gets the parsed value. */
  readonly parameters: Parameters;
  /** Whether a call may be repeated when its end is unknown; false for a call with an effect. */
  readonly idempotent: boolean;
  /** Whether a person must approve a call: always, or by its arguments. Default: false. */
  readonly needsApproval?: boolean | ((args: z.output<Parameters>) => boolean);
  /** Time limit of one call, ms. Default: 30 s. */
  readonly timeoutMs?: number;
  /** That of a call that reports progress with `context.stillWorking()`, ms. Default: `timeoutMs`. */
  readonly longestMs?: number;
  /** A longer result is cut to this many characters. Default: 16,000; at most 150,000. */
  readonly maxResultChars?: number;
  /** Returns a text or a JSON value, or a promise of one. The model reads the message of a `ToolError` only. */
  readonly call: (args: z.output<Parameters>, context: ToolContext) => unknown;
};

/** Makes a tool from a Zod schema and a function. Throws when providers would not accept the name or the parameters. */
export function defineTool<Parameters extends z.ZodType>(definition: ToolDefinition<Parameters>): Tool {
  const { name, description, parameters, idempotent, needsApproval, call } = definition;
  assertToolName(name);
  const { $schema: _, ...schema } = z.toJSONSchema(parameters, { io: "input" });
  if (schema.type !== "object") throw new Error(`The parameters of the tool "${name}" must be an object`);
  return {
    name,
    description,
    parameters: schema,
    idempotent,
    ...(needsApproval === undefined ? {} : { needsApproval: needsApproval as NonNullable<Tool["needsApproval"]> }),
    timeoutMs: definition.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    ...(definition.longestMs === undefined ? {} : { longestMs: definition.longestMs }),
    maxResultChars: definition.maxResultChars ?? DEFAULT_MAX_RESULT_CHARS,
    parse(args) {
      const parsed = parameters.safeParse(args);
      if (parsed.success) return parsed.data;
      const problem = z.prettifyError(parsed.error).replaceAll("received bigint", "received an integer beyond 2^53");
      throw new ToolError(`The arguments do not fit: ${problem}`);
    },
    call: async (args, context) => call(args as z.output<Parameters>, context),
  };
}

/** Whether a tool's name is the pattern, or begins with the characters before the pattern's `*`. */
export const matchesName = (pattern: string, name: string): boolean =>
  pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : pattern === name;

export function assertToolName(name: string): void {
  if (!TOOL_NAME.test(name)) throw new Error(`"${name}" is no tool name: use letters, digits, '_' and '-', at most 64`);
}
