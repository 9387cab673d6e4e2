/** The turns that are taken, in Redis: few over all workers, one per collection, each until its expiry. */
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { defineScript } from "@agent-paas/shared/redis/script.ts";
import { SECOND } from "@agent-paas/shared/time.ts";

/** Over all workers. Chroma reads a second one while it indexes the first; more would only queue. */
const MAX_TURNS = 2;
const EXPIRES_MS = 10 * SECOND;
const RENEW_MS = 3 * SECOND;
/** A worker that has not asked for so long does not wait any more. */
const WAITS_MS = 500;

/**
 * `turns`: collection → holder and expiry. `waiting`: worker → when it first asked and when it last asked. Returns the
 * collection whose turn was taken, or an empty string. No worker is passed over by one that asked later.
 */
const TAKE = defineScript<string>()({
  name: "takeStoreTurn",
  keys: ["turns", "waiting"],
  args: ["worker", "most", "expires_ms", "waits_ms"],
  lua: `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local count, taken = 0, {}
local held = redis.call("HGETALL", turns)
for at = 1, #held, 2 do
  local holder, expires = string.match(held[at + 1], "^(.*) (%d+)$")
  -- A worker that asks holds none: the reply that gave it one was lost.
  if tonumber(expires) <= now or holder == worker then
    redis.call("HDEL", turns, held[at])
  else
    count = count + 1
    taken[held[at]] = true
  end
end

local first = now
local earliest = true
local asked = redis.call("HGETALL", waiting)
for at = 1, #asked, 2 do
  local since, latest = string.match(asked[at + 1], "^(%d+) (%d+)$")
  if tonumber(latest) + waits_ms < now then
    redis.call("HDEL", waiting, asked[at])
  elseif asked[at] == worker then
    first = tonumber(since)
  end
end
for at = 1, #asked, 2 do
  local since, latest = string.match(asked[at + 1], "^(%d+) (%d+)$")
  if asked[at] ~= worker and tonumber(latest) + waits_ms >= now and tonumber(since) < first then earliest = false end
end

if count < tonumber(most) and earliest then
  for at = rest_from, #ARGV do
    if not taken[ARGV[at]] then
      redis.call("HDEL", waiting, worker)
      redis.call("HSET", turns, ARGV[at], string.format("%s %d", worker, now + expires_ms))
      redis.call("PEXPIRE", turns, expires_ms)
      return ARGV[at]
    end
  end
  -- Its collections are all taken: the others must not wait for it.
  first = now
end
redis.call("HSET", waiting, worker, string.format("%d %d", first, now))
redis.call("PEXPIRE", waiting, expires_ms)
return ""
`,
});

/** Renews the turn, or ends it with 0; does nothing when another worker holds it. */
const RENEW = defineScript<number>()({
  name: "renewStoreTurn",
  keys: ["turns"],
  args: ["worker", "collection", "expires_ms"],
  lua: `
local held = redis.call("HGET", turns, collection)
if not held or string.sub(held, 1, #worker) ~= worker then return 0 end
if tonumber(expires_ms) == 0 then return redis.call("HDEL", turns, collection) end
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call("HSET", turns, collection, string.format("%s %d", worker, now + expires_ms))
redis.call("PEXPIRE", turns, expires_ms)
return 1
`,
});

export type TurnLease = ReturnType<typeof createTurnLease>;

/**
 * @param worker an id of this process; it holds one turn at a time.
 * @param expiresMs for tests of dead workers.
 */
export function createTurnLease(redis: RedisConnection, keys: RedisKeys, worker: string, expiresMs = EXPIRES_MS) {
  const take = TAKE.on(redis);
  const renew = RENEW.on(redis);
  const turns = keys.storeTurns;
  return {
    /** Takes the turn of the first of the collections that has none; null if this worker must wait. */
    async take(collections: readonly string[]): Promise<string | null> {
      const values = { turns, waiting: keys.storeTurnsWaiting, worker, most: MAX_TURNS };
      return (await take({ ...values, expires_ms: expiresMs, waits_ms: WAITS_MS, rest: collections })) || null;
    },
    /** Keeps the turn until `stop`. */
    renew(collection: string): { stop(): void } {
      const again = () => renew({ turns, worker, collection, expires_ms: expiresMs }).catch(() => undefined);
      const timer = setInterval(() => void again(), RENEW_MS).unref();
      return { stop: () => clearInterval(timer) };
    },
    async release(collection: string): Promise<void> {
      await renew({ turns, worker, collection, expires_ms: 0 });
    },
  };
}
