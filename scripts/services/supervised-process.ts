/**
 * A child process that is restarted, with growing pauses, whenever it ends without having been stopped.
 *
 * 1. start() settles with the first run: a process that cannot start even once is an error and is not retried.
 * 2. After stop() or kill() was called nothing is spawned any more, whatever the process was doing at that moment.
 * 3. A run that is to be replaced goes on until its successor is ready, and for good if that does not become ready.
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
  | { readonly kind: "replaced"; readonly afterMs: number }
  | { readonly kind: "ended"; readonly exit: Exit; readonly restartInMs: number };

export type SupervisedProcess = {
  readonly name: string;
  start(): Promise<void>;
  /**
   * Starts another run beside the present one, and stops the present one once the other is ready. `env` is added for
   * this run alone. Rejects with a ChildError if the other does not become ready.
   */
  replace(withinMs: number, env?: NodeJS.ProcessEnv): Promise<void>;
  stop(withinMs: number): Promise<void>;
  kill(): Promise<void>;
};

export function createSupervisedProcess(
  spec: ChildSpec,
  report: (change: StateChange) => void,
  timing = TIMING,
): SupervisedProcess {
  const ending = new AbortController();
  /** The latest run. While it replaces another one, both are running. */
  let child: Child | undefined;
  const running = new Set<Child>();
  let supervision: Promise<void> | undefined;

  function spawn(env: NodeJS.ProcessEnv = {}): Child {
    const spawned = spawnChild({ ...spec, env: { ...spec.env, ...env } });
    running.add(spawned);
    void spawned.exited.then(() => running.delete(spawned));
    return spawned;
  }

  async function run(isRestart: boolean): Promise<Child> {
    const startedAt = performance.now();
    child = spawn();
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
      if (child === current) {
        if (performance.now() - readySince >= timing.healthyAfterMs) restarts = 0;
        const restartInMs = Math.min(timing.firstPauseMs * 2 ** restarts++, timing.longestPauseMs);
        report({ kind: "ended", exit, restartInMs });
        await delay(restartInMs, undefined, { signal: ending.signal }).catch(() => {});
        if (ending.signal.aborted) return;
      }
      // Not again, if it was replaced meanwhile. A run that does not become ready has ended: the next iteration reports
      // it like any other end.
      if (child === current) await run(true).catch(() => {});
      current = child as Child;
      readySince = performance.now();
    }
  }

  async function replace(withinMs: number, env: NodeJS.ProcessEnv = {}): Promise<void> {
    if (ending.signal.aborted) return;
    const startedAt = performance.now();
    const next = spawn(env);
    await next.ready(timing.readyWithinMs);
    const replaced = child;
    child = next;
    report({ kind: "replaced", afterMs: performance.now() - startedAt });
    await replaced?.stop(withinMs);
  }

  async function end(how: (child: Child) => Promise<Exit>): Promise<void> {
    ending.abort();
    await Promise.all([...running].map(how));
    await supervision;
  }

  return {
    name: spec.name,
    async start() {
      if (ending.signal.aborted) return;
      supervision = supervise(await run(false));
    },
    replace,
    stop: (withinMs) => end((each) => each.stop(withinMs)),
    kill: () => end((each) => each.kill()),
  };
}
