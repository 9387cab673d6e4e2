/** A session with messages, written straight into the database: 10,000 messages over HTTP would take minutes. */
import { countTokens } from "@agent-paas/agents/model/tokens.ts";
import type { JobRow, MessageRow, SessionRow } from "@agent-paas/shared/db/rows.ts";
import type { Storage } from "@agent-paas/shared/db/storage.ts";
import { newId } from "@agent-paas/shared/ids.ts";

/** Rows per statement: SQLite accepts 32,766 values in one. */
const CHUNK = 500;

/**
 * `turns` questions with their answers, all of one length. The texts count from the end, so the latest messages of two
 * sessions are equal whatever their lengths.
 */
export async function seedSession({ table, write }: Storage, owner: string, turns: number): Promise<string> {
  const sessionId = newId();
  const now = new Date().toISOString();
  const common = { owner, agent_type: "chat_basic", created_at: now };
  const session: Partial<SessionRow> = { ...common, id: sessionId, config: "{}", metadata: "{}", updated_at: now };
  const jobs: Partial<JobRow>[] = [];
  const messages: MessageRow[] = [];
  for (let turn = turns; turn > 0; turn--) {
    const jobId = newId();
    const states = { status: "completed", fencing_token: 1, attempts: 1, worker: "none", started_at: now } as const;
    jobs.push({ ...common, ...states, id: jobId, kind: "chat", session_id: sessionId, task: "" });
    for (const role of ["user", "assistant"] as const) {
      const content = `${role} ${turn} turns ago: ${"word ".repeat(200)}`;
      const place = { id: newId(), session_id: sessionId, job_id: jobId, ordinal: messages.length + 1 };
      messages.push({
        ...{ ...place, role, content, created_at: now, metadata: "{}", open_turn: null },
        tokens_used: countTokens(content),
      });
    }
  }
  await write([
    { query: table("sessions").insert(session) },
    ...inChunks(jobs).map((rows) => ({ query: table("agent_logs").insert(rows) })),
    ...inChunks(messages).map((rows) => ({ query: table("messages").insert(rows) })),
  ]);
  return sessionId;
}

const inChunks = <Row>(rows: readonly Row[]): Row[][] =>
  Array.from({ length: Math.ceil(rows.length / CHUNK) }, (_, at) => rows.slice(at * CHUNK, (at + 1) * CHUNK));
