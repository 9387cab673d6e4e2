/**
 * Brings what version 0.1.0 left in Redis to the names of today: fields of job states, and the lists of session queues.
 * The first API or worker that starts on an older layout does it before it accepts or takes jobs; doing it again, or in
 * two processes at once, changes nothing. APIs and workers of 0.1.0 must not run beside it: they know neither the new
 * names in Redis nor the renamed columns.
 */
import type { Logger } from "../logging/logger.ts";
import type { RedisConnection } from "./connect.ts";
import type { RedisKeys } from "./keys.ts";
import { defineScript } from "./script.ts";

/** The value of `keys.layout` once every key has the names of today. It never expires: a pass reads the whole Redis. */
const REDIS_LAYOUT = "2";

const SCAN_COUNT = 500;

/** Returns how many fields were renamed; a field that exists already under its new name keeps its value. */
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

/** Entries of the former list are older, so they come first. The longer expiry of the two lists stays. */
const MOVE_QUEUE_SCRIPT = defineScript<number>()({
  name: "moveSessionQueue",
  keys: ["former", "queue"],
  args: [],
  lua: `
local entries = redis.call('LRANGE', former, 0, -1)
local ttl = redis.call('PTTL', former)
for i = #entries, 1, -1 do redis.call('LPUSH', queue, entries[i]) end
if ttl > redis.call('PTTL', queue) then redis.call('PEXPIRE', queue, ttl) end
redis.call('DEL', former)
return #entries
`,
});

export async function upgradeRedis(redis: RedisConnection, keys: RedisKeys, logger: Logger): Promise<void> {
  if ((await redis.get(keys.layout)) === REDIS_LAYOUT) return;
  const renameFields = RENAME_FIELDS_SCRIPT.on(redis);
  const moveQueue = MOVE_QUEUE_SCRIPT.on(redis);
  const former = keys.formerSessionQueue("");

  /** Whether something had a former name. */
  async function upgrade(key: string): Promise<boolean> {
    if (keys.isJobState(key)) return (await renameFields({ state: key })) > 0;
    if (!key.startsWith(former)) return false;
    await moveQueue({ former: key, queue: keys.sessionQueue(key.slice(former.length)) });
    return true;
  }

  let upgraded = 0;
  let cursor = "0";
  do {
    const [next, found] = await redis.scan(cursor, "MATCH", keys.all, "COUNT", SCAN_COUNT);
    cursor = next;
    // One write for the page: the connection combines commands of one iteration of the event loop.
    upgraded += (await Promise.all(found.map(upgrade))).filter(Boolean).length;
  } while (cursor !== "0");
  await redis.set(keys.layout, REDIS_LAYOUT);
  if (upgraded > 0) logger.info({ keys: upgraded }, "keys of an earlier version renamed in Redis");
}
