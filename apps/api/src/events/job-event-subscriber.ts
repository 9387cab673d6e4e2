/**
 * The one subscriber connection of this process. Channels are counted: the first listener of a job subscribes, the
 * last one to leave unsubscribes (I9). A connection that falls silent is replaced, and every listener is told to look
 * into the log, because pub/sub keeps nothing for those who were away.
 */
import { type BatchBounds, readBounds } from "@agent-paas/shared/contract/events.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { Redis } from "ioredis";

export type JobListener = {
  onBatch(batch: Buffer, bounds: BatchBounds): void;
  /** Batches may have been missed. */
  onGap(): void;
};

export type Subscription = {
  /** Resolves when Redis has confirmed the subscription. Rejects while Redis is away; then `onGap` comes with its return. */
  readonly confirmed: Promise<void>;
  release(): void;
};

type Channel = { readonly listeners: Set<JobListener>; confirmed: Promise<void> };

const PING_INTERVAL_MS = 15 * SECOND;
const PING_TIMEOUT_MS = 5 * SECOND;
const LEAVE_WITHIN_MS = 50;

export type JobEventSubscriber = ReturnType<typeof createJobEventSubscriber>;

export function createJobEventSubscriber(redis: Redis, keys: RedisKeys, logger: Logger) {
  const channels = new Map<string, Channel>();
  const left = new Set<string>();

  redis.on("messageBuffer", (channel: Buffer, batch: Buffer) => {
    const listeners = channels.get(channel.toString("latin1"))?.listeners;
    if (listeners === undefined) return;
    const bounds = readBounds(batch);
    for (const listener of listeners) listener.onBatch(batch, bounds);
  });
  const notifyGap = () => {
    for (const { listeners } of channels.values()) for (const listener of listeners) listener.onGap();
  };
  redis.on("ready", () => {
    // Only when the subscriptions stand is a look into the log sure to miss nothing.
    if (channels.size > 0) redis.subscribe(...channels.keys()).then(notifyGap, () => {});
  });

  const pinger = setInterval(() => {
    if (redis.status !== "ready") return;
    const overdue = setTimeout(() => {
      logger.warn("the subscriber connection is silent, reconnecting");
      redis.disconnect(true);
    }, PING_TIMEOUT_MS);
    redis
      .ping()
      .catch(() => {})
      .finally(() => clearTimeout(overdue));
  }, PING_INTERVAL_MS);

  /** While Redis is away nothing is sent: "ready" subscribes to all that is wanted by then, and tells of the gap. */
  async function subscribe(name: string): Promise<void> {
    if (redis.status !== "ready") throw new Error("Redis is away");
    await redis.subscribe(name);
  }

  /** Channels that nobody listens to any more are left together, a moment later: nobody waits for that. */
  function leave(name: string): void {
    left.add(name);
    if (left.size > 1) return;
    setTimeout(() => {
      const names = [...left].filter((one) => !channels.has(one));
      left.clear();
      if (names.length > 0 && redis.status === "ready") redis.unsubscribe(...names).catch(() => {});
    }, LEAVE_WITHIN_MS).unref();
  }

  return {
    add(jobId: string, listener: JobListener): Subscription {
      const name = keys.eventChannel(jobId);
      let channel = channels.get(name);
      if (channel === undefined) {
        channel = { listeners: new Set(), confirmed: Promise.resolve() };
        channels.set(name, channel);
        channel.confirmed = subscribe(name);
        // A connection that breaks or is closed rejects; "ready" subscribes again.
        channel.confirmed.catch(() => {});
      }
      const { listeners, confirmed } = channel;
      listeners.add(listener);
      return {
        confirmed,
        release() {
          if (!listeners.delete(listener) || listeners.size > 0) return;
          channels.delete(name);
          leave(name);
        },
      };
    },

    /** Tells every listener that it may have missed something. */
    notifyGap,

    stop: () => clearInterval(pinger),
  };
}
