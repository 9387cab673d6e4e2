import { OWNER_INDEX } from "@agent-paas/shared/redis/owner-index.ts";
import { defineScript } from "@agent-paas/shared/redis/script.ts";
import { DROP_DANGLING_HEADS } from "@agent-paas/shared/redis/session-queue.ts";

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
  /** With `interrupt`: the entries ahead in the session queue. */
  | readonly ["accepted", ...string[]];

/**
 * Accepts a job in one call: checks the Idempotency-Key, counts the queue and what the owner has waiting, applies
 * `on_busy`, appends the job to its session queue (I6), stores a new session, the job's large fields and its upload,
 * and enters the job in the owner index; all of it or nothing. An Idempotency-Key is checked first, so that a job
 * accepted before is joined even when the queue is full. The job itself is added to the queue by another call, so
 * requests between the two calls can exceed the limit by their number.
 *
 * Empty arguments: `record` without an Idempotency-Key, `new_session` for an existing session, `entry` outside any
 * session, `upload_bytes` without an upload. The arguments named `…_ttl` are in seconds. `rest`: the large fields, each
 * as name and JSON. An owner of whom nothing waits may exceed the bytes with one job, or it could never run.
 */
export const ACCEPT_SCRIPT = defineScript<AcceptReply>()({
  name: "acceptJob",
  keys: [
    ...["record_key", "pending", "queue", "waiting", "delayed", "owners"],
    ...["index", "other_index", "kept", "sum", "payload", "upload"],
  ] as const,
  args: [
    "record",
    "record_ttl",
    "new_session",
    "pending_ttl",
    "entry",
    "queue_ttl",
    "on_busy",
    "bullmq_prefix",
    "max_session_jobs",
    "limit",
    "deleted_mark",
    "owner",
    "job_id",
    "owner_entry",
    "bytes",
    "max_owner_jobs",
    "max_owner_bytes",
    "stored_ttl",
    "upload_bytes",
  ],
  lua: `
${DROP_DANGLING_HEADS}
${OWNER_INDEX}
if record ~= '' then
  local known = redis.call('GET', record_key)
  if known then return {'joined', known} end
end
local depth = redis.call('LLEN', waiting) + redis.call('ZCARD', delayed) + redis.call('ZCARD', owners)
if depth >= tonumber(limit) then return {'full'} end
if redis.call('ZCARD', index) + redis.call('ZCARD', other_index) >= tonumber(max_owner_jobs) then
  return {'share', 'jobs'}
end
local held = tonumber(redis.call('HGET', sum, owner) or '0')
if held > 0 and held + bytes > tonumber(max_owner_bytes) then return {'share', 'bytes'} end
local ahead = {}
if entry ~= '' then
  if redis.call('GET', pending) == deleted_mark then return {'deleted'} end
  dropDanglingHeads(queue, bullmq_prefix)
  local jobs = redis.call('LLEN', queue)
  if jobs > 0 and (on_busy == 'reject' or jobs >= tonumber(max_session_jobs)) then
    return {'busy', redis.call('LINDEX', queue, 0)}
  end
  if on_busy == 'interrupt' then ahead = redis.call('LRANGE', queue, 0, -1) end
end
if record ~= '' then redis.call('SET', record_key, record, 'EX', record_ttl) end
if new_session ~= '' then redis.call('SET', pending, new_session, 'EX', pending_ttl) end
if entry ~= '' then
  redis.call('RPUSH', queue, entry)
  redis.call('EXPIRE', queue, queue_ttl)
end
enterOwnerIndex(index, kept, sum, owner, job_id, owner_entry, bytes)
storeBesideQueue(payload, upload, upload_bytes, stored_ttl, rest_from)
return {'accepted', unpack(ahead)}
`,
});
