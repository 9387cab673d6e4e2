/**
 * The one clock of an installation: that of Redis. Times that one process writes and another one compares (when a job
 * was accepted, when it first started, the time in an id) are read from it, so the clocks of the machines need not
 * agree. Between two readings a process counts on by its own monotonic clock, so no time costs a round trip, and
 * setting a machine's clock changes nothing.
 */
import { createIdSource } from "../ids.ts";
import type { Logger } from "../logging/logger.ts";
import { SECOND } from "../time.ts";
import type { RedisConnection } from "./connect.ts";

/** How often the clock is read, ms; monotonic clocks differ by less than a millisecond in that time. */
const READ_EVERY_MS = 10 * SECOND;

/** A slower answer says too little about when Redis read its clock; it is used only while there is no other. */
const QUICK_ANSWER_MS = 500;

/** A reading that differs by more from what was expected is reported. */
const JUMP_MS = SECOND;

export type InstallationClock = {
  /** Milliseconds since 1970, by the clock of Redis. Before the first reading: by this machine's clock. */
  now(): number;
  /** An id whose time is that of this clock. */
  newId(): string;
};

export type RedisClock = InstallationClock & {
  /** Reads the clock now; rejects when Redis cannot be reached. */
  read(): Promise<void>;
  stop(): void;
};

/** Reads the clock whenever the connection becomes ready, and at intervals. */
export function startRedisClock(redis: RedisConnection, logger: Pick<Logger, "warn">): RedisClock {
  /** What to add to the monotonic clock. */
  let offset: number | null = null;

  async function read(): Promise<void> {
    const askedAt = performance.now();
    const [seconds = 0, microseconds = 0] = await redis.time();
    const answeredAt = performance.now();
    if (offset !== null && answeredAt - askedAt > QUICK_ANSWER_MS) return;
    const former = offset;
    offset = seconds * SECOND + microseconds / 1_000 - (askedAt + answeredAt) / 2;
    const jumpMs = Math.round(offset - (former ?? offset));
    if (Math.abs(jumpMs) > JUMP_MS) {
      logger.warn({ jump_ms: jumpMs }, "the clock of Redis has jumped, and deadlines with it");
    }
  }

  let isReading = false;
  async function readQuietly(): Promise<void> {
    if (isReading || redis.status !== "ready") return;
    isReading = true;
    // The last reading goes on being right; the next one follows.
    await read().catch(() => {});
    isReading = false;
  }

  const onReady = () => void readQuietly();
  redis.on("ready", onReady);
  const timer = setInterval(onReady, READ_EVERY_MS);
  const now = () => (offset === null ? Date.now() : Math.round(offset + performance.now()));
  return {
    now,
    newId: createIdSource(now),
    read,
    stop() {
      redis.off("ready", onReady);
      clearInterval(timer);
    },
  };
}
