/**
 * The two scripts that append batches of events to their logs and publish them, for many jobs in one call.
 *
 * Almost every batch takes the first one, which knows nothing but the order of the log (`log-order.ts`). The second one
 * knows why a batch is refused, and takes what the first one refused, what changes more than the log, and the first
 * batch of a writer on a connection: between two connections Redis may have lost its last second.
 *
 * Per job both are atomic and fenced (I2, I4): a batch is appended only if no higher fencing token has claimed the job,
 * the job has not ended, and the batch follows the last event of the log.
 */
import { defineVariadicScript } from "@agent-paas/shared/redis/script.ts";
import { LOG_ORDER_LUA } from "./log-order.ts";

/** What `APPEND_EVENTS` replies to one batch. */
export const AppendReply = { appended: 1, refused: 0 } as const;

/** KEYS, per job: log. ARGV, per job: channel, id of the entry, batch. Returns per job an `AppendReply`. */
export const APPEND_EVENTS = defineVariadicScript<number[]>()(
  "appendEvents",
  `
local replies = {}
for i, log in ipairs(KEYS) do
  local entry = redis.pcall('XADD', log, 'NOMKSTREAM', ARGV[3 * i - 1], 'b', ARGV[3 * i])
  local is_added = type(entry) == 'string'
  if is_added then redis.call(PUBLISH, ARGV[3 * i - 2], ARGV[3 * i]) end
  replies[i] = is_added and ${AppendReply.appended} or ${AppendReply.refused}
end
return replies
`,
);

/** A `behind` reply is `BEHIND - last seq of the log`. It is lower than every `PublishReply`. */
const BEHIND = -1_000;

/** What `PUBLISH_EVENTS` replies to one batch, unless the log is behind. */
export const PublishReply = {
  /** The batch is in the log, by this call or by an earlier one whose reply was lost. */
  appended: 0,
  /** The batch is in the log, and a client has requested to cancel the job. */
  appendedCancelRequested: 1,
  /** A higher fencing token has claimed the job, the job has ended, or its state has expired. */
  refused: -1,
} as const;

/**
 * KEYS, per job: state, log. ARGV: the expiry of log and state after the end, s; the expiry of the state of a claimed
 * job, s; then per job: channel, fencing token, previous seq, first seq, last seq, batch, terminal status or '',
 * progress or '', '1' to claim or ''. Returns per job a `PublishReply` or a `behind` reply.
 *
 * The first batch of a job's first start also claims the job, as `CLAIM_SCRIPT` does for later starts. It is refused
 * if the job was claimed before; a resend is recognised by its fencing token. Two first starts can exist only after
 * Redis has lost data; the guard in the database then accepts one of them.
 */
export const PUBLISH_SCRIPT = `${LOG_ORDER_LUA}
local replies = {}
for i = 1, #KEYS / 2 do
  local state, log, a = KEYS[2 * i - 1], KEYS[2 * i], (i - 1) * 9 + 2
  local token, previous, last = ARGV[a + 2], tonumber(ARGV[a + 3]), tonumber(ARGV[a + 5])
  local known = redis.call('HMGET', state, 'fencing_token', 'ended', 'cancel')
  local seq, fence = log_order(log)
  local claims, ends = ARGV[a + 9] ~= '', ARGV[a + 7] ~= ''
  local fresh = claims and not known[1] and not known[2]
  -- A claiming batch with a known token is a resend only if the log has it already.
  local own = known[1] == token and (not claims or (last <= seq and not known[2]))
  if not fresh and not own then
    replies[i] = ${PublishReply.refused}
  elseif last <= seq then
    replies[i] = known[3] and not known[2] and ${PublishReply.appendedCancelRequested} or ${PublishReply.appended}
  elseif known[2] then
    replies[i] = ${PublishReply.refused}
  elseif previous ~= fence and not (ends and previous == seq) then
    replies[i] = ${BEHIND} - fence
  else
    -- The end of a job that the database has ended keeps the numbers that its row gave.
    if previous ~= fence then set_log_order(log, seq) end
    redis.call('XADD', log, ARGV[a + 5] .. '-' .. ARGV[a + 4], 'b', ARGV[a + 6])
    if fresh then
      redis.call('HSET', state, 'fencing_token', token, 'attempts', '1', 'unfinished_attempts', '1')
    end
    if ARGV[a + 8] ~= '' then redis.call('HSET', state, 'progress', ARGV[a + 8]) end
    if ends then
      redis.call('HSET', state, 'ended', ARGV[a + 7])
      redis.call('HDEL', state, 'timeline')
      set_log_order(log, ${Number.MAX_SAFE_INTEGER})
    end
    local ttl = ends and ARGV[1] or fresh and ARGV[2]
    if ttl then redis.call('EXPIRE', state, ttl) end
    redis.call('EXPIRE', log, ttl or redis.call('TTL', state))
    redis.call(PUBLISH, ARGV[a + 1], ARGV[a + 6])
    replies[i] = known[3] and ${PublishReply.appendedCancelRequested} or ${PublishReply.appended}
  end
end
return replies
`;

export const PUBLISH_EVENTS = defineVariadicScript<number[]>()("publishEvents", PUBLISH_SCRIPT);

/**
 * If Redis has lost confirmed events, so that the log is behind the writer: the last `seq` of the log. Otherwise
 * null.
 */
export const lastSeqIfBehind = (reply: number): number | null => (reply <= BEHIND ? BEHIND - reply : null);
