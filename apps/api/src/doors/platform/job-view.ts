/** A job as the wire shows it, from its row or from the queue. A field without a value is null. */

import type { Inquiry } from "@agent-paas/shared/contract/inquiries.ts";
import type { JobKind, JobPayload, JobResult, JobStatus, Usage } from "@agent-paas/shared/contract/jobs.ts";
import { resultOfRow } from "@agent-paas/shared/db/job-end.ts";
import type { InquiryRow } from "@agent-paas/shared/db/rows.ts";
import { parseJson, parseObject } from "@agent-paas/shared/json/exact-json.ts";
import { type FoundJob, statusOf } from "../../jobs/find-job.ts";
import type { ListedJob } from "../../storage/job-reader.ts";
import { BASE_PATH } from "./base-path.ts";

export type JobView = {
  readonly id: string;
  readonly kind: JobKind;
  readonly agent_type: string;
  readonly session_id: string | null;
  readonly status: JobStatus;
  readonly attempt: number | null;
  readonly waiting_for: readonly InquiryView[];
  readonly queue_position: number | null;
  readonly progress: unknown;
  readonly result: JobResult | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly usage: Usage | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  readonly links: JobLinks;
};

/** What people must decide before the job goes on: an approval has `tool` and `arguments`, an input `question`. */
export type InquiryView = Inquiry & { readonly request_id: string; readonly expires_at: string };

export type JobLinks = { readonly self: string; readonly events: string; readonly cancel: string };

export const jobLinks = (id: string): JobLinks => ({
  self: `${BASE_PATH}/jobs/${id}`,
  events: `${BASE_PATH}/jobs/${id}/events`,
  cancel: `${BASE_PATH}/jobs/${id}/cancel`,
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
