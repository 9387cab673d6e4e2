/** What the watching thread writes into Redis about a block while the main thread of its worker cannot. */
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { NOTE_BLOCKING_SCRIPT } from "../job/claim-scripts.ts";
import type { RunIdentity } from "../run/current-run.ts";

/** How long the others believe that a worker is blocked, without hearing it again. */
const BLOCKED_FOR_MS = 4 * SECOND;

export function createBlockReports(redis: RedisConnection, keys: RedisKeys, name: string) {
  const noteBlocking = NOTE_BLOCKING_SCRIPT.on(redis);
  const noted = new Set<string>();
  let isAnnouncing = false;

  return {
    /** The run blocks its worker. Repeated until it has succeeded once. */
    note({ jobId, fencingToken }: RunIdentity): void {
      const run = `${jobId}/${fencingToken}`;
      if (noted.has(run)) return;
      noted.add(run);
      noteBlocking({ state: keys.jobState(jobId), token: fencingToken }).catch(() => noted.delete(run));
    },
    /** A run that is not known yet blocks this worker: interrupted jobs wait until it is. */
    async announceUnknown(): Promise<void> {
      // While Redis is away, one announcement waits for it.
      if (isAnnouncing) return;
      isAnnouncing = true;
      await redis.set(keys.blockedWorker, name, "PX", BLOCKED_FOR_MS).catch(() => {});
      isAnnouncing = false;
    },
    /** The block is over. */
    reset: (): void => noted.clear(),
  };
}
