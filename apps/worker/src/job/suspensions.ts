/**
 * Suspended jobs: they wait for people, and no worker has them (I11). The database says that a job is suspended and
 * what it has asked; its queue keeps its entry in none of its lists, so its session waits for it and nothing else does.
 * A decision on everything has it enter its queue again, as the same job, and so does a request to cancel it, because
 * the next start ends it.
 *
 * Whoever finds that all is decided lets the job go on: the action that a decision enqueues, the worker that takes the
 * job out of its queue's lists, the reaper's sweep. Doing it twice changes nothing.
 */
import { EXPIRED, type Inquiry, type OpenInquiry } from "@agent-paas/shared/contract/inquiries.ts";
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import { parseJson } from "@agent-paas/shared/json/exact-json.ts";
import { failpoint } from "@agent-paas/shared/lifecycle/failpoints.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import type { InstallationClock } from "@agent-paas/shared/redis/clock.ts";
import type { Decisions, DecisionsById } from "@agent-paas/shared/redis/decisions.ts";
import { emit } from "@agent-paas/shared/telemetry/telemetry.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { JobEventPublisher } from "../events/job-event-publisher.ts";
import { type JobEventWriter, NO_SIGNALS, WriterRefused } from "../events/job-event-writer.ts";
import { STATUS_TEXTS } from "../events/status-texts.ts";
import type { SuspendedJob, SuspensionRepository } from "../storage/suspension-repository.ts";
import type { JobClaims } from "./job-claims.ts";
import type { Lease } from "./lease.ts";
import type { Places } from "./places.ts";
import type { SuspendedJobRestorer } from "./restore-suspended.ts";
import { parsePayload } from "./stored-payloads.ts";

export type SuspensionsDeps = {
  readonly rows: SuspensionRepository;
  readonly decisions: Decisions;
  readonly places: Pick<Places, "stepOut" | "rescue">;
  readonly restorer: SuspendedJobRestorer;
  readonly claims: Pick<JobClaims, "claim" | "cancelRequested">;
  readonly publisher: Pick<JobEventPublisher, "open">;
  readonly logger: Logger;
  readonly clock: Pick<InstallationClock, "now">;
  /** How long inquiries wait for a decision, s. */
  readonly ttlSeconds: number;
  /** How many jobs of one owner may be suspended. */
  readonly maxPerOwner: number;
};

export type SuspendRequest = {
  readonly payload: JobPayload;
  readonly lease: Pick<Lease, "fencingToken" | "options">;
  readonly writer: JobEventWriter;
  readonly inquiries: readonly OpenInquiry[];
  /** JSON of a `Timeline`. */
  readonly timeline: string;
};

export type Suspensions = ReturnType<typeof createSuspensions>;

export function createSuspensions({
  rows,
  decisions,
  places,
  restorer,
  claims,
  publisher,
  logger,
  clock,
  ttlSeconds,
  maxPerOwner,
}: SuspensionsDeps) {
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

  const isCancelled = async (jobId: string) => (await claims.cancelRequested([jobId])).length > 0;

  /** Lets the job go on if everything is decided, and end if it is cancelled. */
  async function resume(jobId: string): Promise<void> {
    const job = await rows.find(jobId);
    if (job === null) return;
    const isDecided = await takeDecisions(jobId);
    const payload = payloadOf(job);
    if (payload === null || !(isDecided || (await isCancelled(jobId)))) return;
    if ((await enter(job, payload)) && isDecided) reportResumed(payload, clock.now() - job.suspended_at);
  }

  /** Has the job stand in its queue, from which its next start follows. False: it does so already. */
  async function enter(job: SuspendedJob, payload: JobPayload): Promise<boolean> {
    await restorer.restore(job, payload);
    return places.rescue(payload);
  }

  function reportResumed({ job_id, kind, agent_type, owner, traceparent }: JobPayload, waited_ms: number): void {
    logger.info({ job_id, waited_ms }, "job resumed: people have decided all that it asked");
    emit("job.resumed", { job_id, kind, agent_type, owner, traceparent, waited_ms });
  }

  return {
    /** Whether the owner has as many suspended jobs as one owner may have; jobs that ask at once may exceed it. */
    isUsedUp: async (owner: string): Promise<boolean> => (await rows.count(owner)) >= maxPerOwner,

    /** Writes the suspension, then shows what is asked. Throws `WriterRefused` when the run is superseded. */
    async suspend({ payload, lease, writer, inquiries, timeline }: SuspendRequest): Promise<void> {
      await writer.flushed();
      const expiresAt = new Date(clock.now() + ttlSeconds * SECOND).toISOString();
      const { fencingToken, options } = lease;
      const lastSeq = writer.seq + inquiries.length;
      const suspension = { payload, fencingToken, options, lastSeq, inquiries, expiresAt, timeline };
      if (!(await rows.suspend(suspension))) {
        throw new WriterRefused();
      }
      failpoint("suspension_written", payload.job_id);
      show(writer, payload, inquiries, new Map(inquiries.map(({ request_id }) => [request_id, expiresAt])));
      await writer.flushed();
    },

    /**
     * Shows what the job still asks if the log lacks it: its worker died before it had shown it, or Redis lost it. For
     * a start of the job that ends here.
     */
    async showAgain(payload: JobPayload, fencingToken: number): Promise<void> {
      const { job_id: jobId } = payload;
      const [job, asked] = await Promise.all([rows.find(jobId), rows.inquiries(jobId)]);
      const open = asked.filter(({ decision }) => decision === null);
      if (job === null) return;
      const claim = await claims.claim(jobId, fencingToken, { beginsAttempt: false });
      if (claim.kind !== "claimed" || claim.lastSeq >= job.last_seq) return;
      const writer = publisher.open({ jobId, fencingToken, seq: claim.fence, signals: NO_SIGNALS });
      // Readers have seen the numbers before; and whatever Redis loses afterwards, none is used again (I2).
      writer.skipTo(job.last_seq);
      await rows.raiseLastSeq(jobId, writer.seq + open.length);
      const inquiries = open.map(({ request_id, inquiry }) => ({ ...(parseJson(inquiry) as Inquiry), request_id }));
      show(writer, payload, inquiries, new Map(open.map(({ request_id, expires_at }) => [request_id, expires_at])));
      await writer.flushed();
    },

    /** Takes a delayed job out of its queue's lists, unless it can go on. */
    async leaveQueue(payload: JobPayload): Promise<void> {
      await places.stepOut(payload);
      await resume(payload.job_id);
    },

    resume,
    enter,

    /** Gives Redis back what it has lost of the job, if that is suspended: its entry, or the numbers of its events. */
    async restore(jobId: string): Promise<void> {
      const job = await rows.find(jobId);
      const payload = job === null ? null : payloadOf(job);
      if (job !== null && payload !== null) await restorer.restore(job, payload);
    },
  };
}

function show(
  writer: JobEventWriter,
  { locale }: JobPayload,
  inquiries: readonly OpenInquiry[],
  expiries: ReadonlyMap<string, string>,
): void {
  for (const [at, { type, request_id, ...asked }] of inquiries.entries()) {
    const content = "tool" in asked ? STATUS_TEXTS[locale].approvalRequired(asked.tool) : asked.question;
    const more = inquiries.length - 1 - at;
    const shown = { content, type: `${type}_required`, request_id, ...asked } as const;
    writer.append({ event: "thought", data: { ...shown, expires_at: expiries.get(request_id), more } });
  }
}

export const payloadOf = ({ payload }: Pick<SuspendedJob, "payload">): JobPayload | null =>
  parsePayload(parseJson(payload));
