/**
 * Turns by owner. A queue of BullMQ is first come, first served, so one owner's thousand jobs would delay everybody
 * else's next one. So a job enters its queue only with a place, and the places that an owner may hold are limited; the
 * owner's other jobs wait in the owner's queue, outside BullMQ. Whoever ends a job hands its place over in one script.
 *
 * - A place belongs to a job from the moment it enters its queue until it ends, or yields it to wait for its session.
 *   Who holds one is a set of job ids and no counter: a crash leaves at most an id without a job, which the reaper
 *   removes.
 * - An owner may hold a stated part (`own` of `all`) of the slots that the others leave. One owner alone can so never
 *   use all of them, and several that flood converge to equal parts. With few slots the second or third of them uses up
 *   the reserve; whoever comes then waits for the end of a job. Every owner may hold one place, so nobody waits in the
 *   owner's queue while others only wait.
 * - Places that become free go round the owners, one each.
 *
 * Members are `owner:job id` with equal scores, so they stand in the order of owners and, within an owner, of the ids,
 * which rise with the time of acceptance. Names of owners contain no colon.
 */
import { type JobQueue, UNENDED_JOB_TTL_SECONDS } from "../contract/jobs.ts";
import type { RedisKeys } from "./keys.ts";
import { OWNER_INDEX } from "./owner-index.ts";
import { defineScript } from "./script.ts";

/** How many places each owner may hold while no worker has said how many slots it has. */
const PLACES_WITHOUT_SLOTS = 100;
/** How many owners one script looks at, at most, when a place becomes free. */
const OWNERS_PER_END = 20;
/** The same when the owners' queues are looked through as a whole. */
const OWNERS_PER_SWEEP = 500;

export const PLACE_KEYS = ["places", "owners", "slots", "wait", "delayed", "marker"] as const;
export const PLACE_ARGS = ["queue_name", "job_prefix", "owner", "id"] as const;

type PlacedJob = { readonly owner: string; readonly jobId: string };

/** What every script on places receives. */
export const placeValues = (keys: RedisKeys, queue: JobQueue, { owner, jobId }: PlacedJob) => ({
  places: keys.places(queue),
  owners: keys.ownerQueues(queue),
  slots: keys.slots,
  wait: keys.waitingJobs(queue),
  delayed: keys.delayedJobs(queue),
  marker: keys.jobMarker(queue),
  queue_name: queue,
  job_prefix: keys.queuedJob(queue, ""),
  owner,
  id: jobId,
});

/**
 * Lua functions of the scripts on places. `enqueue` and `withdraw` do to BullMQ's keys what its own scripts do to them.
 * While no worker has said how many slots it has, every owner may hold a fixed number of places. Redis takes long to
 * format a Lua number, hence `'0'`.
 */
