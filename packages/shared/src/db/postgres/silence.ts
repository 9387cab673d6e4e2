/**
 * Notices connections whose other end has vanished without a word: the kernel would repeat what was sent for a quarter
 * of an hour. A statement may take long, so a connection that owes an answer is judged by what the server says over
 * another connection: whether it is still at work for this one. A server that waits for the rest of a batch, or for
 * its answer to be taken, is not. If that connection gets no answer either, the host is gone.
 */
import { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import pg from "pg";
import { SECOND } from "../../time.ts";
import type { PostgresConnection } from "./postgres-connection.ts";

const LOOK_EVERY_MS = SECOND;
/** An answer that is due for so long makes the server be asked. */
const DOUBT_AFTER_MS = 3 * SECOND;
const ANSWER_WITHIN_MS = 3 * SECOND;
/** Beyond the server's own limit on a statement, no answer can come any more. */
const MARGIN_MS = 5 * SECOND;

type Watched = { readonly connection: PostgresConnection; bytesRead: number; silentSince: number | null };

export type SilenceWatch = { add(connection: PostgresConnection): void };

/** @param statementTimeoutMs of the server; 0: none. */
export function watchSilence(settings: pg.ClientConfig, statementTimeoutMs: number): SilenceWatch {
  const watched = new Map<PostgresConnection, Watched>();
  let isAsking = false;
  /** Runs while there are connections. */
  let timer: NodeJS.Timeout | null = null;

  function look(): void {
    const now = performance.now();
    const doubtful: Watched[] = [];
    for (const [connection, state] of watched) {
      const { stream } = connection.connection;
      if (stream.destroyed) {
        watched.delete(connection);
        continue;
      }
      const isSilent = !connection.readyForQuery && stream.bytesRead === state.bytesRead;
      state.bytesRead = stream.bytesRead;
      state.silentSince = isSilent ? (state.silentSince ?? now - LOOK_EVERY_MS) : null;
      if (state.silentSince === null) continue;
      const silentMs = now - state.silentSince;
      if (statementTimeoutMs > 0 && silentMs > statementTimeoutMs + MARGIN_MS) cut(state);
      else if (silentMs >= DOUBT_AFTER_MS) doubtful.push(state);
    }
    if (doubtful.length > 0) void judge(doubtful);
    if (watched.size > 0 || timer === null) return;
    clearInterval(timer);
    timer = null;
  }

  async function judge(doubtful: readonly Watched[]): Promise<void> {
    if (isAsking) return;
    isAsking = true;
    try {
      const ids = doubtful.map(({ connection }) => connection.processID);
      const busy = await askForBusy(settings, ids);
      for (const state of doubtful) {
        if (state.silentSince !== null && busy !== "unknown" && !busy.has(state.connection.processID)) cut(state);
      }
    } finally {
      isAsking = false;
    }
  }

  return {
    add(connection) {
      const { bytesRead } = connection.connection.stream;
      watched.set(connection, { connection, bytesRead, silentSince: null });
      timer ??= setInterval(look, LOOK_EVERY_MS).unref();
    },
  };
}

/** A reset drops what the link has not taken. After a close the kernel would deliver old batches after new ones. */
function cut({ connection, bytesRead }: Watched): void {
  const { stream } = connection.connection;
  // It may have been this process that did not read.
  if (connection.readyForQuery || stream.bytesRead !== bytesRead) return;
  if (stream instanceof Socket && !(stream instanceof TLSSocket)) stream.resetAndDestroy();
  else stream.destroy(new Error("The link is silent"));
}

/** Those of a process whose client is waited for, not the other way round. */
const WAITING = "state like 'idle%' or wait_event_type = 'Client'";

/** The processes among those that work for their client; none when the host does not answer. */
async function askForBusy(settings: pg.ClientConfig, ids: readonly number[]): Promise<ReadonlySet<number> | "unknown"> {
  const limits = { connectionTimeoutMillis: ANSWER_WITHIN_MS, query_timeout: ANSWER_WITHIN_MS };
  const client: pg.Client & { readonly processID?: number } = new pg.Client({ ...settings, ...limits });
  client.on("error", () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ pid: number; own: number }>(
      `select pid, pg_backend_pid() as own from pg_stat_activity
       where pid = pg_backend_pid() or (pid = any($1) and (${WAITING}) is not true)`,
      [ids],
    );
    // A pooler gives processes numbers of its own, so nothing can be said of the others.
    if (rows.some(({ own }) => own !== client.processID)) return "unknown";
    return new Set(rows.map(({ pid }) => pid));
  } catch (error) {
    // A server that refuses is alive.
    return error instanceof pg.DatabaseError ? "unknown" : new Set();
  } finally {
    void client.end().catch(() => {});
  }
}
