/**
 * The owner index: for each owner and kind the waiting jobs, those that no worker has started, in the order of their
 * ids. Lists, positions and shares read it, so they cost what the owner's own jobs cost, however many jobs of others
 * wait. An entry has the small fields that lists filter by.
 *
 * The API enters a job in the script that accepts it. The worker that has written the job's row takes the entry out;
 * what is stored beside the queue's entry (large fields, an upload) is there until the job has ended, so its entry
 * moves to a second set until then. The bytes of an owner are summed in the same scripts, so they are what the entries
 * say. An entry whose process died is removed by the reaper's sweep. Scripts that make room begin with a removal: then
 * Redis lets their other writes pass although its memory is full.
 */
import type { JobKind } from "../contract/jobs.ts";
import type { RedisKeys } from "./keys.ts";
import { defineScript } from "./script.ts";

/**
 * What an entry counts at least, bytes: what BullMQ, the index and the session queue keep for every job, roughly. So an
 * owner's bytes also say how many jobs there can be at most.
 */
export const LEAST_ENTRY_BYTES = 1_024;

export type OwnerEntry = {
  readonly jobId: string;
  /** What Redis keeps for the job. */
  readonly bytes: number;
  /** Whether something of the job is stored beside its queue's entry, and whether its metadata is. */
  readonly stored: "nothing" | "metadata" | "other";
  readonly sessionId: string | null;
  readonly agentType: string;
};

const FLAGS = { nothing: "-", metadata: "m", other: "s" } as const;

/** Begins with the id, so that entries sort by time; the agent comes last, because its name may be any text. */
export const encodeOwnerEntry = ({ jobId, bytes, stored, sessionId, agentType }: OwnerEntry): string =>
  [jobId, bytes, FLAGS[stored], sessionId ?? "-", agentType].join(" ");

export function decodeOwnerEntry(text: string): OwnerEntry {
  const [jobId = "", bytes, flag, session = "-", ...agentType] = text.split(" ");
  const stored = flag === FLAGS.nothing ? "nothing" : flag === FLAGS.metadata ? "metadata" : "other";
  const sessionId = session === "-" ? null : session;
  return { jobId, bytes: Number(bytes), stored, sessionId, agentType: agentType.join(" ") };
}

/** The lexical bound of the entries before one job. */
export const beforeJob = (jobId: string): string => `(${jobId}`;

/** Lua functions on an owner's sets. `sum` is the hash of the owners' bytes. */
export const OWNER_INDEX = `
local function findOwnerEntry(set, id)
  return redis.call('ZRANGEBYLEX', set, '[' .. id .. ' ', '(' .. id .. '!', 'LIMIT', '0', '1')[1]
end
local function addOwnerBytes(sum, owner, bytes)
  if redis.call('HINCRBY', sum, owner, bytes) <= 0 then redis.call('HDEL', sum, owner) end
end
local function enterOwnerIndex(index, kept, sum, owner, id, entry, bytes)
  if findOwnerEntry(index, id) or findOwnerEntry(kept, id) then return end
  redis.call('ZADD', index, '0', entry)
  addOwnerBytes(sum, owner, bytes)
end
local function dropOwnerEntry(set, sum, owner, id)
  local entry = findOwnerEntry(set, id)
  if not entry then return end
  redis.call('ZREM', set, entry)
  addOwnerBytes(sum, owner, -tonumber(string.match(entry, '^%S+ (%d+)')))
end
-- What does not travel through the queue. The large fields are the arguments from \`first\` on, name and JSON in turn.
local function storeBesideQueue(payload, upload, upload_bytes, stored_ttl, first)
  if #ARGV >= first then
    redis.call('HSET', payload, unpack(ARGV, first))
    redis.call('EXPIRE', payload, stored_ttl)
  end
  if upload_bytes ~= '' then redis.call('SET', upload, upload_bytes, 'EX', stored_ttl) end
end
local function releaseOwnerEntry(index, kept, sum, owner, id, payload, upload)
  dropOwnerEntry(index, sum, owner, id)
  dropOwnerEntry(kept, sum, owner, id)
  redis.call('DEL', payload, upload)
end
`;

/**
 * Enters a job whatever the owner's shares; one that has an entry keeps it. `rest`: the large fields, name and JSON.
 */
export const ENTER_SCRIPT = defineScript<null>()({
  name: "enterOwnerIndex",
  keys: ["index", "kept", "sum", "payload", "upload"],
  args: ["owner", "job_id", "entry", "bytes", "stored_ttl", "upload_bytes"],
  lua: `
${OWNER_INDEX}
enterOwnerIndex(index, kept, sum, owner, job_id, entry, bytes)
storeBesideQueue(payload, upload, upload_bytes, stored_ttl, rest_from)
return false
`,
});

/** The job has a row: it waits no more. Its entry stays in the second set while something of it is stored. */
export const LEAVE_SCRIPT = defineScript<null>()({
  name: "leaveOwnerIndex",
  keys: ["index", "kept", "sum"],
  args: ["owner", "job_id"],
  lua: `
${OWNER_INDEX}
local entry = findOwnerEntry(index, job_id)
if not entry then return false end
if string.match(entry, '^%S+ %d+ %-') then
  dropOwnerEntry(index, sum, owner, job_id)
else
  redis.call('ZREM', index, entry)
  redis.call('ZADD', kept, 0, entry)
end
return false
`,
});

/** The job has ended, or was never accepted: removes its entry and what is stored. */
export const RELEASE_SCRIPT = defineScript<null>()({
  name: "releaseOwnerEntry",
  keys: ["index", "kept", "sum", "payload", "upload"],
  args: ["owner", "job_id"],
  lua: `
${OWNER_INDEX}
releaseOwnerEntry(index, kept, sum, owner, job_id, payload, upload)
return false
`,
});

/** The same for a job that no queue has: nothing happens if one has it by now. */
export const RELEASE_ABSENT_SCRIPT = defineScript<null>()({
  name: "releaseAbsentJob",
  keys: ["index", "kept", "sum", "payload", "upload", "in_chat", "in_execute", "in_knowledge"],
  args: ["owner", "job_id"],
  lua: `
${OWNER_INDEX}
if redis.call('EXISTS', in_chat, in_execute, in_knowledge) > 0 then return false end
releaseOwnerEntry(index, kept, sum, owner, job_id, payload, upload)
return false
`,
});

type OwnedJob = { readonly owner: string; readonly kind: JobKind; readonly job_id: string };

export const ownerSetsOf = (keys: RedisKeys, { owner, kind }: Omit<OwnedJob, "job_id">) => ({
  index: keys.ownerIndex(kind, owner),
  kept: keys.ownerStored(owner),
  sum: keys.ownerBytes,
});

/** The keys of the scripts that also store or delete. */
export const ownedKeysOf = (keys: RedisKeys, job: OwnedJob) => ({
  ...ownerSetsOf(keys, job),
  payload: keys.payload(job.job_id),
  upload: keys.upload(job.job_id),
});
