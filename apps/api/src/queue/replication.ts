/**
 * Makes sure that what was written is on replicas too (`ACCEPT_MIN_REPLICAS`): a failover loses what no replica had.
 *
 * Redis confirms by connection what that connection has written, and keeps it waiting until then. So a connection of
 * its own writes something after the work and waits for that: replicas follow in order, and one question answers for
 * all work that was done before. That is true of one server only, so both connections must lead to the same one, and
 * must have done so without a break since before the work. On a cluster, work writes to the server of its keys.
 */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { connectionFor, type RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { SECOND } from "@agent-paas/shared/time.ts";

/** Far above what a replica in the same network takes, and below the time limit of the connection's commands. */
const WAIT_MS = 500;
const RETRY_AFTER_MS = 2 * SECOND;
const MARK_TTL_S = 60;

/** The work is done, but may be lost. */
export class NotReplicated extends PlatformError {
  /** @param message default: that of a job. */
  constructor(message?: string) {
    super("not_replicated", { retryAfterMs: RETRY_AFTER_MS, ...(message !== undefined && { message }) });
  }
}

/**
 * Does the work, and throws `NotReplicated` unless what it has written is on enough replicas. `mark`: a key to write
 * that is on the same server as what counts of the work. Default: the server of the queues.
 */
export type Replicated = <T>(work: () => Promise<T>, mark?: string) => Promise<T>;

/**
 * Work that may count although it is not on enough replicas, if any are asked for: then it is to be sent again.
 * @param what what it has written, in words.
 */
export function replicatedOrTold<T>(
  replicated: Replicated | null,
  what: string,
  work: () => Promise<T>,
  mark: string,
): Promise<T> {
  if (replicated === null) return work();
  return replicated(work, mark).catch((error: unknown) => {
    if (!(error instanceof NotReplicated)) throw error;
    throw new NotReplicated(`Too few replicas of Redis have ${what}, which may count all the same; send it again.`);
  });
}

export type ReplicatedOptions = {
  /** On which the work writes. */
  readonly redis: RedisConnection;
  /** Used for nothing else. */
  readonly waiting: RedisConnection;
  readonly keys: RedisKeys;
  readonly minReplicas: number;
};

export function createReplicated({ redis, waiting, keys, minReplicas }: ReplicatedOptions): Replicated {
  const [home = ""] = keys.probes;
  const counts = new Map<RedisConnection, Count>();

  /** How many replicas have all that the server had at the time of the call. Callers at the same time share it. */
  function countReplicas(connection: RedisConnection, mark: string): Promise<number> {
    let count = counts.get(connection);
    if (count === undefined) {
      count = createCount(connection, minReplicas);
      counts.set(connection, count);
    }
    return count(mark);
  }

  return async (work, mark = home) => {
    const [worker, waiter] = [connectionFor(redis, mark), connectionFor(waiting, mark)];
    // The work finds out by itself whether its own connection is up.
    if (waiter.status !== "ready") throw new NotReplicated();
    const before = [worker.stream, waiter.stream];
    const [ofWork, ofWait] = await Promise.all([serverOf(worker), serverOf(waiter)]);
    if (ofWork !== ofWait) throw new NotReplicated();
    const done = await work();
    const count = await countReplicas(waiter, mark).catch(() => 0);
    if (count < minReplicas || worker.stream !== before[0] || waiter.stream !== before[1]) throw new NotReplicated();
    return done;
  };
}

type Count = (mark: string) => Promise<number>;

function createCount(connection: RedisConnection, minReplicas: number): Count {
  let running: Promise<number> | null = null;
  let next: Promise<number> | null = null;
  return (mark) => {
    next ??= (async () => {
      await running?.catch(() => {});
      running = next;
      next = null;
      const [, count] = await Promise.all([
        connection.set(mark, "1", "EX", MARK_TTL_S),
        connection.wait(minReplicas, WAIT_MS),
      ]);
      return count;
    })();
    return next;
  };
}

/** The run of the server to which the connection leads, by its socket. */
const servers = new WeakMap<object, Promise<string>>();

function serverOf(redis: RedisConnection): Promise<string> {
  const { stream } = redis;
  let server = servers.get(stream);
  if (server === undefined) {
    server = redis.info("server").then((info) => {
      const line = info.split("\r\n").find((one) => one.startsWith("run_id:"));
      if (line === undefined) throw new NotReplicated();
      return line;
    });
    server.catch(() => servers.delete(stream));
    servers.set(stream, server);
  }
  return server;
}
