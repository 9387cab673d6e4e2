/** A job as the wire shows it, from its row or from the queue. A field without a value is null. */

import { type Inquiry, InquirySchema } from "@agent-paas/shared/contract/inquiries.ts";
import {
  JOB_KINDS,
  JOB_STATUSES,
  JobErrorSchema,
  type JobPayload,
  JobResultSchema,
  UsageSchema,
} from "@agent-paas/shared/contract/jobs.ts";
import { resultOfRow } from "@agent-paas/shared/db/job-end.ts";
import type { InquiryRow } from "@agent-paas/shared/db/rows.ts";
import { IdSchema } from "@agent-paas/shared/ids.ts";
import { parseJson, parseObject } from "@agent-paas/shared/json/exact-json.ts";
import { z } from "zod";
import { type FoundJob, statusOf } from "../../jobs/find-job.ts";
import type { ListedJob } from "../../storage/job-reader.ts";
import { BASE_PATH } from "./base-path.ts";
import { JOB_ID, SESSION_ID, TIME, USAGE } from "./examples.ts";

export const jobLinks = (id: string): JobLinks => ({
  self: `${BASE_PATH}/jobs/${id}`,
  events: `${BASE_PATH}/jobs/${id}/events`,
  cancel: `${BASE_PATH}/jobs/${id}/cancel`,
});

const JOB = {
  ...{ id: JOB_ID, kind: "execute", agent_type: "chat_basic", session_id: null, status: "completed", attempt: 1 },
  waiting_for: [],
  ...{ queue_position: null, progress: null, result: { content: "All is well.", finish_reason: "stop" }, error: null },
  ...{ usage: USAGE, metadata: {}, created_at: TIME, started_at: TIME, finished_at: TIME, links: jobLinks(JOB_ID) },
};

export const JobLinksSchema = z.object({ self: z.string(), events: z.string(), cancel: z.string() });
type JobLinks = z.infer<typeof JobLinksSchema>;

export const JobStatusSchema = z.enum(JOB_STATUSES);

const [approval, input] = InquirySchema.options;
const asked = { request_id: z.string(), expires_at: z.iso.datetime() };

export const InquiryViewSchema = z
  .discriminatedUnion("type", [approval.extend(asked), input.extend(asked)])
  .meta({ id: "Inquiry", description: "What a person must decide before the job goes on." });
export type InquiryView = z.infer<typeof InquiryViewSchema>;

export const JobViewSchema = z
  .object({
    id: IdSchema,
    kind: z.enum(JOB_KINDS),
    agent_type: z.string().describe("The agent; or a system job, which contains a dot."),
    session_id: IdSchema.nullable(),
    status: JobStatusSchema,
    attempt: z.int().nullable().describe("How often the agent was started; null before the first time."),
    waiting_for: z.array(InquiryViewSchema),
    queue_position: z.int().nullable().describe("How many jobs are ahead of it in its queue, while it waits."),
    progress: z.unknown().describe("What the agent said last of its progress, while it runs."),
    result: JobResultSchema.nullable(),
    error: JobErrorSchema.nullable(),
    usage: UsageSchema.nullable(),
    metadata: z.record(z.string(), z.unknown()).describe("What the request attached to the job."),
    created_at: z.iso.datetime(),
    started_at: z.iso.datetime().nullable(),
    finished_at: z.iso.datetime().nullable(),
    links: JobLinksSchema,
  })
  .meta({ id: "Job", description: "A job. A field without a value is null.", examples: [JOB] });
export type JobView = z.infer<typeof JobViewSchema>;

/** Of a job that is accepted, or goes on. */
export const AcceptedJobSchema = z
  .object({ job_id: IdSchema, status: JobStatusSchema, links: JobLinksSchema })
  .meta({ id: "AcceptedJob", examples: [{ job_id: JOB_ID, status: "queued", links: jobLinks(JOB_ID) }] });

/** The same of a job of an agent, which may belong to a session. */
export const AcceptedAgentJobSchema = AcceptedJobSchema.extend({ session_id: IdSchema.nullable() }).meta({
  id: "AcceptedAgentJob",
  examples: [{ job_id: JOB_ID, session_id: SESSION_ID, status: "queued", links: jobLinks(JOB_ID) }],
});

export const viewOf = (job: FoundJob<ListedJob>, progress: unknown): JobView =>
  job.in === "queue"
    ? viewOfQueued(job.payload, job.position)
    : {
        ...viewOfRow(job.row, progress),
        status: statusOf(job),
        waiting_for: job.waitingFor.map(viewOfInquiry),
        queue_position: job.waits === null ? null : job.waits.position,
      };

export const viewOfInquiry = ({ request_id, inquiry, expires_at }: InquiryRow): InquiryView => ({
  ...(parseJson(inquiry) as Inquiry),
  ...{ request_id, expires_at },
});

export const viewOfRow = (row: ListedJob, progress: unknown): JobView => ({
  id: row.id,
  kind: row.kind,
  agent_type: row.agent_type,
  session_id: row.session_id,
  status: row.status,
  attempt: row.attempts,
  waiting_for: [],
  queue_position: null,
  progress,
  result: row.result === null ? null : resultOfRow(row),
  error: row.error_code === null ? null : { code: row.error_code, message: row.error_message ?? "" },
  usage: row.usage === null ? null : JSON.parse(row.usage),
  // The column is missing until a worker of this version has migrated the database.
  metadata: parseObject(row.metadata ?? "{}"),
  created_at: row.created_at,
  started_at: row.started_at,
  finished_at: row.finished_at,
  links: jobLinks(row.id),
});

const viewOfQueued = (payload: JobPayload, position: number | null): JobView => ({
  id: payload.job_id,
  kind: payload.kind,
  agent_type: payload.agent_type,
  session_id: payload.session_id,
  status: "queued",
  attempt: null,
  waiting_for: [],
  queue_position: position,
  progress: null,
  result: null,
  error: null,
  usage: null,
  metadata: payload.metadata,
  created_at: payload.accepted_at,
  started_at: null,
  finished_at: null,
  links: jobLinks(payload.job_id),
});
