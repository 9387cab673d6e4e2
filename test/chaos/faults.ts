/** Faults that a run injects into its processes; each one is written to the run record. */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Failpoint } from "@agent-paas/shared/lifecycle/failpoints.ts";
import { connectionsOf, isReadyWithin } from "@agent-paas/shared/redis/connect.ts";
import { createRedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import type { RestartableProcess } from "../../scripts/services/restartable-process.ts";
import { openTestRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait-for.ts";
import { createOutages } from "./outages.ts";
import { settle } from "./settle.ts";
import type { Stack } from "./stack.ts";
import type { FaultKind, RunRecord } from "./transcript.ts";
import { watchExits } from "./watch-exits.ts";

/** The failpoints of the product which every job with a tool passes. */
export const RUN_POINTS = [
  ...["claimed", "model_call", "tool_started", "effect_done", "journaled"],
  ...["message_written", "state_written", "end_published", "before_completion"],
] as const satisfies readonly Failpoint[];
/** All at which a worker can be made to crash; `taken_over` is passed for jobs that end without running. */
export const CRASH_POINTS = [...RUN_POINTS, "taken_over"] as const satisfies readonly Failpoint[];

/** How long to wait until a job reaches an armed crash point. */
const CRASH_WITHIN_MS = 60 * SECOND;
const MAX_STARTS = 3;

export type Faults = ReturnType<typeof createFaults>;

export function createFaults(stack: Stack, record: RunRecord) {
  const keys = createRedisKeys(stack.redisPrefix);
  const note = (kind: FaultKind, target: string, detail?: string) =>
    record.write({ type: "fault", value: { at: Date.now(), kind, target, ...(detail !== undefined && { detail }) } });
  const incident = (value: string) => record.write({ type: "incident", value });
  const exits = watchExits(incident);
  for (const started of [...stack.apis, ...stack.workers]) exits.watch(started);

  /** Retries, because a start can fail while another fault has Redis down. */
  async function start(target: RestartableProcess): Promise<void> {
    for (let starts = 1; ; starts++) {
      try {
        await target.start();
        exits.watch(target);
        note("start", target.name);
        return;
      } catch (error) {
        if (starts === MAX_STARTS) throw error;
      }
    }
  }

  return {
    ...createOutages(stack, note),

    /** SIGKILL; the process is started again after `downMs`. */
    async kill(target: RestartableProcess, downMs = 0): Promise<void> {
      note("kill", target.name);
      await target.kill();
      await delay(downMs);
      await start(target);
    },

    async pause(target: RestartableProcess, ms: number): Promise<void> {
      note("pause", target.name);
      target.pause();
      await delay(ms);
      note("resume", target.name);
      target.resume();
    },

    /** SIGTERM and a new start, as in a deployment. */
    async restart(target: RestartableProcess): Promise<void> {
      note("stop", target.name);
      exits.bid(target.pid);
      const { code, signal } = await target.stop();
      if (code !== 0) incident(`${target.name} stopped with ${signal ?? `exit code ${code}`}`);
      await start(target);
    },

    /** Kills the first worker that reaches the crash point, inside the call, and starts it again. */
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
        return incident(`no job reached the crash point ${point}`);
      }
      note("crash", victim.name, point);
      await start(victim);
    },

    /** SIGKILL; Redis returns on the same port with its append-only file. Resolves when it answers. */
    async killRedis(downMs: number): Promise<void> {
      note("kill", "redis");
      await stack.redis.kill();
      await delay(downMs);
      await stack.redis.start();
      note("start", "redis");
    },

    /** As `pg_ctl restart -m immediate`: every connection breaks, and the server replays its log. */
    async restartDatabase(downMs: number): Promise<void> {
      const { server } = stack.database;
      if (server === null) throw new Error("there is no server of the database");
      note("kill", "database");
      await server.crash();
      await delay(downMs);
      await server.start();
      note("start", "database");
    },

    async pauseRedis(ms: number): Promise<void> {
      note("pause", "redis");
      stack.redis.pause();
      await delay(ms);
      note("resume", "redis");
      stack.redis.resume();
    },

    /** Closes every connection to Redis, including those of subscribers. */
    async resetConnections(): Promise<void> {
      note("reset", "redis");
      const redis = openTestRedis(stack.redisUrl, keys);
      await isReadyWithin(redis, SECOND);
      for (const server of connectionsOf(redis).filter(({ status }) => status === "ready")) {
        for (const type of ["normal", "pubsub"] as const) await server.client("KILL", "TYPE", type, "SKIPME", "yes");
      }
      redis.disconnect();
    },

    /** A master dies, its replica takes over, and it comes back as a replica. */
    async failOver(no: number): Promise<void> {
      const { redisSet } = stack;
      if (redisSet === null) throw new Error("one server has nobody to take over");
      const masters = await redisSet.masters();
      const master = masters[no % masters.length];
      if (master === undefined) throw new Error("no master answers");
      note("kill", `redis ${master.port}`);
      await master.kill();
      await waitFor("another master", async () => (await redisSet.masters()).length === masters.length, MINUTE);
      await master.start();
      note("start", `redis ${master.port}`);
      await redisSet.settled();
    },

    /** Waits until no queue holds a job that can still run. After `withinMs` the checker reports the jobs left. */
    async settle(withinMs: number): Promise<void> {
      await settle(stack, withinMs);
      exits.end();
    },
  };
}