export const PLACES = `
local function placesOf(name)
  return redis.call('ZLEXCOUNT', places, '[' .. name .. ':', '(' .. name .. ';')
end
local known
-- How many places an owner who holds so many may hold beside those of the others; never less than one.
local function limitOf(held, all_held)
  known = known or redis.call('HMGET', slots, queue_name, queue_name .. ':own')
  if not known[1] or not known[2] then return ${PLACES_WITHOUT_SLOTS} end
  local left = known[1] - (all_held - held)
  return math.max(1, math.floor(left * known[2] / known[1]))
end
-- Counting one owner's places takes long. While all owners together hold less than one alone may, each may hold more.
local function mayHoldMore(name)
  local all_held = redis.call('ZCARD', places)
  if all_held < limitOf(all_held, all_held) then return true end
  local held = placesOf(name)
  return held < limitOf(held, all_held)
end
local function firstWaitingOf(name)
  return redis.call('ZRANGEBYLEX', owners, '[' .. name .. ':', '(' .. name .. ';', 'LIMIT', '0', '1')[1]
end
local function enqueue(job)
  redis.call('LPUSH', wait, job)
  redis.call('ZADD', marker, '0', '0')
end
local function withdraw(job)
  if redis.call('ZREM', delayed, job) == 0 then return false end
  redis.call('HSET', job_prefix .. job, 'delay', 0)
  return true
end
-- A place for the owner's first waiting job; false if the owner may not have one or has no job.
local function serve(name)
  if not mayHoldMore(name) then return false end
  local member = firstWaitingOf(name)
  if not member then return false end
  redis.call('ZREM', owners, member)
  local job = string.sub(member, #name + 2)
  -- A job that was cancelled or removed meanwhile leaves its entry behind.
  if redis.call('EXISTS', job_prefix .. job) == 1 and redis.call('HEXISTS', job_prefix .. job, 'finishedOn') == 0 then
    redis.call('ZADD', places, '0', member)
    enqueue(job)
  end
  return true
end
-- \`from\`: the owner whose one place has become free. With that owner's next job in it nothing has changed for anybody.
local function fill(looks, from)
  if redis.call('ZCARD', owners) == 0 then return end
  local turn = queue_name .. ':turn'
  local last = redis.call('HGET', slots, turn) or ''
  local unserved
  for _ = 1, looks do
    local after = last == '' and '-' or '(' .. last .. ';'
    local member = redis.call('ZRANGEBYLEX', owners, after, '+', 'LIMIT', '0', '1')[1]
      or redis.call('ZRANGE', owners, 0, 0)[1]
    if not member then break end
    last = string.match(member, '^[^:]*')
    if last == unserved then break end
    if serve(last) then
      if last == from then break end
      unserved = nil
    else
      unserved = unserved or last
    end
  end
  redis.call('HSET', slots, turn, last)
end
-- Lets a job without a place into its queue, or has it wait behind the owner's earlier ones. \`outside\`: how many jobs
-- of all owners wait for a place.
local function enterNew(outside)
  local member = owner .. ':' .. id
  if not mayHoldMore(owner) then
    redis.call('ZADD', owners, '0', member)
  elseif outside > 0 and firstWaitingOf(owner) then
    redis.call('ZADD', owners, '0', member)
    serve(owner)
  else
    redis.call('ZADD', places, '0', member)
    enqueue(id)
  end
end
-- The same for any job; one that has a place waits for none.
local function enter()
  if redis.call('ZSCORE', places, owner .. ':' .. id) then return enqueue(id) end
  enterNew(redis.call('ZCARD', owners))
end
`;

const placeScript = (name: string, lua: string) =>
  defineScript<number>()({ name, keys: PLACE_KEYS, args: PLACE_ARGS, lua: `${PLACES}${lua}` });

const LEAVE_PLACE = `
local member = owner .. ':' .. id
if redis.call('ZREM', places, member) == 1 or redis.call('ZREM', owners, member) == 1 then
  fill(${OWNERS_PER_END}, owner)
end
`;

/** The job was removed: its place goes to the next one. */
export const LEAVE_SCRIPT = placeScript("leavePlace", `${LEAVE_PLACE} return 1`);

/**
 * The job has ended: its place goes to the next one, and what is kept of it beside its queue's entry goes. Nothing but
 * its entry in the owner index unless `has_stored` is 1, and not even that if it left the index when it started. It
 * leaves its session's queue, unless `entry` is empty; the session has its row by now, so it is pending no more.
 * Returns the queue's next entry if the job was the head.
 */
export const END_SCRIPT = defineScript<string | null>()({
  name: "endJob",
  keys: [...PLACE_KEYS, "index", "kept", "sum", "payload", "upload", "session", "pending"] as const,
  args: [...PLACE_ARGS, "has_stored", "entry", "deleted_mark"],
  lua: `${PLACES}${OWNER_INDEX}${LEAVE_PLACE}
if has_stored == '1' then
  releaseOwnerEntry(index, kept, sum, owner, id, payload, upload)
else
  dropOwnerEntry(index, sum, owner, id)
end
if entry == '' then return false end
if redis.call('GET', pending) ~= deleted_mark then redis.call('DEL', pending) end
local head = redis.call('LINDEX', session, 0)
if redis.call('LREM', session, 1, entry) == 0 or head ~= entry then return false end
return redis.call('LINDEX', session, 0)
`,
});

