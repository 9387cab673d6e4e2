/**
 * Subscriptions to channels of the platform's keys. On a cluster a channel belongs to the server of its hash tag
 * (sharded publish/subscribe), so a message goes to that server alone and not through all of them.
 */
import { connectionFor, connectionsOf, isSharded, type RedisConnection } from "./connect.ts";

export type SubscriptionsOptions = {
  /** Of the role `subscriber`. */
  readonly redis: RedisConnection;
  /** The channels that a connection which is ready again subscribes to. */
  readonly wanted: () => Iterable<string>;
  readonly onMessage: (channel: string, message: Buffer) => void;
  /** These channels are subscribed to again; messages in between are lost. */
  readonly onReturn: (channels: readonly string[]) => void;
};

export type Subscriptions = {
  /** Resolves once Redis has confirmed. Rejects while Redis is away; `onReturn` follows if the channel is wanted. */
  subscribe(channel: string): Promise<void>;
  /** Does nothing while Redis is away. */
  unsubscribe(channels: readonly string[]): void;
};

export function createSubscriptions({ redis, wanted, onMessage, onReturn }: SubscriptionsOptions): Subscriptions {
  const sharded = isSharded(redis);
  const isOn = (connection: RedisConnection) => (channel: string) => connectionFor(redis, channel) === connection;

  async function subscribeOn(connection: RedisConnection, channels: readonly string[]): Promise<void> {
    if (channels.length === 0) return;
    await (sharded ? untilClosed(connection, connection.ssubscribe(...channels)) : connection.subscribe(...channels));
  }

  for (const connection of connectionsOf(redis)) {
    connection.on(sharded ? "smessageBuffer" : "messageBuffer", (channel: Buffer, message: Buffer) =>
      onMessage(channel.toString("latin1"), message),
    );
    connection.on("ready", () => {
      const channels = [...wanted()].filter(isOn(connection));
      if (channels.length > 0)
        subscribeOn(connection, channels).then(
          () => onReturn(channels),
          () => {},
        );
    });
    // Its server has lost the slot; ioredis leaves the subscription unanswered.
    connection.on("moved", () => connection.disconnect(true));
  }

  return {
    async subscribe(channel) {
      const connection = connectionFor(redis, channel);
      if (connection.status !== "ready") throw new Error("Redis is away");
      await subscribeOn(connection, [channel]);
    },

    unsubscribe(channels) {
      for (const connection of connectionsOf(redis)) {
        const names = channels.filter(isOn(connection));
        if (names.length === 0 || connection.status !== "ready") continue;
        const done = sharded ? connection.sunsubscribe(...names) : connection.unsubscribe(...names);
        done.catch(() => {});
      }
    },
  };
}

/** Those who wait for an answer of each connection. */
const waiting = new WeakMap<RedisConnection, Set<(reason: Error) => void>>();

/** Rejects when the connection closes before it has answered. */
function untilClosed(connection: RedisConnection, answer: Promise<unknown>): Promise<unknown> {
  let rejects = waiting.get(connection);
  if (rejects === undefined) {
    const known = new Set<(reason: Error) => void>();
    waiting.set(connection, known);
    connection.on("close", () => {
      for (const reject of known) reject(new Error("the connection has closed"));
      known.clear();
    });
    rejects = known;
  }
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  rejects.add(reject);
  answer.then(resolve, reject).finally(() => rejects.delete(reject));
  return promise;
}
