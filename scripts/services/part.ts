// A part of the running platform: a child process that is started again, with growing pauses, whenever it ends
// without having been told to.
//
// 1. start() settles with the first run: a part that cannot even start once is an error, not a reason to try for ever.
// 2. After stop() or kill() was called nothing is spawned any more, whatever the part was doing at that moment.
import { setTimeout as delay } from "node:timers/promises";
import { type Child, type ChildSpec, type Exit, spawnChild } from "./child.ts";

export interface PartTiming {
  /** How long one run may take to become ready. */
  readonly readyWithinMs: number;
  /** Pause before the first restart; it doubles with each further one. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** A run that was ready for this long makes the next pause the first one again. */
  readonly healthyAfterMs: number;
}

const TIMING: PartTiming = {
  readyWithinMs: 60_000,
  firstPauseMs: 500,
  longestPauseMs: 30_000,
  healthyAfterMs: 60_000,
};

export type PartNews =
  | { readonly kind: "ready"; readonly afterMs: number; readonly again: boolean }
  | { readonly kind: "ended"; readonly exit: Exit; readonly againInMs: number };

export interface Part {
  readonly name: string;
  start(): Promise<void>;
  stop(withinMs: number): Promise<void>;
  kill(): Promise<void>;
}

export function createPart(spec: ChildSpec, report: (news: PartNews) => void, timing = TIMING): Part {
  const ending = new AbortController();
  let child: Child | undefined;
  let minding: Promise<void> | undefined;

  async function run(again: boolean): Promise<Child> {
    const began = performance.now();
    child = spawnChild(spec);
    await child.ready(timing.readyWithinMs);
    report({ kind: "ready", afterMs: performance.now() - began, again });
    return child;
  }

  async function mind(first: Child): Promise<void> {
    let current = first;
    let readySince = performance.now();
    let restarts = 0;
    while (true) {
      const exit = await current.exited;
      if (ending.signal.aborted) return;
      if (performance.now() - readySince >= timing.healthyAfterMs) restarts = 0;
      const againInMs = Math.min(timing.firstPauseMs * 2 ** restarts++, timing.longestPauseMs);
      report({ kind: "ended", exit, againInMs });
      await delay(againInMs, undefined, { signal: ending.signal }).catch(() => {});
      if (ending.signal.aborted) return;
      // A run that does not get ready has ended: the next turn of the loop reports it like any other end.
      current = await run(true).catch(() => child as Child);
      readySince = performance.now();
    }
  }

  async function end(how: (child: Child) => Promise<Exit>): Promise<void> {
    ending.abort();
    if (child) await how(child);
    await minding;
  }

  return {
    name: spec.name,
    async start() {
      if (ending.signal.aborted) return;
      minding = mind(await run(false));
    },
    stop: (withinMs) => end((running) => running.stop(withinMs)),
    kill: () => end((running) => running.kill()),
  };
}
