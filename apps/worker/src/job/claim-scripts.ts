/** The scripts behind claims. Fields of a job's state: see `RedisKeys.jobState`. */
import { defineScript } from "@agent-paas/shared/redis/script.ts";

type ClaimReply = [outcome: "claimed" | "ended" | "stale", seq?: string, attempts?: string, cancel?: string];

/** `ttl`: expiry of both keys, s. `begins`: 1 to count an attempt, 0 not to. */
export const CLAIM_SCRIPT = defineScript<ClaimReply>()({
  name: "claimJob",
  keys: ["state", "log"],
  args: ["token", "ttl", "begins"],
  lua: `
local known = redis.call('HMGET', state, 'fencing_token', 'seq', 'ended', 'cancel')
if known[3] then return {'ended'} end
if known[1] and tonumber(known[1]) >= tonumber(token) then return {'stale'} end
redis.call('HSET', state, 'fencing_token', token)
local attempts = redis.call('HINCRBY', state, 'attempts', begins)
redis.call('HINCRBY', state, 'unfinished_attempts', begins)
redis.call('EXPIRE', state, ttl)
redis.call('EXPIRE', log, ttl)
return {'claimed', known[2] or '0', tostring(attempts), known[4] or ''}
`,
});

/** Counts one unfinished attempt less, unless the state has expired. */
export const CLOSE_ATTEMPT_SCRIPT = defineScript<null>()({
  name: "closeAttempt",
  keys: ["state"],
  args: [],
  lua: `
local unfinished = tonumber(redis.call('HGET', state, 'unfinished_attempts') or '0')
if unfinished > 0 then redis.call('HINCRBY', state, 'unfinished_attempts', -1) end
`,
});

/**
 * Returns {fencing token, seq, attempts, cancel}, or nil. `ttl` and `min_age` are in seconds; the age of a claim is
 * what has passed of its expiry.
 */
export const TAKE_OVER_SCRIPT = defineScript<[token: string, seq: string, attempts: string, cancel: string] | null>()({
  name: "takeOverJob",
  keys: ["state", "log"],
  args: ["least_token", "ttl", "min_age", "seq_if_lost"],
  lua: `
local known = redis.call('HMGET', state, 'fencing_token', 'seq', 'ended', 'cancel', 'attempts')
local token, seq = tonumber(least_token), known[2] or '0'
if known[3] then return false end
if known[1] then
  if ttl - redis.call('TTL', state) < tonumber(min_age) then return false end
  token = math.max(token, known[1] + 1)
else
  seq = seq_if_lost
end
redis.call('HSET', state, 'fencing_token', token, 'seq', seq)
redis.call('EXPIRE', state, ttl)
redis.call('EXPIRE', log, ttl)
return {tostring(token), seq, known[5] or '0', known[4] or ''}
`,
});

/** Notes that the run with this fencing token blocks its worker. A job that has ended needs no note. */
export const NOTE_BLOCKING_SCRIPT = defineScript<null>()({
  name: "noteBlocking",
  keys: ["state"],
  args: ["token"],
  lua: `
local known = redis.call('HMGET', state, 'fencing_token', 'ended')
if known[1] and not known[2] then redis.call('HSET', state, 'blocking_token', token) end
`,
});

export const CLEAR_BLOCKING_SCRIPT = defineScript<null>()({
  name: "clearBlocking",
  keys: ["state"],
  args: ["token"],
  lua: `
if redis.call('HGET', state, 'blocking_token') == token then redis.call('HDEL', state, 'blocking_token') end
`,
});
