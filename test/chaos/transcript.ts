/**
 * The run record, which the checker reads: the clients' transcripts, the faults and the samples, one JSON line each, in
 * the run's folder. Times are milliseconds since 1970, with fractions where clocks of several processes are compared.
 */
import { appendFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** A piece of a response, as it arrived. */
export type Chunk = readonly [at: number, text: string];

export type Connection = {
  readonly api: string;
  /** The Last-Event-ID sent; 0 for none. */
  readonly after: number;
  readonly openedAt: number;
  /** 0: no response. */
  status: number;
  readonly chunks: Chunk[];
  closed: "open" | "cut" | "end" | "error" | "silent";
};

/** The known outcome of a question. */
export type Expected = {
  /** The text of a completed job, without the model's stamps. */
  readonly answer: string;
  /** `any`: the status depends on when the cancel arrived. */
  readonly status: "completed" | "failed" | "any";
  /** Words that calls of `count_once`, which must not be repeated, write to the effects file. */
  readonly once: readonly string[];
  /** Words that calls of the idempotent `count_again` write there. */
  readonly again: readonly string[];
  /** An error code with which the job may fail, because the run takes away what the job needs; default: none. */
  readonly mayFailWith?: string;
  /** No fault of the run touches the API or its network: the stream must stay on its first connection. */
  readonly keepsConnection?: boolean;
  /** Faults keep APIs from Redis: of a job that has ended they may send the text of its row as one event. */
  readonly mayBeReplayed?: boolean;
};

export type Polled = {
  readonly status: string;
  readonly content: string | null;
  readonly errorCode: string | null;
  readonly at: number;
};

export type Transcript = {
  /** The first word of the task, by which its row and its model calls are found. */
  readonly label: string;
  readonly kind: "chat" | "execute";
  readonly expected: Expected;
  /** The position in a conversation of several messages, numbered from 1; null: a conversation of its own. */
  readonly conversation: { readonly session: string; readonly no: number } | null;
  /** When the client received the acceptance. */
  acceptedAt: number | null;
  /** Every job id that an API returned for this question; correct is exactly one. */
  jobIds: string[];
  sessionId: string | null;
  /** Number of responses that refused the question for now (429, 503). */
  refusals: number;
  /** A response that was neither an acceptance nor such a refusal. */
  rejected: string | null;
  readonly connections: Connection[];
  polled: Polled | null;
  cancelledAt: number | null;
};

export type FaultKind =
  | ("block" | "kill" | "pause" | "resume" | "stop" | "crash" | "start" | "reset")
  /** Of a disk or a database file; of a link; of a wall clock. */
  | ("fill" | "lock" | "free")
  | ("silence" | "heal")
  | "set clock";

/** `free`: a disk has room, or a database is unlocked. `heal`: a link passes packets again. */
export type Fault = {
  readonly at: number;
  readonly kind: FaultKind;
  readonly target: string;
  readonly detail?: string;
};

/**
 * A time to be compared with a bound: from the return of what was away to the end of the next complete chat. `flood`:
 * how much later a first token came than on the idle platform.
 */
export type Timing = { readonly what: "redis" | "storage" | "link" | "flood"; readonly ms: number };

/** A reading of /proc for one process. */
export type Sample = {
  readonly at: number;
  readonly name: string;
  readonly pid: number;
  readonly rssKb: number;
  readonly descriptors: number;
};

export type Entry =
  | { readonly type: "transcript"; readonly value: Transcript }
  | { readonly type: "fault"; readonly value: Fault }
  | { readonly type: "timing"; readonly value: Timing }
  | { readonly type: "sample"; readonly value: Sample }
  /** A broken promise that the run itself observed, such as a process that did not stop in order. */
  | { readonly type: "incident"; readonly value: string };

export type RunRecord = { write(entry: Entry): void };

const FILE = "record.jsonl";

/** Written synchronously, so that an aborted run leaves everything it observed. */
export const openRunRecord = (dir: string): RunRecord => ({
  write: (entry) => appendFileSync(join(dir, FILE), `${JSON.stringify(entry)}\n`),
});

export async function readRunRecord(dir: string): Promise<Entry[]> {
  const text = await readFile(join(dir, FILE), "utf8");
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Entry);
}
