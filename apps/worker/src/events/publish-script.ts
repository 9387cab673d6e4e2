/**
 * Appends batches of events to their logs and publishes them, for many jobs of one shard in one call. Per job it is
 * atomic and fenced (I2, I4): a batch goes in only if its attempt is the job's latest, the job has not ended, and its
 * first event is meant to follow the last one of the log.
 *
 * KEYS: per job: state, log. ARGV: expiry of log and state after the end in seconds; per job: channel, attempt, the seq that
 * it follows, first seq, last seq, batch, terminal status or '', progress or ''.
 * Returns per job: one of the `Verdict` numbers; for `behind` the negated last seq of the log, minus one thousand.
 */
export const PUBLISH_SCRIPT = `
local replies = {}
for i = 1, #KEYS / 2 do
  local state, log, a = KEYS[2 * i - 1], KEYS[2 * i], (i - 1) * 8 + 1
  local known = redis.call('HMGET', state, 'attempt', 'seq', 'ended', 'cancel')
  local seq, follows, last = tonumber(known[2] or '0'), tonumber(ARGV[a + 3]), tonumber(ARGV[a + 5])
  if known[1] ~= ARGV[a + 2] then
    replies[i] = -1
  elseif last <= seq then
    replies[i] = 0
  elseif known[3] then
    replies[i] = -1
  elseif follows ~= seq then
    replies[i] = -1000 - seq
  else
    redis.call('XADD', log, ARGV[a + 5] .. '-' .. ARGV[a + 4], 'b', ARGV[a + 6])
    redis.call('HSET', state, 'seq', ARGV[a + 5])
    if ARGV[a + 8] ~= '' then redis.call('HSET', state, 'progress', ARGV[a + 8]) end
    if ARGV[a + 7] ~= '' then
      redis.call('HSET', state, 'ended', ARGV[a + 7])
      redis.call('EXPIRE', state, ARGV[1])
      redis.call('EXPIRE', log, ARGV[1])
    elseif seq == 0 then
      redis.call('EXPIRE', log, redis.call('TTL', state))
    end
    redis.call('PUBLISH', ARGV[a + 1], ARGV[a + 6])
    replies[i] = known[4] and 1 or 0
  end
end
return replies
`;

/** What the script says of one batch. */
export const Verdict = {
  /** In the log (or was there already: the same call made again after a lost reply). */
  taken: 0,
  /** In the log, and somebody wants the job cancelled. */
  takenCancelRequested: 1,
  /** A higher attempt exists, the job has ended, or its state is gone. */
  refused: -1,
} as const;

/** The last seq of a log that lost events the writer had seen taken (Redis went back to an older state); else null. */
export const lastSeqIfBehind = (reply: number): number | null => (reply <= -1_000 ? -1_000 - reply : null);
