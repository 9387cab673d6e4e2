/**
 * The one subscriber connection of this process: one Redis subscription per job, many listeners. The first listener of
 * a job subscribes, the last one to leave unsubscribes (I9). Pub/sub keeps nothing for a connection that was away, so
 * every listener is notified of a gap when the connection returns.
 */
import { type BatchBounds, readBounds } from "@agent-paas/shared/contract/events.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { createSubscriptions } from "@agent-paas/shared/redis/subscriptions.ts";

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
};

type Channel = { readonly listeners: Set<JobListener>; confirmed: Promise<void> };

/** Channels without listeners are collected for this long and unsubscribed in one command. */
const UNSUBSCRIBE_WITHIN_MS = 50;

export function createJobEventSubscriber(redis: RedisConnection, keys: RedisKeys): JobEventSubscriber {
  const channels = new Map<string, Channel>();
  const abandoned = new Set<string>();

  function notifyGap(names: Iterable<string> = channels.keys()): void {
    for (const name of names) for (const listener of channels.get(name)?.listeners ?? []) listener.onGap();
  }

  const subscriptions = createSubscriptions({
    redis,
    wanted: () => channels.keys(),
    onMessage(channel, batch) {
      const listeners = channels.get(channel)?.listeners;
      if (listeners === undefined) return;
      const bounds = readBounds(batch);
      for (const listener of listeners) listener.onBatch(batch, bounds);
    },
    // Listeners read the log only after the subscriptions are active; otherwise a batch in between would be missed.
    onReturn: notifyGap,
  });

  function unsubscribeSoon(name: string): void {
    abandoned.add(name);
    if (abandoned.size > 1) return;
    setTimeout(() => {
      const names = [...abandoned].filter((one) => !channels.has(one));
      abandoned.clear();
      if (names.length > 0) subscriptions.unsubscribe(names);
    }, UNSUBSCRIBE_WITHIN_MS).unref();
  }

  return {
    add(jobId, listener) {
      const name = keys.eventChannel(jobId);
      let channel = channels.get(name);
      if (channel === undefined) {
        channel = { listeners: new Set(), confirmed: Promise.resolve() };
        channels.set(name, channel);
        channel.confirmed = subscriptions.subscribe(name);
        // Rejects when the connection breaks or is closed; what has listeners when it returns is subscribed to again.
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

    notifyGap: () => notifyGap(),
  };
}
