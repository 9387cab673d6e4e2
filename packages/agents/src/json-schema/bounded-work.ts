/**
 * Bounds synchronous work whose length somebody else decides, such as checking a value against a client's schema. A
 * timer cannot stop it, because the event loop does not run meanwhile, and a worker thread could not use this thread's
 * objects. V8 can: a script that runs in a VM context with `timeout` is terminated, together with the functions of this
 * context that it calls. The context is therefore no sandbox against hostile code; it is a stopwatch.
 */
import { createContext, Script } from "node:vm";
import { SECOND } from "@agent-paas/shared/time.ts";

const sandbox = createContext({});
/** Runs inside the sandbox and calls back into this context, so that the time limit covers `work`. */
const trampoline = new Script("work()");

export class TookTooLong extends Error {
  override readonly name = "TookTooLong";
}

/**
 * Returns what `work` returns. Throws `TookTooLong` when that takes longer than `withinMs`: the work is stopped where
 * it stands, its `finally` blocks do not run, and objects that it was changing may be left half changed.
 */
export function boundedWork<T>(work: () => T, withinMs: number): T {
  const done: T[] = [];
  sandbox.work = () => {
    done.push(work());
  };
  try {
    trampoline.runInContext(sandbox, { timeout: withinMs });
    return done[0] as T;
  } catch (error) {
    // The timeout error comes from the sandbox's realm, so `instanceof Error` is false for it.
    const isLate = (error as { code?: unknown } | null)?.code === "ERR_SCRIPT_EXECUTION_TIMEOUT";
    throw isLate ? new TookTooLong(`it takes more than ${withinMs / SECOND} s`) : error;
  } finally {
    sandbox.work = undefined;
  }
}
