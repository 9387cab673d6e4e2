/** What the watching thread and the main thread agree on. */
import type { RedisTopology } from "@agent-paas/shared/config/redis-topology.ts";

export type ThreadWatchData = {
  /** One number, which the main thread raises whenever its event loop turns. */
  readonly beats: Int32Array;
  readonly topology: RedisTopology;
  readonly prefix: string;
  readonly name: string;
};

/** The symbol of the main thread's function that answers what it executes: a `BlockSample` as JSON. */
export const ANSWER_SYMBOL = "agent-paas.thread-watch";
