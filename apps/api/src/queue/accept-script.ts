import { UNENDED_JOB_TTL_SECONDS } from "@agent-paas/shared/contract/jobs.ts";
import { LEAST_ENTRY_BYTES, OWNER_INDEX } from "@agent-paas/shared/redis/owner-index.ts";
import { PLACE_ARGS, PLACE_KEYS, PLACES } from "@agent-paas/shared/redis/places.ts";
import { defineScript } from "@agent-paas/shared/redis/script.ts";
import { DELETED_SESSION, DROP_DANGLING_HEADS } from "@agent-paas/shared/redis/session-queue.ts";
import { PENDING_SESSION_TTL_S, SESSION_QUEUE_TTL_S } from "./sessions.ts";

/** How many jobs one session queue may hold; a session beyond that counts as busy. */
const MAX_SESSION_JOBS = 100;

export type AcceptReply =
  /** The Idempotency-Key was used before; its record. */
  | readonly ["joined", string]
  /** The queue holds as many jobs as the limit allows. */
  | readonly ["full"]
  /** As many jobs of the owner wait, or hold as many bytes, as the owner's share allows. */
  | readonly ["share", "jobs" | "bytes"]
  /** The session is busy; the head of its queue. */
  | readonly ["busy", string]
  /** The session was deleted. */
  | readonly ["deleted"]
  /** The session that the job would begin has begun, or was deleted. */
  | readonly ["exists"]
  /** With `interrupt`: the entries ahead in the session queue. */
  | readonly ["accepted", ...string[]];

/**
 * Accepts a job in one call, all of it or nothing: checks the Idempotency-Key, the room in the queue and the owner's
 * share, applies `on_busy`, appends the job to its session queue (I6), stores a new session, the job's large fields and
 * its upload, enters the job in the owner index, and adds it to BullMQ as BullMQ's own script would; but it enters its
 * queue only with a place. An Idempotency-Key is checked first, so that a job accepted before is joined even when the
 * queue is full. The call may reach Redis twice, because its connection broke before the reply: the second time changes
 * nothing.
 *
 * Empty arguments: `record` without an Idempotency-Key, `new_session` for an existing session, `entry` outside any
 * session, `upload_bytes` without an upload. `again` is 1 for a job that an API of a former version recorded and did
 * not queue. `rest`: the large fields, each as name and JSON. An owner of whom nothing waits may exceed the bytes with
 * one job, or it could never run.
 *
 * The usual job makes thirteen calls of Redis. What cannot change the answer is not asked: the number of an owner's
 * jobs while their bytes say that there are few, and the state of a session that begins.
 */
export const ACCEPT_SCRIPT = defineScript<AcceptReply>()({
  name: "acceptJob",
  keys: [
    ...PLACE_KEYS,
    ...["record_key", "pending", "queue", "index", "other_index", "sum", "payload", "upload"],
  ] as const,
  args: [
    ...PLACE_ARGS,
    ...["again", "record", "record_ttl", "new_session", "entry", "on_busy", "bullmq_prefix"],
    ...["limit", "max_owner_jobs", "max_owner_bytes", "bytes", "owner_entry", "upload_bytes"],
    ...["job_name", "data", "options", "timestamp"],
  ] as const,
  lua: `
${DROP_DANGLING_HEADS}
${OWNER_INDEX}
${PLACES}
local function accepted()
  local ahead = {}
  if on_busy == 'interrupt' then
    for _, other in ipairs(redis.call('LRANGE', queue, '0', '-1')) do
      if other == entry then break end
      ahead[#ahead + 1] = other
    end
  end
  return {'accepted', unpack(ahead)}
end
if record ~= '' then
  local known = redis.call('GET', record_key)
  if known and known ~= record then return {'joined', known} end
end
local job = job_prefix .. id
if redis.call('EXISTS', job) == 1 then return accepted() end
if again == '1' then
  dropOwnerEntry(index, sum, owner, id)
  redis.call('LREM', queue, 1, entry)
end
local outside = redis.call('ZCARD', owners)
if redis.call('LLEN', wait) + redis.call('ZCARD', delayed) + outside >= tonumber(limit) then return {'full'} end
local held = tonumber(redis.call('HGET', sum, owner) or 0)
if held >= max_owner_jobs * ${LEAST_ENTRY_BYTES}
  and redis.call('ZCARD', index) + redis.call('ZCARD', other_index) >= tonumber(max_owner_jobs) then
  return {'share', 'jobs'}
end
if held > 0 and held + bytes > tonumber(max_owner_bytes) then return {'share', 'bytes'} end
if entry ~= '' and new_session == '' then
  if redis.call('GET', pending) == '${DELETED_SESSION}' then return {'deleted'} end
  local head = dropDanglingHeads(queue, bullmq_prefix)
  if head and (on_busy == 'reject' or redis.call('LLEN', queue) >= ${MAX_SESSION_JOBS}) then return {'busy', head} end
end
if new_session ~= '' and not redis.call('SET', pending, new_session, 'EX', '${PENDING_SESSION_TTL_S}', 'NX') then
  return {'exists'}
end
if record ~= '' then redis.call('SET', record_key, record, 'EX', record_ttl) end
if entry ~= '' then
  redis.call('RPUSH', queue, entry)
  redis.call('EXPIRE', queue, '${SESSION_QUEUE_TTL_S}')
end
redis.call('ZADD', index, '0', owner_entry)
redis.call('HINCRBY', sum, owner, bytes)
storeBesideQueue(payload, upload, upload_bytes, '${UNENDED_JOB_TTL_SECONDS}', rest_from)
redis.call('HSET', job, 'name', job_name, 'data', data, 'opts', options, 'timestamp', timestamp,
  'delay', '0', 'priority', '0')
enterNew(outside)
return accepted()
`,
});
