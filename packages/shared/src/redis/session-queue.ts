/**
 * What both ends share of session queues (I6): the codec of their entries, and the scripts on their lists. The API
 * appends each job of a session to its list; only the head may run.
 */
import type { JobKind } from "../contract/jobs.ts";
import { defineScript } from "./script.ts";

/** `kind:job id`. */
export type SessionQueueEntry = string & { readonly brand: "SessionQueueEntry" };

export type QueuedJobRef = { readonly kind: JobKind; readonly jobId: string };

export const encodeEntry = ({ kind, jobId }: QueuedJobRef): SessionQueueEntry =>
  `${kind}:${jobId}` as SessionQueueEntry;

export function decodeEntry(entry: string): QueuedJobRef {
  const [kind, jobId] = entry.split(":");
  return { kind: kind as JobKind, jobId: jobId ?? "" };
}

/**
 * A piece of Lua: drops heads whose job does not exist, because an API died between the list and the queue, or a worker
 * died before it removed the entry. Entries younger than 10 s stay: their job may be on its way to the queue. A job id
 * begins with its time of birth (UUIDv7).
 */
export const DROP_DANGLING_HEADS = `
local function dropDanglingHeads(queue, prefix)
  local now = tonumber(redis.call('TIME')[1]) * 1000
  while true do
    local head = redis.call('LINDEX', queue, 0)
    if not head then return end
    local id = string.match(head, ':(.*)$') or ''
    local born = tonumber(string.sub(id, 1, 8) .. string.sub(id, 10, 13), 16) or 0
    if now - born < 10000 then return end
    local queued = prefix .. ':' .. head
    if redis.call('EXISTS', queued) == 1 and redis.call('HEXISTS', queued, 'finishedOn') == 0 then return end
    redis.call('LPOP', queue)
  end
end
`;

/** Stands in the place of a pending session once the session was deleted, so that no job is accepted into it. */
export const DELETED_SESSION = "deleted";

/** Closes an idle session for its deletion. Returns the head of the queue when the session is busy, and closes nothing. */
export const CLOSE_SESSION_SCRIPT = defineScript<string | null>()({
  name: "closeSession",
  keys: ["queue", "pending"],
  args: ["bullmq_prefix", "deleted_mark", "deleted_ttl"],
  lua: `
${DROP_DANGLING_HEADS}
dropDanglingHeads(queue, bullmq_prefix)
local head = redis.call('LINDEX', queue, 0)
if head then return head end
redis.call('SET', pending, deleted_mark, 'EX', deleted_ttl)
return false
`,
});
