/**
 * Finds and deletes what is older than the settings allow, a bounded number of rows per call. A running job has no
 * `finished_at`, so only ended jobs are found.
 */
import type { KnowledgeJobId } from "@agent-paas/shared/contract/knowledge.ts";
import type { JobRow, SessionRow } from "@agent-paas/shared/db/rows.ts";
import type { Storage } from "@agent-paas/shared/db/storage.ts";

export type JobRef = Pick<JobRow, "id" | "kind" | "agent_type">;
export type SessionRef = Pick<SessionRow, "id" | "owner">;

/** Its results are copies of passages that its caller has received. */
const QUERY: KnowledgeJobId = "knowledge.query";

export type RetentionRepository = ReturnType<typeof createRetentionRepository>;

export function createRetentionRepository({ table, write }: Storage) {
  const endedBefore = (before: Date, limit: number) =>
    table("agent_logs").where("finished_at", "<", before.toISOString()).limit(limit).select("id", "kind", "agent_type");

  const untouchedSince = (before: Date) => table("sessions").where("updated_at", "<", before.toISOString());

  /** Without those that have a running job, the longest unused first. */
  async function untouched(before: Date, limit: number, ofJobs = false): Promise<SessionRef[]> {
    const running = table("agent_logs").whereRaw("agent_logs.session_id = sessions.id and status = 'running'");
    const query = untouchedSince(before).whereNotExists(running).orderBy("updated_at").limit(limit);
    if (ofJobs) query.whereExists(table("agent_logs").whereRaw("agent_logs.id = sessions.id"));
    return query.select("id", "owner");
  }

  return {
    jobsOutsideSessions: async (before: Date, limit: number): Promise<JobRef[]> =>
      endedBefore(before, limit).whereNull("session_id"),

    // A literal, because the partial index serves only queries that repeat its condition.
    queries: async (before: Date, limit: number): Promise<JobRef[]> =>
      endedBefore(before, limit).whereRaw(`agent_type = '${QUERY}'`),

    jobsOfSession: async ({ id, owner }: SessionRef, limit: number): Promise<JobRef[]> =>
      table("agent_logs").where({ session_id: id, owner }).limit(limit).select("id", "kind", "agent_type"),

    /** With their journals and messages. */
    deleteJobs: (jobs: readonly JobRef[]): Promise<boolean> => {
      const ids = jobs.map(({ id }) => id);
      return write([{ query: table("agent_logs").whereIn("id", ids).delete() }]);
    },

    /** Sessions that were last used before `before`. */
    untouchedSessions: (before: Date, limit: number): Promise<SessionRef[]> => untouched(before, limit),

    /** Only those that belong to one job, whose id they have. */
    untouchedSessionsOfJobs: (before: Date, limit: number): Promise<SessionRef[]> => untouched(before, limit, true),

    isUntouched: async ({ id, owner }: SessionRef, before: Date): Promise<boolean> =>
      (await untouchedSince(before).where({ id, owner }).first("id")) !== undefined,

    deleteSession: ({ id, owner }: SessionRef, before: Date): Promise<boolean> =>
      write([{ query: untouchedSince(before).where({ id, owner }).delete() }]),
  };
}
