/**
 * Gathers the evidence of a run: the run record, the database, Redis, the model's call log, the tools' effects.
 * Everything is read by its documented form; nothing of the product is imported.
 */
import { readFile } from "node:fs/promises";
import { Redis } from "ioredis";
import { readRows } from "./read-rows.ts";
import { type Frame, readFrames } from "./sse-frames.ts";
import { type Entry, readRunRecord } from "./transcript.ts";

export type JobRow = {
  readonly id: string;
  readonly session_id: string | null;
  readonly task: string;
  readonly status: string;
  readonly fencing_token: number;
  readonly attempts: number;
  readonly result: string | null;
  readonly error_code: string | null;
  readonly last_seq: number | null;
  readonly finished_at: string | null;
};
export type MessageRow = {
  readonly job_id: string;
  readonly session_id: string;
  readonly ordinal: number;
  readonly role: string;
  readonly content: string;
  readonly created_at: string;
};
export type JournalRow = {
  readonly job_id: string;
  readonly step_no: number;
  readonly fencing_token: number;
  readonly finished_at: string | null;
};
export type ModelCall = {
  readonly last_user: string;
  readonly at_ms: number;
  readonly ended: string;
  readonly ended_at_ms: number | null;
};

export type Evidence = {
  readonly entries: readonly Entry[];
  readonly jobs: readonly JobRow[];
  readonly messages: readonly MessageRow[];
  readonly journal: readonly JournalRow[];
  /** The event logs that Redis still has, by job id. */
  readonly logs: ReadonlyMap<string, readonly Frame[]>;
  readonly calls: readonly ModelCall[];
  /** Lines of the form `word call-id`. */
  readonly effects: readonly string[];
  /** Names of what is not empty although the run has settled: queues, session queues, open streams. */
  readonly leftRunning: readonly string[];
};

/** Where the evidence of a run is found. */
export type EvidenceSources = {
  readonly dir: string;
  readonly databaseUrl: string;
  readonly effectsFile: string;
  readonly modelOrigin: string;
  /** Of each server that has a part of what Redis keeps. */
  readonly redisUrls: () => Promise<readonly string[]>;
  readonly redisPrefix: string;
};

export async function gatherEvidence(sources: EvidenceSources): Promise<Evidence> {
  const [entries, effects, calls] = await Promise.all([
    readRunRecord(sources.dir),
    readFile(sources.effectsFile, "utf8"),
    ask(sources, "/control/calls") as Promise<{ calls: ModelCall[] }>,
  ]);
  const { open_streams: open } = (await ask(sources, "/control/stats")) as { open_streams: number };
  const { logs, leftRunning } = await readRedis(sources);
  return {
    ...{ entries, logs },
    ...(await readDatabase(sources.databaseUrl)),
    calls: calls.calls,
    effects: effects.split("\n").filter(Boolean),
    leftRunning: open === 0 ? leftRunning : [...leftRunning, `${open} open streams at the model`],
  };
}

async function ask({ modelOrigin }: EvidenceSources, path: string): Promise<unknown> {
  return (await fetch(modelOrigin + path)).json();
}

async function readDatabase(url: string): Promise<Pick<Evidence, "jobs" | "messages" | "journal">> {
  const all = <Row>(table: string) => readRows<Row>(url, `select * from ${table}`);
  return {
    jobs: await all<JobRow>("agent_logs"),
    messages: await all<MessageRow>("messages order by session_id, ordinal"),
    journal: await all<JournalRow>("agent_steps"),
  };
}

/** Job states of BullMQ for jobs that have not ended. */
const UNFINISHED_STATES = ["wait", "active", "delayed", "prioritized", "paused", "waiting-children"];

/** Written out instead of imported; checker.test.ts compares them with the keys that the product uses. */
export const EVENT_LOG_KEY = /:events:([^:]+)$/;
export const SESSION_QUEUE_KEY = /:session-queue:/;
export const PLACES_KEY = /:(places|owner-queues):/;

async function readRedis({ redisUrls, redisPrefix }: EvidenceSources): Promise<Pick<Evidence, "logs" | "leftRunning">> {
  const parts = await Promise.all((await redisUrls()).map((url) => readServer(url, redisPrefix)));
  return {
    logs: new Map(parts.flatMap(({ logs }) => [...logs])),
    leftRunning: parts.flatMap((one) => one.leftRunning),
  };
}

async function readServer(redisUrl: string, redisPrefix: string): Promise<Pick<Evidence, "logs" | "leftRunning">> {
  const redis = new Redis(redisUrl);
  const logs = new Map<string, Frame[]>();
  const leftRunning: string[] = [];
  try {
    const keys = await scan(redis, `{${redisPrefix}*`);
    for (const key of keys) {
      const [, jobId] = EVENT_LOG_KEY.exec(key) ?? [];
      if (jobId !== undefined) {
        const entries = await redis.xrange(key, "-", "+");
        logs.set(jobId, readFrames(entries.map(([, fields]) => [0, fields[1] ?? ""])));
      } else if (
        /:(chat|execute|knowledge|maintenance):/.test(key) &&
        UNFINISHED_STATES.includes(key.split(":").at(-1) ?? "")
      ) {
        if (!(await holdsOnlySchedules(redis, key))) leftRunning.push(key);
      } else if (SESSION_QUEUE_KEY.test(key) || PLACES_KEY.test(key)) leftRunning.push(key);
    }
  } finally {
    redis.disconnect();
  }
  return { logs, leftRunning };
}

/** The next run of a schedule always waits in `delayed`; it is not unfinished work. */
async function holdsOnlySchedules(redis: Redis, key: string): Promise<boolean> {
  if (!key.endsWith(":delayed")) return false;
  return (await redis.zrange(key, 0, -1)).every((jobId) => jobId.startsWith("repeat:"));
}

async function scan(redis: Redis, match: string): Promise<string[]> {
  const pages = (await Array.fromAsync(redis.scanStream({ match, count: 1_000 }))) as string[][];
  return [...new Set(pages.flat())];
}
