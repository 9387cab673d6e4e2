/** Queries of each request, of each search, and of the reaper and retention use an index and do not scan a table. */

import type { SqliteDatabase } from "@agent-paas/shared/db/sqlite/open-database.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { expect, test } from "vitest";
import { createKnowledgeReader } from "../../apps/api/src/storage/knowledge-reader.ts";
import { createSessionReader } from "../../apps/api/src/storage/session-reader.ts";
import { createSearchReader } from "../../apps/api/src/storage/session-search-reader.ts";
import { createKnowledgeRepository } from "../../apps/worker/src/storage/knowledge-repository.ts";
import { createOrphanedJobRepository } from "../../apps/worker/src/storage/orphaned-job-repository.ts";
import { createRetentionRepository } from "../../apps/worker/src/storage/retention-repository.ts";
import { openTestDatabase, readThrough } from "../support/test-database.ts";

/** The query plans of all statements that `ask` runs. */
async function planOf(db: SqliteDatabase, ask: () => Promise<unknown>): Promise<string[]> {
  const asked: { sql: string; bindings: string[] }[] = [];
  const listen = (query: (typeof asked)[number]) => void asked.push(query);
  db.on("query", listen);
  await ask();
  db.removeListener("query", listen);
  const plans = await Promise.all(asked.map(({ sql, bindings }) => db.raw(`explain query plan ${sql}`, bindings)));
  return plans.flat().map(({ detail }: { detail: string }) => detail);
}

test("a search reads the documents of the found copies from an index", async () => {
  const { db, storage } = await openTestDatabase();
  const { currentCopies } = createKnowledgeRepository(storage);
  for (const found of [1, 20, 1_000]) {
    const copyIds = Array.from({ length: found }, newId);
    expect(await planOf(db, () => currentCopies("alice", newId(), copyIds))).toEqual([
      expect.stringMatching(/^SEARCH documents USING INDEX .*\(collection_id=\? AND copy_id=\?\)$/),
    ]);
  }
});

test("a collection is found without counting it, and counted from an index alone", async () => {
  const { db, storage } = await openTestDatabase();
  const reader = createKnowledgeReader(readThrough(storage));
  expect(await planOf(db, () => reader.collection("alice", "docs"))).toHaveLength(1);
  const counting = (await planOf(db, () => reader.counted("alice", "docs"))).filter((step) => /documents/.test(step));
  expect(counting).toHaveLength(2);
  for (const step of counting) expect(step).toContain("COVERING INDEX");
});

test("what an owner has is counted from an index alone when a document is added", async () => {
  const { db, storage } = await openTestDatabase();
  const { assertWithinShares } = createKnowledgeRepository(storage);
  const job = { owner: "alice", collectionId: newId(), documentId: newId(), jobId: newId() };
  const plan = await planOf(db, () => assertWithinShares(job, 1));
  const counting = plan.filter((step) => step.includes("collection_id=?"));
  expect(counting).toHaveLength(2);
  for (const step of counting) expect(step).toContain("COVERING INDEX");
  expect(plan.filter((step) => step.includes("SCAN documents"))).toEqual([]);
});

test("a page of sessions is read from an index, without sorting", async () => {
  const { db, storage } = await openTestDatabase();
  const { list } = createSessionReader(readThrough(storage));
  for (const before of [undefined, newId()]) {
    const plan = await planOf(db, () => list("alice", { limit: 9, before }));
    expect(plan[0]).toMatch(/^SEARCH sessions USING INDEX sessions_by_time \(owner=\?/);
    expect(plan.filter((step) => step.includes("TEMP B-TREE"))).toEqual([]);
  }
});

test("a search reads the messages of a page of sessions from indexes, without sorting", async () => {
  const { db, storage } = await openTestDatabase();
  const search = createSearchReader(readThrough(storage));
  const hit = { session_id: newId(), ordinal: 3 };
  const plans = [
    await planOf(db, () => search.candidates("alice", { limit: 9, before: newId() })),
    await planOf(db, () => search.hits([newId(), newId()], "tea")),
    await planOf(db, () => search.slice(newId(), "tea", 900, 200)),
    await planOf(db, () => search.excerpts([hit, { ...hit, ordinal: 4 }], "tea")),
  ];
  expect(plans.map(([first]) => first)).toEqual([
    expect.stringMatching(/^SEARCH sessions USING INDEX sessions_by_time \(owner=\?/),
    expect.stringMatching(/^SEARCH messages USING INDEX messages_session_id_ordinal_unique \(session_id=\?\)/),
    expect.stringMatching(/^SEARCH messages USING INDEX messages_session_id_ordinal_unique .*ordinal<\?/),
    expect.stringMatching(/^SEARCH messages USING INDEX messages_session_id_ordinal_unique \(session_id=\?/),
  ]);
  expect(plans.flat().filter((step) => /^SCAN (sessions|messages)|TEMP B-TREE/.test(step))).toEqual([]);
});

test("the reaper and retention find jobs and sessions in an index", async () => {
  const { db, storage } = await openTestDatabase();
  const { running } = createOrphanedJobRepository(storage, "w");
  const { queries, jobsOutsideSessions, untouchedSessions, untouchedSessionsOfJobs } =
    createRetentionRepository(storage);
  const plans: (string | undefined)[] = [];
  for (const ask of [
    () => running(newId(), 500),
    () => queries(new Date(), 500),
    () => jobsOutsideSessions(new Date(), 500),
    () => untouchedSessions(new Date(), 500),
    () => untouchedSessionsOfJobs(new Date(), 500),
  ]) {
    plans.push((await planOf(db, ask))[0]);
  }
  expect(plans).toEqual([
    expect.stringContaining("USING INDEX agent_logs_running (id>?)"),
    expect.stringContaining("USING INDEX agent_logs_queries (finished_at<?)"),
    expect.stringContaining("USING INDEX agent_logs_of_sessions (session_id=? AND finished_at<?)"),
    expect.stringContaining("USING INDEX sessions_updated_at (updated_at<?)"),
    expect.stringContaining("USING INDEX sessions_updated_at (updated_at<?)"),
  ]);
});
