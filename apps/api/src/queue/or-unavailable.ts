import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import { z } from "zod";
import { isOutOfMemory, queueFull } from "./admission.ts";

/** Errors of the platform's own code: they pass unchanged, so that a bug is not reported as an outage. */
const OWN_ERRORS = [PlatformError, z.ZodError, TypeError, SyntaxError, RangeError, ReferenceError];

/**
 * Runs work on Redis, or fails at once when the connection is not up. An error of Redis or of its client becomes
 * `queue_unavailable`, or `queue_full` when Redis is out of memory.
 */
export async function orUnavailable<T>(redis: Pick<RedisConnection, "status">, work: () => Promise<T>): Promise<T> {
  if (redis.status !== "ready") throw new PlatformError("queue_unavailable");
  try {
    return await work();
  } catch (error) {
    if (isOutOfMemory(error)) throw queueFull(error);
    throw OWN_ERRORS.some((kind) => error instanceof kind)
      ? error
      : new PlatformError("queue_unavailable", { cause: error });
  }
}
