/** Reads the history that goes to the model; deletes sessions. */
import type { JobRow, MessageRow } from "@agent-paas/shared/db/rows.ts";
import type { Knex } from "knex";
import { writeBatch } from "./write-batch.ts";

/** Messages per read; the budget usually ends within the first. */
const PAGE = 50;

export type SessionRepository = ReturnType<typeof createSessionRepository>;

export function createSessionRepository(db: Knex) {
  return {
    /** The newest messages before the job's own that fit in `maxTokens` together, oldest first. */
    async latestMessages(sessionId: string, jobId: string, maxTokens: number): Promise<MessageRow[]> {
      const newestFirst: MessageRow[] = [];
      let left = maxTokens;
      let before: number | null = null;
      for (;;) {
        const query = db<MessageRow>("messages").where({ session_id: sessionId }).whereNot({ job_id: jobId });
        if (before !== null) query.where("ordinal", "<", before);
        const page: MessageRow[] = await query.orderBy("ordinal", "desc").limit(PAGE);
        for (const message of page) {
          left -= message.tokens_used;
          if (left < 0) return newestFirst.reverse();
          newestFirst.push(message);
        }
        if (page.length < PAGE) return newestFirst.reverse();
        before = page.at(-1)?.ordinal ?? null;
      }
    },

    /** The jobs of the owner's session. */
    jobsOf: async (sessionId: string, owner: string): Promise<Pick<JobRow, "id" | "kind">[]> =>
      db<JobRow>("agent_logs").where({ session_id: sessionId, owner }).select("id", "kind"),

    /** Deletes the owner's session with its messages and jobs. Deleting what is gone is fine. */
    async delete(sessionId: string, owner: string): Promise<void> {
      await writeBatch(db, [{ query: db("sessions").where({ id: sessionId, owner }).delete() }]);
    },
  };
}
