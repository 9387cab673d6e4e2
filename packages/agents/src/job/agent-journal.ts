/** The journal as agents see it: besides the port, one call that does a piece of work once over all attempts. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { parseJson } from "@agent-paas/shared/json/exact-json.ts";
import type { Journal } from "./journal.ts";
import { NO_STEPS, type Steps, statusOfFailure } from "./steps.ts";
import { untilAborted } from "./until-aborted.ts";

export type OnceOptions = {
  /**
   * Whether the work may be done again when an attempt broke off inside it. Default: false, for what has an effect;
   * true suits reads and requests to a model.
   */
  readonly idempotent?: boolean;
};

export type OnceWork<Value> = (work: {
  /** The same in every attempt: an idempotency key for other services. */
  readonly id: string;
}) => Promise<Value> | Value;

export type AgentJournal = Journal & {
  /**
   * Does the work, unless an earlier attempt has finished it: then its value is returned. `name` and `input` say which
   * work it is; the same work done twice by one attempt counts as two. The value is what JSON keeps of it, at most
   * 1 MiB of characters. Throws what the work throws; and `effect_in_doubt` when it is not idempotent and an earlier
   * attempt broke off during it, or it threw. A retryable `PlatformError` says that it had no effect: then it is done
   * again.
   */
  once<Value>(name: string, input: unknown, work: OnceWork<Value>, options?: OnceOptions): Promise<Value>;
};

/** What is kept of finished work; `again`: it failed in a way that passes, so a later attempt does it anew. */
type Kept<Value> = { readonly value: Value } | { readonly again: true };

/** @param steps is told of the work that is done. Default: nobody. */
export function createAgentJournal(journal: Journal, signal: AbortSignal, steps: Steps = NO_STEPS): AgentJournal {
  async function once<Value>(
    name: string,
    input: unknown,
    work: OnceWork<Value>,
    { idempotent = false }: OnceOptions,
  ): Promise<Value> {
    const entry = await journal.begin({ kind: "once", input: [name, input], idempotent });
    if (entry.state === "in_doubt") throw inDoubt(name);
    if (entry.state === "finished") {
      const kept = entry.value as Kept<Value>;
      return "again" in kept ? once(name, input, work, { idempotent }) : kept.value;
    }
    // The run may have been aborted meanwhile, and an aborted run must have no effects.
    signal.throwIfAborted();
    const step = steps.begin({ kind: "work", name: String(name) });
    try {
      const value = await untilAborted(Promise.resolve(work({ id: entry.id })), signal);
      const kept = JSON.stringify({ value: value ?? null });
      await entry.finish(parseJson(kept));
      step.end("completed");
      return (parseJson(kept) as { readonly value: Value }).value;
    } catch (error) {
      step.end(statusOfFailure(signal));
      const passes = error instanceof PlatformError && error.retryable && !signal.aborted;
      if (passes) await entry.finish({ again: true } satisfies Kept<Value>);
      throw error;
    }
  }
  return {
    begin: journal.begin,
    once: (name, input, work, options = {}) => once(name, input, work, options),
  };
}

function inDoubt(name: string): PlatformError {
  const message = `It is not known whether "${name}" took effect: an attempt broke off during it. It was not done again.`;
  return new PlatformError("effect_in_doubt", { message });
}
