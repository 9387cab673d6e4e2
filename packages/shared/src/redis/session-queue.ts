/**
 * Session queues (I6), as far as the API and the workers share them: the codec of the entries and the scripts on the
 * lists. The API appends every job of a session to the session's list; only the head may run.
 */
import type { JobKind } from "../contract/jobs.ts";
import { DAY, SECOND } from "../time.ts";
import { defineScript } from "./script.ts";

/** `kind:job id`, for example `chat:01a20298-20f5-7358-985e-1dc37fbf6bd6`. */
export type SessionQueueEntry = string & { readonly brand: "SessionQueueEntry" };

export type QueuedJobRef = { readonly kind: JobKind; readonly jobId: string };

export const encodeEntry = ({ kind, jobId }: QueuedJobRef): SessionQueueEntry =>
  `${kind}:${jobId}` as SessionQueueEntry;

export function decodeEntry(entry: string): QueuedJobRef {
  const [kind, jobId] = entry.split(":");
  return { kind: kind as JobKind, jobId: jobId ?? "" };
}

/**
 * A Lua function that removes dangling entries from the head of a list, and returns the head that stays. Such entries
 * exist when a worker died before it had removed the entry, or an API of a former version between the entry and the
 * queueing of its job. Entries younger than 10 s stay, because such an API may be about to queue their job. The age
 * follows from the job id, a UUIDv7, which begins with its time of creation.
 */
export const DROP_DANGLING_HEADS = `
local function dropDanglingHeads(queue, prefix)
  local now
  while true do
    local head = redis.call('LINDEX', queue, '0')
    if not head then return end
    now = now or tonumber(redis.call('TIME')[1]) * 1000
    local id = string.match(head, ':(.*)$') or ''
    local born = tonumber(string.sub(id, 1, 8) .. string.sub(id, 10, 13), 16) or 0
    if now - born < 10000 then return head end
    local queued = redis.call('HMGET', prefix .. ':' .. head, 'timestamp', 'finishedOn')
    if queued[1] and not queued[2] then return head end
    redis.call('LPOP', queue)
  end
end
`;

/** The value of the pending session's key after the session was deleted; the API then accepts no job for it. */
export const DELETED_SESSION = "deleted";

/** How long Redis remembers that a session was deleted, s; its row is gone by then. */
export const DELETED_SESSION_TTL_S = DAY / SECOND;

/**
 * Marks an idle session as deleted. Returns null, or, if the session is busy, the head of its queue and marks
 * nothing.
 */
export const CLOSE_SESSION_SCRIPT = defineScript<string | null>()({
  name: "closeSession",
  keys: ["queue", "pending"],
  args: ["bullmq_prefix", "deleted_mark", "deleted_ttl"],
  lua: `
${DROP_DANGLING_HEADS}
local head = dropDanglingHeads(queue, bullmq_prefix)
if head then return head end
redis.call('SET', pending, deleted_mark, 'EX', deleted_ttl)
return false
`,
});
