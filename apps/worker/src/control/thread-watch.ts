/**
 * Starts the thread that says for this worker that it lives, keeps its jobs' locks, and finds out which run blocks the
 * main thread. The event loop stands still then, and with it everything by which the process could do so; so another
 * thread does (`thread-watch-program.ts`).
 */
import { url as debuggerUrl } from "node:inspector";
import { Worker } from "node:worker_threads";
import type { RedisTopology } from "@agent-paas/shared/config/redis-topology.ts";
import type { WorkerRecord } from "@agent-paas/shared/contract/agents.ts";
import { compileCacheEnv } from "@agent-paas/shared/lifecycle/compile-cache.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { HeldLocks } from "../job/held-locks.ts";
import type { JobClaims } from "../job/job-claims.ts";
import type { RunningJobs } from "../job/running-jobs.ts";
import type { JobLock } from "../job/worker-locks.ts";
import { currentRun, type RunIdentity } from "../run/current-run.ts";
import type { Block, BlockSample } from "./block-judge.ts";
import {
  ANSWER_SYMBOL,
  type FromThread,
  SHARED,
  type ThreadWatchData,
  type ToThread,
} from "./thread-watch-protocol.ts";

const BEAT_MS = SECOND;
/** A run whose lock was lost during the block is aborted by then: locks are renewed every 5 s. */
const LOCK_IS_DECIDED_MS = 8 * SECOND;
/** Frames of the stack that a log line shows. */
const FRAMES = 6;
/** The lines of the stack that belong to the answer itself. */
const OWN_LINES = 3;

/** How long the end of this process waits for the thread's last word. */
const LEAVE_WITHIN_MS = SECOND / 2;
const RESTART_AFTER_MS = SECOND;

const MEMORY = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 1 };

export type ThreadWatchDeps = {
  readonly topology: RedisTopology;
  readonly prefix: string;
  readonly name: string;
  readonly claims: Pick<JobClaims, "clearBlocking">;
  readonly running: Pick<RunningJobs, "isHeld" | "abort">;
  readonly heldLocks: Pick<HeldLocks, "has" | "takeChanges" | "tellAllAgain">;
  readonly logger: Logger;
};

export type ThreadWatch = {
  /** The heartbeats of the thread begin with the first record. */
  setRecord(record: WorkerRecord): void;
  /** The worker gives up what it still holds, and is not heard any more. */
  stop(): Promise<void>;
};

export function startThreadWatch(deps: ThreadWatchDeps): ThreadWatch {
  const { topology, prefix, name, claims, running, heldLocks, logger } = deps;
  const shared = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * Object.keys(SHARED).length));
  const timers = new Set<NodeJS.Timeout>();

  function answer(): string {
    const frames = (new Error().stack ?? "").split("\n").slice(OWN_LINES, OWN_LINES + FRAMES);
    const stack = frames.map((frame) => frame.trim()).join("; ");
    const sample: BlockSample = { beats: Atomics.load(shared, SHARED.beats), run: currentRun(), stack };
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

  function stopRunsOf(lost: readonly JobLock[]): void {
    for (const lock of lost) {
      // A job that has ended meanwhile, or was taken again, has lost nothing.
      if (!heldLocks.has(lock)) continue;
      logger.warn({ job_id: lock.jobId }, "a job's lock is lost: its run is stopped");
      running.abort(lock.jobId, "superseded");
    }
  }

  function handle(message: FromThread): void {
    if (message.kind === "block") reportBlock(message.block);
    else stopRunsOf(message.locks);
  }

  const isDebugged = debuggerUrl() !== undefined;
  const workerData: ThreadWatchData = { shared, topology, prefix, name, isDebugged };
  let record: WorkerRecord | null = null;
  let isStopping = false;

  const tell = (message: ToThread) => thread.postMessage(message);

  function startThread(): Worker {
    // Without the process's flags and environment: no modules are loaded before it, and it needs no secrets but Redis'.
    const started = new Worker(new URL("./thread-watch-program.ts", import.meta.url), {
      ...{ workerData, resourceLimits: MEMORY, env: compileCacheEnv(), execArgv: [], stdin: false },
    });
    started.unref();
    started.on("message", handle);
    started.on("error", (err) => logger.error({ err }, "the thread beside the main thread has failed"));
    started.on("exit", () => {
      if (isStopping) return;
      logger.warn("the thread beside the main thread has ended, and another one is started");
      timers.add(setTimeout(restartThread, RESTART_AFTER_MS).unref());
    });
    return started;
  }

  /** Meanwhile the main thread's own heartbeats say that the worker lives. */
  function restartThread(): void {
    thread = startThread();
    heldLocks.tellAllAgain();
    if (record !== null) tell({ kind: "record", record });
  }

  /** The process ends without having stopped its parts: a plugin has called `exit`, or stopping took too long. */
  function leaveNow(): void {
    tell({ kind: "leave" });
    Atomics.wait(shared, SHARED.left, 0, LEAVE_WITHIN_MS);
  }

  let thread = startThread();
  process.on("exit", leaveNow);
  const beating = setInterval(() => {
    Atomics.add(shared, SHARED.beats, 1);
    const changes = heldLocks.takeChanges();
    if (changes.begun.length > 0 || changes.ended.length > 0) tell({ kind: "locks", changes });
  }, BEAT_MS);

  return {
    setRecord(next) {
      record = next;
      tell({ kind: "record", record });
    },
    async stop() {
      isStopping = true;
      process.off("exit", leaveNow);
      clearInterval(beating);
      for (const timer of timers) clearTimeout(timer);
      tell({ kind: "leave" });
      await Atomics.waitAsync(shared, SHARED.left, 0, LEAVE_WITHIN_MS).value;
      await thread.terminate();
    },
  };
}
