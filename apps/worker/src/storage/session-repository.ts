/** Reads the history that goes to the model, and deletes sessions. */
import type { ToolResult } from "@agent-paas/shared/contract/client-tools.ts";
import type { MaintenancePayload } from "@agent-paas/shared/contract/jobs.ts";
import { DROPPED, droppedJobs, findRefusal, hasGoneOn, latestOpenTurns } from "@agent-paas/shared/db/open-turns.ts";
import type { JobRow, MessageRow } from "@agent-paas/shared/db/rows.ts";
import type { Storage } from "@agent-paas/shared/db/storage.ts";
import type { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { createTurnFit } from "./fit-turn.ts";
import { createPartsReader } from "./message-parts.ts";
import { decodeOpenTurn } from "./open-turn.ts";
import { readClientResult } from "./tool-messages.ts";
import { createWholeTurnsReader, type WholeTurns } from "./whole-turns.ts";

/** Messages per read; most budgets are used up within the first page. */
const PAGE = 50;
/** Of a turn that a job goes on with: more than any model reads. */
const MAX_TURN_TOKENS = 1_000_000;
const MAX_TURN_MESSAGES = 2_000;
/** Of the results that failed and cancelled jobs brought, the latest. */
const MAX_RESULTS = 256;

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

/** @param keepsTools whether it is asked what the client could run. Default: false. */
function decodeRow(row: StoredHistoryRow, keepsTools = false): HistoryRow {
  const turn = row.open_turn === null ? null : decodeOpenTurn(row.open_turn);
  return { ...row, open_turn: turn === null || keepsTools ? turn : { ...turn, tools: [] } };
}

type OpenTurnFound = {
  readonly refusal: PlatformError | null;
  readonly rows: readonly HistoryRow[];
  /** Of its jobs. */
  readonly whole: WholeTurns;
};

/** Whether the message is of a job that failed or was cancelled: no turn goes on from it. */
export const isDropped = ({ job_status }: Pick<HistoryRow, "job_status">): boolean =>
  DROPPED.some((status) => status === job_status);

/** What agents know; a later version may write others. */
const SPOKEN = ["user", "assistant"];

type PendingSession = NonNullable<Extract<MaintenancePayload, { action: "rename_session" }>["pending"]>;

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
  const CALL_COLUMN = sql.expression("case when role = 'tool' then metadata end as call");
  const STATUS_COLUMN = sql.expression("(select status from agent_logs where id = messages.job_id) as job_status");

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
      .select("ordinal", "job_id", "role", "content", "tokens_used");

  const readPage = prepareRead<StoredHistoryRow, PageStart>((start) =>
    pageOf(start).select("open_turn", CALL_COLUMN, STATUS_COLUMN),
  );
  const readSpokenPage = prepareRead<StoredHistoryRow, PageStart>((start) =>
    pageOf(start)
      .whereIn("role", SPOKEN)
      .where((each) => each.where({ role: "user" }).orWhereNot({ content: "" }))
      .select(sql.expression("null as open_turn, null as call, null as job_status")),
  );
  const wholeTurnsOf = createWholeTurnsReader(storage);

  /** The turn that ends there, oldest first: its question, and of what follows as much of the latest as is kept. */
  async function turnUpTo(sessionId: string, ordinal: number): Promise<HistoryRow[]> {
    const upTo = () => table("messages").where({ session_id: sessionId }).where("ordinal", "<=", ordinal);
    const [asked] = await upTo()
      .where({ role: "user" })
      .whereNotIn("job_id", droppedJobs(table, sessionId))
      .max({ ordinal: "ordinal" });
    const first = Number(asked?.ordinal ?? 0);
    const fit = createTurnFit<HistoryRow>(MAX_TURN_TOKENS, true);
    const rows: HistoryRow[] = [];
    const isFull = () => !fit.takesCalls() || rows.length >= MAX_TURN_MESSAGES;
    for (let before = ordinal + 1; ; ) {
      // No message is the job's own: the calls are older.
      const page = (await readPage({ sessionId, jobId: "", before })).filter((row) => row.ordinal >= first);
      for (const stored of page) {
        const row = decodeRow(stored, stored.ordinal === ordinal);
        fit.add(row);
        if (row.ordinal === first || !isFull()) rows.push(row);
      }
      const last = page.at(-1);
      if (last === undefined || last.ordinal === first || page.length < PAGE) return rows.reverse();
      before = isFull() ? first + 1 : last.ordinal;
    }
  }

  /** What failed and cancelled jobs have brought of results since. */
  async function resultsBehind(sessionId: string, jobId: string, ordinal: number): Promise<HistoryRow[]> {
    const rows: StoredHistoryRow[] = await messagesBefore({ sessionId, jobId, before: Number.MAX_SAFE_INTEGER })
      .where("ordinal", ">", ordinal)
      .where({ role: "tool" })
      .orderBy("ordinal", "desc")
      .limit(MAX_RESULTS)
      .select("ordinal", "job_id", "role", "content", "tokens_used", "open_turn", CALL_COLUMN, STATUS_COLUMN);
    return rows
      .filter(({ call }) => call !== null && readClientResult(call) !== null)
      .map((row) => decodeRow(row))
      .reverse();
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
      let fit = createTurnFit<HistoryRow>(left, withCalls);
      for (let start = { sessionId, jobId, before }; left > 0; ) {
        // Once a turn has too many calls, only what was said is read up to its question.
        const isWhole = fit.takesCalls();
        const rows = await (isWhole ? readPage : readSpokenPage)(start);
        let isLast = rows.length < PAGE;
        for (const row of rows) {
          start = { ...start, before: row.ordinal };
          fit.add(decodeRow(row));
          if (fit.isOver()) return chosen.reverse();
          if (row.role !== "user") continue;
          const { rows: fitting, tokens } = fit.fitting();
          chosen.push(...fitting);
          left -= tokens;
          fit = createTurnFit(left, withCalls);
          if (isWhole || !withCalls) continue;
          isLast = false;
          break;
        }
        if (isLast) break;
      }
      return chosen.reverse();
    },

    /**
     * The session's newest turn that ended with calls of the client: its messages from the question to the calls,
     * oldest first, and behind them results that failed and cancelled jobs brought. Of a very long turn its latest
     * messages. For a job whose row is written. `refusal`: why the results of its request are none of these calls; then
     * there are no messages. Null: there is no such turn.
     */
    async openTurn(sessionId: string, jobId: string, results: readonly ToolResult[]): Promise<OpenTurnFound | null> {
      const turns = await latestOpenTurns(table, sessionId);
      const ordinal = turns[0]?.ordinal;
      if (ordinal === undefined) return null;
      const refusal = findRefusal(results, turns, await hasGoneOn(table, sessionId, ordinal, jobId));
      if (refusal !== null) return { refusal, rows: [], whole: new Map() };
      const rows = [...(await turnUpTo(sessionId, ordinal)), ...(await resultsBehind(sessionId, jobId, ordinal))];
      const open = rows.filter(({ open_turn }) => open_turn !== null).map(({ job_id }) => job_id);
      return { refusal, rows, whole: await wholeTurnsOf(open.reverse()) };
    },

    /** What the messages of these jobs hold beside their text; the jobs newest first. */
    partsOf: createPartsReader(storage),

    jobsOf: async (sessionId: string, owner: string): Promise<Pick<JobRow, "id" | "kind">[]> =>
      table("agent_logs").where({ session_id: sessionId, owner }).select("id", "kind"),

    /** `pending`: of a session whose row may not be written yet. Does nothing when the owner has no such session. */
    async rename(id: string, owner: string, title: string, pending?: PendingSession): Promise<void> {
      if (pending === undefined) {
        await write([{ query: table("sessions").where({ id, owner }).update({ title }) }]);
        return;
      }
      const session = { id, owner, ...pending, updated_at: pending.created_at, title };
      const query = table("sessions").insert(session).onConflict("id").merge({ title }).where("sessions.owner", owner);
      await write([{ query }]);
    },

    /** Deletes the session with its messages and jobs; deletes nothing when the owner has no such session. */
    async delete(sessionId: string, owner: string): Promise<void> {
      await write([{ query: table("sessions").where({ id: sessionId, owner }).delete() }]);
    },
  };
}
