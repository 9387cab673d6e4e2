/** A database that version 0.1.0 left is migrated with every row kept, and read and written by this version. */
import { expect, test } from "vitest";
import { createJobReader } from "../../apps/api/src/storage/job-reader.ts";
import { createKnowledgeReader } from "../../apps/api/src/storage/knowledge-reader.ts";
import { createSessionReader } from "../../apps/api/src/storage/session-reader.ts";
import { createJobRepository } from "../../apps/worker/src/storage/job-repository.ts";
import { createJournalRepository } from "../../apps/worker/src/storage/journal-repository.ts";
import { createKnowledgeRepository } from "../../apps/worker/src/storage/knowledge-repository.ts";
import { migrate } from "../../apps/worker/src/storage/migrate.ts";
import { createOrphanedJobRepository } from "../../apps/worker/src/storage/orphaned-job-repository.ts";
import { createSessionRepository } from "../../apps/worker/src/storage/session-repository.ts";
import { FORMER, FORMER_TABLES, openFormerDatabase } from "../support/former-version-database.ts";
import { jobPayload } from "../support/job-payload.ts";
import { readThrough } from "../support/test-database.ts";

const { owner, sessionId, collectionId, documentId, endedJobId, runningJobId } = FORMER;

async function openMigrated() {
  const database = await openFormerDatabase();
  await migrate(database.storage);
  return { ...database, readers: readThrough(database.storage) };
}

test("every row is kept, with its values under the new names", async () => {
  const { db, storage } = await openFormerDatabase();
  const before = new Map<string, object[]>();
  for (const table of FORMER_TABLES) before.set(table, await db(table));
  await migrate(storage);

  const renamed: Record<string, Record<string, string>> = {
    agent_logs: { attempt: "fencing_token", runs: "attempts" },
    agent_steps: { attempt: "fencing_token" },
  };
  for (const [table, rows] of before) {
    const expected = rows.map((row) =>
      Object.fromEntries(Object.entries(row).map(([column, value]) => [renamed[table]?.[column] ?? column, value])),
    );
    expect(rows.length).toBeGreaterThan(0);
    expect(await db(table === "stray_copies" ? "unreferenced_copies" : table)).toMatchObject(expected);
  }
  expect(await db.raw("pragma foreign_key_check")).toEqual([]);
  expect(await db.raw("pragma integrity_check")).toEqual([{ integrity_check: "ok" }]);
});

test("jobs, sessions and messages of the former version are read", async () => {
  const { storage, readers } = await openMigrated();
  const jobs = createJobReader(readers);
  expect(await jobs.find(owner, endedJobId)).toMatchObject({ status: "completed", fencing_token: 1, attempts: 1 });
  expect(await jobs.find(owner, runningJobId)).toMatchObject({ status: "running", fencing_token: 4, attempts: 2 });
  expect(await jobs.list(owner, { limit: 9 })).toHaveLength(2);
  const sessions = createSessionReader(readers);
  expect(await sessions.list(owner, { limit: 9 })).toMatchObject([{ id: sessionId, metadata: '{"k":1}' }]);
  expect(await sessions.messages(owner, sessionId, { limit: 9 })).toHaveLength(3);
  const history = await createSessionRepository(storage).latestMessages(sessionId, runningJobId, { maxTokens: 1_000 });
  expect(history.map(({ content }) => content)).toEqual(["a question", "an answer"]);
});

test("a running job of the former version is found, and is started and continued with its journal", async () => {
  const { storage } = await openMigrated();
  expect(await createOrphanedJobRepository(storage, "w").running("", 9)).toMatchObject([
    { id: runningJobId, fencing_token: 4 },
  ]);
  const payload = jobPayload({ job_id: runningJobId, kind: "chat", owner, session_id: sessionId });
  const jobs = createJobRepository(storage, "w");
  expect(await jobs.start(payload, 4)).toEqual({ kind: "stale" });
  expect(await jobs.start(payload, 5)).toMatchObject({ kind: "started", attempt: 3 });
  const journal = createJournalRepository(storage);
  const [finished, started] = await journal.load(runningJobId);
  expect([finished, started]).toMatchObject([
    { step_no: 1, status: "finished", value: '"out"', fencing_token: 1 },
    { step_no: 2, status: "started", fencing_token: 4 },
  ]);
  if (started === undefined) throw new Error("the journal has no second entry");
  expect(await journal.save({ ...started, status: "finished", value: '"late"', fencing_token: 4 })).toBe(false);
  expect(await journal.save({ ...started, status: "finished", value: '"again"', fencing_token: 5 })).toBe(true);
});

test("documents and copies of the former version are read, committed and swept", async () => {
  const { storage, readers } = await openMigrated();
  const reader = createKnowledgeReader(readers);
  expect(await reader.counted(owner, "docs")).toMatchObject({ documents: 1, chunks: 2 });
  expect(await reader.documents(owner, collectionId, { limit: 9 })).toMatchObject([{ id: documentId, version: "v1" }]);
  expect(await reader.isBeingStored(owner, collectionId, documentId)).toBe(true);

  const knowledge = createKnowledgeRepository(storage);
  const removable = await knowledge.unreferencedCopies(owner, collectionId, "");
  expect(removable).toEqual([{ id: FORMER.replacedCopyId }]);
  const job = { owner, collectionId, documentId, jobId: FORMER.pendingCopyId };
  const content = {
    source: "guide.md",
    version: "v2",
    format: "markdown",
    bytes: 9,
    chunks: 3,
    metadata: "{}",
  } as const;
  expect(await knowledge.commitCopy(job, content)).toBe(true);
  expect(await knowledge.findDocument(job)).toMatchObject({ copy_id: FORMER.pendingCopyId, chunks: 3 });
});
