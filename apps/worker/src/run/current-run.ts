/**
 * Which run the code that is executed at this moment belongs to. An async context carries it, so it also holds for what
 * an agent or a tool does after an `await`, in a timer or in a callback.
 */
import { AsyncLocalStorage } from "node:async_hooks";

export type RunIdentity = { readonly jobId: string; readonly fencingToken: number; readonly agentType: string };

const runs = new AsyncLocalStorage<RunIdentity>();

export const asRun = <T>(run: RunIdentity, work: () => T): T => runs.run(run, work);

export const currentRun = (): RunIdentity | null => runs.getStore() ?? null;
