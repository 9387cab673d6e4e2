/**
 * The contract on jobs between the API and the workers: kinds, states, results, and one payload schema per queue. The
 * API adds payloads of the schema's type, and the worker parses each payload with the schema, so a disagreement is an
 * error and not a wrong result.
 */
import { z } from "zod";
import { IdSchema } from "../ids.ts";
import { DAY, SECOND } from "../time.ts";
import { ClientCallSchema, ClientToolSchema, ToolChoiceSchema, ToolResultSchema } from "./client-tools.ts";
import { GivenMessageSchema } from "./given-messages.ts";
import { LimitsSchema } from "./limits.ts";
import { LOCALES, LocaleSchema } from "./locale.ts";
import { CheckedPartsSchema } from "./message-parts.ts";

/** A `chat` answers a message, of a session or of none; an `execute` job runs an agent, or a system job, on a task. */
export const JOB_KINDS = ["chat", "execute"] as const;
export type JobKind = (typeof JOB_KINDS)[number];

/**
 * The queues of jobs. System jobs have one of their own, and so slots of their own: a search must not stand behind the
 * hours of agents.
 */
export const JOB_QUEUES = [...JOB_KINDS, "knowledge"] as const;
export type JobQueue = (typeof JOB_QUEUES)[number];

/** The queue of a job. Only the ids of system jobs contain a dot. */
export const queueOf = ({ kind, agent_type }: { readonly kind: JobKind; readonly agent_type: string }): JobQueue =>
  agent_type.includes(".") ? "knowledge" : kind;

/**
 * `queued`: no attempt has started, or a worker has requeued the job and it waits for another one. `running`: a
 * worker has the job, or will have it again after the delay of a retry. `waiting`: the job is suspended until a person
 * has decided, and no worker has it (I11). The row of a job that waits or is queued again still says running; its
 * suspension or its queue tells the difference.
 */
export const JOB_STATUSES = ["queued", "running", "waiting", "completed", "failed", "cancelled"] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

/** A job keeps its first terminal status for ever. */
export const TERMINAL_STATUSES = ["completed", "failed", "cancelled"] as const satisfies readonly JobStatus[];
export type TerminalStatus = (typeof TERMINAL_STATUSES)[number];

export const isTerminal = (status: JobStatus): status is TerminalStatus =>
  (TERMINAL_STATUSES as readonly JobStatus[]).includes(status);

export const TokenCountsSchema = z.object({
  input_tokens: z.number(),
  output_tokens: z.number(),
  total_tokens: z.number(),
});
export type TokenCounts = Readonly<z.infer<typeof TokenCountsSchema>>;

export const UsageSchema = TokenCountsSchema.extend({
  models: z
    .record(z.string(), TokenCountsSchema)
    .readonly()
    .optional()
    .describe("By the name of the model that answered: its part. Absent: no turn has ended that says who answered."),
}).meta({ id: "Usage", description: "Tokens of all model turns of a job, over all its attempts and children." });
export type Usage = Readonly<z.infer<typeof UsageSchema>>;

export const NO_USAGE: Usage = { input_tokens: 0, output_tokens: 0, total_tokens: 0 };

/**
 * How long Redis keeps the state and the event log of a job that has not ended, s. It must exceed any wait for a
 * worker, a retry or a restart. The terminal event replaces it by `EVENT_LOG_TTL_SECONDS`.
 */
export const UNENDED_JOB_TTL_SECONDS = (7 * DAY) / SECOND;

/**
 * How long a queue keeps a job that failed in the queue, s. Jobs that a processor has finalized leave their queue at
 * once; the database has them.
 */
export const FAILED_JOB_TTL_SECONDS = DAY / SECOND;

/** Why a job failed. */
export const JobErrorSchema = z.object({
  code: z.string().describe("A code of the table of errors, or one of another version."),
  message: z.string().describe("A text for people."),
});
export type JobError = Readonly<z.infer<typeof JobErrorSchema>>;

export const CitationSchema = z
  .object({
    marker: z.string().describe("How the answer's text refers to the passage: `[1]`."),
    collection: z
      .string()
      .optional()
      .describe("The collection that was searched. Absent where a former version cited."),
    document_id: z.string(),
    position: z.int().optional().describe("Index of the passage's chunk within the document, from 0. Absent likewise."),
    source: z.string().describe("The name of the document, as it was stored."),
    heading: z.string().describe("The headings above the passage, outermost first, joined by ` › `; or empty."),
    score: z.number().describe("How well the passage answers the query, 0 to 1."),
    excerpt: z.string().describe("The beginning of the passage."),
  })
  .meta({ id: "Citation", description: "A passage that an answer refers to." });
