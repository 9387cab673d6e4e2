/**
 * Appends batches of events to their logs and publishes them, for many jobs in one call. Per job this is atomic and
 * fenced (I2, I4): a batch is appended only if its fencing token is the latest of the job, the job has not ended, and
 * the batch follows the last event of the log.
 *
 * The first batch of a job's first start also claims the job, as `CLAIM_SCRIPT` does for later starts. It is refused
 * if the job was claimed before; a resend is recognised by its fencing token. Two first starts can exist only after
 * Redis has lost data; the guard in the database then accepts one of them.
 */
import { defineVariadicScript } from "@agent-paas/shared/redis/script.ts";

/** A `behind` reply is `BEHIND - last seq of the log`. It is lower than every `PublishReply`. */
const BEHIND = -1_000;

/** What the script replies to one batch, unless the log is behind. */
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
 */
export const PUBLISH_SCRIPT = `
local replies = {}
for i = 1, #KEYS / 2 do
  local state, log, a = KEYS[2 * i - 1], KEYS[2 * i], (i - 1) * 9 + 2
  local known = redis.call('HMGET', state, 'fencing_token', 'seq', 'ended', 'cancel')
  local seq, previous, last = tonumber(known[2] or '0'), tonumber(ARGV[a + 3]), tonumber(ARGV[a + 5])
  local claims = ARGV[a + 9] ~= ''
  local fresh = claims and not known[1] and not known[3]
  -- A claiming batch with a known token is a resend only if the log has it already.
  local own = known[1] == ARGV[a + 2] and (not claims or (last <= seq and not known[3]))
  if not fresh and not own then
    replies[i] = ${PublishReply.refused}
  elseif last <= seq then
    replies[i] = known[4] and not known[3] and ${PublishReply.appendedCancelRequested} or ${PublishReply.appended}
  elseif known[3] then
    replies[i] = ${PublishReply.refused}
  elseif previous ~= seq then
    replies[i] = ${BEHIND} - seq
  else
    redis.call('XADD', log, ARGV[a + 5] .. '-' .. ARGV[a + 4], 'b', ARGV[a + 6])
    if ARGV[a + 8] ~= '' then redis.call('HSET', state, 'progress', ARGV[a + 8]) end
    if ARGV[a + 7] ~= '' then
      redis.call('HSET', state, 'seq', ARGV[a + 5], 'ended', ARGV[a + 7])
      redis.call('EXPIRE', state, ARGV[1])
      redis.call('EXPIRE', log, ARGV[1])
    elseif fresh then
      redis.call('HSET', state, 'seq', ARGV[a + 5], 'fencing_token', ARGV[a + 2], 'attempts', '1', 'unfinished_attempts', '1')
      redis.call('EXPIRE', state, ARGV[2])
      redis.call('EXPIRE', log, ARGV[2])
    else
      redis.call('HSET', state, 'seq', ARGV[a + 5])
      if seq == 0 then redis.call('EXPIRE', log, redis.call('TTL', state)) end
    end
    redis.call('PUBLISH', ARGV[a + 1], ARGV[a + 6])
    replies[i] = known[4] and ${PublishReply.appendedCancelRequested} or ${PublishReply.appended}
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
