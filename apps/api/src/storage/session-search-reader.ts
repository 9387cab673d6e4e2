/** Reads what a search through sessions looks at, in slices: SQLite answers on the thread that serves all requests. */
import type { SessionRow } from "@agent-paas/shared/db/rows.ts";
import type { ReadStorage } from "@agent-paas/shared/db/storage.ts";
import { ofSessions, type SessionPlace } from "./session-reader.ts";

export type Candidate = SessionRow & {
  /** The ordinal of its last message, so no fewer than it has; null: it has none. */
  readonly last: number | null;
};

export type Hit = { readonly session_id: string; readonly ordinal: number };

export type Looked = { readonly ordinal: number; readonly is_hit: number };

/** Characters that an excerpt has before the hit, and in all. */
const BEFORE_HIT = 60;
const EXCERPT = 400;

const SAID = ["user", "assistant"];

export type SearchReader = ReturnType<typeof createSearchReader>;

export function createSearchReader(storage: ReadStorage) {
  return {
    /** As `list` of the reader. */
    candidates: (
      owner: string,
      page: { readonly limit: number; readonly before?: string | SessionPlace | undefined },
    ): Promise<Candidate[]> =>
      storage.read(
        (table, sql) =>
          ofSessions(table, sql, owner, page).select(
            "sessions.*",
            table("messages").whereRaw("messages.session_id = sessions.id").max("ordinal").as("last"),
          ),
        [],
      ),

    /**
     * The newest message of each session that contains the text. Only of sessions that the caller owns.
     * @param text its ASCII letters in lower case
     */
    hits: (sessionIds: readonly string[], text: string): Promise<Hit[]> =>
      storage.read(async (table, sql) => {
        const found = await table("messages")
          .whereIn("session_id", sessionIds)
          .whereIn("role", SAID)
          .where(sql.positionOf("content", text), ">", 0)
          .groupBy("session_id")
          .select("session_id")
          .max({ ordinal: "ordinal" });
        return found.map(({ session_id, ordinal }) => ({ session_id, ordinal: Number(ordinal) }));
      }, []),

    /** The newest messages of a session before an ordinal, newest first, and which of them contain the text. */
    slice: (sessionId: string, text: string, before: number, limit: number): Promise<Looked[]> =>
      storage.read((table, sql) => {
        const said = SAID.map((role) => `'${role}'`).join(", ");
        const isHit = sql.expression(`case when role in (${said}) and ? > 0 then 1 else 0 end as is_hit`, [
          sql.positionOf("content", text),
        ]);
        return table("messages")
          .where({ session_id: sessionId })
          .where("ordinal", "<", before)
          .orderBy("ordinal", "desc")
          .limit(limit)
          .select("ordinal", isHit);
      }, []),

    /** By session: the text around the hit, which begins within the first `BEFORE_HIT` characters. */
    excerpts: (hits: readonly Hit[], text: string): Promise<ReadonlyMap<string, string>> =>
      storage.read(async (table, sql) => {
        if (hits.length === 0) return new Map();
        const position = sql.positionOf("content", text);
        const start = sql.expression("case when ? > ? then ? - ? else 1 end", [
          ...[position, BEFORE_HIT, position, BEFORE_HIT],
        ]);
        const rows: { session_id: string; excerpt: string }[] = await table("messages")
          .whereIn(
            ["session_id", "ordinal"],
            hits.map(({ session_id, ordinal }) => [session_id, ordinal]),
          )
          .select("session_id", sql.expression(`substr(content, ?, ${EXCERPT}) as excerpt`, [start]));
        return new Map(rows.map(({ session_id, excerpt }) => [session_id, excerpt]));
      }, new Map()),
  };
}
