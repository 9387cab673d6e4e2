/**
 * Finds out which run blocks this worker's thread. The event loop stands still then, and with it everything by which
 * the process could say so; so another thread watches it (`thread-watch-program.ts`).
 */
import { url as debuggerUrl } from "node:inspector";
import { Worker } from "node:worker_threads";
import type { RedisTopology } from "@agent-paas/shared/config/redis-topology.ts";
import { compileCacheEnv } from "@agent-paas/shared/lifecycle/compile-cache.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { JobClaims } from "../job/job-claims.ts";
import type { RunningJobs } from "../job/running-jobs.ts";
import { currentRun, type RunIdentity } from "../run/current-run.ts";
import type { Block, BlockSample } from "./block-judge.ts";
import { ANSWER_SYMBOL, type ThreadWatchData } from "./thread-watch-protocol.ts";

const BEAT_MS = SECOND;
/** A run whose lock was lost during the block is aborted by then: locks are renewed every 5 s. */
const LOCK_IS_DECIDED_MS = 8 * SECOND;
/** Frames of the stack that a log line shows. */
const FRAMES = 6;
/** The lines of the stack that belong to the answer itself. */
const OWN_LINES = 3;

const MEMORY = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 };

export type ThreadWatchDeps = {
  readonly topology: RedisTopology;
  readonly prefix: string;
  readonly name: string;
  readonly claims: Pick<JobClaims, "clearBlocking">;
  readonly running: Pick<RunningJobs, "isHeld">;
  readonly logger: Logger;
};

export function startThreadWatch(deps: ThreadWatchDeps): { stop(): Promise<void> } {
  const { topology, prefix, name, claims, running, logger } = deps;
  // A debugger stops the thread for as long as somebody looks at it.
  if (debuggerUrl() !== undefined) return { stop: async () => {} };
  const beats = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const timers = new Set<NodeJS.Timeout>();

  function answer(): string {
    const frames = (new Error().stack ?? "").split("\n").slice(OWN_LINES, OWN_LINES + FRAMES);
    const stack = frames.map((frame) => frame.trim()).join("; ");
    const sample: BlockSample = { beats: Atomics.load(beats, 0), run: currentRun(), stack };
    return JSON.stringify(sample);
  }
  Object.defineProperty(globalThis, Symbol.for(ANSWER_SYMBOL), { value: answer, configurable: true });

  /** A run that kept its lock goes on, and nothing is held against it. */
  function clearIfHeld({ jobId, fencingToken }: RunIdentity): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      if (!running.isHeld(jobId, fencingToken)) return;
      claims
        .clearBlocking(jobId, fencingToken)
        .catch((err: unknown) => logger.warn({ err, job_id: jobId }, "a block that did no harm was not forgotten"));
    }, LOCK_IS_DECIDED_MS);
    timers.add(timer);
  }

  function reportBlock({ verdict, ticks }: Block): void {
    if (verdict.kind === "unknown") return;
    const blocked = { blocked_s: ticks, stack: verdict.stack };
    if (verdict.kind === "nobody") {
      logger.error(blocked, "the thread of this worker was blocked by no single run");
      return;
    }
    const { jobId: job_id, fencingToken: fencing_token, agentType: agent_type } = verdict.run;
    logger.error({ ...blocked, job_id, fencing_token, agent_type }, "a run blocked the thread of this worker");
    clearIfHeld(verdict.run);
  }

  const workerData: ThreadWatchData = { beats, topology, prefix, name };
  // Without the process's flags and environment: no modules are loaded before it, and it needs no secrets but Redis'.
  const thread = new Worker(new URL("./thread-watch-program.ts", import.meta.url), {
    ...{ workerData, resourceLimits: MEMORY, env: compileCacheEnv(), execArgv: [], stdin: false },
  });
  thread.unref();
  thread.on("message", reportBlock);
  thread.on("error", (err) => logger.error({ err }, "the thread that watches for blocking runs has ended"));
  const beating = setInterval(() => Atomics.add(beats, 0, 1), BEAT_MS);

  return {
    async stop() {
      clearInterval(beating);
      for (const timer of timers) clearTimeout(timer);
      await thread.terminate();
    },
  };
}
