/**
 * The event codec: one event is one SSE frame, encoded once by the worker. The same bytes go to the event log, to
 * publish/subscribe and to the client's socket; nobody parses and encodes them again on the way.
 *
 * A batch is one or more whole frames with consecutive `seq`. Its bounds are read from the bytes themselves: JSON
 * escapes every line break, so `\n\nid: ` can only be the seam between two frames.
 */
import { ERROR_CODES, type ErrorCode } from "../errors/codes.ts";
import type { Citation, JobError, TerminalStatus, Usage } from "./jobs.ts";

export type ThoughtType =
  | "status"
  | "reasoning"
  | "tool_call"
  | "tool_result"
  | "retrieval"
  | "delegate"
  | "queued"
  | "progress"
  | "retry";

export type ThoughtEvent = {
  readonly event: "thought";
  readonly data: { readonly content: string; readonly type: ThoughtType; readonly [extra: string]: unknown };
};

/**
 * `text` is to be appended to the answer. `reset` replaces all that was shown of it by `content`: empty when a new
 * attempt starts over, the whole text when a finished job is replayed from the database.
 */
export type MessageEvent = {
  readonly event: "message";
  readonly data: { readonly content: string; readonly type: "text" | "reset" };
};

export type ErrorEvent = {
  readonly event: "error";
  readonly data: { readonly code: string; readonly message: string; readonly retryable: boolean };
};

/** The end of every stream, exactly once (I1). */
export type DoneEvent = {
  readonly event: "done";
  readonly data: {
    readonly session_id: string | null;
    readonly job_id: string;
    readonly status: TerminalStatus;
    readonly usage: Usage | null;
    readonly citations?: readonly Citation[];
  };
};

export type JobEvent = ThoughtEvent | MessageEvent | ErrorEvent | DoneEvent;

export type JobEnd = {
  readonly job_id: string;
  readonly session_id: string | null;
  readonly status: TerminalStatus;
  readonly usage: Usage | null;
  /** Why it failed; null for the other ends. */
  readonly error: JobError | null;
  readonly citations: readonly Citation[] | null;
};

/** The last events of a job: `done`, after an `error` if there is one. */
export function endEvents({ job_id, session_id, status, usage, error, citations }: JobEnd): JobEvent[] {
  const data = { session_id, job_id, status, usage };
  const done: JobEvent = { event: "done", data: citations === null ? data : { ...data, citations } };
  if (error === null) return [done];
  const retryable = ERROR_CODES[error.code as ErrorCode]?.retryable ?? false;
  return [{ event: "error", data: { code: error.code, message: error.message, retryable } }, done];
}

/** What a batch says of itself: the `seq` of its first and last event, and whether the last one is `done`. */
export type BatchBounds = { readonly first: number; readonly last: number; readonly terminal: boolean };

export type DecodedEvent = { readonly seq: number } & JobEvent;

const ID = "id: ";
const SEAM = Buffer.from(`\n\n${ID}`);
const DONE = Buffer.from("\nevent: done\n");

/** Encodes one event as the SSE frame that every client of its job will receive. */
export function encodeEvent(seq: number, { event, data }: JobEvent): string {
  return `${ID}${seq}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Reads the bounds of a batch without decoding its events. */
export function readBounds(batch: Buffer): BatchBounds {
  const seam = batch.lastIndexOf(SEAM);
  const lastFrame = seam === -1 ? 0 : seam + 2;
  const last = readSeq(batch, lastFrame);
  const terminal = batch.indexOf(DONE, lastFrame) === batch.indexOf(0x0a, lastFrame);
  return { first: seam === -1 ? last : readSeq(batch, 0), last, terminal };
}

/** The part of a batch whose events come after `seq`; shares the batch's memory. Expects `seq` to be inside it. */
export function sliceAfter(batch: Buffer, seq: number): Buffer {
  let frame = 0;
  while (readSeq(batch, frame) <= seq) frame = batch.indexOf(SEAM, frame) + 2;
  return batch.subarray(frame);
}

/** Decodes the events of a batch, for readers that want values and not bytes. */
export function decodeEvents(batch: Buffer): DecodedEvent[] {
  return batch
    .toString()
    .split("\n\n")
    .filter((frame) => frame !== "")
    .map((frame) => {
      const [id = "", event = "", data = ""] = frame.split("\n");
      return {
        seq: Number(id.slice(ID.length)),
        event: event.slice("event: ".length),
        data: JSON.parse(data.slice("data: ".length)),
      } as DecodedEvent;
    });
}

function readSeq(batch: Buffer, frame: number): number {
  let seq = 0;
  for (let at = frame + ID.length; ; at++) {
    const digit = (batch[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return seq;
    seq = seq * 10 + digit;
  }
}
