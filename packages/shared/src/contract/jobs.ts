/**
 * What the API and the workers must agree on about jobs. The payload map is closed: one queue, one schema. The API
 * types what it adds by it, the worker parses what it takes with it, so the two cannot drift apart unseen.
 */
import { z } from "zod";
import { IdSchema } from "../ids.ts";
import { DAY, SECOND } from "../time.ts";
import { LimitsSchema } from "./limits.ts";
import { LOCALES, LocaleSchema } from "./locale.ts";

export const JOB_KINDS = ["chat", "execute"] as const;
export type JobKind = (typeof JOB_KINDS)[number];

export const JOB_STATUSES = ["queued", "running", "completed", "failed", "cancelled"] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

/** A terminal status is write-once. */
export const TERMINAL_STATUSES = ["completed", "failed", "cancelled"] as const satisfies readonly JobStatus[];
export type TerminalStatus = (typeof TERMINAL_STATUSES)[number];

export const isTerminal = (status: JobStatus): status is TerminalStatus =>
  (TERMINAL_STATUSES as readonly JobStatus[]).includes(status);

export type Usage = { readonly input_tokens: number; readonly output_tokens: number; readonly total_tokens: number };

export const NO_USAGE: Usage = { input_tokens: 0, output_tokens: 0, total_tokens: 0 };

/**
 * How long Redis keeps the state and the log of a job that has not ended, s: beyond any wait for a worker, a retry or a
 * restart. Only the end sets the short expiry of the log.
 */
export const UNENDED_JOB_TTL_SECONDS = (7 * DAY) / SECOND;

/** How long the queues keep jobs that have failed there, s. Those that have ended in order are in the database, and in no queue. */
export const FAILED_JOB_TTL_SECONDS = DAY / SECOND;

export type JobError = { readonly code: string; readonly message: string };

/** A passage that an answer rests on. `marker` is how the answer's text refers to it: `[1]`. */
export type Citation = {
  readonly marker: string;
  readonly document_id: string;
  readonly source: string;
  readonly heading: string;
  readonly score: number;
  readonly excerpt: string;
};

/** `content` is the text of the answer; `data` what an agent returns beside it, if anything. */
export type JobResult = {
  readonly content: string;
  readonly data?: unknown;
  readonly citations?: readonly Citation[];
};

const JsonObject = z.record(z.string(), z.unknown());

/**
 * Everything a worker needs to run a job: there is no row to look up, the API writes none. Not strict: while a newer
 * API is rolled out, older workers pass over the fields that they do not know.
 */
export const JobPayloadSchema = z.object({
  job_id: IdSchema,
  kind: z.enum(JOB_KINDS),
  /** The name of the API key that owns the job and everything it makes (I8). */
  owner: z.string().min(1),
  agent_type: z.string().min(1),
  /** Null for an execute job outside any session. */
  session_id: IdSchema.nullable(),
  /** The session was made with the job, so nothing can come before it (I6). */
  begins_session: z.boolean().optional(),
  /** The chat message, or the task of an execute job. */
  text: z.string(),
  /** The `input` of an execute job. */
  input: z.unknown().optional(),
  /** As the request gave it; an absent key falls back to the session's config, then to the agent's default. */
  config: JsonObject,
  /** Absent in what an API of an earlier version accepted. */
  limits: LimitsSchema.strip().default({}),
  metadata: JsonObject,
  locale: LocaleSchema,
  request_id: z.string(),
  /** W3C Trace Context of the request, so that a trace goes on in the worker. */
  traceparent: z.string().optional(),
  /** When the API accepted the job, ISO 8601. */
  accepted_at: z.iso.datetime(),
});
export type JobPayload = z.infer<typeof JobPayloadSchema>;

/** As much of a payload as it takes to end its job, for one that cannot be read whole. */
export const SalvagedPayloadSchema = JobPayloadSchema.extend({
  agent_type: z.string().catch("unknown"),
  text: z.string().catch(""),
  config: JsonObject.catch({}),
  limits: LimitsSchema.catch({}),
  metadata: JsonObject.catch({}),
  locale: LocaleSchema.catch(LOCALES[0]),
  request_id: z.string().catch(""),
  traceparent: z.string().optional().catch(undefined),
  accepted_at: z.iso.datetime().catch(() => new Date().toISOString()),
});

/** The queue of deletions, of retention, and of finalizations that no running job can do itself. */
export const MAINTENANCE_QUEUE = "maintenance";

const MaintenanceActionSchema = z.discriminatedUnion("action", [
  /** Finalize a cancelled job that no worker runs, without waiting for its place in the queue. */
  z.object({ action: z.literal("end_cancelled_job"), job_id: IdSchema, kind: z.enum(JOB_KINDS) }),
  /** Finalize a job that failed in the queue without its processor having finalized it. */
  z.object({ action: z.literal("end_failed_job"), job_id: IdSchema, kind: z.enum(JOB_KINDS) }),
  /** Delete a session with its messages and jobs; `receipt_id` names the event log in which its `done` will appear. */
  z.object({
    action: z.literal("delete_session"),
    session_id: IdSchema,
    owner: z.string().min(1),
    receipt_id: IdSchema,
  }),
  /** Delete what is older than the settings allow. */
  z.object({ action: z.literal("apply_retention") }),
]);
export type MaintenancePayload = z.infer<typeof MaintenanceActionSchema>;

/** Version 0.1.0 called the action `task`; its payloads may still be in the queue after an upgrade. */
export const MaintenancePayloadSchema = z.preprocess((payload) => {
  if (typeof payload !== "object" || payload === null || !("task" in payload)) return payload;
  const { task, ...others } = payload;
  return { action: task, ...others };
}, MaintenanceActionSchema);