/** A delayed job gives its place up, and will enter again. Nothing happens if it has done so meanwhile. */
export const YIELD_SCRIPT = placeScript(
  "yieldPlace",
  `
if redis.call('ZSCORE', delayed, id) and redis.call('ZREM', places, owner .. ':' .. id) > 0 then
  fill(${OWNERS_PER_END})
end
return 1
`,
);

/** A job that its queue has, and that stands nowhere in it, enters, and expires no more. Returns 1 if it did. */
export const RESCUE_SCRIPT = defineScript<number>()({
  name: "rescueJob",
  keys: [...PLACE_KEYS, "job", "lock", "active"] as const,
  args: PLACE_ARGS,
  lua: `${PLACES}
local known = redis.call('HMGET', job, 'timestamp', 'finishedOn')
if not known[1] or known[2] or redis.call('EXISTS', lock) == 1 then return 0 end
if redis.call('ZSCORE', delayed, id) or redis.call('ZSCORE', owners, owner .. ':' .. id) then return 0 end
if redis.call('LPOS', wait, id) or redis.call('LPOS', active, id) then return 0 end
redis.call('PERSIST', job)
enter()
return 1
`,
});

/**
 * A delayed job leaves its queue's lists and its place: it is suspended, and stands nowhere until it is rescued. Its
 * entry expires unless the sweep of suspended jobs keeps it: nobody would find one of a job that has ended.
 */
export const STEP_OUT_SCRIPT = placeScript(
  "stepOut",
  `
if not withdraw(id) then return 0 end
redis.call('EXPIRE', job_prefix .. id, ${UNENDED_JOB_TTL_SECONDS})
if redis.call('ZREM', places, owner .. ':' .. id) > 0 then fill(${OWNERS_PER_END}) end
return 1
`,
);

/** A delayed job enters again, if it is delayed. */
export const PROMOTE_SCRIPT = placeScript("promoteJob", "if withdraw(id) then enter() end return 1");

/**
 * Whether a job that starts again may run: it keeps its place, or takes one, unless that is one too many since workers
 * have died, or others have come.
 */
export const KEEP_SCRIPT = placeScript(
  "keepPlace",
  `
local held = placesOf(owner)
local isHolder = redis.call('ZSCORE', places, owner .. ':' .. id)
if held + (isHolder and 0 or 1) > limitOf(held, redis.call('ZCARD', places)) then return 0 end
redis.call('ZADD', places, 0, owner .. ':' .. id)
return 1
`,
);

/** A delayed job gives its place up and waits in the owner's queue, where its id puts it before later ones. */
export const STEP_BACK_SCRIPT = placeScript(
  "stepBack",
  `
if not withdraw(id) then return 0 end
redis.call('ZREM', places, owner .. ':' .. id)
redis.call('ZADD', owners, 0, owner .. ':' .. id)
fill(${OWNERS_PER_END})
return 1
`,
);

/**
 * Removes what crashes left: places and waiting entries (`rest`: their members) whose job is gone or has ended. Then
 * gives out whatever is free: places of workers that have come, or such that a lost hand-over left.
 */
export const SWEEP_SCRIPT = placeScript(
  "sweepPlaces",
  `
for at = rest_from, #ARGV do
  local job = job_prefix .. string.match(ARGV[at], ':(.*)$')
  if redis.call('EXISTS', job) == 0 or redis.call('HEXISTS', job, 'finishedOn') == 1 then
    redis.call('ZREM', places, ARGV[at])
    redis.call('ZREM', owners, ARGV[at])
  end
end
fill(${OWNERS_PER_SWEEP})
return 1
`,
);
