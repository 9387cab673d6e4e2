/** Reads sessions and their messages. The owner is part of every query (I8). */
import { hasGoneOn, latestOpenTurns, type StoredOpenTurn } from "@agent-paas/shared/db/open-turns.ts";
import type { Sql, Table } from "@agent-paas/shared/db/queries.ts";
import type { MessagePartsRow, MessageRow, SessionRow } from "@agent-paas/shared/db/rows.ts";
import type { ReadStorage } from "@agent-paas/shared/db/storage.ts";

export type Page = { readonly limit: number; readonly before?: string | undefined };

type MessagesPage = Page & {
  readonly after?: string | null;
  readonly upToJob?: string;
  readonly ofJob?: string;
  readonly tools?: boolean;
};

export type OpenTurns = { readonly turns: readonly StoredOpenTurn[]; readonly isOver: boolean };

const NO_OPEN_TURNS: OpenTurns = { turns: [], isOver: false };

/** Where a session stands in the list, also once it is deleted. */
export type SessionPlace = Pick<SessionRow, "created_at" | "id">;

/** A page of the owner's sessions, of those that began before a session, or before its place. */
export function ofSessions(
  table: Table,
  sql: Sql,
  owner: string,
  { limit, before }: Omit<Page, "before"> & { readonly before?: string | SessionPlace | undefined },
) {
  const query = table("sessions").where({ owner });
  if (typeof before === "object") {
    query.where(sql.expression("(created_at, id) < (?, ?)", [before.created_at, before.id]));
  } else if (before !== undefined) {
    const place = "(created_at, id) < (select created_at, id from sessions where id = ? and owner = ?)";
    query.where(sql.expression(place, [before, owner]));
  }
  return query
    .orderBy([
      { column: "created_at", order: "desc" },
      { column: "id", order: "desc" },
    ])
    .limit(limit);
}

export type SessionReader = ReturnType<typeof createSessionReader>;

export function createSessionReader(storage: ReadStorage) {
  return {
    find: (owner: string, id: string): Promise<SessionRow | undefined> =>
      storage.read((table) => table("sessions").where({ id, owner }).first(), undefined),

    /** Whether the id names a session of somebody else. */
    isTaken: (owner: string, id: string): Promise<boolean> =>
      storage.read(
        async (table) => (await table("sessions").where({ id }).whereNot({ owner }).first("id")) !== undefined,
        false,
      ),

    count: (owner: string): Promise<number> =>
      storage.read(async (table) => {
        const [counted] = await table("sessions").where({ owner }).count({ sessions: "*" });
        return Number(counted?.sessions ?? 0);
      }, 0),

    /** Newest first, those that began before the session `before`. None if there is no such session. */
    list: (owner: string, page: Page): Promise<SessionRow[]> =>
      storage.read((table, sql) => ofSessions(table, sql, owner, page), []),

    /**
     * The newest messages before the message `before`, oldest first; with `tools` also those of role `tool`. With
     * `after`, the oldest behind that message, or from the first one on if it is null. With `upToJob`, only as far as
     * the last message of that job; with `ofJob`, only its own.
     */
    messages: (
      owner: string,
      sessionId: string,
      { limit, before, after, upToJob, ofJob, tools = false }: MessagesPage,
    ): Promise<MessageRow[]> =>
      storage.read(async (table) => {
        const ordinalOf = (id: string) => table("messages").where({ id, session_id: sessionId }).select("ordinal");
        const ownedId = table("sessions").where({ id: sessionId, owner }).select("id");
        // `=`, not `in`: SQLite reads the newest messages of one session from the index, but sorts those of several.
        const query = table("messages").where("session_id", ownedId);
        if (!tools) query.whereNot({ role: "tool" });
        if (ofJob !== undefined) query.where({ job_id: ofJob });
        if (before !== undefined) query.where("ordinal", "<", ordinalOf(before));
        if (upToJob !== undefined) {
          const ofJob = table("messages").where({ job_id: upToJob, session_id: sessionId });
          query.where("ordinal", "<=", ofJob.max("ordinal"));
        }
        if (after !== undefined && after !== null) query.where("ordinal", ">", ordinalOf(after));
        if (after !== undefined) return query.orderBy("ordinal", "asc").limit(limit);
        return (await query.orderBy("ordinal", "desc").limit(limit)).reverse();
      }, []),

    message: (owner: string, sessionId: string, id: string): Promise<MessageRow | undefined> =>
      storage.read((table) => {
        const ownedId = table("sessions").where({ id: sessionId, owner }).select("id");
        return table("messages").where({ id }).where("session_id", ownedId).first();
      }, undefined),

    /** The newest turns that ended with calls of the client, newest first, and whether the session went on since. */
    openTurns: (owner: string, sessionId: string): Promise<OpenTurns> =>
      storage.read(async (table) => {
        const owned = await table("sessions").where({ id: sessionId, owner }).first("id");
        const turns = owned === undefined ? [] : await latestOpenTurns(table, sessionId);
        const [newest] = turns;
        return { turns, isOver: newest !== undefined && (await hasGoneOn(table, sessionId, newest.ordinal)) };
      }, NO_OPEN_TURNS),

    /** Which of these jobs have messages with parts, and how large those are. */
    partSizes: (jobIds: readonly string[]): Promise<Pick<MessagePartsRow, "job_id" | "bytes">[]> =>
      storage.read((table) => table("message_parts").whereIn("job_id", jobIds).select("job_id", "bytes"), []),

    /** Only of jobs of messages that the caller owns. */
    parts: (jobIds: readonly string[]): Promise<Pick<MessagePartsRow, "job_id" | "parts">[]> =>
      storage.read((table) => table("message_parts").whereIn("job_id", jobIds).select("job_id", "parts"), []),
  };
}
