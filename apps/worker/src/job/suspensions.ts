/**
 * Suspended jobs: they wait for people, and no worker has them (I11). The database says that a job is suspended and
 * what it has asked; its queue keeps its entry in none of its lists, so its session waits for it and nothing else does.
 * A decision on everything has it enter its queue again, as the same job.
 *
 * Whoever finds that all is decided lets the job go on: the action that a decision enqueues, the worker that takes the
 * job out of its queue's lists, the reaper's sweep. Doing it twice changes nothing.
 */
import { EXPIRED, type OpenInquiry } from "@agent-paas/shared/contract/inquiries.ts";
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import { parseJson } from "@agent-paas/shared/json/exact-json.ts";
import type { InstallationClock } from "@agent-paas/shared/redis/clock.ts";
import type { Decisions, DecisionsById } from "@agent-paas/shared/redis/decisions.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { type JobEventWriter, WriterRefused } from "../events/job-event-writer.ts";
import { STATUS_TEXTS } from "../events/status-texts.ts";
import type { SuspendedJob, SuspensionRepository } from "../storage/suspension-repository.ts";
import type { Lease } from "./lease.ts";
import type { Places } from "./places.ts";
import type { SuspendedJobRestorer } from "./restore-suspended.ts";
import { parsePayload } from "./stored-payloads.ts";

export type SuspensionsDeps = {
  readonly rows: SuspensionRepository;
  readonly decisions: Decisions;
  readonly places: Pick<Places, "stepOut" | "rescue">;
  readonly restorer: SuspendedJobRestorer;
  readonly clock: Pick<InstallationClock, "now">;
  /** How long inquiries wait for a decision, s. */
  readonly ttlSeconds: number;
};

export type SuspendRequest = {
  readonly payload: JobPayload;
  readonly lease: Pick<Lease, "fencingToken" | "options">;
  readonly writer: JobEventWriter;
  readonly inquiries: readonly OpenInquiry[];
};

export type Suspensions = ReturnType<typeof createSuspensions>;

export function createSuspensions({ rows, decisions, places, restorer, clock, ttlSeconds }: SuspensionsDeps) {
  /** Decides what has expired; of two decisions at the same moment the first one counts, as between two people. */
  async function decideExpired(jobId: string, ids: readonly string[]): Promise<void> {
    for (const id of ids) await decisions.decide(jobId, new Map([[id, EXPIRED]]));
  }

  /** Makes the decisions durable. Returns whether none is missing. */
  async function takeDecisions(jobId: string): Promise<boolean> {
    const open = (await rows.inquiries(jobId)).filter(({ decision }) => decision === null);
    if (open.length === 0) return true;
    const now = new Date(clock.now()).toISOString();
    const known = await decisions.read(jobId);
    const expired = open.filter((row) => row.expires_at <= now && !known.has(row.request_id));
    await decideExpired(
      jobId,
      expired.map(({ request_id }) => request_id),
    );
    const made = expired.length === 0 ? known : await decisions.read(jobId);
    const fresh: DecisionsById = new Map(
      open.flatMap(({ request_id: id }) => {
        const decision = made.get(id);
        return decision === undefined ? [] : [[id, decision] as const];
      }),
    );
    await rows.decide(jobId, fresh);
    return fresh.size === open.length;
  }

  /** Lets the job go on if everything is decided. */
  async function resume(jobId: string): Promise<void> {
    const job = await rows.find(jobId);
    if (job === null || !(await takeDecisions(jobId))) return;
    await enter(job);
  }

  async function enter(job: SuspendedJob): Promise<void> {
    const payload = payloadOf(job);
    if (payload === null) return;
    await restorer.restore(job, payload);
    await places.rescue(payload);
  }

  return {
    /** Writes the suspension, then shows what is asked. Throws `WriterRefused` when the run is superseded. */
    async suspend({ payload, lease, writer, inquiries }: SuspendRequest): Promise<void> {
      await writer.flushed();
      const expiresAt = new Date(clock.now() + ttlSeconds * SECOND).toISOString();
      const { fencingToken, options } = lease;
      const lastSeq = writer.seq + inquiries.length;
      if (!(await rows.suspend({ payload, fencingToken, options, lastSeq, inquiries, expiresAt }))) {
        throw new WriterRefused();
      }
      for (const { type, request_id, ...asked } of inquiries) {
        const content = "tool" in asked ? STATUS_TEXTS[payload.locale].approvalRequired(asked.tool) : asked.question;
        const data = { content, type: `${type}_required`, request_id, ...asked, expires_at: expiresAt } as const;
        writer.append({ event: "thought", data });
      }
      await writer.flushed();
    },

    /** Takes a delayed job out of its queue's lists, unless it can go on. */
    async leaveQueue(payload: JobPayload): Promise<void> {
      await places.stepOut(payload);
      await resume(payload.job_id);
    },

    resume,
  };
}

export const payloadOf = ({ payload }: Pick<SuspendedJob, "payload">): JobPayload | null =>
  parsePayload(parseJson(payload));
