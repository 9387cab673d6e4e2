/** Reads jobs that a worker has started. The owner is part of every query (I8). */
import type { JobKind, JobStatus } from "@agent-paas/shared/contract/jobs.ts";
import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import type { ReadDatabase } from "./database.ts";

export type JobFilter = {
  readonly status?: JobStatus | undefined;
  readonly kind?: JobKind | undefined;
  readonly session_id?: string | undefined;
  readonly before?: string | undefined;
  readonly limit: number;
};

export type JobReader = ReturnType<typeof createJobReader>;

export function createJobReader(database: ReadDatabase) {
  return {
    find: (owner: string, id: string): Promise<JobRow | undefined> =>
      database.read((db) => db<JobRow>("agent_logs").where({ id, owner }).first(), undefined),

    /** Which of the jobs a worker has started. */
    started: (owner: string, ids: readonly string[]): Promise<string[]> =>
      database.read((db) => db<JobRow>("agent_logs").where({ owner }).whereIn("id", ids).pluck("id"), []),

    /** Newest first. */
    list: (owner: string, { status, kind, session_id, before, limit }: JobFilter): Promise<JobRow[]> =>
      database.read((db) => {
        const query = db<JobRow>("agent_logs").where({ owner });
        if (status !== undefined) query.where("status", status);
        if (kind !== undefined) query.where({ kind });
        if (session_id !== undefined) query.where({ session_id });
        if (before !== undefined) query.where("id", "<", before);
        return query.orderBy("id", "desc").limit(limit);
      }, []),
  };
}
