/**
 * Accepts a job in one call: looks up the Idempotency-Key, respects `on_busy`, takes a place among the session's turns
 * (I6), remembers a new session. Everything or nothing.
 *
 * KEYS: idempotency record, session stub, turns. ARGV: record ('' without an Idempotency-Key), its expiry s, stub
 * ('' for an old session), its expiry s, turn entry ('' without a session), turns' expiry s, on_busy.
 * Returns {'joined', record} | {'busy', head} | {'accepted', entries ahead...}.
 */
export const ACCEPT_SCRIPT = `
if ARGV[1] ~= '' then
  local known = redis.call('GET', KEYS[1])
  if known then return {'joined', known} end
end
local ahead = {}
if ARGV[5] ~= '' then
  ahead = redis.call('LRANGE', KEYS[3], 0, -1)
  if #ahead > 0 and ARGV[7] == 'reject' then return {'busy', ahead[1]} end
end
if ARGV[1] ~= '' then redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2]) end
if ARGV[3] ~= '' then redis.call('SET', KEYS[2], ARGV[3], 'EX', ARGV[4]) end
if ARGV[5] ~= '' then
  redis.call('RPUSH', KEYS[3], ARGV[5])
  redis.call('EXPIRE', KEYS[3], ARGV[6])
end
return {'accepted', unpack(ahead)}
`;

/**
 * Marks a job to be cancelled, durably; the message on the channel only speeds it up.
 * KEYS: state. ARGV: expiry s of the state of a job that has not started, channel, job id. Returns 0 if it has ended.
 */
export const CANCEL_SCRIPT = `
if redis.call('HEXISTS', KEYS[1], 'ended') == 1 then return 0 end
redis.call('HSET', KEYS[1], 'cancel', '1')
if redis.call('TTL', KEYS[1]) < 0 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 1
`;
