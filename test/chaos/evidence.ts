/**
 * Gathers what a run has left: the clients' record, the database, Redis, the model's call log, the tools' effects. Reads
 * them as anybody could, by their documented form; nothing of the product is imported.
 */
import { readFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { Redis } from "ioredis";
import { type Frame, readFrames } from "./sse-frames.ts";
import { type Entry, readRecord } from "./transcript.ts";

export type JobRow = {
  readonly id: string;
  readonly session_id: string | null;
  readonly task: string;
  readonly status: string;
  readonly fencing_token: number;
  readonly attempt: number;
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
  readonly steps: readonly JournalRow[];
  /** The event log of each job that Redis still has. */
  readonly logs: ReadonlyMap<string, readonly Frame[]>;
  readonly calls: readonly ModelCall[];
  /** Lines `word call-id`. */
  readonly effects: readonly string[];
  /** Names of what should be empty by now and is not: queues, turns, open streams. */
  readonly left: readonly string[];
};

/** Where a run has left it. */
export type Scene = {
  readonly dir: string;
  readonly databaseFile: string;
  readonly effectsFile: string;
  readonly modelOrigin: string;
  readonly redisUrl: string;
  readonly redisPrefix: string;
};

export async function gatherEvidence(scene: Scene): Promise<Evidence> {
  const [entries, effects, calls] = await Promise.all([
    readRecord(scene.dir),
    readFile(scene.effectsFile, "utf8"),
    ask(scene, "/control/calls") as Promise<{ calls: ModelCall[] }>,
  ]);
  const { open_streams: open } = (await ask(scene, "/control/stats")) as { open_streams: number };
  const { logs, left } = await readRedis(scene);
  return {
    ...{ entries, logs },
    ...readDatabase(scene.databaseFile),
    calls: calls.calls,
    effects: effects.split("\n").filter(Boolean),
    left: open === 0 ? left : [...left, `${open} open streams at the model`],
  };
}

async function ask({ modelOrigin }: Scene, path: string): Promise<unknown> {
  return (await fetch(modelOrigin + path)).json();
}

function readDatabase(file: string): Pick<Evidence, "jobs" | "messages" | "steps"> {
  const db = new DatabaseSync(file, { readOnly: true });
  const all = <Row>(table: string) => db.prepare(`select * from ${table}`).all() as Row[];
  try {
    return {
      jobs: all<JobRow>("agent_logs"),
      messages: all<MessageRow>("messages order by session_id, ordinal"),
      steps: all<JournalRow>("agent_steps"),
    };
  } finally {
    db.close();
  }
}

/** Job states in which BullMQ keeps what has not ended. */
const UNENDED = ["wait", "active", "delayed", "prioritized", "paused", "waiting-children"];

async function readRedis({ redisUrl, redisPrefix }: Scene): Promise<Pick<Evidence, "logs" | "left">> {
  const redis = new Redis(redisUrl);
  const logs = new Map<string, Frame[]>();
  const left: string[] = [];
  try {
    const keys = await scan(redis, `{${redisPrefix}*`);
    for (const key of keys) {
      const [, jobId] = /:events:([^:]+)$/.exec(key) ?? [];
      if (jobId !== undefined) {
        const entries = await redis.xrange(key, "-", "+");
        logs.set(jobId, readFrames(entries.map(([, fields]) => [0, fields[1] ?? ""])));
      } else if (/:(chat|execute|maintenance):/.test(key) && UNENDED.includes(key.split(":").at(-1) ?? "")) {
        if (!(await holdsSchedulesAlone(redis, key))) left.push(key);
      } else if (key.includes(":turns:")) left.push(key);
    }
  } finally {
    redis.disconnect();
  }
  return { logs, left };
}

/** What comes round by itself waits for its next time, and is nobody's unfinished work. */
async function holdsSchedulesAlone(redis: Redis, key: string): Promise<boolean> {
  if (!key.endsWith(":delayed")) return false;
  return (await redis.zrange(key, 0, -1)).every((jobId) => jobId.startsWith("repeat:"));
}

async function scan(redis: Redis, match: string): Promise<string[]> {
  const pages = (await Array.fromAsync(redis.scanStream({ match, count: 1_000 }))) as string[][];
  return [...new Set(pages.flat())];
}