export type Citation = Readonly<z.infer<typeof CitationSchema>>;

export const FinishReasonSchema = z
  .string()
  .describe(
    "How the model turn ended that the answer ends with: `stop`; `tool_calls` if it calls tools of the client;" +
      " `length`, `content_filter` or `refusal` for an answer that is not what it might have been; or another value of" +
      " the provider's.",
  );

/** A partial result has the same shape. */
export const JobResultSchema = z
  .object({
    content: z.string().describe("The text of the answer."),
    finish_reason: FinishReasonSchema.optional(),
    data: z.unknown().optional().describe("What the agent returned beside the text."),
    citations: z.array(CitationSchema).readonly().optional(),
    tool_calls: z.array(ClientCallSchema).readonly().optional().describe("The calls that the client is to make."),
  })
  .meta({ id: "JobResult", description: "The answer, or the part of it that a job has which did not complete." });
export type JobResult = Readonly<z.infer<typeof JobResultSchema>>;

const JsonObject = z.record(z.string(), z.unknown());

/** The fields of a payload that a request may make large. */
export const SIZEABLE_FIELDS = [
  ...(["text", "parts", "input", "config", "limits", "metadata", "history"] as const),
  ...(["tools", "tool_choice", "tool_results", "request"] as const),
] as const;
export type SizeableField = (typeof SIZEABLE_FIELDS)[number];

/** Where they begin. Those of jobs that were accepted later stay. */
const ReplacedSchema = z.union([
  z.object({ from_ordinal: z.int() }),
  /** Behind the last message of the job, and those of `replaces`. */
  z.object({ behind_job: IdSchema }),
]);
export type Replaced = z.infer<typeof ReplacedSchema>;

/**
 * Everything that a worker needs to run a job. The API writes no row, so a worker has nothing else to read it from. The
 * schema ignores unknown fields: during an upgrade, workers of the old version receive payloads of the new API.
 */
export const JobPayloadSchema = z.object({
  job_id: IdSchema,
  kind: z.enum(JOB_KINDS),
  /** The name of the API key that owns the job and everything that the job creates (I8). */
  owner: z.string().min(1),
  /** The id of an agent, or of a system job, which contains a dot. */
  agent_type: z.string().min(1),
  /** Null for a job outside any session. */
  session_id: IdSchema.nullable(),
  /** True if the session was created with this job, so that no other job of it can be ahead (I6). Default: false. */
  begins_session: z.boolean().optional(),
  /** The message of a chat, or the task of an execute job. */
  text: z.string(),
  /** The message as it came, if it came as parts; their texts are `text`. */
  parts: CheckedPartsSchema.optional(),
  /** The `input` of an execute job, as parsed JSON. */
  input: z.unknown().optional(),
  /** What stands before the messages of the session, and of a job without one, before its own. Default: none. */
  history: z.array(GivenMessageSchema).optional(),
  /** The tools that the client runs. Default: none. */
  tools: z.array(ClientToolSchema).optional(),
  tool_choice: ToolChoiceSchema.optional(),
  /** Results of the calls with which an earlier job of the session ended; then `text` may be empty. */
  tool_results: z.array(ToolResultSchema).optional(),
  /** The messages of the session that leave it when the job's turn starts. Default: none, or those of `replaces`. */
  replaced: ReplacedSchema.optional(),
  /** The jobs of these messages, as far as the API knew them; all that workers of former versions read. */
  replaces: z.array(IdSchema).optional(),
  /** The agent's config: the session's, overridden by the request's. The agent's schema fills in defaults. */
  config: JsonObject,
  /** The request's own limits. Default: none; payloads of APIs before limits existed have no such field. */
  limits: LimitsSchema.strip().default({}),
  /** What the client attached to the request. The platform keeps it with the job, the message and the session. */
  metadata: JsonObject,
  /** What the door keeps of the request beside all this, to show it again. Default: nothing. */
  request: JsonObject.optional(),
  /** The language of status texts. */
  locale: LocaleSchema,
  /** The id of the request that created the job, for the logs. */
  request_id: z.string(),
  /** W3C Trace Context of the request, with which the worker continues the trace. Absent if the request had none. */
  traceparent: z.string().optional(),
  /** When the API accepted the job, ISO 8601. */
  accepted_at: z.iso.datetime(),
  /** The large fields: Redis keeps them under a key of their own, and the queue's entry lacks them. Default: none. */
  large_fields: z.array(z.enum(SIZEABLE_FIELDS)).optional(),
});
export type JobPayload = z.infer<typeof JobPayloadSchema>;

