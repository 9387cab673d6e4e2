/**
 * A piece of Lua for scripts on a session's list of turns, used by both ends: drops heads that are no jobs any more,
 * because an API died between the list and the queue or a worker before it ended the turn. Young entries stay: their job
 * may be on its way to the queue. An entry is `kind:job id`, and the id begins with its time of birth (UUIDv7).
 */
export const DROP_DANGLING_HEADS = `
local function dropDanglingHeads(turns, prefix)
  local now = tonumber(redis.call('TIME')[1]) * 1000
  while true do
    local head = redis.call('LINDEX', turns, 0)
    if not head then return end
    local id = string.match(head, ':(.*)$') or ''
    local born = tonumber(string.sub(id, 1, 8) .. string.sub(id, 10, 13), 16) or 0
    if now - born < 10000 then return end
    local queued = prefix .. ':' .. head
    if redis.call('EXISTS', queued) == 1 and redis.call('HEXISTS', queued, 'finishedOn') == 0 then return end
    redis.call('LPOP', turns)
  end
end
`;

/** What stands in the place of a session's stub once it was deleted, so that nothing more is accepted into it. */
export const DELETED_SESSION = "deleted";

/**
 * Closes an idle session for its deletion. KEYS: turns, session stub. ARGV: prefix of BullMQ's job keys, the mark of a
 * deleted session, its expiry s. Returns the head of the turns when it is busy, and then closes nothing.
 */
export const CLOSE_SESSION_SCRIPT = `
${DROP_DANGLING_HEADS}
dropDanglingHeads(KEYS[1], ARGV[1])
local head = redis.call('LINDEX', KEYS[1], 0)
if head then return head end
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])
return false
`;
