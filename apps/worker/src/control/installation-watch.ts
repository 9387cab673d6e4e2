/**
 * Stops the worker when its database is not the installation's any more: the file was moved away or replaced while it
 * was open, or Redis was emptied and taken by a worker with another database. What would be written from then on would
 * be lost, so the worker takes no further job, requeues those that run, and exits for its supervisor to start it anew.
 */
import type { Storage } from "@agent-paas/shared/db/storage.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { describeMismatch, type RedisInstallation } from "@agent-paas/shared/redis/installation.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { SECOND } from "@agent-paas/shared/time.ts";

/** Between two looks at Redis, ms: also how soon one that was emptied has the identity again. */
const LOOK_EVERY_MS = 2 * SECOND;

export type InstallationWatchDeps = {
  readonly storage: Pick<Storage, "place" | "watch">;
  readonly inRedis: Pick<RedisInstallation, "claim">;
  readonly keys: RedisKeys;
  /** The installation that the database belongs to. */
  readonly id: string;
  /** Called once. */
  readonly onLost: () => void;
  readonly logger: Logger;
};

export function startInstallationWatch(deps: InstallationWatchDeps): { stop(): void } {
  const { storage, inRedis, keys, id, onLost, logger } = deps;
  let isOver = false;

  function lose(reason: string): void {
    if (isOver) return;
    stop();
    logger.fatal({ reason }, "the database is not the installation's any more: requeueing running jobs and stopping");
    onLost();
  }

  let isLooking = false;
  async function lookAtRedis(): Promise<void> {
    if (isLooking) return;
    isLooking = true;
    try {
      const claimed = await inRedis.claim(id);
      if (claimed !== id) lose(describeMismatch({ place: storage.place, ofDatabase: id, ofRedis: claimed, keys }));
    } catch {
      // Redis is away or cannot write; the next look follows.
    } finally {
      isLooking = false;
    }
  }

  const watch = storage.watch((reason) => queueMicrotask(() => lose(reason)));
  const timer = setInterval(() => void lookAtRedis(), LOOK_EVERY_MS);
  function stop(): void {
    isOver = true;
    watch.stop();
    clearInterval(timer);
  }
  return { stop };
}
