/**
 * Appends batches of events to their logs and publishes them, for many jobs in one call. Per job it is
 * atomic and fenced (I2, I4): a batch goes in only if its attempt is the job's latest, the job has not ended, and its
 * first event is meant to follow the last one of the log.
 *
 * The first batch of a job's first attempt claims the job, as `CLAIM_SCRIPT` does for all later ones: it is refused once
 * anybody else has. It knows its own by the number alone: of two first attempts, which only a Redis that went back can make, the
 * row takes one.
 *
 * KEYS: per job: state, log. ARGV: expiry of log and state after the end in seconds, expiry of the state of a claimed job in seconds;
 * per job: channel, attempt, the seq that it previousSeq, first seq, last seq, batch, terminal status or '', progress or '',
 * '1' to claim or ''.
 * Returns per job: one of the `Verdict` numbers; for `behind` the negated last seq of the log, minus one thousand.
 */
export const PUBLISH_SCRIPT = `
local replies = {}
for i = 1, #KEYS / 2 do
  local state, log, a = KEYS[2 * i - 1], KEYS[2 * i], (i - 1) * 9 + 2
  local known = redis.call('HMGET', state, 'fencing_token', 'seq', 'ended', 'cancel')
  local seq, previousSeq, last = tonumber(known[2] or '0'), tonumber(ARGV[a + 3]), tonumber(ARGV[a + 5])
  local claims = ARGV[a + 9] ~= ''
  local fresh = claims and not known[1] and not known[3]
  -- One that claims is the claimer's own only if it was taken, and its reply was lost.
  local own = known[1] == ARGV[a + 2] and (not claims or (last <= seq and not known[3]))
  if not fresh and not own then
    replies[i] = -1
  elseif last <= seq then
    replies[i] = known[4] and not known[3] and 1 or 0
  elseif known[3] then
    replies[i] = -1
  elseif previousSeq ~= seq then
    replies[i] = -1000 - seq
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
