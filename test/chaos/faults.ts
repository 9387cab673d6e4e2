/** What can be done to the processes of a run; all of it is written down. */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Failpoint } from "@agent-paas/shared/lifecycle/failpoints.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { Redis } from "ioredis";
import { waitFor } from "../support/wait-for.ts";
import type { Part, Stack } from "./stack.ts";
import type { Fault, Record } from "./transcript.ts";

/** Where a worker can be made to crash, as the product names the moments. */
export const CRASH_POINTS = [
  ...["claimed", "model_call", "tool_started", "effect_done", "journaled"],
  ...["message_written", "state_written", "end_published", "before_completion"],
] as const satisfies readonly Failpoint[];

/** How long a crash point may wait for a job that comes along. */
const CRASH_WITHIN_MS = 60 * SECOND;
const START_TRIES = 3;

export type Faults = ReturnType<typeof createFaults>;

export function createFaults(stack: Stack, record: Record) {
  const note = (kind: Fault["kind"], target: string, detail?: string) =>
    record.write({ type: "fault", value: { at: Date.now(), kind, target, ...(detail !== undefined && { detail }) } });
  const misfortune = (value: string) => record.write({ type: "misfortune", value });

  /** While Redis is away too, a start may be in vain. */
  async function start(part: Part): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await part.start();
        note("start", part.name);
        return;
      } catch (error) {
        if (tries === START_TRIES) throw error;
      }
    }
  }

  return {
    /** SIGKILL, and again in its place after `downMs`. */
    async kill(part: Part, downMs = 0): Promise<void> {
      note("kill", part.name);
      await part.kill();
      await delay(downMs);
      await start(part);
    },

    async pause(part: Part, ms: number): Promise<void> {
      note("pause", part.name);
      part.pause();
      await delay(ms);
      note("resume", part.name);
      part.resume();
    },

    /** SIGTERM, as a deployment does it. */
    async restart(part: Part): Promise<void> {
      note("stop", part.name);
      const { code, signal } = await part.stop();
      if (code !== 0) misfortune(`${part.name} stopped with ${signal ?? `exit code ${code}`}`);
      await start(part);
    },

    /** A worker that reaches the point dies there, and is started again. */
    async crashAt(point: Failpoint): Promise<void> {
      const deaths = stack.workers.map((worker) => worker.exited.then(() => worker));
      const trigger = join(stack.armedDir, point);
      await writeFile(trigger, "");
      const late = new AbortController();
      const overdue = delay(CRASH_WITHIN_MS, null, { signal: late.signal }).catch(() => null);
      const victim = await Promise.race([...deaths, overdue]);
      late.abort();
      if (victim === null) {
        await rm(trigger, { force: true });
        return misfortune(`no job came to the crash point ${point}`);
      }
      note("crash", victim.name, point);
      await start(victim);
    },

    /** SIGKILL, back on the same port with its append-only file; resolves when it answers. */
    async killRedis(downMs: number): Promise<void> {
      note("kill", "redis");
      await stack.redis.kill();
      await delay(downMs);
      await stack.redis.start();
      note("start", "redis");
    },

    async pauseRedis(ms: number): Promise<void> {
      note("pause", "redis");
      stack.redis.pause();
      await delay(ms);
      note("resume", "redis");
      stack.redis.resume();
    },

    /** Every connection to Redis is closed, the subscribers' too. */
    async resetConnections(): Promise<void> {
      note("reset", "redis");
      const redis = new Redis(stack.redisUrl, { retryStrategy: null, lazyConnect: true });
      redis.on("error", () => {});
      try {
        await redis.connect();
        for (const type of ["normal", "pubsub"] as const) await redis.client("KILL", "TYPE", type, "SKIPME", "yes");
      } catch {
        // Redis is away itself just now.
      } finally {
        redis.disconnect();
      }
    },

    /** Until no queue holds a job that could still run: what is left then is left. */
    async settle(withinMs: number): Promise<void> {
      const redis = new Redis(stack.redisUrl);
      const isIdle = async () => {
        const names = ["chat", "execute", "maintenance"].map((queue) => `{${stack.redisPrefix}}:${queue}`);
        const counts = await Promise.all(
          names.flatMap((name) => [
            redis.llen(`${name}:wait`),
            redis.llen(`${name}:active`),
            // But for what comes round by itself.
            redis
              .zrange(`${name}:delayed`, 0, -1)
              .then((jobIds) => jobIds.filter((jobId) => !jobId.startsWith("repeat:")).length),
          ]),
        );
        return counts.every((count) => count === 0);
      };
      await waitFor("the queues to be empty", isIdle, withinMs).catch(() => {});
      redis.disconnect();
    },
  };
}
