/**
 * What a run leaves for the checker: the clients' transcripts and the faults, one JSON line each, in the run's folder.
 * Times are milliseconds since 1970, with fractions where several processes of the machine are compared.
 */
import { appendFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** Pieces of a response as they came. */
export type Chunk = readonly [at: number, text: string];

export type Connection = {
  readonly api: string;
  /** The Last-Event-ID sent; 0 for none. */
  readonly after: number;
  readonly openedAt: number;
  /** 0: no answer. */
  status: number;
  readonly chunks: Chunk[];
  closed: "open" | "cut" | "end" | "error" | "silent";
};

/** What a question's answer must be. */
export type Expected = {
  /** The text of a completed job, without the model's stamps. */
  readonly answer: string;
  /** `any`: it depends on when the cancel came. */
  readonly status: "completed" | "failed" | "any";
  /** Words that its tool calls leave in the effects file, each once. */
  readonly once: readonly string[];
  readonly again: readonly string[];
};

export type Polled = {
  readonly status: string;
  readonly content: string | null;
  readonly errorCode: string | null;
  readonly at: number;
};

export type Transcript = {
  /** Begins the task, and so finds its row and its model calls. */
  readonly label: string;
  readonly kind: "chat" | "execute";
  readonly expected: Expected;
  /** A conversation of several messages, numbered from 1. */
  readonly turn: { readonly session: string; readonly no: number } | null;
  /** When the acceptance was heard. */
  acceptedAt: number | null;
  /** Every job id that an API has named for this question: one. */
  jobIds: string[];
  sessionId: string | null;
  /** Answers that said: not now. */
  refusals: number;
  /** An answer that was neither acceptance nor such a refusal. */
  rejected: string | null;
  readonly connections: Connection[];
  polled: Polled | null;
  cancelledAt: number | null;
};

export type Fault = {
  readonly at: number;
  readonly kind: "kill" | "pause" | "resume" | "stop" | "crash" | "start" | "reset";
  readonly target: string;
  readonly detail?: string;
};

/** How long something took, to be judged against a bound: `redis` until a chat was whole again after Redis was back. */
export type Timing = { readonly what: "redis"; readonly ms: number };

/** What /proc says of one process. */
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
  /** Something that should not have happened at all: a process that would not stop or start. */
  | { readonly type: "misfortune"; readonly value: string };

export type Record = { write(entry: Entry): void };

const FILE = "record.jsonl";

/** Written at once, so that a run that is broken off leaves what it has seen. */
export const openRecord = (dir: string): Record => ({
  write: (entry) => appendFileSync(join(dir, FILE), `${JSON.stringify(entry)}\n`),
});

export async function readRecord(dir: string): Promise<Entry[]> {
  const text = await readFile(join(dir, FILE), "utf8");
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Entry);
}
