/**
 * Redis connections. The role of a connection decides what its commands do while Redis cannot be reached:
 *
 * - `request`: for HTTP requests. Commands are not queued, are tried once, and fail after a second of silence.
 * - `worker`: for jobs and their events. Commands wait until Redis is back; the callers limit the wait.
 * - `publisher`: for the events of jobs. Commands fail at once, and so do those that were on their way when the
 *   connection broke: the caller must know whether two commands went over the same connection.
 * - `subscriber`: for subscriptions only.
 *
 * What holds for a connection holds on a cluster for the connection of each hash tag (`sharded-redis.ts`).
 */
import { Redis } from "ioredis";
import type { RedisAddress, RedisTopology } from "../config/redis-topology.ts";
import { logRepeatedly } from "../logging/repeated-warnings.ts";
import { SECOND } from "../time.ts";
import type { RedisKeys } from "./keys.ts";
import { failOnOutage, waitOutOutage } from "./outages.ts";
import { ShardedRedis } from "./sharded-redis.ts";
import { type ConnectionLogger, type SupervisedOptions, SupervisedRedis } from "./supervised-redis.ts";
import { serversOf, slotOf } from "./topology.ts";

/** A connection to Redis; its type does not depend on the topology. */
export type RedisConnection = Redis;

export type RedisRole = "request" | "worker" | "publisher" | "subscriber";

/** Where keys are: on a cluster, each hash tag may be on another server. */
type Tags = Pick<RedisKeys, "home" | "shards">;

export type RedisConnectionOptions = {
  readonly topology: RedisTopology;
  readonly keys: Tags;
  readonly role: RedisRole;
  /** The name of the connection in Redis' list of clients, together with the role. */
  readonly name: string;
  readonly logger: ConnectionLogger;
};

const ROLE_OPTIONS = {
  request: {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    limitsAnswers: true,
    reconnectOnError: failOnOutage,
    gathersIteration: true,
  },
  worker: { maxRetriesPerRequest: null, reconnectOnError: waitOutOutage, gathersIteration: true },
  // With 0 retries, a broken connection rejects what was on its way; ioredis would drop it without a word otherwise.
  publisher: {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    reconnectOnError: failOnOutage,
  },
  // The event subscriber resubscribes by itself, because it must know when its subscriptions are active.
  subscriber: { maxRetriesPerRequest: null, autoResubscribe: false, reconnectOnError: failOnOutage },
} as const satisfies Record<RedisRole, SupervisedOptions>;

/** Limits each step of a short check. */
const CHECK_WITHIN_MS = 5 * SECOND;

/** Opens a connection that reconnects for ever, also when it falls silent. The caller must `disconnect()` it. */
export function connectRedis({ topology, keys, role, name, logger }: RedisConnectionOptions): RedisConnection {
  const servers = serversOf(topology);
  const { reconnectOnError } = ROLE_OPTIONS[role];
  const options: SupervisedOptions = {
    ...ROLE_OPTIONS[role],
    reconnectOnError(error) {
      const answer = reconnectOnError(error);
      // Nobody else hears of it: the command does not fail.
      if (answer === 2)
        logRepeatedly(logger, "warn", { role, err: error }, "Redis refuses a command; sending it again");
      return answer;
    },
    connectionName: `${name}:${role}`,
    connectTimeout: 5 * SECOND,
    enableReadyCheck: true,
    // A Redis that loads its file estimates how long that takes, and ioredis would wait for the estimate, up to 10 s.
    // Asked more often, the connection does not count as silent either.
    maxLoadingRetryTime: SECOND / 2,
    retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 5), SECOND) + Math.random() * 200,
  };
  const optionsOf = (slot: number): SupervisedOptions => ({ ...options, ...servers.optionsOf(slot) });

  let away = false;
  function report(redis: Redis): void {
    redis.on("error", (error) => {
      if (!away) logRepeatedly(logger, "warn", { role, err: error }, "Redis cannot be reached");
      away = true;
    });
    redis.on("ready", () => {
      if (away) logRepeatedly(logger, "info", { role }, "Redis is back");
      away = false;
    });
  }

  if (!servers.isSharded) {
    const redis = new SupervisedRedis(optionsOf(slotOf(keys.home)), logger);
    report(redis);
    return redis;
  }
  const redis = new ShardedRedis({ home: keys.home, shards: keys.shards, optionsOf, onShard: report, logger });
  report(redis);
  // Commands that wait may wait for a connection as well; the others must find one.
  if (role !== "worker") redis.connections();
  return redis;
}

/** Opens a connection for a short check. It connects only once, and the caller must handle its errors. */
export const connectOnce = (topology: RedisTopology, { home }: Pick<Tags, "home">): RedisConnection =>
  new Redis({
    ...serversOf(topology).optionsOf(slotOf(home)),
    retryStrategy: () => null,
    connectTimeout: CHECK_WITHIN_MS,
    commandTimeout: CHECK_WITHIN_MS,
  });

/** Opens such a connection to a server that another connection's server has named. */
export function connectTo(redis: RedisConnection, address: RedisAddress, withinMs: number): RedisConnection {
  const { username, password, tls } = redis.options;
  const login = { ...(username !== undefined && { username }), ...(password !== undefined && { password }) };
  const limits = { retryStrategy: () => null, connectTimeout: withinMs, commandTimeout: withinMs };
  const connection = new Redis({ ...address, ...login, ...limits, ...(tls && { tls }), enableReadyCheck: false });
  connection.on("error", () => {
    // Its commands fail.
  });
  return connection;
}

/** The connection that commands on the key take; always the same one for keys of the same hash tag. */
export const connectionFor = (redis: RedisConnection, key: string): RedisConnection =>
  redis instanceof ShardedRedis ? redis.connectionFor(key) : redis;

/** All connections that commands take. */
export const connectionsOf = (redis: RedisConnection): readonly RedisConnection[] =>
  redis instanceof ShardedRedis ? redis.connections() : [redis];

/** Whether one call may only have keys of one hash tag, and channels belong to the server of theirs. */
export const isSharded = (redis: RedisConnection): boolean => redis instanceof ShardedRedis;

/** Whether the connection is ready within `ms` milliseconds. */
export async function isReadyWithin(redis: RedisConnection, ms: number): Promise<boolean> {
  const ready = await Promise.all(connectionsOf(redis).map((connection) => becomesReady(connection, ms)));
  return !ready.includes(false);
}

async function becomesReady(redis: Redis, ms: number): Promise<boolean> {
  if (redis.status === "ready") return true;
  return new Promise((resolve) => {
    const settle = () => {
      clearTimeout(timer);
      redis.off("ready", settle);
      resolve(redis.status === "ready");
    };
    const timer = setTimeout(settle, ms);
    redis.on("ready", settle);
  });
}
