/** The latest jobs of a session, for doors whose requests name a session and mean a job of it. */
import type { Decision, Inquiry } from "@agent-paas/shared/contract/inquiries.ts";
import { isTerminal } from "@agent-paas/shared/contract/jobs.ts";
import { parseJson } from "@agent-paas/shared/json/exact-json.ts";
import type { Services } from "../services.ts";
import { decideJob } from "./decide-job.ts";
import { statusOf } from "./find-job.ts";
import { type ListedOrQueued, listJobs } from "./list-jobs.ts";

/** How many jobs are looked at. */
const LATEST = 10;

type ListServices = Pick<Services, "jobs" | "queuedJobs">;

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

/** The most that a request may replace. */
const MOST_REPLACED = 100;

/** The ids of the jobs that came after one; after null, of all. Ids rise with time. */
export async function jobsAfter(
  services: ListServices,
  owner: string,
  sessionId: string,
  jobId: string | null,
): Promise<readonly string[]> {
  const { jobs } = await listJobs(services, owner, { session_id: sessionId, limit: MOST_REPLACED });
  return jobs.map(idOf).filter((id) => jobId === null || id > jobId);
}

const idOf = (job: ListedOrQueued): string => (job.in === "queue" ? job.payload.job_id : job.row.id);

/** Of each inquiry of the job that is decided, whether it was rejected. */
export async function decidedOf(
  { jobs, decisions }: Pick<Services, "jobs" | "decisions">,
  jobId: string,
): Promise<ReadonlyMap<string, boolean>> {
  const inquiries = await jobs.inquiries(jobId);
  if (inquiries.length === 0) return new Map();
  const known = new Map(await decisions.read(jobId));
  for (const { request_id, decision } of inquiries) {
    if (decision !== null) known.set(request_id, parseJson(decision) as Decision);
  }
  return new Map([...known].map(([id, { decision }]) => [id, decision === "reject"]));
}

/**
 * Decides those of the inquiries that a job of the session has asked, and returns that job with the ids of all that it
 * has asked. Null: no job of the session has asked any of them. Throws what `decideJob` throws.
 */
export async function decideInSession(
  services: ListServices & Pick<Services, "decisions" | "clock">,
  owner: string,
  sessionId: string,
  ids: readonly string[],
  decisionOn: (id: string, inquiry: Inquiry) => Decision,
): Promise<{ readonly jobId: string; readonly asked: ReadonlySet<string> } | null> {
  for (const job of await latestJobs(services, owner, sessionId)) {
    if (job.in === "queue") continue;
    const { id: jobId } = job.row;
    const asked = new Map((await services.jobs.inquiries(jobId)).map((row) => [row.request_id, row]));
    const answered = ids.flatMap((id) => asked.get(id) ?? []);
    if (answered.length === 0) continue;
    const decided = await decidedOf(services, jobId);
    const open = answered.filter(({ request_id }) => !decided.has(request_id));
    // Sent a second time, or by a second person: then whether it is the same decision is told.
    const decisions = (open.length > 0 ? open : answered).map(({ request_id, inquiry }) => ({
      ...{ request_id, ...decisionOn(request_id, parseJson(inquiry) as Inquiry) },
    }));
    await decideJob(services, owner, jobId, decisions);
    return { jobId, asked: new Set(asked.keys()) };
  }
  return null;
}
