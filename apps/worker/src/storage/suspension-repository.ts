/** Writes and reads suspensions: jobs that wait for people, and what they have asked (I11). */
import type { Decision, OpenInquiry } from "@agent-paas/shared/contract/inquiries.ts";
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import type { InquiryRow, JobRow, SuspendedJobRow } from "@agent-paas/shared/db/rows.ts";
import type { Storage } from "@agent-paas/shared/db/storage.ts";
import { parseJson } from "@agent-paas/shared/json/exact-json.ts";
import { type DecisionsById, encodeDecision } from "@agent-paas/shared/redis/decisions.ts";

export type NewSuspension = {
  readonly payload: JobPayload;
  readonly fencingToken: number;
  /** The options of the queue's entry, JSON. */
  readonly options: string;
  readonly lastSeq: number;
  readonly inquiries: readonly OpenInquiry[];
  readonly expiresAt: string;
  /** JSON of a `Timeline`. */
  readonly timeline: string;
};

export type SuspendedJob = SuspendedJobRow & Pick<JobRow, "fencing_token" | "attempts">;

/** As sweeps read it. */
export type SweptJob = SuspendedJob & { readonly is_decided: boolean };

export type SuspensionRepository = ReturnType<typeof createSuspensionRepository>;

/** @param now the clock of the installation. */
export function createSuspensionRepository({ table, write }: Storage, now: () => number) {
  const suspended = () =>
    table("suspended_jobs")
      .join("agent_logs", "agent_logs.id", "suspended_jobs.job_id")
      .select("suspended_jobs.*", "agent_logs.fencing_token", "agent_logs.attempts");

  return {
    /** False: the job has another fencing token or has ended; nothing was written. */
    suspend({
      payload,
      fencingToken,
      options,
      lastSeq,
      inquiries,
      expiresAt,
      timeline,
    }: NewSuspension): Promise<boolean> {
      const { job_id } = payload;
      const running = { id: job_id, fencing_token: fencingToken, status: "running" } as const;
      const row = { job_id, suspended_at: now(), last_seq: lastSeq, payload: JSON.stringify(payload), options };
      const rows: InquiryRow[] = inquiries.map(({ request_id, ...inquiry }) => ({
        ...{ job_id, request_id, inquiry: JSON.stringify(inquiry), expires_at: expiresAt, decision: null },
      }));
      return write(
        [
          { query: table("agent_logs").where(running).update({ timeline }), guard: true },
          { query: table("suspended_jobs").insert(row).onConflict("job_id").merge() },
          ...rows.map((one) => ({
            query: table("inquiries").insert(one).onConflict(["job_id", "request_id"]).ignore(),
          })),
        ],
        { inOrder: job_id },
      );
    },

    /** Null for a job that is not suspended. */
    find: async (jobId: string): Promise<SuspendedJob | null> =>
      ((await suspended().where("suspended_jobs.job_id", jobId).first()) as SuspendedJob | undefined) ?? null,

    /** Makes `lastSeq` the last number that the job has used, if it is above the row's. */
    async raiseLastSeq(jobId: string, lastSeq: number): Promise<void> {
      const query = table("suspended_jobs").where({ job_id: jobId }).where("last_seq", "<", lastSeq);
      await write([{ query: query.update({ last_seq: lastSeq }) }]);
    },

    /** How many jobs of the owner are suspended. */
    async count(owner: string): Promise<number> {
      const counted = await table("suspended_jobs")
        .join("agent_logs", "agent_logs.id", "suspended_jobs.job_id")
        .where("agent_logs.owner", owner)
        .count({ jobs: "*" })
        .first();
      return Number(counted?.jobs ?? 0);
    },

    inquiries: async (jobId: string): Promise<InquiryRow[]> => table("inquiries").where({ job_id: jobId }),

    /** Whether the job is suspended, and a decision is missing. */
    isWaiting: async (jobId: string): Promise<boolean> =>
      (await table("inquiries")
        .join("suspended_jobs", "suspended_jobs.job_id", "inquiries.job_id")
        .where("inquiries.job_id", jobId)
        .whereNull("inquiries.decision")
        .first("inquiries.job_id")) !== undefined,

    /** The decisions on all that the job has asked so far. */
    async decisions(jobId: string): Promise<DecisionsById> {
      const rows = await table("inquiries").where({ job_id: jobId }).whereNotNull("decision");
      return new Map(rows.map(({ request_id, decision }) => [request_id, parseJson(decision ?? "null") as Decision]));
    },

    /** Each is write-once: what has a decision keeps it. */
    async decide(jobId: string, made: DecisionsById): Promise<void> {
      if (made.size === 0) return;
      await write(
        [...made].map(([request_id, decision]) => ({
          query: table("inquiries")
            .where({ job_id: jobId, request_id })
            .whereNull("decision")
            .update({ decision: encodeDecision(decision) }),
        })),
      );
    },

    /** Suspended jobs by id, from the first id greater than `after`. */
    async page(after: string, limit: number): Promise<SweptJob[]> {
      const undecided = table("inquiries").whereRaw("inquiries.job_id = suspended_jobs.job_id").whereNull("decision");
      const rows = (await suspended()
        .select(undecided.count("*").as("undecided"))
        .where("suspended_jobs.job_id", ">", after)
        .orderBy("suspended_jobs.job_id")
        .limit(limit)) as (SuspendedJob & { undecided: number | string })[];
      return rows.map(({ undecided: count, ...row }) => ({ ...row, is_decided: Number(count) === 0 }));
    },

    /** Jobs with an inquiry that nobody has decided in time. */
    expired: async (limit: number): Promise<string[]> => {
      const rows = await table("inquiries")
        .join("suspended_jobs", "suspended_jobs.job_id", "inquiries.job_id")
        // A literal, because the partial index serves only queries that repeat its condition.
        .whereRaw("inquiries.decision is null")
        .where("inquiries.expires_at", "<=", new Date(now()).toISOString())
        .limit(limit)
        .select("inquiries.job_id");
      return [...new Set(rows.map(({ job_id }) => job_id))];
    },
  };
}
