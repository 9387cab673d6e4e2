/**
 * A child process that is restarted, with growing pauses, whenever it ends without having been stopped.
 *
 * 1. start() settles with the first run: a process that cannot start even once is an error and is not retried.
 * 2. After stop() or kill() was called nothing is spawned any more, whatever the process was doing at that moment.
 */
import { setTimeout as delay } from "node:timers/promises";
import { type Child, type ChildSpec, type Exit, spawnChild } from "./child.ts";

export type RestartTiming = {
  /** How long one run may take to become ready. */
  readonly readyWithinMs: number;
  /** Pause before the first restart; it doubles with each further one. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** A run that was ready for this long resets the next pause to the first one. */
  readonly healthyAfterMs: number;
};

const TIMING: RestartTiming = {
  readyWithinMs: 60_000,
  firstPauseMs: 500,
  longestPauseMs: 30_000,
  healthyAfterMs: 60_000,
};

export type StateChange =
  | { readonly kind: "ready"; readonly afterMs: number; readonly isRestart: boolean }
  | { readonly kind: "ended"; readonly exit: Exit; readonly restartInMs: number };

export type SupervisedProcess = {
  readonly name: string;
  start(): Promise<void>;
  stop(withinMs: number): Promise<void>;
  kill(): Promise<void>;
};

export function createSupervisedProcess(
  spec: ChildSpec,
  report: (change: StateChange) => void,
  timing = TIMING,
): SupervisedProcess {
  const ending = new AbortController();
  let child: Child | undefined;
  let supervision: Promise<void> | undefined;

  async function run(isRestart: boolean): Promise<Child> {
    const startedAt = performance.now();
    child = spawnChild(spec);
    await child.ready(timing.readyWithinMs);
    report({ kind: "ready", afterMs: performance.now() - startedAt, isRestart });
    return child;
  }

  async function supervise(first: Child): Promise<void> {
    let current = first;
    let readySince = performance.now();
    let restarts = 0;
    while (true) {
      const exit = await current.exited;
      if (ending.signal.aborted) return;
      if (performance.now() - readySince >= timing.healthyAfterMs) restarts = 0;
      const restartInMs = Math.min(timing.firstPauseMs * 2 ** restarts++, timing.longestPauseMs);
      report({ kind: "ended", exit, restartInMs });
      await delay(restartInMs, undefined, { signal: ending.signal }).catch(() => {});
      if (ending.signal.aborted) return;
      // A run that does not become ready has ended: the next iteration reports it like any other end.
      current = await run(true).catch(() => child as Child);
      readySince = performance.now();
    }
  }

  async function end(how: (child: Child) => Promise<Exit>): Promise<void> {
    ending.abort();
    if (child) await how(child);
    await supervision;
  }

  return {
    name: spec.name,
    async start() {
      if (ending.signal.aborted) return;
      supervision = supervise(await run(false));
    },
    stop: (withinMs) => end((running) => running.stop(withinMs)),
    kill: () => end((running) => running.kill()),
  };
}
