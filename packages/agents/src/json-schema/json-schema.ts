/**
 * Checks values against JSON Schemas of clients and MCP servers. Such a schema must neither block the process nor end
 * it: a schema beyond plain limits is refused, and all others are compiled and checked in threads of their own, with
 * limits of time and memory (references that fork, or `uniqueItems`, can take exponential time).
 */
import { availableParallelism } from "node:os";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { assertWithinLimits, type SchemaCost } from "./schema-limits.ts";
import type { SchemaReply, SchemaRequest } from "./schema-thread.ts";
import { createThreadPool, PoolIsBusy, TookTooLong } from "./thread-pool.ts";

/**
 * Resolves with the first problem of the value as a text; null for none. Rejects with a retryable error when too many
 * checks wait.
 */
export type SchemaCheck = (value: unknown) => Promise<string | null>;

/** Time limit for compiling a schema, and for each check of a value. */
const MAX_MS = SECOND;

/** A longer value, as JSON, is more than a thread has memory for. */
const MAX_VALUE_CHARS = 4 * 1024 * 1024;

/** The events of this process need a core of their own. */
const COSTLY_THREADS = Math.max(1, availableParallelism() - 1);

const createPool = (maxThreads: number) =>
  createThreadPool<SchemaRequest, SchemaReply>({
    program: new URL("./schema-thread.ts", import.meta.url),
    maxThreads,
    withinMs: MAX_MS,
  });

/**
 * The threads of a process, started when they are needed and ended when they are idle. Schemas that can be slow have
 * threads of their own, so that the others do not wait behind them.
 */
const pools = { plain: createPool(1), costly: createPool(COSTLY_THREADS) };

/** Ends the threads at once, instead of when they have been idle. */
export async function closeSchemaThreads(): Promise<void> {
  await Promise.all(Object.values(pools).map((pool) => pool.close()));
}

/** Rejects with an `Error` that describes the problem when the schema is invalid or refers to an external schema. */
export async function compileSchema(schema: Readonly<Record<string, unknown>>): Promise<SchemaCheck> {
  const cost = assertWithinLimits(schema);
  const text = JSON.stringify(schema);
  const { invalid } = await run(cost, { schema: text, value: null });
  if (invalid !== null) throw new Error(invalid);
  return async (value) => {
    try {
      const json = JSON.stringify(value) ?? "null";
      if (json.length > MAX_VALUE_CHARS) return "it is too large to check";
      const { invalid, problem } = await run(cost, { schema: text, value: json });
      return invalid ?? problem;
    } catch (error) {
      if (error instanceof TookTooLong) return `${error.message} to check`;
      if (error instanceof RangeError) return "the value is nested too deeply";
      if (isOutOfMemory(error)) return "it takes too much memory to check";
      throw error;
    }
  };
}

async function run(cost: SchemaCost, request: SchemaRequest): Promise<SchemaReply> {
  try {
    return await pools[cost].run(request);
  } catch (error) {
    if (!(error instanceof PoolIsBusy)) throw error;
    throw new PlatformError("agent_unavailable", { message: "Too many schemas are being checked.", cause: error });
  }
}

const isOutOfMemory = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";
