/** Reads the history that goes to the model, and deletes sessions. */
import type { JobRow, MessageRow } from "@agent-paas/shared/db/rows.ts";
import type { Storage } from "@agent-paas/shared/db/storage.ts";
import { createPartsReader } from "./message-parts.ts";

/** Messages per read; most budgets are used up within the first page. */
const PAGE = 50;

export type SessionRepository = ReturnType<typeof createSessionRepository>;

export type HistoryRow = Pick<MessageRow, "ordinal" | "job_id" | "role" | "content" | "tokens_used">;

type PageStart = { sessionId: string; jobId: string; before: number };

export function createSessionRepository(storage: Storage) {
  const { table, sql, prepareRead, write } = storage;
  const readPage = prepareRead<HistoryRow, PageStart>(({ sessionId, jobId, before }) =>
    table("messages")
      .where("session_id", sql.hideFromPlanner(sessionId))
      .where("ordinal", "<", before)
      // Not what was accepted later and is written already, because its job was cancelled while it waited.
      .where(
        "ordinal",
        "<",
        sql.expression(
          "coalesce((select own.ordinal from messages as own where own.job_id = ? and own.role = 'user'), ?)",
          [sql.hideFromPlanner(jobId), before],
        ),
      )
      .whereNot({ job_id: jobId })
      .orderBy("ordinal", "desc")
      .limit(PAGE)
      .select("ordinal", "job_id", "role", "content", "tokens_used"),
  );

  /** Newest first. Pages are read as they are consumed, so the cost does not grow with the session. */
  async function* newestFirst(sessionId: string, jobId: string): AsyncGenerator<HistoryRow> {
    let before = Number.MAX_SAFE_INTEGER;
    for (;;) {
      const rows = await readPage({ sessionId, jobId, before });
      yield* rows;
      const oldest = rows.at(-1);
      if (oldest === undefined || rows.length < PAGE) return;
      before = oldest.ordinal;
    }
  }

  return {
    /**
     * The newest messages before the job's own that fit into `maxTokens` together, oldest first. They begin with a
     * question: an answer whose question does not fit is left out. So a question with its answer that is larger than
     * the budget is left out with all before it.
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

    /** What the messages of these jobs hold beside their text; the jobs newest first. */
    partsOf: createPartsReader(storage),

    jobsOf: async (sessionId: string, owner: string): Promise<Pick<JobRow, "id" | "kind">[]> =>
      table("agent_logs").where({ session_id: sessionId, owner }).select("id", "kind"),

    /** Deletes the session with its messages and jobs; deletes nothing when the owner has no such session. */
    async delete(sessionId: string, owner: string): Promise<void> {
      await write([{ query: table("sessions").where({ id: sessionId, owner }).delete() }]);
    },
  };
}
