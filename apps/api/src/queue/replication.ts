/**
 * Makes sure that what was written is on replicas too (`ACCEPT_MIN_REPLICAS`): a failover loses what no replica had.
 *
 * Redis confirms by connection what that connection has written, and keeps it waiting until then. So a connection of
 * its own writes something after the work and waits for that: replicas follow in order, and one question answers for
 * all work that was done before. That is true of one server only, so both connections must lead to the same one, and
 * must have done so without a break since before the work.
 */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { SECOND } from "@agent-paas/shared/time.ts";

/** Far above what a replica in the same network takes, and below the time limit of the connection's commands. */
const WAIT_MS = 500;
const RETRY_AFTER_MS = 2 * SECOND;
const MARK_TTL_S = 60;

/** The work is done, but may be lost. */
export class NotReplicated extends PlatformError {
  constructor() {
    super("not_replicated", { retryAfterMs: RETRY_AFTER_MS });
  }
}

/** Does the work, and throws `NotReplicated` unless what it has written is on enough replicas. */
export type Replicated = <T>(work: () => Promise<T>) => Promise<T>;

export type ReplicatedOptions = {
  /** On which the work writes. */
  readonly redis: RedisConnection;
  /** Used for nothing else. */
  readonly waiting: RedisConnection;
  readonly keys: RedisKeys;
  readonly minReplicas: number;
};

export function createReplicated({ redis, waiting, keys, minReplicas }: ReplicatedOptions): Replicated {
  const [mark = ""] = keys.probes;
  let running: Promise<number> | null = null;
  let next: Promise<number> | null = null;

  /** How many replicas have all that the server had at the time of the call. Callers at the same time share it. */
  function replicas(): Promise<number> {
    next ??= (async () => {
      await running?.catch(() => {});
      running = next;
      next = null;
      const [, count] = await Promise.all([
        waiting.set(mark, "1", "EX", MARK_TTL_S),
        waiting.wait(minReplicas, WAIT_MS),
      ]);
      return count;
    })();
    return next;
  }

  return async (work) => {
    // The work finds out by itself whether its own connection is up.
    if (waiting.status !== "ready") throw new NotReplicated();
    const before = [redis.stream, waiting.stream];
    const [ofWork, ofWait] = await Promise.all([serverOf(redis), serverOf(waiting)]);
    if (ofWork !== ofWait) throw new NotReplicated();
    const done = await work();
    const count = await replicas().catch(() => 0);
    if (count < minReplicas || redis.stream !== before[0] || waiting.stream !== before[1]) throw new NotReplicated();
    return done;
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
