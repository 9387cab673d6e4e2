/**
 * Brings what version 0.1.0 left in Redis to the names of today: fields of job states, and the lists of session queues.
 * It runs once per installation, before this worker takes jobs; doing it again changes nothing. APIs and workers of
 * 0.1.0 must not run beside it: they know neither the new names in Redis nor the renamed columns.
 */
import { UNENDED_JOB_TTL_SECONDS } from "@agent-paas/shared/contract/jobs.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import { EVENT_SHARDS, type RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { defineScript } from "@agent-paas/shared/redis/script.ts";

/** Written to `keys.layout` when all keys have the names of today. */
export const REDIS_LAYOUT = "2";

const SCAN_COUNT = 500;

/** The state of an ended job keeps only what readers need; fields that exist already under their new name stay. */
const RENAME_FIELDS_SCRIPT = defineScript<number>()({
  name: "renameJobStateFields",
  keys: ["state"],
  args: [],
  lua: `
local names = { attempt = 'fencing_token', runs = 'attempts', open_runs = 'unfinished_attempts', apart = 'isolated_after' }
local renamed = 0
for old, new in pairs(names) do
  local value = redis.call('HGET', state, old)
  if value then
    redis.call('HSETNX', state, new, value)
    redis.call('HDEL', state, old)
    renamed = renamed + 1
  end
end
return renamed
`,
});

/** Entries of the former list are older, so they come first. */
const MOVE_QUEUE_SCRIPT = defineScript<number>()({
  name: "moveSessionQueue",
  keys: ["former", "queue"],
  args: [],
  lua: `
local entries = redis.call('LRANGE', former, 0, -1)
local ttl = redis.call('PTTL', former)
for i = #entries, 1, -1 do redis.call('LPUSH', queue, entries[i]) end
if ttl > 0 then redis.call('PEXPIRE', queue, ttl) end
redis.call('DEL', former)
return #entries
`,
});

export async function upgradeRedis(redis: RedisConnection, keys: RedisKeys, logger: Logger): Promise<void> {
  if ((await redis.get(keys.layout)) === REDIS_LAYOUT) return;
  const renameFields = RENAME_FIELDS_SCRIPT.on(redis);
  const moveQueue = MOVE_QUEUE_SCRIPT.on(redis);
  let states = 0;
  let queues = 0;
  for (let shard = 0; shard < EVENT_SHARDS; shard++) {
    for await (const state of scan(redis, keys.jobStatesOf(shard))) {
      if ((await renameFields({ state })) > 0) states += 1;
    }
  }
  const former = keys.formerSessionQueue("");
  for await (const key of scan(redis, `${former}*`)) {
    await moveQueue({ former: key, queue: keys.sessionQueue(key.slice(former.length)) });
    queues += 1;
  }
  // The mark expires like everything else; by then no key of an earlier version is left to be found.
  await redis.set(keys.layout, REDIS_LAYOUT, "EX", UNENDED_JOB_TTL_SECONDS);
  if (states + queues > 0) logger.info({ states, queues }, "keys of an earlier version renamed in Redis");
}

async function* scan(redis: RedisConnection, pattern: string): AsyncGenerator<string> {
  let cursor = "0";
  do {
    const [next, found] = await redis.scan(cursor, "MATCH", pattern, "COUNT", SCAN_COUNT);
    cursor = next;
    yield* found;
  } while (cursor !== "0");
}
