/** What the watching thread and the main thread agree on. */
import type { RedisTopology } from "@agent-paas/shared/config/redis-topology.ts";
import type { WorkerLocks } from "../job/worker-locks.ts";

/** The numbers that the threads share, by index. */
export const SHARED = {
  /** The main thread raises it whenever its event loop turns. */
  beats: 0,
  /** The watching thread sets it to 1 when it has done what `leave` asks for. */
  left: 1,
} as const;

export type ThreadWatchData = {
  readonly shared: Int32Array;
  readonly topology: RedisTopology;
  readonly prefix: string;
  readonly name: string;
  /** Somebody may stop the main thread and look at it: that it stands still means nothing. */
  readonly isDebugged: boolean;
};

/** The worker's record as it is stored, and what the thread needs of it. */
export type BeatRecord = { readonly id: string; readonly text: string; readonly locks: WorkerLocks };

export type ToThread = { readonly kind: "record"; readonly record: BeatRecord } | { readonly kind: "leave" };

/** The symbol of the main thread's function that answers what it executes: a `BlockSample` as JSON. */
export const ANSWER_SYMBOL = "agent-paas.thread-watch";
