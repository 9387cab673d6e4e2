/** What the watching thread and the main thread agree on. */
import type { RedisTopology } from "@agent-paas/shared/config/redis-topology.ts";
import type { WorkerRecord } from "@agent-paas/shared/contract/agents.ts";
import type { LockChanges } from "../job/held-locks.ts";
import type { JobLock } from "../job/worker-locks.ts";
import type { Block } from "./block-judge.ts";

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

/** What the main thread says: what its worker's heartbeats carry, which locks it holds, and that the worker ends. */
export type ToThread =
  | { readonly kind: "record"; readonly record: WorkerRecord }
  | { readonly kind: "locks"; readonly changes: LockChanges }
  | { readonly kind: "leave" };

/** What the thread says: that a block is over, and which locks others have taken away. */
export type FromThread =
  | { readonly kind: "block"; readonly block: Block }
  | { readonly kind: "lost"; readonly locks: readonly JobLock[] };

/** The symbol of the main thread's function that answers what it executes: a `BlockSample` as JSON. */
export const ANSWER_SYMBOL = "agent-paas.thread-watch";