/**
 * What a worker keeps of an execute job beside its row and its parts, to run it again: the same request once more. Of a
 * system job it keeps nothing, nor of one that brought results of the client's calls, which no second job can.
 */
export const JobInputsSchema = JobPayloadSchema.pick({
  ...({ begins_session: true, input: true, history: true, tools: true, tool_choice: true } as const),
  ...({ config: true, limits: true } as const),
});
export type JobInputs = z.infer<typeof JobInputsSchema>;

/** A payload as its queue has it: neutral values stand for its large fields. */
export const QueuedPayloadSchema = JobPayloadSchema.extend({
  text: z.string().default(""),
  config: JsonObject.default({}),
  metadata: JsonObject.default({}),
});

/**
 * The part of a payload that finalizing its job needs. It replaces other fields that cannot be read by neutral
 * values, so that a job with a broken payload still gets a terminal state.
 */
export const SalvagedPayloadSchema = JobPayloadSchema.extend({
  agent_type: z.string().catch("unknown"),
  text: z.string().catch(""),
  parts: CheckedPartsSchema.optional().catch(undefined),
  history: z.array(GivenMessageSchema).optional().catch(undefined),
  replaced: ReplacedSchema.optional().catch(undefined),
  replaces: z.array(IdSchema).optional().catch(undefined),
  tools: z.array(ClientToolSchema).optional().catch(undefined),
  tool_choice: ToolChoiceSchema.optional().catch(undefined),
  tool_results: z.array(ToolResultSchema).optional().catch(undefined),
  config: JsonObject.catch({}),
  limits: LimitsSchema.catch({}),
  metadata: JsonObject.catch({}),
  request: JsonObject.optional().catch(undefined),
  locale: LocaleSchema.catch(LOCALES[0]),
  request_id: z.string().catch(""),
  traceparent: z.string().optional().catch(undefined),
  accepted_at: z.iso.datetime().catch(() => new Date().toISOString()),
  large_fields: z.array(z.enum(SIZEABLE_FIELDS)).optional().catch(undefined),
});

/** The queue of maintenance actions: deletions, retention, and finalizations of jobs that no worker runs. */
export const MAINTENANCE_QUEUE = "maintenance";

const MaintenanceActionSchema = z.discriminatedUnion("action", [
  /** Finalize a cancelled job that no worker runs, without waiting until a worker takes it from its queue. */
  z.object({ action: z.literal("end_cancelled_job"), job_id: IdSchema, queue: z.enum(JOB_QUEUES) }),
  /** Finalize a job that failed in the queue without its processor having finalized it. */
  z.object({ action: z.literal("end_failed_job"), job_id: IdSchema, queue: z.enum(JOB_QUEUES) }),
  /** Look at the decisions of a suspended job; if all are made, the job goes on. */
  z.object({ action: z.literal("resume_job"), job_id: IdSchema }),
  /** Delete a session with its messages and jobs; then publish `done` in the event log of `receipt_id`. */
  z.object({
    action: z.literal("delete_session"),
    session_id: IdSchema,
    owner: z.string().min(1),
    receipt_id: IdSchema,
  }),
  /** Give a session its title; then publish `done` in the event log of `receipt_id`. */
  z.object({
    action: z.literal("rename_session"),
    session_id: IdSchema,
    owner: z.string().min(1),
    title: z.string(),
    /** The columns of a session whose row may not be written yet. */
    pending: z
      .object({ agent_type: z.string(), config: z.string(), metadata: z.string(), created_at: z.iso.datetime() })
      .optional(),
    receipt_id: IdSchema,
  }),
  /** Delete what is older than the settings allow. */
  z.object({ action: z.literal("apply_retention") }),
]);
export type MaintenancePayload = z.infer<typeof MaintenanceActionSchema>;

/**
 * Also accepts the payloads of version 0.1.0, which may still be in the queue: they call the action `task`, and a queue
 * had the name of its kind of jobs.
 */
export const MaintenancePayloadSchema = z.preprocess((payload) => {
  if (typeof payload !== "object" || payload === null) return payload;
  const { task, kind, ...others } = payload as { readonly task?: unknown; readonly kind?: unknown };
  return { ...(task !== undefined && { action: task }), ...(kind !== undefined && { queue: kind }), ...others };
}, MaintenanceActionSchema);
