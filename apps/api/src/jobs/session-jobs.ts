/** The latest jobs of a session, for doors whose requests name a session and mean a job of it. */
import type { Decision, Inquiry } from "@agent-paas/shared/contract/inquiries.ts";
import { isTerminal } from "@agent-paas/shared/contract/jobs.ts";
import type { InquiryRow } from "@agent-paas/shared/db/rows.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { parseJson } from "@agent-paas/shared/json/exact-json.ts";
import type { Services } from "../services.ts";
import { decideJob } from "./decide-job.ts";
import { findJob, statusOf } from "./find-job.ts";
import { type ListedOrQueued, listJobs } from "./list-jobs.ts";

/** How many jobs are looked at. */
const LATEST = 10;

export type ListServices = Pick<Services, "jobs" | "queuedJobs">;

async function latestJobs(
  services: ListServices,
  owner: string,
  sessionId: string,
): Promise<readonly ListedOrQueued[]> {
  return (await listJobs(services, owner, { session_id: sessionId, limit: LATEST })).jobs;
}

/** The id of the newest job that runs, waits or is queued; null: there is none. */
export async function findUnended(services: ListServices, owner: string, sessionId: string): Promise<string | null> {
  const unended = (await latestJobs(services, owner, sessionId)).find((job) => !isTerminal(statusOf(job)));
  return unended === undefined ? null : idOf(unended);
}

/** The most that a request may replace, and how many of them are read at once. */
const MOST_REPLACED = 1_000;
const PAGE = 100;

/**
 * The ids of the jobs of the session that came after one of them, newest first; after null, of all. Null: the session
 * has no job of the id among its latest.
 */
export async function jobsAfter(
  services: ListServices,
  owner: string,
  sessionId: string,
  jobId: string | null,
): Promise<readonly string[] | null> {
  const ids: string[] = [];
  for (let before: string | undefined; ids.length <= MOST_REPLACED; ) {
    const { jobs, next } = await listJobs(services, owner, { session_id: sessionId, limit: PAGE, before });
    ids.push(...jobs.map(idOf));
    const at = jobId === null ? -1 : ids.indexOf(jobId);
    if (at >= 0) return ids.slice(0, at);
    if (next === null) return jobId === null ? ids : null;
    before = next;
  }
  return null;
}

const idOf = (job: ListedOrQueued): string => (job.in === "queue" ? job.payload.job_id : job.row.id);

const REJECTED: Decision = { decision: "reject" };

/** Of each inquiry of the job that is decided, whether it was rejected. Nobody decides what an ended job has asked. */
export async function decidedOf(
  services: ListServices & Pick<Services, "decisions">,
  owner: string,
  jobId: string,
): Promise<ReadonlyMap<string, boolean>> {
  const inquiries = await services.jobs.inquiries(jobId);
  if (inquiries.length === 0) return new Map();
  const isEnded = isTerminal(statusOf(await findJob(services, owner, jobId)));
  const moot = isEnded ? inquiries.map(({ request_id }) => [request_id, REJECTED] as const) : [];
  const known = new Map([...moot, ...(await services.decisions.read(jobId))]);
  for (const { request_id, decision } of inquiries) {
    if (decision !== null) known.set(request_id, parseJson(decision) as Decision);
  }
  return new Map([...known].map(([id, { decision }]) => [id, decision === "reject"]));
}

export type AskingJob = {
  readonly jobId: string;
  /** The ids of all that the job has asked. */
  readonly asked: ReadonlySet<string>;
  /** Those of the inquiries that were looked for. */
  readonly answered: readonly InquiryRow[];
};

/** The job of the session that has asked any of the inquiries; null: none has. */
export async function findAsking(
  services: ListServices,
  owner: string,
  sessionId: string,
  ids: readonly string[],
): Promise<AskingJob | null> {
  for (const job of await latestJobs(services, owner, sessionId)) {
    if (job.in === "queue") continue;
    const { id: jobId } = job.row;
    const asked = new Map((await services.jobs.inquiries(jobId)).map((row) => [row.request_id, row]));
    const answered = ids.flatMap((id) => asked.get(id) ?? []);
    if (answered.length > 0) return { jobId, asked: new Set(asked.keys()), answered };
  }
  return null;
}

/** Throws what `decideJob` throws. */
export async function decideAsked(
  services: ListServices & Pick<Services, "decisions" | "clock">,
  owner: string,
  { jobId, answered }: AskingJob,
  decisionOn: (id: string, inquiry: Inquiry) => Decision,
): Promise<void> {
  const decided = await decidedOf(services, owner, jobId);
  const open = answered.filter(({ request_id }) => !decided.has(request_id));
  // Sent a second time, or by a second person: then whether it is the same decision is told.
  const decisions = (open.length > 0 ? open : answered).map(({ request_id, inquiry }) => ({
    ...{ request_id, ...decisionOn(request_id, parseJson(inquiry) as Inquiry) },
  }));
  const rejectsAll = decisions.every(({ decision }) => decision === "reject");
  try {
    await decideJob(services, owner, jobId, decisions);
  } catch (error) {
    // The job has ended, so nothing that is rejected will be done.
    const isMoot = rejectsAll && error instanceof PlatformError && error.code === "job_not_waiting";
    if (!isMoot) throw error;
  }
}
