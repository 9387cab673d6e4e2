/**
 * Takes the next job of a queue that is in its usual state. BullMQ's own script, which the worker falls back to, leaves
 * the marker behind each job that it takes, so that every single job wakes another worker and makes its own look twice,
 * both for nothing.
 */
import { defineScript } from "@agent-paas/shared/redis/script.ts";

/**
 * Does to BullMQ's keys what its own script does, but notes neither the time nor an event, which nobody reads, and sets
 * the marker only if further jobs wait. Nil without touching anything: jobs are delayed, or the queue is paused or
 * limited. Empty: no job waits. Otherwise the fields of the job's hash, its id, and how many jobs still wait.
 */
export const TAKE_SCRIPT = defineScript<[job: string[], id: string, waiting: number] | [] | null>()({
  name: "takeJob",
  keys: ["wait", "active", "delayed", "meta", "marker"],
  args: ["job_prefix", "token", "lock_ms", "worker"],
  lua: `
local limits = redis.call('HMGET', meta, 'paused', 'concurrency', 'max')
if limits[1] or limits[2] or limits[3] or redis.call('EXISTS', delayed) == 1 then return false end
local id = redis.call('RPOPLPUSH', wait, active)
if not id then return {} end
local job = job_prefix .. id
redis.call('SET', job .. ':lock', token, 'PX', lock_ms)
redis.call('HSET', job, 'pb', worker)
redis.call('HINCRBY', job, 'ats', 1)
local waiting = redis.call('LLEN', wait)
if waiting > 0 then redis.call('ZADD', marker, 0, '0') end
return {redis.call('HGETALL', job), id, waiting}
`,
});

/** @param toKey builds one of BullMQ's keys of the queue. */
export const takeKeysOf = (toKey: (type: string) => string) => ({
  wait: toKey("wait"),
  active: toKey("active"),
  delayed: toKey("delayed"),
  meta: toKey("meta"),
  marker: toKey("marker"),
  job_prefix: toKey(""),
});
