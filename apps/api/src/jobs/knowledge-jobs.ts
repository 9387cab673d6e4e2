/** Changes and searches of collections: each is a system job, accepted here and awaited by its request. */
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import type { KnowledgeInput, KnowledgeJobId } from "@agent-paas/shared/contract/knowledge.ts";
import type { CollectionRow, JobRow } from "@agent-paas/shared/db/rows.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Accepted, Idempotency } from "../queue/accept-request.ts";
import type { Services } from "../services.ts";
import { awaitJobEnd } from "./await-end.ts";
import { endedRowFinder, knownChecker } from "./find-job.ts";
import { jobError } from "./job-error.ts";
import { type JobOrigin, originFields } from "./job-origin.ts";

export type KnowledgeJobRequest<Id extends KnowledgeJobId> = {
  readonly systemJob: Id;
  readonly input: KnowledgeInput<Id>;
  /** What lists of jobs show as its text. */
  readonly text: string;
  readonly upload?: Buffer;
  readonly idempotency?: Idempotency | null;
};

/** A vector store may take minutes to come back. A change is retried until then; a query fails soon. */
const CHANGE_TRIES = 8;
const QUERY_TRIES = 3;

/** Throws `collection_not_found`, the same for a collection of another owner and for one that does not exist (I8). */
export async function findCollection(
  { knowledge }: Pick<Services, "knowledge">,
  owner: string,
  name: string,
): Promise<CollectionRow> {
  const collection = await knowledge.collection(owner, name);
  if (collection === undefined) throw new PlatformError("collection_not_found");
  return collection;
}

export async function acceptKnowledgeJob<Id extends KnowledgeJobId>(
  { accept, clock }: Pick<Services, "accept" | "clock">,
  origin: JobOrigin,
  { systemJob, input, text, idempotency = null, ...upload }: KnowledgeJobRequest<Id>,
): Promise<Accepted> {
  const payload: JobPayload = {
    job_id: clock.newId(),
    kind: "execute",
    agent_type: systemJob,
    session_id: null,
    text,
    input,
    config: {},
    limits: {},
    metadata: {},
    ...originFields(origin),
    accepted_at: new Date(clock.now()).toISOString(),
  };
  const accepted = await accept({
    payload,
    newSession: null,
    onBusy: "queue",
    idempotency,
    tries: systemJob === "knowledge.query" ? QUERY_TRIES : CHANGE_TRIES,
    ...upload,
  });
  origin.note({ job_id: accepted.jobId, system_job: systemJob, is_new: accepted.isNew });
  return accepted;
}

export type AwaitKnowledgeJobOptions = {
  readonly owner: string;
  readonly jobId: string;
  readonly withinMs: number;
  readonly signal: AbortSignal;
};

/** The row of the ended job; null when the job has not ended in time. Throws the error of a failed job. */
export async function awaitKnowledgeJob(
  services: Pick<Services, "jobs" | "queuedJobs" | "events">,
  { owner, jobId, withinMs, signal }: AwaitKnowledgeJobOptions,
): Promise<JobRow | null> {
  const findEnded = endedRowFinder(services, owner, jobId);
  const ended = await awaitJobEnd(services, {
    ...{ jobId, withinMs, signal, findEnded },
    isKnown: knownChecker(services, owner, jobId),
  });
  const row = ended ? await findEnded() : null;
  if (row !== null && row.error_code !== null) {
    throw jobError(row.error_code, row.error_message ?? "", { job_id: jobId });
  }
  return row;
}
