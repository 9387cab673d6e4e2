/**
 * The events of a job, and their codec. One event is one SSE frame, which the worker encodes once. The same bytes go
 * to the event log, to publish/subscribe and to the client's socket; no part of the platform encodes them a second
 * time.
 *
 * Every event has a `seq`, the `id` of its frame: a positive integer that rises within a job; an attempt may skip
 * numbers when it starts. A batch is one or more whole frames with consecutive `seq`. Its bounds are read from the
 * bytes themselves: every line break is escaped, so `\n\nid: ` can only be the boundary between two frames.
 */

import { z } from "zod";
import { ERROR_CODES, type ErrorCode } from "../errors/codes.ts";
import { IdSchema } from "../ids.ts";
import { parseJson } from "../json/exact-json.ts";
import { wellFormedJson } from "../text.ts";
import { type ClientCall, ClientCallSchema } from "./client-tools.ts";
import {
  type Citation,
  CitationSchema,
  FinishReasonSchema,
  type JobError,
  JobErrorSchema,
  TERMINAL_STATUSES,
  type TerminalStatus,
  type Usage,
  UsageSchema,
} from "./jobs.ts";

export const THOUGHT_TYPES = [
  /** A text about what the job does now, or how its answer ended: then with `finish_reason`. */
  "status",
  /** A piece of the model's reasoning. */
  "reasoning",
  /**
   * The model calls a tool: `call_id`, `name`, `arguments`. With `client: true` the client is to make the call, and
   * `arguments` is the whole text that the model wrote, as in the job's result.
   */
  "tool_call",
  /** A tool call has ended: `call_id`, `name`, `status`, `result`, `replayed`, `duration_ms`. */
  "tool_result",
  /** One passage that was found: the fields of a `Citation`. */
  "retrieval",
  /** A step of a plan has changed: `step`, `agent`, `status`. */
  "delegate",
  /**
   * A tool call waits for a person: `request_id`, `tool`, `arguments`, `expires_at`, and `more`: how many inquiries
   * follow at once, after which the job waits.
   */
  "approval_required",
  /** The agent waits for an answer of a person: `request_id`, `question`, `schema`, `expires_at`, `more`. */
  "input_required",
  /** The job waits in its session's queue: `position` is the number of jobs ahead of it. */
  "queued",
  /** How far the job is: `progress`, from 0 to 1. */
  "progress",
  /** A further attempt begins: `attempt`, from 1; `resumed`: true if it goes on with what people have decided. */
  "retry",
  /** A model failed before its first token, and another is asked: `model`, `instead_of`, `code`. */
  "fallback",
] as const;
export type ThoughtType = (typeof THOUGHT_TYPES)[number];

export const ThoughtEventSchema = z
  .object({
    event: z.literal("thought"),
    data: z.looseObject({ content: z.string().describe("A text for people."), type: z.enum(THOUGHT_TYPES) }),
  })
  .describe("The progress of a job, beside its answer. The type decides which further fields there are.");
export type ThoughtEvent = z.infer<typeof ThoughtEventSchema>;

export const MessageEventSchema = z
  .object({ event: z.literal("message"), data: z.object({ content: z.string(), type: z.enum(["text", "reset"]) }) })
  .describe(
    "The answer. Clients append the `content` of type `text` to what they show. On type `reset` they discard what they" +
      " show and show `content` instead: it is empty when a new attempt starts over, and the whole text when an agent" +
      " corrects its answer or an ended job is replayed from the database.",
  );
export type MessageEvent = z.infer<typeof MessageEventSchema>;

export const ErrorEventSchema = z
  .object({
    event: z.literal("error"),
    data: JobErrorSchema.extend({ retryable: z.boolean().describe("Whether the same request may succeed later.") }),
  })
  .describe("Why a job failed; `done` follows.");
export type ErrorEvent = z.infer<typeof ErrorEventSchema>;

export const DoneEventSchema = z
  .object({
    event: z.literal("done"),
    data: z.object({
      session_id: IdSchema.nullable().describe("Null for a job outside any session."),
      job_id: IdSchema,
      status: z.enum(TERMINAL_STATUSES),
      usage: UsageSchema.nullable().describe("Null if none was recorded."),
      finish_reason: FinishReasonSchema.nullable()
        .optional()
        .describe("Null if no model turn has ended. Absent where a former version ended the job."),
      citations: z.array(CitationSchema).readonly().optional().describe("Absent if the agent returned none."),
      tool_calls: z.array(ClientCallSchema).readonly().optional().describe("The calls that the client is to make."),
      data: z.unknown().optional().describe("What the agent returned beside the text. Absent if it returned nothing."),
    }),
  })
  .describe("The last event of every job, published exactly once.");
