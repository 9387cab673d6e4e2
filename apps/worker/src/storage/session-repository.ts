/** Reads the history that goes to the model, and deletes sessions. */
import type { ToolResult } from "@agent-paas/shared/contract/client-tools.ts";
import { DROPPED, droppedJobs, findRefusal, hasGoneOn, latestOpenTurns } from "@agent-paas/shared/db/open-turns.ts";
import type { JobRow, MessageRow } from "@agent-paas/shared/db/rows.ts";
import type { Storage } from "@agent-paas/shared/db/storage.ts";
import { fitTurn, spokenTokens, tokensOf } from "./fit-turn.ts";
import { createPartsReader } from "./message-parts.ts";
import { decodeOpenTurn } from "./open-turn.ts";
import { readClientResult } from "./tool-messages.ts";

/** Messages per read; most budgets are used up within the first page. */
const PAGE = 50;

export type SessionRepository = ReturnType<typeof createSessionRepository>;

type StoredHistoryRow = Pick<MessageRow, "ordinal" | "job_id" | "role" | "content" | "tokens_used" | "open_turn"> & {
  /** The metadata of a message of role `tool`; else null. */
  readonly call: string | null;
  /** The status of the message's job. Null where calls are not wanted. */
  readonly job_status: JobRow["status"] | null;
};

export type HistoryRow = Omit<StoredHistoryRow, "open_turn"> & {
  /** The turn whose calls were the client's, of an assistant's message; else null. */
  readonly open_turn: ReturnType<typeof decodeOpenTurn>;
};

const decodeRow = (row: StoredHistoryRow): HistoryRow => ({
  ...row,
  open_turn: row.open_turn === null ? null : decodeOpenTurn(row.open_turn),
});

/** Whether the message is of a job that failed or was cancelled: no turn goes on from it. */
export const isDropped = ({ job_status }: Pick<HistoryRow, "job_status">): boolean =>
  DROPPED.some((status) => status === job_status);

/** What agents know; a later version may write others. */
const SPOKEN = ["user", "assistant"];

type PageStart = { sessionId: string; jobId: string; before: number };

type HistoryBounds = {
  readonly maxTokens: number;
  /** Whether calls of tools are wanted at all. Default: no. */
  readonly withCalls?: boolean | undefined;
  /** Only messages before this ordinal. Default: all. */
  readonly before?: number | undefined;
};

export function createSessionRepository(storage: Storage) {
  const { table, sql, prepareRead, write } = storage;
  const columns = [
    ...["ordinal", "job_id", "role", "content", "tokens_used", "open_turn"],
    sql.expression("case when role = 'tool' then metadata end as call"),
  ];
  const status = sql.expression("(select status from agent_logs where id = messages.job_id) as job_status");

  const messagesBefore = ({ sessionId, jobId, before }: PageStart) =>
    table("messages")
      .where("session_id", sql.hideFromPlanner(sessionId))
      .where("ordinal", "<", before)
      // Not what was accepted later and is written already, because its job was cancelled while it waited.
      .where(
        "ordinal",
        "<",
        sql.expression("coalesce((select min(own.ordinal) from messages as own where own.job_id = ?), ?)", [
          sql.hideFromPlanner(jobId),
          before,
        ]),
      )
      .whereNot({ job_id: jobId });
  const pageOf = (start: PageStart) =>
    messagesBefore(start)
      .orderBy("ordinal", "desc")
      .limit(PAGE)
      .select(...columns);

  const readPage = prepareRead<StoredHistoryRow, PageStart>((start) => pageOf(start).select(status));
  const readSpokenPage = prepareRead<StoredHistoryRow, PageStart>((start) =>
    pageOf(start).whereIn("role", SPOKEN).select(sql.expression("null as job_status")),
  );

  /** Newest first. Pages are read as they are consumed, so the cost does not grow with the session. */
  async function* newestFirst(start: PageStart, withCalls: boolean): AsyncGenerator<HistoryRow> {
    const read = withCalls ? readPage : readSpokenPage;
    let { before } = start;
    for (;;) {
      const rows = await read({ ...start, before });
      for (const row of rows) yield decodeRow(row);
      const oldest = rows.at(-1);
      if (oldest === undefined || rows.length < PAGE) return;
      before = oldest.ordinal;
    }
  }

  return {
    /**
     * The newest turns before the job's own question that fit into `maxTokens` together, oldest first: whole ones, and
     * without their calls those that would not fit with them. A turn that is larger than the budget is left out with
     * all before it.
     */
    async latestMessages(
      sessionId: string,
      jobId: string,
      { maxTokens, withCalls = false, before = Number.MAX_SAFE_INTEGER }: HistoryBounds,
    ): Promise<HistoryRow[]> {
      const chosen: HistoryRow[] = [];
      let left = maxTokens;
      let turn: HistoryRow[] = [];
      if (left > 0) {
        for await (const message of newestFirst({ sessionId, jobId, before }, withCalls)) {
          turn.push(message);
          if (spokenTokens(turn) > left) break;
          if (message.role !== "user") continue;
          const fitting = fitTurn(turn, left, withCalls);
          if (fitting === null) break;
          left -= tokensOf(fitting);
          chosen.push(...fitting);
          turn = [];
        }
      }
      return chosen.reverse();
    },

    /**
     * The session's newest turn that ended with calls of the client: its messages from the question to the calls,
     * oldest first, and behind them results that failed and cancelled jobs brought. For a job whose row is written.
     * `refusal`: why the results of its request are none of these calls. Null: there is no such turn.
     */
    async openTurn(sessionId: string, jobId: string, results: readonly ToolResult[]) {
      const turns = await latestOpenTurns(table, sessionId);
      const ordinal = turns[0]?.ordinal;
      if (ordinal === undefined) return null;
      const refusal = findRefusal(results, turns, await hasGoneOn(table, sessionId, ordinal, jobId));
      const dropped = () => droppedJobs(table, sessionId);
      const [asked] = await table("messages")
        .where({ session_id: sessionId, role: "user" })
        .where("ordinal", "<=", ordinal)
        .whereNotIn("job_id", dropped())
        .max({ ordinal: "ordinal" });
      const before = Number.MAX_SAFE_INTEGER;
      const found: StoredHistoryRow[] = await messagesBefore({ sessionId, jobId, before })
        .where("ordinal", ">=", Number(asked?.ordinal ?? 0))
        .where((each) => each.where("ordinal", "<=", ordinal).orWhere({ role: "tool" }))
        .orderBy("ordinal")
        .select(...columns, status);
      const rows = found.filter(({ ordinal: at, call }) => at <= ordinal || (call && readClientResult(call) !== null));
      return { refusal, rows: rows.map(decodeRow) };
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
