/**
 * Finds and deletes what has had its time, a bounded batch per call. Only what has ended: a running job's row has no
 * `finished_at`.
 */
import type { KnowledgeJobId } from "@agent-paas/shared/contract/knowledge.ts";
import type { JobRow, SessionRow } from "@agent-paas/shared/db/rows.ts";
import type { Knex } from "knex";
import { writeBatch } from "./write-batch.ts";

export type JobRef = Pick<JobRow, "id" | "kind">;
export type SessionRef = Pick<SessionRow, "id" | "owner">;

/** Its results hold passages, and its caller has them. */
const QUERY: KnowledgeJobId = "knowledge.query";

export type RetentionRepository = ReturnType<typeof createRetentionRepository>;

export function createRetentionRepository(db: Knex) {
  const endedBefore = (before: Date, limit: number) =>
    db<JobRow>("agent_logs").where("finished_at", "<", before.toISOString()).limit(limit).select("id", "kind");

  const untouchedSince = (before: Date) => db<SessionRow>("sessions").where("updated_at", "<", before.toISOString());

  return {
    jobsOutsideSessions: async (before: Date, limit: number): Promise<JobRef[]> =>
      endedBefore(before, limit).whereNull("session_id"),

    // A literal, because the index holds only these rows and serves only queries that say so.
    queries: async (before: Date, limit: number): Promise<JobRef[]> =>
      endedBefore(before, limit).whereRaw(`agent_type = '${QUERY}'`),

    jobsOfSession: async ({ id, owner }: SessionRef, limit: number): Promise<JobRef[]> =>
      db<JobRow>("agent_logs").where({ session_id: id, owner }).limit(limit).select("id", "kind"),

    /** With their steps and messages. */
    deleteJobs: (jobs: readonly JobRef[]): Promise<boolean> =>
      writeBatch(db, [
        {
          query: db("agent_logs")
            .whereIn(
              "id",
              jobs.map(({ id }) => id),
            )
            .delete(),
        },
      ]),

    /** Sessions that nobody has used since `before` and nothing runs in, by their last use. */
    untouchedSessions: async (before: Date, limit: number): Promise<SessionRef[]> => {
      const running = db("agent_logs").whereRaw("agent_logs.session_id = sessions.id and status = 'running'");
      return untouchedSince(before).whereNotExists(running).orderBy("updated_at").limit(limit).select("id", "owner");
    },

    isUntouched: async ({ id, owner }: SessionRef, before: Date): Promise<boolean> =>
      (await untouchedSince(before).where({ id, owner }).first("id")) !== undefined,

    deleteSession: ({ id, owner }: SessionRef, before: Date): Promise<boolean> =>
      writeBatch(db, [{ query: untouchedSince(before).where({ id, owner }).delete() }]),
  };
}
