/** Reads jobs that a worker has started. The owner is part of every query (I8). */
import type { JobKind, JobQueue, JobStatus } from "@agent-paas/shared/contract/jobs.ts";
import type { KnowledgeJobId } from "@agent-paas/shared/contract/knowledge.ts";
import type { InquiryRow, JobInputsRow, JobRow } from "@agent-paas/shared/db/rows.ts";
import type { ReadStorage } from "@agent-paas/shared/db/storage.ts";

export type JobFilter = {
  readonly status?: JobStatus | undefined;
  readonly kind?: JobKind | undefined;
  readonly agent_type?: string | undefined;
  readonly session_id?: string | undefined;
  readonly before?: string | undefined;
  readonly limit: number;
};

/** Knowledge queries are system jobs and many, so lists contain them only when the filter names them. */
const UNLISTED: KnowledgeJobId = "knowledge.query";

/** Whether a list with this filter contains jobs of this agent. */
export const listsAgent = (filter: JobFilter, agentType: string): boolean =>
  filter.agent_type === undefined ? agentType !== UNLISTED : agentType === filter.agent_type;

/** The columns of a listed job. Without its task, which may be as large as a request. */
const LISTED_COLUMNS = [
  ...["id", "kind", "owner", "agent_type", "session_id", "status", "attempts", "result", "usage"],
  ...["error_code", "error_message", "created_at", "started_at", "finished_at", "metadata"],
] as const;
export type ListedJob = Pick<JobRow, (typeof LISTED_COLUMNS)[number]>;

/** A pattern of their ids, which alone contain a dot. */
const SYSTEM_JOBS = "%.%";

/** A count of failed jobs stops here, so that it stays cheap after a bad day. */
const MAX_COUNTED = 10_000;

export type JobReader = ReturnType<typeof createJobReader>;

export function createJobReader(storage: ReadStorage) {
  return {
    find: (owner: string, id: string): Promise<JobRow | undefined> =>
      storage.read((table) => table("agent_logs").where({ id, owner }).first(), undefined),

    /** What the job was given, if it may be run again. Only of a job that the caller owns. */
    inputs: (jobId: string): Promise<JobInputsRow | undefined> =>
      storage.read((table) => table("job_inputs").where({ job_id: jobId }).first(), undefined),

    /** All that the job has asked people. */
    inquiries: (jobId: string): Promise<InquiryRow[]> =>
      storage.read((table) => table("inquiries").where({ job_id: jobId }).orderBy("request_id"), []),

    /** What the suspended ones of these jobs wait for. */
    openInquiries: (jobIds: readonly string[]): Promise<InquiryRow[]> =>
      storage.read(
        (table) =>
          table("inquiries")
            .join("suspended_jobs", "suspended_jobs.job_id", "inquiries.job_id")
            .whereIn("inquiries.job_id", jobIds)
            .whereNull("inquiries.decision")
            .orderBy("inquiries.request_id")
            .select("inquiries.*") as Promise<InquiryRow[]>,
        [],
      ),

    /** How many jobs wait for people, of all owners. */
    countSuspended: (): Promise<number> =>
      storage.read(async (table) => Number((await table("suspended_jobs").count({ jobs: "*" }).first())?.jobs ?? 0), 0),

    /** The ids of those jobs that a worker has started. */
    startedIds: (owner: string, ids: readonly string[]): Promise<string[]> =>
      storage.read((table) => table("agent_logs").where({ owner }).whereIn("id", ids).pluck("id"), []),

    /** How many jobs of the queue have failed since then, of all owners; at most `MAX_COUNTED`. */
    countFailed: (queue: JobQueue, since: Date): Promise<number> =>
      storage.read(async (table) => {
        const failed = table("agent_logs")
          // A literal, because the partial index serves only queries that repeat its condition.
          .whereRaw("status = 'failed'")
          .where(queue === "knowledge" ? {} : { kind: queue })
          .where("agent_type", queue === "knowledge" ? "like" : "not like", SYSTEM_JOBS)
          .where("finished_at", ">=", since.toISOString())
          .limit(MAX_COUNTED)
          .select("id");
        return (await failed).length;
      }, 0),

    /** Newest first. */
    list: (owner: string, { status, kind, agent_type, session_id, before, limit }: JobFilter): Promise<ListedJob[]> =>
      storage.read((table) => {
        const query = table("agent_logs").where({ owner });
        // A literal, because the partial index of running jobs serves only queries that repeat its condition.
        if (status === "running" || status === "waiting") query.whereRaw("status = 'running'");
        else if (status !== undefined) query.where("status", status);
        if (status === "waiting") {
          const open = table("inquiries")
            .join("suspended_jobs", "suspended_jobs.job_id", "inquiries.job_id")
            .whereRaw("inquiries.job_id = agent_logs.id and inquiries.decision is null");
          query.whereExists(open);
        }
        if (kind !== undefined) query.where({ kind });
        if (agent_type === undefined) query.whereNot({ agent_type: UNLISTED });
        else query.where({ agent_type });
        if (session_id !== undefined) query.where({ session_id });
        if (before !== undefined) query.where("id", "<", before);
        return query.orderBy("id", "desc").limit(limit).select(LISTED_COLUMNS);
      }, []),
  };
}
