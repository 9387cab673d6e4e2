/**
 * Redis connections. The role of a connection decides what its commands do while Redis cannot be reached:
 *
 * - `request`: for HTTP requests. Commands are not queued, are tried once, and fail after a second of silence.
 * - `worker`: for jobs and their events. Commands wait until Redis is back; the callers limit the wait.
 * - `publisher`: for the events of jobs. Commands fail at once, and so do those that were on their way when the
 *   connection broke: the caller must know whether two commands went over the same connection.
 * - `subscriber`: for subscriptions only.
 */
import { type Command, Redis, type RedisOptions } from "ioredis";
import type { RedisTopology } from "../config/redis-topology.ts";
import type { Logger } from "../logging/logger.ts";
import { logRepeatedly } from "../logging/repeated-warnings.ts";
import { SECOND } from "../time.ts";
import { limitAnswers } from "./answer-limit.ts";
import { SILENCE_MAX_MS, watchSilence } from "./watch-silence.ts";

/** A connection to Redis; its type does not depend on the topology. */
export type RedisConnection = Redis;

export type RedisRole = "request" | "worker" | "publisher" | "subscriber";

export type RedisConnectionOptions = {
  readonly topology: RedisTopology;
  readonly role: RedisRole;
  /** The name of the connection in Redis' list of clients, together with the role. */
  readonly name: string;
  readonly logger: ConnectionLogger;
};

/** All that a connection says; a thread without a log passes one that is silent. */
type ConnectionLogger = Pick<Logger, "info" | "warn">;

const ROLE_OPTIONS = {
  request: { enableOfflineQueue: false, maxRetriesPerRequest: 1, limitsAnswers: true, gathersIteration: true },
  worker: { maxRetriesPerRequest: null, gathersIteration: true },
  // With 0 retries, a broken connection rejects what was on its way; ioredis would drop it without a word otherwise.
  publisher: { enableOfflineQueue: false, autoResendUnfulfilledCommands: false, maxRetriesPerRequest: 0 },
  // The event subscriber resubscribes by itself, because it must know when its subscriptions are active.
  subscriber: { maxRetriesPerRequest: null, autoResubscribe: false },
} as const;

/** Limits each step of a short check. */
const CHECK_WITHIN_MS = 5 * SECOND;

type SupervisedOptions = RedisOptions & { readonly gathersIteration?: boolean; readonly limitsAnswers?: boolean };

/**
 * Sends the commands of one callback in one write, or of one iteration of the event loop: then requests that came on
 * many sockets, or jobs that run side by side, share it: a system call costs more than most commands, here and in
 * Redis. A connection that falls silent is replaced. So are its duplicates: BullMQ makes one for the blocking commands
 * of each worker.
 */
class SupervisedRedis extends Redis {
  readonly #logger: ConnectionLogger;
  /** Until when further commands may join a write. */
  readonly #beforeWrite: (write: () => void) => void;
  readonly #limitAnswer: ((command: Command) => void) | undefined;

  constructor(url: string | null, options: SupervisedOptions, logger: ConnectionLogger) {
    if (url === null) super(options);
    else super(url, options);
    this.#logger = logger;
    this.#beforeWrite = options.gathersIteration ? setImmediate : process.nextTick;
    this.#limitAnswer = options.limitsAnswers ? limitAnswers(this) : undefined;
    const { connectionName: connection } = this.options;
    watchSilence(this, () =>
      logger.warn({ connection, silent_ms: SILENCE_MAX_MS }, "a connection to Redis is silent and is replaced"),
    );
  }

  override duplicate(override?: Partial<RedisOptions>): Redis {
    return new SupervisedRedis(null, { ...this.options, ...override }, this.#logger);
  }

  override sendCommand(command: Command, pipeline?: Parameters<Redis["sendCommand"]>[1]): unknown {
    const { stream } = this;
    if (stream?.writable && stream.writableCorked === 0) {
      stream.cork();
      this.#beforeWrite(() => stream.uncork());
    }
    this.#limitAnswer?.(command);
    return super.sendCommand(command, pipeline);
  }
}

/** Opens a connection that reconnects for ever, also when it falls silent. The caller must `disconnect()` it. */
export function connectRedis({ topology, role, name, logger }: RedisConnectionOptions): RedisConnection {
  const options = {
    ...ROLE_OPTIONS[role],
    connectionName: `${name}:${role}`,
    connectTimeout: 5 * SECOND,
    enableReadyCheck: true,
    // A Redis that loads its file estimates how long that takes, and ioredis would wait for the estimate, up to 10 s.
    // Asked more often, the connection does not count as silent either.
    maxLoadingRetryTime: SECOND / 2,
    // After a failover behind one address, the old primary still accepts connections, but refuses writes.
    reconnectOnError: (error: Error) => error.message.startsWith("READONLY"),
    retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 5), SECOND) + Math.random() * 200,
  };
  const redis = new SupervisedRedis(topology.url, options, logger);
  let away = false;
  redis.on("error", (error) => {
    if (!away) logRepeatedly(logger, "warn", { role, err: error }, "Redis cannot be reached");
    away = true;
  });
  redis.on("ready", () => {
    if (away) logRepeatedly(logger, "info", { role }, "Redis is back");
    away = false;
  });
  return redis;
}

/** Opens a connection for a short check. It connects only once, and the caller must handle its errors. */
export const connectOnce = ({ url }: RedisTopology): RedisConnection =>
  new Redis(url, { retryStrategy: () => null, connectTimeout: CHECK_WITHIN_MS, commandTimeout: CHECK_WITHIN_MS });

/** Whether the connection is ready within `ms` milliseconds. */
export async function isReadyWithin(redis: RedisConnection, ms: number): Promise<boolean> {
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
