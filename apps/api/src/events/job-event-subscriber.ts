/**
 * The one subscriber connection of this process: one Redis subscription per job, many listeners. The first listener of
 * a job subscribes, the last one to leave unsubscribes (I9). Pub/sub keeps nothing for a connection that was away, so
 * every listener is notified of a gap when the connection returns. A connection that falls silent is replaced.
 */
import { type BatchBounds, readBounds } from "@agent-paas/shared/contract/events.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { logRepeatedly } from "@agent-paas/shared/logging/repeated-warnings.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { SECOND } from "@agent-paas/shared/time.ts";

export type JobListener = {
  onBatch(batch: Buffer, bounds: BatchBounds): void;
  /** Batches may have been missed. */
  onGap(): void;
};

export type Subscription = {
  /** Resolves once Redis has confirmed the subscription. Rejects while Redis is away; `onGap` follows on its return. */
  readonly confirmed: Promise<void>;
  release(): void;
};

export type JobEventSubscriber = {
  add(jobId: string, listener: JobListener): Subscription;
  /** Calls `onGap` of every listener. */
  notifyGap(): void;
  stop(): void;
};

type Channel = { readonly listeners: Set<JobListener>; confirmed: Promise<void> };

const PING_INTERVAL_MS = 15 * SECOND;
const PING_TIMEOUT_MS = 5 * SECOND;
/** Channels without listeners are collected for this long and unsubscribed in one command. */
const UNSUBSCRIBE_WITHIN_MS = 50;

export function createJobEventSubscriber(redis: RedisConnection, keys: RedisKeys, logger: Logger): JobEventSubscriber {
  const channels = new Map<string, Channel>();
  const abandoned = new Set<string>();

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
    // Listeners read the log only after the subscriptions are active; otherwise a batch in between would be missed.
    if (channels.size > 0) redis.subscribe(...channels.keys()).then(notifyGap, () => {});
  });

  const pinger = setInterval(() => {
    if (redis.status !== "ready") return;
    const overdue = setTimeout(() => {
      logRepeatedly(logger, "warn", {}, "the subscriber connection is silent, reconnecting");
      redis.disconnect(true);
    }, PING_TIMEOUT_MS);
    redis
      .ping()
      .catch(() => {})
      .finally(() => clearTimeout(overdue));
  }, PING_INTERVAL_MS);

  /** Sends nothing while Redis is away: the `ready` handler subscribes to every channel that has listeners by then. */
  async function subscribe(name: string): Promise<void> {
    if (redis.status !== "ready") throw new Error("Redis is away");
    await redis.subscribe(name);
  }

  function unsubscribeSoon(name: string): void {
    abandoned.add(name);
    if (abandoned.size > 1) return;
    setTimeout(() => {
      const names = [...abandoned].filter((one) => !channels.has(one));
      abandoned.clear();
      if (names.length > 0 && redis.status === "ready") redis.unsubscribe(...names).catch(() => {});
    }, UNSUBSCRIBE_WITHIN_MS).unref();
  }

  return {
    add(jobId, listener) {
      const name = keys.eventChannel(jobId);
      let channel = channels.get(name);
      if (channel === undefined) {
        channel = { listeners: new Set(), confirmed: Promise.resolve() };
        channels.set(name, channel);
        channel.confirmed = subscribe(name);
        // Rejects when the connection breaks or is closed; the `ready` handler subscribes again.
        channel.confirmed.catch(() => {});
      }
      const { listeners, confirmed } = channel;
      listeners.add(listener);
      return {
        confirmed,
        release() {
          if (!listeners.delete(listener) || listeners.size > 0) return;
          channels.delete(name);
          unsubscribeSoon(name);
        },
      };
    },

    notifyGap,

    stop: () => clearInterval(pinger),
  };
}
