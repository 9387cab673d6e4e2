/** Tells the API, through Redis, that this worker lives and which agents it offers. */

import type { AgentManifest } from "@agent-paas/shared/contract/agents.ts";
import { HEARTBEAT_INTERVAL_MS } from "@agent-paas/shared/contract/agents.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { DAY, MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import type { Redis } from "ioredis";

/** Records of workers that died are dropped by the others after this time. */
const FORGET_AFTER_MS = MINUTE;
const KEEP_AGENTS_SECONDS = (7 * DAY) / SECOND;

/**
 * KEYS: workers, agents. ARGV: worker id, record JSON, forget after ms, expiry in seconds, then agent id and manifest
 * in turn. A record is stored as `<epoch ms by the clock of Redis> <JSON>`.
 */
const HEARTBEAT_SCRIPT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local records = redis.call('HGETALL', KEYS[1])
for i = 1, #records, 2 do
  if now - tonumber(string.match(records[i + 1], '^%d+')) > tonumber(ARGV[3]) then redis.call('HDEL', KEYS[1], records[i]) end
end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', now) .. ' ' .. ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[4])
for i = 5, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
redis.call('EXPIRE', KEYS[2], ARGV[4])
`;

type HeartbeatCommand = (...args: (string | number)[]) => Promise<unknown>;

export type WorkerPresence = { stop(): Promise<void> };

/** Resolves after the first heartbeat: from then on the API lists the worker. */
export async function startWorkerPresence(
  redis: Redis,
  keys: RedisKeys,
  workerId: string,
  /** Looked at for every beat: tools come and go. */
  listManifests: () => readonly AgentManifest[],
  logger: Logger,
): Promise<WorkerPresence> {
  redis.defineCommand("workerHeartbeat", { numberOfKeys: 2, lua: HEARTBEAT_SCRIPT });
  const heartbeat = (redis as unknown as { workerHeartbeat: HeartbeatCommand }).workerHeartbeat.bind(redis);

  const beat = () => {
    const manifests = listManifests();
    const record = JSON.stringify({ id: workerId, agents: manifests.map(({ id }) => id) });
    const agents = manifests.flatMap((manifest) => [manifest.id, JSON.stringify(manifest)]);
    return heartbeat(keys.workers, keys.agents, workerId, record, FORGET_AFTER_MS, KEEP_AGENTS_SECONDS, ...agents);
  };
  let beating = false;
  await beat();
  const timer = setInterval(() => {
    // While Redis is away one beat waits for it, not one per interval.
    if (beating) return;
    beating = true;
    beat()
      .catch((err: unknown) => logger.warn({ err }, "the heartbeat failed"))
      .finally(() => {
        beating = false;
      });
  }, HEARTBEAT_INTERVAL_MS);

  return {
    async stop() {
      clearInterval(timer);
      if (redis.status === "ready") await redis.hdel(keys.workers, workerId);
    },
  };
}
