import { DROP_DANGLING_HEADS } from "@agent-paas/shared/redis/session-queue.ts";

/**
 * Accepts a job in one call: looks up the Idempotency-Key, counts the queue, respects `on_busy`, takes a place among the
 * session's turns (I6), remembers a new session. Everything or nothing; what was accepted before is joined even when the
 * queue is full. Requests that are between this call and the queue may go over the limit, by as many as there are.
 *
 * KEYS: idempotency record, session stub, turns, waiting jobs, delayed jobs. ARGV: record ('' without an Idempotency-Key), its expiry s, stub
 * ('' for an old session), its expiry s, turn entry ('' without a session), turns' expiry s, on_busy, prefix of BullMQ's
 * job keys, most turns, most jobs in the queue.
 * Returns {'joined', record} | {'full'} | {'busy', head} | {'deleted'} | {'accepted', entries to interrupt...}.
 */
export const ACCEPT_SCRIPT = `
${DROP_DANGLING_HEADS}
if ARGV[1] ~= '' then
  local known = redis.call('GET', KEYS[1])
  if known then return {'joined', known} end
end
if redis.call('LLEN', KEYS[4]) + redis.call('ZCARD', KEYS[5]) >= tonumber(ARGV[10]) then return {'full'} end
local ahead = {}
if ARGV[5] ~= '' then
  if redis.call('GET', KEYS[2]) == 'deleted' then return {'deleted'} end
  dropDanglingHeads(KEYS[3], ARGV[8])
  local turns = redis.call('LLEN', KEYS[3])
  if turns > 0 and (ARGV[7] == 'reject' or turns >= tonumber(ARGV[9])) then
    return {'busy', redis.call('LINDEX', KEYS[3], 0)}
  end
  if ARGV[7] == 'interrupt' then ahead = redis.call('LRANGE', KEYS[3], 0, -1) end
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

/**
 * Gives a job its turn back, behind all others, if it was dropped as that of a job that does not exist (I6).
 * KEYS: turns, session stub. ARGV: turn entry, turns' expiry s, what a stub says of a deleted session. Returns 0 if it says so.
 */
export const JOIN_SESSION_QUEUE_SCRIPT = `
if redis.call('GET', KEYS[2]) == ARGV[3] then return 0 end
if not redis.call('LPOS', KEYS[1], ARGV[1]) then redis.call('RPUSH', KEYS[1], ARGV[1]) end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
`;
