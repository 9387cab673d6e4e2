/**
 * What the watching thread writes into Redis while the main thread of its worker cannot. Loaded with the first block:
 * a worker that is never blocked needs neither the connection nor its memory.
 */
import type { RedisTopology } from "@agent-paas/shared/config/redis-topology.ts";
import { createProcessLog } from "@agent-paas/shared/logging/logger.ts";
import { connectRedis } from "@agent-paas/shared/redis/connect.ts";
import { createRedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { NOTE_BLOCKING_SCRIPT } from "../job/claim-scripts.ts";
import type { RunIdentity } from "../run/current-run.ts";

/** How long the others believe that a worker is blocked, without hearing it again. */
const BLOCKED_FOR_MS = 4 * SECOND;

const NO_TERMINAL = { terminalLevel: "silent", terminalFormat: "json" } as const;

export type BlockReports = {
  /** The run blocks its worker. Repeated until it has succeeded once. */
  note(run: RunIdentity): void;
  /** A run that is not known yet blocks this worker: interrupted jobs wait until it is. */
  announceUnknown(): void;
  /** Resolves when everything is written. */
  close(): Promise<void>;
};

export type BlockReportsOptions = {
  readonly topology: RedisTopology;
  readonly prefix: string;
  readonly name: string;
};

export function openBlockReports({ topology, prefix, name }: BlockReportsOptions): BlockReports {
  // The thread has no log of its own: its process reports the block when it can again.
  const { logger } = createProcessLog({ name, level: "fatal", directory: null, ...NO_TERMINAL, secrets: [] });
  const redis = connectRedis({ topology, role: "worker", name: `${name}:watch`, logger });
  const keys = createRedisKeys(prefix);
  const noteBlocking = NOTE_BLOCKING_SCRIPT.on(redis);
  const noted = new Map<string, Promise<unknown>>();
  let announcing: Promise<unknown> | null = null;

  return {
    note({ jobId, fencingToken }) {
      const run = `${jobId}/${fencingToken}`;
      if (noted.has(run)) return;
      const writing = noteBlocking({ state: keys.jobState(jobId), token: fencingToken });
      noted.set(run, writing);
      writing.catch(() => noted.delete(run));
    },
    announceUnknown() {
      // While Redis is away, one announcement waits for it.
      announcing ??= redis
        .set(keys.blockedWorker, name, "PX", BLOCKED_FOR_MS)
        .catch(() => {})
        .finally(() => {
          announcing = null;
        });
    },
    async close() {
      await Promise.allSettled([...noted.values(), announcing]);
      redis.disconnect();
    },
  };
}
