/** What the knowledge routes share: find what is named, accept a task as a job, wait for its end. */
import type { JobPayload, JobStatus } from "@agent-paas/shared/contract/jobs.ts";
import {
  CollectionNameSchema,
  type KnowledgeInput,
  type KnowledgeJobId,
} from "@agent-paas/shared/contract/knowledge.ts";
import type { CollectionRow, JobRow } from "@agent-paas/shared/db/rows.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import type { Request, Response } from "express";
import { jobError } from "../../http/error-handler.ts";
import type { Caller } from "../../http/route.ts";
import { validate } from "../../http/validate.ts";
import { localeOf } from "../../jobs/accept-job.ts";
import { endedRowFinder, findJob, statusOf } from "../../jobs/find-job.ts";
import type { Accepted, Idempotency } from "../../queue/job-producer.ts";
import type { Services } from "../../services.ts";
import { jobLinks } from "./job-view.ts";
import { abortOnClose } from "./request-fields.ts";

export type KnowledgeJobRequest<Id extends KnowledgeJobId> = {
  readonly task: Id;
  readonly input: KnowledgeInput<Id>;
  /** What the lists of jobs say it does. */
  readonly text: string;
  readonly upload?: string;
  readonly idempotency?: Idempotency | null;
};

/** A vector store that is away may take minutes to come back; a change waits for it, a query fails soon. */
const CHANGE_TRIES = 8;
const QUERY_TRIES = 3;

export const collectionName = (params: Record<string, unknown>): string =>
  validate(CollectionNameSchema, params.collection, ["collection"]);

/** Throws `collection_not_found`, the same for what is another's and what does not exist (I8). */
export async function findCollection(
  { knowledge }: Services,
  owner: string,
  params: Record<string, unknown>,
): Promise<CollectionRow> {
  const collection = await knowledge.collection(owner, collectionName(params));
  if (collection === undefined) throw new PlatformError("collection_not_found");
  return collection;
}

export async function acceptKnowledgeJob<Id extends KnowledgeJobId>(
  { producer }: Services,
  req: Request,
  { owner, requestId, logger }: Caller,
  { task, input, text, idempotency = null, ...upload }: KnowledgeJobRequest<Id>,
): Promise<Accepted> {
  const payload: JobPayload = {
    job_id: newId(),
    kind: "execute",
    owner,
    agent_type: task,
    session_id: null,
    text,
    input,
    config: {},
    limits: {},
    metadata: {},
    locale: localeOf(req),
    request_id: requestId,
    accepted_at: new Date().toISOString(),
  };
  const accepted = await producer.accept({
    payload,
    newSession: null,
    onBusy: "queue",
    idempotency,
    tries: task === "knowledge.query" ? QUERY_TRIES : CHANGE_TRIES,
    ...upload,
  });
  logger.info({ job_id: accepted.jobId, task, is_new: accepted.isNew }, "task accepted");
  return accepted;
}

/**
 * The row of the job that has completed; null when it has not ended in time. Throws the error of a job that failed.
 */
export async function awaitKnowledgeJob(
  services: Services,
  res: Response,
  { owner }: Caller,
  jobId: string,
  withinMs: number,
): Promise<JobRow | null> {
  const findEnded = endedRowFinder(services, owner, jobId);
  res.setHeader("X-Job-Id", jobId);
  const ended = await services.fanout.awaitEnd({ jobId, withinMs, signal: abortOnClose(res), findEnded });
  const row = ended ? await findEnded() : null;
  if (row !== null && row.error_code !== null) {
    throw jobError(row.error_code, row.error_message ?? "", { job_id: jobId });
  }
  return row;
}

export const statusOfKnowledgeJob = async (services: Services, { owner }: Caller, jobId: string): Promise<JobStatus> =>
  statusOf(await findJob(services, owner, jobId));

/** 202: the job is accepted, or still at it. */
export function answerAccepted(res: Response, jobId: string, status: JobStatus, more: object = {}): void {
  const links = jobLinks(jobId);
  res.status(202).set({ Location: links.self, "X-Job-Id": jobId });
  res.json({ job_id: jobId, ...more, status, links });
}
