/**
 * Appends batches of events to their logs and publishes them, for many jobs in one call. Per job it is atomic and fenced
 * (I2, I4): a batch goes in only if its fencing token is the job's latest, the job has not ended, and its first event
 * follows the last one of the log.
 *
 * The first batch of a job's first start claims the job, as `CLAIM_SCRIPT` does for all later starts: it is refused when
 * the job was claimed before. A resend is recognised by its fencing token. Two first starts can exist only after Redis
 * lost data; the database guard then admits one.
 */
import { defineVariadicScript } from "@agent-paas/shared/redis/script.ts";

/** `behind` replies are `BEHIND - last seq of the log`; they lie below every verdict. */
const BEHIND = -1_000;

/** What the script says of one batch. */
export const Verdict = {
  /** In the log, now or since an earlier call whose reply was lost. */
  taken: 0,
  /** In the log, and a cancel is requested. */
  takenCancelRequested: 1,
  /** A higher fencing token exists, the job has ended, or its state is gone. */
  refused: -1,
} as const;

/**
 * KEYS: per job: state, log. ARGV: expiry of log and state after the end in seconds, expiry of the state of a claimed job
 * in seconds; per job: channel, fencing token, previous seq, first seq, last seq, batch, terminal status or '', progress
 * or '', '1' to claim or ''. Returns per job a `Verdict`, or a `behind` reply.
 */
export const PUBLISH_SCRIPT = `
local replies = {}
for i = 1, #KEYS / 2 do
  local state, log, a = KEYS[2 * i - 1], KEYS[2 * i], (i - 1) * 9 + 2
  local known = redis.call('HMGET', state, 'fencing_token', 'seq', 'ended', 'cancel')
  local seq, previous, last = tonumber(known[2] or '0'), tonumber(ARGV[a + 3]), tonumber(ARGV[a + 5])
  local claims = ARGV[a + 9] ~= ''
  local fresh = claims and not known[1] and not known[3]
  -- A batch that claims is a resend only if it was taken, and its reply was lost.
  local own = known[1] == ARGV[a + 2] and (not claims or (last <= seq and not known[3]))
  if not fresh and not own then
    replies[i] = ${Verdict.refused}
  elseif last <= seq then
    replies[i] = known[4] and not known[3] and ${Verdict.takenCancelRequested} or ${Verdict.taken}
  elseif known[3] then
    replies[i] = ${Verdict.refused}
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
    replies[i] = known[4] and ${Verdict.takenCancelRequested} or ${Verdict.taken}
  end
end
return replies
`;

export const PUBLISH_EVENTS = defineVariadicScript<number[]>()("publishEvents", PUBLISH_SCRIPT);

/** The last `seq` of a log that has lost events the writer had confirmed (Redis went back to an older state); else null. */
export const lastSeqIfBehind = (reply: number): number | null => (reply <= BEHIND ? BEHIND - reply : null);
