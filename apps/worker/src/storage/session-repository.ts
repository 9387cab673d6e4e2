/** Reads the history that goes to the model; deletes sessions. */
import type { JobRow, MessageRow } from "@agent-paas/shared/db/rows.ts";
import type { Knex } from "knex";
import { hideFromPlanner, prepareStatement, readRows } from "./statement.ts";
import { writeBatch } from "./write-batch.ts";

/** Messages per read; the budget usually ends within the first. */
const PAGE = 50;

export type SessionRepository = ReturnType<typeof createSessionRepository>;

export type HistoryRow = Pick<MessageRow, "ordinal" | "role" | "content" | "tokens_used">;

export function createSessionRepository(db: Knex) {
  const page = prepareStatement<{ sessionId: string; jobId: string; before: number }>(({ sessionId, jobId, before }) =>
    db<MessageRow>("messages")
      .where("session_id", hideFromPlanner(db, sessionId))
      .where("ordinal", "<", before)
      .whereNot({ job_id: jobId })
      .orderBy("ordinal", "desc")
      .limit(PAGE)
      .select("ordinal", "role", "content", "tokens_used"),
  );

  /** Newest first; the cost is the pages that are taken, whatever the session's length. */
  async function* newestFirst(sessionId: string, jobId: string): AsyncGenerator<HistoryRow> {
    let before = Number.MAX_SAFE_INTEGER;
    for (;;) {
      const rows = await readRows<HistoryRow>(db, page({ sessionId, jobId, before }));
      yield* rows;
      const oldest = rows.at(-1);
      if (oldest === undefined || rows.length < PAGE) return;
      before = oldest.ordinal;
    }
  }

  return {
    /**
     * The newest messages before the job's own that fit in `maxTokens` together, oldest first. Whole turns: an answer
     * whose question does not fit is left out. So a turn that alone is too large is left out, with all before it.
     */
    async latestMessages(sessionId: string, jobId: string, maxTokens: number): Promise<HistoryRow[]> {
      const chosen: HistoryRow[] = [];
      let left = maxTokens;
      if (left > 0) {
        for await (const message of newestFirst(sessionId, jobId)) {
          left -= message.tokens_used;
          if (left < 0) break;
          chosen.push(message);
        }
      }
      const question = chosen.findLastIndex(({ role }) => role === "user");
      return chosen.slice(0, question + 1).reverse();
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
