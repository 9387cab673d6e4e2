/**
 * The hash that Redis keeps for each job, as tests read and write it. Its fields are spelt in this file only, so that a
 * renamed field breaks one file, and breaks it loudly: a field that is unknown here is an error.
 */
import type { TerminalStatus } from "@agent-paas/shared/contract/jobs.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { PlatformRedis } from "./bullmq.ts";

export type JobState = {
  readonly fencingToken: number;
  /** How often the agent was started. */
  readonly attempts: number;
  /** Attempts that did not report how they ended. */
  readonly unfinishedAttempts: number;
  /** `unfinishedAttempts` when the job was last delayed to be started in isolation. */
  readonly isolatedAfter: number;
  /** The fencing token of the run that blocked its worker. */
  readonly blockingToken: number;
  /** The published terminal status. */
  readonly ended: TerminalStatus;
  readonly cancelRequested: true;
  /** The last progress event, as JSON. */
  readonly progress: string;
  /** What the job has done so far, as JSON. */
  readonly timeline: string;
};

const FIELDS: { readonly [Name in keyof JobState]: { name: string; parse(text: string): JobState[Name] } } = {
  fencingToken: { name: "fencing_token", parse: Number },
  attempts: { name: "attempts", parse: Number },
  unfinishedAttempts: { name: "unfinished_attempts", parse: Number },
  isolatedAfter: { name: "isolated_after", parse: Number },
  blockingToken: { name: "blocking_token", parse: Number },
  ended: { name: "ended", parse: (text) => text as TerminalStatus },
  cancelRequested: { name: "cancel", parse: () => true },
  progress: { name: "progress", parse: (text) => text },
  timeline: { name: "timeline", parse: (text) => text },
};

/** The fields that are set; an empty object when Redis has no state of the job. */
export async function readJobState({ redis, keys }: PlatformRedis, jobId: string): Promise<Partial<JobState>> {
  const stored = await redis.hgetall(keys.jobState(jobId));
  const known = Object.entries(FIELDS).flatMap(([property, { name, parse }]) =>
    stored[name] === undefined ? [] : [[property, parse(stored[name])] as const],
  );
  if (known.length !== Object.keys(stored).length) throw new Error(`unknown job state: ${JSON.stringify(stored)}`);
  return Object.fromEntries(known);
}

/** Sets these fields and leaves the others as they are. */
export async function writeJobState(
  { redis, keys }: PlatformRedis,
  jobId: string,
  state: Partial<JobState>,
): Promise<void> {
  const fields = Object.entries(state).flatMap(([property, value]) => [
    FIELDS[property as keyof JobState].name,
    value === true ? "1" : String(value),
  ]);
  await redis.hset(keys.jobState(jobId), ...fields);
}

/** Redis loses what it knows of a job: its state and its event log. */
export async function forgetJob({ redis, keys }: PlatformRedis, jobId: string): Promise<void> {
  await redis.del(keys.jobState(jobId), keys.eventLog(jobId));
}

/** Redis loses the end of a job, and the last `batches` of its log with it. */
export async function loseEnd({ redis, keys }: PlatformRedis, jobId: string, batches: number): Promise<void> {
  const log = keys.eventLog(jobId);
  const ids = (await redis.xrange(log, "-", "+")).map(([id]) => id);
  await redis.xdel(log, ...ids.slice(-batches));
  await redis.call("XSETID", log, ids.at(-batches - 1) ?? "0-0");
  await redis.hdel(keys.jobState(jobId), FIELDS.ended.name);
}

/** The job looks as if it had been claimed so many ms earlier: a claim's age is what has passed of its expiry. */
export async function ageClaim({ redis, keys }: PlatformRedis, jobId: string, ageMs: number): Promise<void> {
  const state = keys.jobState(jobId);
  await redis.expire(state, (await redis.ttl(state)) - ageMs / SECOND);
}

/** How many bytes Redis says that the owner's jobs hold. */
export const ownedBytes = async ({ redis, keys }: PlatformRedis, owner: string): Promise<number> =>
  Number((await redis.hget(keys.ownerBytes, owner)) ?? 0);
