/** The scripts behind claims. Fields of a job's state: see `RedisKeys.jobState`. */
import { defineScript } from "@agent-paas/shared/redis/script.ts";
import { LOG_ORDER_LUA, SEQ_SKIP_PER_ATTEMPT } from "../events/log-order.ts";

/**
 * Lua: `fence_off(log, attempts)` returns the last `seq` in the log and the one that the next claim's events
 * follow, both as text. Without an earlier attempt nobody else appends unchecked, and no number is left out.
 */
const FENCE_OFF_LUA = `${LOG_ORDER_LUA}
local function fence_off(log, attempts)
  local last, fence = log_order(log)
  if tonumber(attempts or '0') > 0 then
    fence = fence + ${SEQ_SKIP_PER_ATTEMPT}
    raise_log(log, fence)
  end
  return string.format('%.0f', last), string.format('%.0f', fence)
end
`;

type ClaimReply =
  | [outcome: "ended" | "stale"]
  | [outcome: "claimed", lastSeq: string, fence: string, attempts: string, cancel: string];

/** `ttl`: expiry of both keys, s. `begins`: 1 to count an attempt, 0 not to. */
export const CLAIM_SCRIPT = defineScript<ClaimReply>()({
  name: "claimJob",
  keys: ["state", "log"],
  args: ["token", "ttl", "begins"],
  lua: `${FENCE_OFF_LUA}
local known = redis.call('HMGET', state, 'fencing_token', 'ended', 'cancel', 'attempts')
if known[2] then return {'ended'} end
if known[1] and tonumber(known[1]) >= tonumber(token) then return {'stale'} end
local last, fence = fence_off(log, known[4])
redis.call('HSET', state, 'fencing_token', token)
local attempts = redis.call('HINCRBY', state, 'attempts', begins)
redis.call('HINCRBY', state, 'unfinished_attempts', begins)
redis.call('EXPIRE', state, ttl)
redis.call('EXPIRE', log, ttl)
return {'claimed', last, fence, tostring(attempts), known[3] or ''}
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
 * `ttl` and `min_age` are in seconds; the age of a claim is what has passed of its expiry. Nil: the job has ended, or
 * the claim is younger.
 */
export const TAKE_OVER_SCRIPT = defineScript<
  [token: string, lastSeq: string, fence: string, attempts: string, cancel: string] | null
>()({
  name: "takeOverJob",
  keys: ["state", "log"],
  args: ["least_token", "ttl", "min_age"],
  lua: `${FENCE_OFF_LUA}
local known = redis.call('HMGET', state, 'fencing_token', 'ended', 'cancel', 'attempts')
local token = tonumber(least_token)
if known[2] then return false end
if known[1] then
  if ttl - redis.call('TTL', state) < tonumber(min_age) then return false end
  token = math.max(token, known[1] + 1)
end
local last, fence = fence_off(log, known[4])
redis.call('HSET', state, 'fencing_token', token)
redis.call('EXPIRE', state, ttl)
redis.call('EXPIRE', log, ttl)
return {tostring(token), last, fence, known[4] or '0', known[3] or ''}
`,
});

/**
 * For a Redis that has lost a job, or its log alone: the next claim follows the last `seq`. What it has stays as it is.
 */
export const RESTORE_CLAIM_SCRIPT = defineScript<null>()({
  name: "restoreClaim",
  keys: ["state", "log"],
  args: ["token", "attempts", "seq", "ttl"],
  lua: `${LOG_ORDER_LUA}
local known = redis.call('HMGET', state, 'fencing_token', 'ended')
local last, fence = log_order(log)
if known[2] or (known[1] and last > 0) then return false end
-- A request to cancel the job may have come since.
if not known[1] then redis.call('HSET', state, 'fencing_token', token, 'attempts', attempts) end
if fence < tonumber(seq) then raise_log(log, tonumber(seq)) end
redis.call('EXPIRE', state, ttl)
redis.call('EXPIRE', log, ttl)
return false
`,
});

/** Whether the job's state is known and has an end, and the last `seq` in its log; 0 without one. */
export const LOOK_SCRIPT = defineScript<[token: string | null, ended: string | null, lastSeq: string]>()({
  name: "lookAtJob",
  keys: ["state", "log"],
  args: [],
  lua: `${LOG_ORDER_LUA}
local known = redis.call('HMGET', state, 'fencing_token', 'ended')
return {known[1], known[2], string.format('%.0f', (log_order(log)))}
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
