/**
 * Checks values against JSON Schemas of clients and MCP servers. Such a schema must neither block the process nor end
 * it: a schema beyond plain limits is refused, and all others are compiled and checked in threads of their own, with
 * limits of time and memory (references that fork, or `uniqueItems`, can take exponential time). Nor must it hold up
 * the schemas of others: owners take turns, and a schema that has used up its time is refused for a while.
 */
import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import { createThreadPool } from "../threads/thread-pool.ts";
import { OutOfMemory, PoolIsBusy, TookTooLong } from "../threads/thread-pool-errors.ts";
import { type PlainChars, plainCharsOf } from "./plain-schema.ts";
import { assertWithinLimits } from "./schema-limits.ts";
import type { SchemaReply, SchemaRequest } from "./schema-thread.ts";
import { createSlowSchemas } from "./slow-schemas.ts";

/**
 * Resolves with the first problem of the value as a text; null for none. Rejects with `InvalidSchema` when the schema
 * turns out to be of no use, and with a retryable `PlatformError` when the platform could not check the value, which is
 * no fault of either.
 *
 * @param owner whose value it is; default: the owner for whom the schema was compiled.
 */
export type SchemaCheck = (value: unknown, owner?: string) => Promise<string | null>;

/** A schema that cannot be used. The message is a sentence about it without its end. */
export class InvalidSchema extends Error {
  override readonly name = "InvalidSchema";
  /** Whether compiling it took too much, which a later try may not. */
  readonly tooSlow: boolean;

  constructor(message: string, { tooSlow = false, ...options }: ErrorOptions & { readonly tooSlow?: boolean } = {}) {
    super(message, options);
    this.tooSlow = tooSlow;
  }
}

export type SchemaChecks = {
  /**
   * Rejects with `InvalidSchema` when the schema is invalid, refers to an external schema, or takes too much time or
   * memory to compile; with a retryable `PlatformError` when the platform could not compile it.
   */
  prepare(schema: Readonly<Record<string, unknown>>, owner: string): Promise<SchemaCheck>;
  /** Ends the threads at once, instead of when they have been idle. */
  close(): Promise<void>;
};

/** A longer value, as JSON, is more than a thread has memory for. */
const MAX_VALUE_CHARS = 4 * 1024 * 1024;

/** The events of this process need a core of their own; and a thread may take 130 MB. */
const COSTLY_THREADS = Math.min(4, Math.max(1, availableParallelism() - 1));

/** @param maxMs time limit for compiling a schema, and for each check of a value. */
export function createSchemaChecks(maxMs: number): SchemaChecks {
  const createPool = (maxThreads: number) =>
    createThreadPool<SchemaRequest, SchemaReply>({
      program: new URL("./schema-thread.ts", import.meta.url),
      maxThreads,
      withinMs: maxMs,
    });
  /** Schemas that can be slow have threads of their own, so that the others do not wait behind them. */
  const pools = { plain: createPool(1), costly: createPool(COSTLY_THREADS) };
  /** By owner, because one owner's values must not have another owner's checks refused. */
  const tooSlow = createSlowSchemas({ max: 1_000, keepMs: MINUTE });
  /** Plain by their keywords, and yet too slow once: from then on they run with the costly ones. */
  const notPlain = createSlowSchemas({ max: 1_000, keepMs: 60 * MINUTE });

  /** @param value null: the schema is only compiled. */
  async function run(schema: Schema, value: string | null, owner: string): Promise<SchemaReply | Exceeded> {
    const chars = value?.length ?? 0;
    const isPlain = chars < schema.plainChars && notPlain.find(schema.hash, chars) === null;
    const ofOwner = `${schema.hash} ${owner}`;
    const refuse = () => tooSlow.find(ofOwner, chars);
    try {
      const refusal = refuse();
      if (refusal !== null) throw refusal;
      const pool = isPlain ? pools.plain : pools.costly;
      return await pool.run({ schema: schema.text, value }, owner, refuse);
    } catch (cause) {
      if (!(cause instanceof TookTooLong || cause instanceof OutOfMemory)) throw unavailable(cause);
      if (isPlain) {
        // The machine may have been busy. If it is the schema after all, the next try tells.
        notPlain.remember(schema.hash, chars, cause);
        throw unavailable(cause);
      }
      if (refuse() === null) tooSlow.remember(ofOwner, chars, cause);
      return { exceeded: cause instanceof TookTooLong ? `more than ${maxMs / SECOND} s` : "too much memory" };
    }
  }

  return {
    async prepare(given, owner) {
      const schema = read(given);
      const compiled = await run(schema, null, owner);
      if ("exceeded" in compiled) {
        throw new InvalidSchema(`the schema takes ${compiled.exceeded} to compile`, { tooSlow: true });
      }
      if (compiled.invalid !== null) throw new InvalidSchema(compiled.invalid);
      return async (value, ownerOfValue = owner) => {
        const json = asJson(value);
        if (json === null) return "the value is nested too deeply";
        if (json.length > MAX_VALUE_CHARS) return "it is too large to check";
        const checked = await run(schema, json, ownerOfValue);
        if ("exceeded" in checked) return `it takes ${checked.exceeded} to check`;
        if (checked.invalid !== null) throw new InvalidSchema(checked.invalid);
        return checked.problem;
      };
    },
    async close() {
      await Promise.all(Object.values(pools).map((pool) => pool.close()));
    },
  };
}

/** Those of a process, whose threads are started when they are needed and ended when they are idle. */
const ofProcess = createSchemaChecks(SECOND);
export const compileSchema = ofProcess.prepare;
export const closeSchemaThreads = ofProcess.close;

type Schema = { readonly text: string; readonly hash: string; readonly plainChars: PlainChars };

/** What the schema or the value took too much of: "more than 1 s". */
type Exceeded = { readonly exceeded: string };

function read(schema: Readonly<Record<string, unknown>>): Schema {
  try {
    assertWithinLimits(schema);
    const text = JSON.stringify(schema);
    const hash = createHash("sha256").update(text).digest("base64");
    return { text, hash, plainChars: plainCharsOf(schema) };
  } catch (cause) {
    throw new InvalidSchema(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** Null for a value that is nested more deeply than the stack. */
function asJson(value: unknown): string | null {
  try {
    return JSON.stringify(value) ?? "null";
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function unavailable(cause: unknown): PlatformError {
  const words = cause instanceof PoolIsBusy ? "Too many schemas are being checked." : CANNOT_CHECK;
  return new PlatformError("agent_unavailable", { message: words, cause });
}

const CANNOT_CHECK = "Schemas cannot be checked at present.";
