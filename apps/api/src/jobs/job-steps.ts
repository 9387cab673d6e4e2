/** The timeline of a job for clients: what its worker has recorded, with the waits between its attempts. */
import { isTerminal, type JobStatus, type TokenCounts } from "@agent-paas/shared/contract/jobs.ts";
import {
  type AttemptOutcome,
  fullerTimeline,
  parseTimeline,
  type StepKind,
  type StepStatus,
  type Timeline,
  type TimelineAttempt,
  type TimelineStep,
} from "@agent-paas/shared/contract/timeline.ts";
import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import { type FindJobServices, findJob, statusOf } from "./find-job.ts";

/** What a job waits for before an attempt: a worker, a further attempt after an error, or people. */
export const WAITS = ["queue", "retry", "person"] as const;

export type JobStep = {
  readonly id: string;
  readonly parent_id: string | null;
  readonly attempt: number;
  readonly kind: StepKind | "wait";
  readonly name: string;
  readonly agent_type?: string;
  readonly status: StepStatus;
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly first_token_at?: string;
  readonly usage?: TokenCounts;
};

export type JobAttempt = {
  readonly attempt: number;
  readonly worker: string;
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly outcome: AttemptOutcome | null;
};

export type JobSteps = {
  readonly job_id: string;
  readonly status: JobStatus;
  readonly attempts: readonly JobAttempt[];
  /** In the order of their beginnings. */
  readonly steps: readonly JobStep[];
  readonly truncated: boolean;
};

/** Throws `job_not_found`. */
export async function readJobSteps(services: FindJobServices, owner: string, id: string): Promise<JobSteps> {
  const job = await findJob(services, owner, id);
  const status = statusOf(job);
  if (job.in === "queue") return viewOf(NOTHING, { id, status, accepted: job.payload.accepted_at, finished: null });
  const { row } = job;
  // While Redis is away there is what the row has: no reason to fail the request.
  const live = isTerminal(status) ? null : await services.queuedJobs.timeline(id).catch(() => null);
  const timeline = fullerTimeline(live, parseTimeline(row.timeline)) ?? attemptOf(row);
  return viewOf(timeline, { id, status, accepted: row.created_at, finished: row.finished_at });
}

const NOTHING: Timeline = { attempts: [], steps: [], truncated: false };

/** Of a job of which only its row is known: it has just begun, or a worker of an earlier version ended it. */
function attemptOf({ attempts: attempt, worker, started_at, finished_at, status }: JobRow): Timeline {
  const outcome = isTerminal(status) ? status : null;
  const ended = finished_at === null ? null : Date.parse(finished_at);
  return {
    ...NOTHING,
    attempts: [{ attempt, worker, started: Date.parse(started_at), ended, outcome }],
    truncated: attempt > 1,
  };
}

export type JobTimes = {
  readonly id: string;
  readonly status: JobStatus;
  readonly accepted: string;
  readonly finished: string | null;
};

/** With the waits, which follow from the attempts. */
export function viewOf({ attempts, steps, truncated }: Timeline, times: JobTimes): JobSteps {
  const known = new Set(steps.map(({ id }) => id));
  const shown = [...waitsOf(attempts, times), ...steps.map((step) => stepView(step, known))];
  return {
    ...{ job_id: times.id, status: times.status, attempts: attempts.map(attemptView) },
    steps: shown.toSorted((a, b) => (a.started_at < b.started_at ? -1 : a.started_at > b.started_at ? 1 : 0)),
    truncated,
  };
}

const attemptView = ({ attempt, worker, started, ended, outcome }: TimelineAttempt): JobAttempt => ({
  ...{ attempt, worker, started_at: iso(started), ended_at: ended === null ? null : iso(ended), outcome },
});

/** A step whose parent was left out has none. */
const stepView = (step: TimelineStep, known: ReadonlySet<number>): JobStep => ({
  id: `${step.id}`,
  parent_id: step.parent !== null && known.has(step.parent) ? `${step.parent}` : null,
  ...{ attempt: step.attempt, kind: step.kind, name: step.name },
  ...(step.agent === undefined ? {} : { agent_type: step.agent }),
  ...{ status: step.status, started_at: iso(step.started), ended_at: step.ended === null ? null : iso(step.ended) },
  ...(step.first_token === undefined ? {} : { first_token_at: iso(step.first_token) }),
  ...(step.usage === undefined ? {} : { usage: step.usage }),
});

/** What the outcome of an attempt has its job wait for. One that a worker's death ended waits for a worker. */
const WAIT_AFTER: Partial<Record<AttemptOutcome, (typeof WAITS)[number]>> = {
  ...{ suspended: "person", retried: "retry", requeued: "queue" },
};

function waitsOf(attempts: readonly TimelineAttempt[], times: JobTimes): JobStep[] {
  const { accepted, finished, status } = times;
  const [begun] = attempts;
  // What came before an attempt that is not the first is not known.
  const first =
    begun !== undefined && begun.attempt > 1 ? [] : [wait("queue", Date.parse(accepted), 1, begun?.started)];
  const later = attempts.flatMap(({ attempt, outcome, ended }, at) => {
    const name = outcome === null ? undefined : WAIT_AFTER[outcome];
    const next = attempts[at + 1];
    if (name === undefined || ended === null || (next !== undefined && next.attempt > attempt + 1)) return [];
    return [wait(name, ended, attempt + 1, next?.started)];
  });
  return [...first, ...later];

  function wait(name: string, started: number, attempt: number, until: number | undefined): JobStep {
    const ended = until === undefined ? finished : iso(until);
    const stepStatus = ended === null ? "running" : until === undefined ? "interrupted" : "completed";
    return {
      ...{ id: `wait-${attempt}`, parent_id: null, attempt, kind: "wait", name },
      ...{ status: isTerminal(status) && ended === null ? "interrupted" : stepStatus },
      ...{ started_at: iso(started), ended_at: ended },
    };
  }
}

const iso = (ms: number): string => new Date(ms).toISOString();
