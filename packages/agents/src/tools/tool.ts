/** A tool: something that a model, or an agent, can call. What it does, what it takes, and how a call is bounded. */
import { SECOND } from "@agent-paas/shared/time.ts";
import { z } from "zod";
import type { AgentLogger } from "../job/agent-logger.ts";
import type { Retriever } from "../retrieval/retriever.ts";

export type ToolContext = {
  readonly jobId: string;
  /** Names this call, the same when it is made again: what services call an idempotency key. */
  readonly callId: string;
  /** Aborts when the call's time is up, or the job is cancelled or lost; pass it to whatever waits. */
  readonly signal: AbortSignal;
  readonly logger: AgentLogger;
  readonly retriever: Retriever;
  /** The collection that the agent's config names; null for none. */
  readonly collection: string | null;
};

export type Tool = {
  /** `a-z A-Z 0-9 _ -`, at most 64 characters: what model providers take. */
  readonly name: string;
  /** For the model: what the tool does and when to use it. */
  readonly description: string;
  /** JSON Schema of the arguments, an object. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /**
   * Whether a call may be made again when it is not known how it ended. False for what has an effect: such a call is
   * reported, not repeated (I5).
   */
  readonly idempotent: boolean;
  /** Time limit of one call, ms. */
  readonly timeoutMs: number;
  /** Of a longer result the model gets the beginning, characters. */
  readonly maxResultChars: number;
  /** The arguments as `call` takes them. Throws a `ToolError` that tells the model what is wrong with them. */
  parse(args: unknown): unknown;
  /** Returns text, or what JSON can hold. Throws a `ToolError` for what the model may read; other errors are logged. */
  call(args: unknown, context: ToolContext): Promise<unknown>;
};

/** A failure whose words are for the model, so that it can try something else. */
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
  /** A strict object; the model sees its JSON Schema, `call` gets what it parses. */
  readonly parameters: Parameters;
  /** Whether a call may be made again when it is not known how it ended; false for what has an effect. */
  readonly idempotent: boolean;
  /** Time limit of one call, ms. Default: 30 s. */
  readonly timeoutMs?: number;
  /** Of a longer result the model gets the beginning, characters. Default: 16,000; at most 150,000. */
  readonly maxResultChars?: number;
  /** Returns text, or what JSON can hold, or a promise of it. What the model may read of a failure is a `ToolError`. */
  readonly call: (args: z.output<Parameters>, context: ToolContext) => unknown;
};

/** Makes a tool of a Zod schema and a function. Throws when the name, or the form of the parameters, is not one that providers take. */
export function defineTool<Parameters extends z.ZodType>(definition: ToolDefinition<Parameters>): Tool {
  const { name, description, parameters, idempotent, call } = definition;
  assertToolName(name);
  const { $schema: _, ...schema } = z.toJSONSchema(parameters, { io: "input" });
  if (schema.type !== "object") throw new Error(`The parameters of the tool "${name}" must be an object`);
  return {
    name,
    description,
    parameters: schema,
    idempotent,
    timeoutMs: definition.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    maxResultChars: definition.maxResultChars ?? DEFAULT_MAX_RESULT_CHARS,
    parse(args) {
      const parsed = parameters.safeParse(args);
      if (parsed.success) return parsed.data;
      throw new ToolError(`The arguments do not fit: ${z.prettifyError(parsed.error)}`);
    },
    call: async (args, context) => call(args as z.output<Parameters>, context),
  };
}

export function assertToolName(name: string): void {
  if (!TOOL_NAME.test(name)) throw new Error(`"${name}" is no tool name: use letters, digits, '_' and '-', at most 64`);
}
