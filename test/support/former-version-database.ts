/** A database as version 0.1.0 left it: migrated up to 006, with a row of every sort under the former names. */
import type { SqliteDatabase } from "@agent-paas/shared/db/sqlite/open-database.ts";
import { MIGRATIONS } from "../../apps/worker/src/storage/migrate.ts";
import { openEmptyDatabase, type TestDatabase } from "./test-database.ts";

const FORMER_MIGRATIONS = 6;

const NOW = "2026-01-01T00:00:00.000Z";
/** An id that tells its row by its last digits. */
const id = (number: number) => `01900000-0000-7000-8000-${String(number).padStart(12, "0")}`;

export const FORMER = {
  owner: "alice",
  sessionId: id(1),
  endedJobId: id(11),
  /** Of session `sessionId`; its number of starts is 4, of which the agent was started in 2. */
  runningJobId: id(12),
  collectionId: id(21),
  documentId: id(31),
  currentCopyId: id(40),
  replacedCopyId: id(41),
  pendingCopyId: id(42),
  revokedCopyId: id(43),
} as const;

export const FORMER_TABLES = [
  ...["sessions", "agent_logs", "messages", "agent_steps"],
  ...["collections", "documents", "stray_copies"],
] as const;

export async function openFormerDatabase(): Promise<TestDatabase> {
  const database = await openEmptyDatabase();
  await database.storage.migrate(new Map([...MIGRATIONS].slice(0, FORMER_MIGRATIONS)));
  await insertFormerRows(database.db);
  return database;
}

async function insertFormerRows(db: SqliteDatabase): Promise<void> {
  const { owner, sessionId: session_id, collectionId: collection_id, documentId } = FORMER;
  const common = { owner, agent_type: "chat_basic", created_at: NOW };
  await db("sessions").insert({ ...common, id: session_id, config: "{}", metadata: '{"k":1}', updated_at: NOW });
  const job = { ...common, session_id, kind: "chat", task: "a question", worker: "worker-1", started_at: NOW };
  await db("agent_logs").insert([
    {
      ...job,
      ...{ id: FORMER.endedJobId, status: "completed", attempt: 1, runs: 1, result: '{"content":"an answer"}' },
      ...{ usage: null, last_seq: 3, execution_time_ms: 5, finished_at: NOW },
    },
    { ...job, ...{ id: FORMER.runningJobId, status: "running", attempt: 4, runs: 2 } },
  ]);
  const message = { session_id, tokens_used: 2, metadata: "{}", created_at: NOW };
  await db("messages").insert([
    { ...message, id: id(51), job_id: FORMER.endedJobId, ordinal: 1, role: "user", content: "a question" },
    { ...message, id: id(52), job_id: FORMER.endedJobId, ordinal: 2, role: "assistant", content: "an answer" },
    { ...message, id: id(53), job_id: FORMER.runningJobId, ordinal: 3, role: "user", content: "another question" },
  ]);
  const step = { job_id: FORMER.runningJobId, kind: "tool", input: '"in"', started_at: NOW };
  await db("agent_steps").insert([
    { ...step, step_no: 1, step_key: "a", status: "finished", value: '"out"', attempt: 1, finished_at: NOW },
    { ...step, step_no: 2, step_key: "b", status: "started", value: null, attempt: 4, finished_at: null },
  ]);
  await db("collections").insert({ id: collection_id, owner, name: "docs", embedding: "local", created_at: NOW });
  const copies = { job_id: FORMER.currentCopyId, copy_id: FORMER.currentCopyId };
  await db("documents").insert({
    ...{ id: documentId, collection_id, owner, source: "guide.md", version: "v1", format: "markdown", bytes: 9 },
    ...{ chunks: 2, metadata: "{}", created_at: NOW, updated_at: NOW, ...copies },
  });
  const stray = { collection_id, document_id: documentId, owner };
  await db("stray_copies").insert([
    { ...stray, id: FORMER.replacedCopyId, state: "replaced" },
    { ...stray, id: FORMER.pendingCopyId, state: "pending" },
    { ...stray, id: FORMER.revokedCopyId, state: "revoked" },
  ]);
}
