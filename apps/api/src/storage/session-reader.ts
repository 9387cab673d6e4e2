/** Reads sessions and their messages. The owner is part of every query (I8). */
import type { MessageRow, SessionRow } from "@agent-paas/shared/db/rows.ts";
import type { ReadDatabase } from "./database.ts";

export type Page = { readonly limit: number; readonly before?: string | undefined };

export type SessionReader = ReturnType<typeof createSessionReader>;

export function createSessionReader(database: ReadDatabase) {
  return {
    find: (owner: string, id: string): Promise<SessionRow | undefined> =>
      database.read((db) => db<SessionRow>("sessions").where({ id, owner }).first(), undefined),

    /** Newest first. */
    list: (owner: string, { limit, before }: Page): Promise<SessionRow[]> =>
      database.read((db) => {
        const query = db<SessionRow>("sessions").where({ owner });
        if (before !== undefined) query.where("id", "<", before);
        return query.orderBy("id", "desc").limit(limit);
      }, []),

    /** The newest messages before the message `before`, oldest first. */
    messages: (owner: string, sessionId: string, { limit, before }: Page): Promise<MessageRow[]> =>
      database.read(async (db) => {
        const owned = db("sessions").where({ id: sessionId, owner }).select("id");
        // `=`, not `in`: of one session SQLite reads the newest from the index, of several it would sort all.
        const query = db<MessageRow>("messages").where("session_id", owned);
        if (before !== undefined) {
          query.where("ordinal", "<", db("messages").where({ id: before, session_id: sessionId }).select("ordinal"));
        }
        return (await query.orderBy("ordinal", "desc").limit(limit)).reverse();
      }, []),
  };
}
