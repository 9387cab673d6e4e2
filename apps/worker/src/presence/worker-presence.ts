/** Publishes in Redis that this worker lives and which agents it has; the API reads it as its agent catalog. */
import {
  type AgentManifest,
  HEARTBEAT_INTERVAL_MS,
  KEEP_MANIFESTS_MS,
  WORKER_TTL_MS,
  type WorkerSlots,
} from "@agent-paas/shared/contract/agents.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { logRepeatedly } from "@agent-paas/shared/logging/repeated-warnings.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { defineScript } from "@agent-paas/shared/redis/script.ts";
import { MINUTE, SECOND } from "@agent-paas/shared/time.ts";

/** A dead worker's record is deleted by the others after this time, also if the clock of Redis was set back. */
const FORGET_AFTER_MS = MINUTE;

/**
 * Also sums up the slots of all live workers, by which places are given out. `rest`: agent id and manifest in turn. A
 * record is stored as `<epoch ms by the clock of Redis> <JSON>`.
 */
const HEARTBEAT_SCRIPT = defineScript<null>()({
  name: "workerHeartbeat",
  keys: ["workers", "agents", "slots"],
  args: ["worker_id", "record", "forget_after_ms", "live_ms", "ttl"],
  lua: `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', workers, worker_id, string.format('%.0f', now) .. ' ' .. record)
redis.call('EXPIRE', workers, ttl)
local records = redis.call('HGETALL', workers)
local sums = {}
for i = 1, #records, 2 do
  local at, text = string.match(records[i + 1], '^(%d+) (.*)$')
  local age = math.abs(now - tonumber(at))
  if age > tonumber(forget_after_ms) then redis.call('HDEL', workers, records[i]) end
  if age <= tonumber(live_ms) then
    for queue, count in pairs(cjson.decode(text).slots or {}) do
      sums[queue] = (sums[queue] or 0) + count.all
      sums[queue .. ':own'] = (sums[queue .. ':own'] or 0) + count.own
    end
  end
end
for field, count in pairs(sums) do redis.call('HSET', slots, field, count) end
redis.call('EXPIRE', slots, ttl)
for i = rest_from, #ARGV, 2 do redis.call('HSET', agents, ARGV[i], ARGV[i + 1]) end
redis.call('EXPIRE', agents, ttl)
`,
});

export type PresenceOptions = {
  readonly redis: RedisConnection;
  readonly keys: RedisKeys;
  readonly workerId: string;
  /** Read for every heartbeat: tools come and go. */
  readonly listManifests: () => readonly AgentManifest[];
  readonly slots: WorkerSlots;
  /** Finds out whether the database takes this worker's writes. */
  readonly canWrite: () => Promise<boolean>;
  readonly logger: Logger;
};

export type WorkerPresence = { stop(): Promise<void> };

/**
 * Resolves after the first heartbeat: from then on the API lists the worker, unless Redis has refused it. A full Redis
 * does, and only workers empty it.
 */
export async function startWorkerPresence(options: PresenceOptions): Promise<WorkerPresence> {
  const { redis, keys, workerId, listManifests, slots, canWrite, logger } = options;
  const heartbeat = HEARTBEAT_SCRIPT.on(redis);

  let couldWrite = true;

  async function beat(): Promise<void> {
    const manifests = listManifests();
    const can_write = await canWrite();
    if (can_write !== couldWrite) {
      if (can_write) logger.info("the database can be written again");
      else logger.error("the database cannot be written: jobs wait, and new ones are refused");
    }
    couldWrite = can_write;
    await heartbeat({
      workers: keys.workers,
      agents: keys.agents,
      slots: keys.slots,
      worker_id: workerId,
      record: JSON.stringify({ id: workerId, agents: manifests.map(({ id }) => id), can_write, slots }),
      forget_after_ms: FORGET_AFTER_MS,
      live_ms: WORKER_TTL_MS,
      ttl: KEEP_MANIFESTS_MS / SECOND,
      rest: manifests.flatMap((manifest) => [manifest.id, JSON.stringify(manifest)]),
    });
  }

  let isBeating = false;
  async function beatQuietly(): Promise<void> {
    // While Redis is away one heartbeat waits for it, not one per interval.
    if (isBeating) return;
    isBeating = true;
    await beat().catch((err: unknown) => logRepeatedly(logger, "warn", { err }, "heartbeat failed"));
    isBeating = false;
  }
  await beatQuietly();
  const timer = setInterval(() => void beatQuietly(), HEARTBEAT_INTERVAL_MS);

  return {
    async stop() {
      clearInterval(timer);
      if (redis.status === "ready") await redis.hdel(keys.workers, workerId);
    },
  };
}