export type DoneEvent = z.infer<typeof DoneEventSchema>;

export const JOB_EVENTS = [ThoughtEventSchema, MessageEventSchema, ErrorEventSchema, DoneEventSchema] as const;
export type JobEvent = z.infer<(typeof JOB_EVENTS)[number]>;

/** How a job ended, as its terminal events report it. */
export type JobEnd = {
  readonly job_id: string;
  readonly session_id: string | null;
  readonly status: TerminalStatus;
  readonly usage: Usage | null;
  readonly finish_reason: string | null;
  /** Why the job failed; null if it completed or was cancelled. */
  readonly error: JobError | null;
  readonly citations: readonly Citation[] | null;
  readonly tool_calls: readonly ClientCall[] | null;
  /** What the agent returned beside the text. Default: nothing. */
  readonly data?: unknown;
};

/** The terminal events of a job: `done`, preceded by an `error` if the job failed. */
export function terminalEvents({ error, citations, tool_calls, data, ...end }: JobEnd): JobEvent[] {
  const { session_id, job_id, status, usage, finish_reason } = end;
  const more = {
    ...(citations === null ? {} : { citations }),
    ...(tool_calls === null ? {} : { tool_calls }),
    ...(data === undefined ? {} : { data }),
  };
  const done: JobEvent = { event: "done", data: { session_id, job_id, status, usage, finish_reason, ...more } };
  if (error === null) return [done];
  const retryable = ERROR_CODES[error.code as ErrorCode]?.retryable ?? false;
  return [{ event: "error", data: { code: error.code, message: error.message, retryable } }, done];
}

/** The `seq` of a batch's first and last event, and whether the last event is `done`. */
export type BatchBounds = { readonly first: number; readonly last: number; readonly terminal: boolean };

export type DecodedEvent = { readonly seq: number } & JobEvent;

const ID = "id: ";
const FRAME_BOUNDARY = Buffer.from(`\n\n${ID}`);
const DONE = Buffer.from("\nevent: done\n");

/** Encodes one event as the SSE frame that every client of its job will receive. */
export function encodeEvent(seq: number, { event, data }: JobEvent): string {
  return `${ID}${seq}\nevent: ${event}\ndata: ${escapeLineEnds(wellFormedJson(JSON.stringify(data)))}\n\n`;
}

/** What is to stand on one line of a frame. */
export const frameJson = (value: unknown): string => escapeLineEnds(JSON.stringify(value));

/** Readers that split a stream at Unicode's line ends, and not only at those of SSE, would lose the event. */
const LINE_ENDS = /[\u0085\u2028\u2029]/;
const escapeLineEnds = (json: string): string =>
  LINE_ENDS.test(json)
    ? json.replace(/[\u0085\u2028\u2029]/g, (end) => `\\u${end.charCodeAt(0).toString(16).padStart(4, "0")}`)
    : json;

/** Reads the bounds of a batch without decoding its events. */
export function readBounds(batch: Buffer): BatchBounds {
  const boundary = batch.lastIndexOf(FRAME_BOUNDARY);
  const lastFrame = boundary === -1 ? 0 : boundary + 2;
  const last = readSeq(batch, lastFrame);
  const terminal = batch.indexOf(DONE, lastFrame) === batch.indexOf(0x0a, lastFrame);
  return { first: boundary === -1 ? last : readSeq(batch, 0), last, terminal };
}

/**
 * Returns the part of a batch whose events come after `seq`; it shares the batch's memory. At least one event of the
 * batch must come after `seq`.
 */
export function sliceAfter(batch: Buffer, seq: number): Buffer {
  let frame = 0;
  while (readSeq(batch, frame) <= seq) frame = batch.indexOf(FRAME_BOUNDARY, frame) + 2;
  return batch.subarray(frame);
}

/** Decodes the events of a batch, for readers that need values instead of bytes. */
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
        data: parseJson(data.slice("data: ".length)),
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
