/**
 * Brings what version 0.1.0 left in Redis to the names of today: fields of job states, and the lists of session queues.
 * Jobs that wait are entered in their owners' indexes; a payload that lies in the queue as a whole is read as it is.
 * The first API or worker that starts on an older layout does it before it accepts or takes jobs; doing it again, or in
 * two processes at once, changes nothing. APIs and workers of 0.1.0 must not run beside it: they know neither the new
 * names in Redis nor the renamed columns.
 */
import { JOB_QUEUES, type JobQueue, QueuedPayloadSchema, UNENDED_JOB_TTL_SECONDS } from "../contract/jobs.ts";
import type { Logger } from "../logging/logger.ts";
import { connectionsOf, type RedisConnection } from "./connect.ts";
import type { RedisKeys } from "./keys.ts";
import { ENTER_SCRIPT, encodeOwnerEntry, LEAST_ENTRY_BYTES, ownedKeysOf } from "./owner-index.ts";
import { defineScript } from "./script.ts";

/** The value of `keys.layout` once every key has the names of today. It never expires: a pass reads the whole Redis. */
const REDIS_LAYOUT = "3";

const SCAN_COUNT = 500;

/** Returns how many fields were renamed; a field that exists already under its new name keeps its value. */
const RENAME_FIELDS_SCRIPT = defineScript<number>()({
  name: "renameJobStateFields",
  keys: ["state"],
  args: [],
  lua: `
local names = { attempt = 'fencing_token', runs = 'attempts', open_runs = 'unfinished_attempts', apart = 'isolated_after' }
local renamed = 0
for old, new in pairs(names) do
  local value = redis.call('HGET', state, old)
  if value then
    redis.call('HSETNX', state, new, value)
    redis.call('HDEL', state, old)
    renamed = renamed + 1
  end
end
return renamed
`,
});

/** Entries of the former list are older, so they come first. The longer expiry of the two lists stays. */
const MOVE_QUEUE_SCRIPT = defineScript<number>()({
  name: "moveSessionQueue",
  keys: ["former", "queue"],
  args: [],
  lua: `
local entries = redis.call('LRANGE', former, 0, -1)
local ttl = redis.call('PTTL', former)
for i = #entries, 1, -1 do redis.call('LPUSH', queue, entries[i]) end
if ttl > redis.call('PTTL', queue) then redis.call('PEXPIRE', queue, ttl) end
redis.call('DEL', former)
return #entries
`,
});

export async function upgradeRedis(redis: RedisConnection, keys: RedisKeys, logger: Logger): Promise<void> {
  if ((await redis.get(keys.layout)) === REDIS_LAYOUT) return;
  const renameFields = RENAME_FIELDS_SCRIPT.on(redis);
  const moveQueue = MOVE_QUEUE_SCRIPT.on(redis);
  const former = keys.formerSessionQueue("");

  /** Whether something had a former name. */
  async function upgrade(key: string): Promise<boolean> {
    if (keys.isJobState(key)) return (await renameFields({ state: key })) > 0;
    if (!key.startsWith(former)) return false;
    await moveQueue({ former: key, queue: keys.sessionQueue(key.slice(former.length)) });
    return true;
  }

  let upgraded = 0;
  for (const server of connectionsOf(redis)) {
    let cursor = "0";
    do {
      const [next, found] = await server.scan(cursor, "MATCH", keys.all, "COUNT", SCAN_COUNT);
      cursor = next;
      // One write for the page: the connection combines commands of one iteration of the event loop.
      upgraded += (await Promise.all(found.map(upgrade))).filter(Boolean).length;
    } while (cursor !== "0");
  }
  for (const queue of JOB_QUEUES) await enterWaitingJobs(redis, keys, queue);
  await redis.set(keys.layout, REDIS_LAYOUT);
  if (upgraded > 0) logger.info({ keys: upgraded }, "keys of an earlier version renamed in Redis");
}

/** How many payloads one round reads: each may be as large as a request. */
const PAYLOADS_AT_ONCE = 20;

/** Enters the waiting jobs of a queue in their owners' indexes; a job that is started meanwhile is swept out again. */
async function enterWaitingJobs(redis: RedisConnection, keys: RedisKeys, queue: JobQueue): Promise<void> {
  const enterOwnerIndex = ENTER_SCRIPT.on(redis);
  const jobIds = [
    ...(await redis.lrange(keys.waitingJobs(queue), 0, -1)),
    ...(await redis.zrange(keys.delayedJobs(queue), 0, -1)),
  ];

  async function enter(jobId: string): Promise<void> {
    const data = await redis.hget(keys.queuedJob(queue, jobId), "data");
    const payload = QueuedPayloadSchema.safeParse(parseJson(data ?? "null")).data;
    if (data === null || payload === undefined) return;
    const { owner, kind, session_id: sessionId, agent_type: agentType } = payload;
    const bytes = LEAST_ENTRY_BYTES + Buffer.byteLength(data);
    const stored = (await redis.exists(keys.upload(jobId))) === 1 ? "other" : "nothing";
    await enterOwnerIndex({
      ...ownedKeysOf(keys, { owner, kind, job_id: jobId }),
      ...{ owner, job_id: jobId, bytes, stored_ttl: UNENDED_JOB_TTL_SECONDS, upload_bytes: "" },
      entry: encodeOwnerEntry({ jobId, bytes, stored, sessionId, agentType }),
    });
  }

  for (let at = 0; at < jobIds.length; at += PAYLOADS_AT_ONCE) {
    await Promise.all(jobIds.slice(at, at + PAYLOADS_AT_ONCE).map(enter));
  }
}

/** What cannot be read stays where it is: its worker ends it as invalid. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
