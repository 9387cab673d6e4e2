import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Redis } from "ioredis";
import { z } from "zod";
import { isOutOfMemory, queueFull } from "./admission.ts";

/**
 * Runs work on Redis, or fails at once when the connection is not up. What Redis or its client throws becomes
 * `queue_unavailable`, or `queue_full` when it lacks memory; our own faults stay what they are.
 */
export async function orUnavailable<T>(redis: Redis, work: () => Promise<T>): Promise<T> {
  if (redis.status !== "ready") throw new PlatformError("queue_unavailable");
  try {
    return await work();
  } catch (error) {
    if (isOutOfMemory(error)) throw queueFull(error);
    const ownFault = [PlatformError, z.ZodError, TypeError, SyntaxError, RangeError, ReferenceError];
    throw ownFault.some((kind) => error instanceof kind)
      ? error
      : new PlatformError("queue_unavailable", { cause: error });
  }
}
