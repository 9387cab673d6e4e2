/**
 * How heartbeats are written and read. A record is stored as `<epoch ms by the clock of Redis> <JSON>`; the time 0 says
 * that its worker has given its locks up, or is dead: the others take its jobs over.
 */
import { defineScript } from "@agent-paas/shared/redis/script.ts";

export const GIVEN_UP = "0";

const NOW = `
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
`;

/** Sums up the slots of all workers, by which places are given out. */
const SUM_SLOTS = `
local sums = {}
for _, record in ipairs(redis.call('HVALS', workers)) do
  local at, text = string.match(record, '^(%d+) (.*)$')
  for queue, count in pairs(at ~= '${GIVEN_UP}' and cjson.decode(text).slots or {}) do
    sums[queue] = (sums[queue] or 0) + count.all
    sums[queue .. ':own'] = (sums[queue .. ':own'] or 0) + count.own
  end
end
for field, count in pairs(sums) do redis.call('HSET', slots, field, count) end
`;

/**
 * The heartbeat of the main thread; it returns those of all workers: id and time in turn. `rest`: agent id and manifest
 * in turn. A record that is far from Redis' time is deleted: its worker is of a former version, or its locks are older
 * than locks can be.
 */
export const HEARTBEAT_SCRIPT = defineScript<string[]>()({
  name: "workerHeartbeat",
  keys: ["workers", "agents", "slots"],
  args: ["worker_id", "record", "forget_after_ms", "ttl"],
  lua: `${NOW}
redis.call('HSET', workers, worker_id, now .. ' ' .. record)
redis.call('EXPIRE', workers, ttl)
local records, heard = redis.call('HGETALL', workers), {}
for i = 1, #records, 2 do
  local at = string.match(records[i + 1], '^%d+')
  if at ~= '${GIVEN_UP}' and math.abs(now - at) > tonumber(forget_after_ms) then
    redis.call('HDEL', workers, records[i])
  else
    table.insert(heard, records[i])
    table.insert(heard, at)
  end
end
${SUM_SLOTS}
redis.call('EXPIRE', slots, ttl)
for i = rest_from, #ARGV, 2 do redis.call('HSET', agents, ARGV[i], ARGV[i + 1]) end
redis.call('EXPIRE', agents, ttl)
return heard
`,
});

/** The heartbeat of the thread beside the main one. */
export const BEAT_SCRIPT = defineScript<null>()({
  name: "workerBeat",
  keys: ["workers"],
  args: ["worker_id", "record"],
  lua: `${NOW} redis.call('HSET', workers, worker_id, now .. ' ' .. record)`,
});

/**
 * Declares dead the worker that was last heard at `beat`: its slots count no more, before its jobs ask for places.
 * Returns its record's JSON; nil if it has been heard since.
 */
export const DECLARE_DEAD_SCRIPT = defineScript<string | null>()({
  name: "declareWorkerDead",
  keys: ["workers", "slots"],
  args: ["worker_id", "beat"],
  lua: `
local at, text = string.match(redis.call('HGET', workers, worker_id) or '', '^(%d+) (.*)$')
if at ~= beat then return false end
redis.call('HSET', workers, worker_id, '${GIVEN_UP} ' .. text)
${SUM_SLOTS}
return text
`,
});

/** Deletes the record of a worker that has given its locks up. */
export const FORGET_SCRIPT = defineScript<null>()({
  name: "forgetWorker",
  keys: ["workers"],
  args: ["worker_id"],
  lua: `
if string.sub(redis.call('HGET', workers, worker_id) or '', 1, 2) == '${GIVEN_UP} ' then
  redis.call('HDEL', workers, worker_id)
end
`,
});
