/** `npm run migrate-database` moves an installation from SQLite to PostgreSQL and back, whole or with a clear error. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { openStorage } from "@agent-paas/shared/db/open-storage.ts";
import type { Storage } from "@agent-paas/shared/db/storage.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { createJobRepository } from "../../apps/worker/src/storage/job-repository.ts";
import { createJournalRepository } from "../../apps/worker/src/storage/journal-repository.ts";
import { createKnowledgeRepository } from "../../apps/worker/src/storage/knowledge-repository.ts";
import { migrate } from "../../apps/worker/src/storage/migrate.ts";
import { jobEnd } from "../support/job-end.ts";
import { jobPayload } from "../support/job-payload.ts";
import { createDatabase } from "../support/postgres.ts";
import { seedSession } from "../support/seed-session.ts";
import { sharedPostgres } from "../support/shared-postgres.ts";
import { ROOT } from "../support/sources.ts";

const TABLES = [
  ...["sessions", "agent_logs", "messages", "agent_steps", "reserved_ordinals"],
  ...["collections", "documents", "unreferenced_copies", "installation"],
] as const;

let file: string;
let url: string;
beforeEach(async () => {
  const dir = await mkdtemp(join(tmpdir(), "agent-paas-move-"));
  const database = await createDatabase(await sharedPostgres());
  onTestFinished(async () => {
    await rm(dir, { recursive: true });
    await database.drop();
  });
  [file, url] = [join(dir, "from.db"), database.url];
});

async function opened(place: string): Promise<Storage> {
  const storage = openStorage(place);
  onTestFinished(() => storage.close());
  await migrate(storage);
  return storage;
}

/** Rows of every table, with the values that two databases could treat differently. */
async function fill(storage: Storage): Promise<void> {
  const jobs = createJobRepository(storage, "worker-a");
  await seedSession(storage, "alice", 700);
  const text = "NUL \0, a mark \ufdd0, '; drop table sessions; --, 中文 👩‍👧";
  const payload = jobPayload({ kind: "chat", session_id: newId(), text });
  const ahead = newId();
  await jobs.start(payload, 1, [ahead]);
  const entry = { job_id: payload.job_id, kind: "tool", input: text, value: "{}", started_at: "a", finished_at: null };
  const journal = createJournalRepository(storage);
  for (const step of [1, 2, 10, 3]) {
    await journal.save({ ...entry, step_no: step, step_key: `k${step}`, status: "started", fencing_token: 1 });
  }
  await jobs.end(jobPayload(), 1, jobEnd("never started"));
  const knowledge = createKnowledgeRepository(storage);
  const { id: collectionId } = await knowledge.openCollection("alice", text, "local");
  const content = { source: "s", version: "v", format: "text", bytes: 2 ** 40, chunks: 1, metadata: "{}" } as const;
  const job = { owner: "alice", collectionId, documentId: newId(), jobId: newId() };
  await knowledge.beginCopy(job);
  await knowledge.commitCopy(job, content);
  await knowledge.beginCopy({ ...job, jobId: newId() });
}

async function contentOf({ table }: Storage): Promise<Record<string, string[]>> {
  const content: Record<string, string[]> = {};
  for (const name of TABLES) {
    const rows: object[] = await table(name);
    content[name] = rows.map((row) => JSON.stringify(Object.entries(row).sort())).sort();
  }
  return content;
}

const move = (from: string, to: string) =>
  promisify(execFile)("npm", ["run", "-s", "migrate-database", "--", "--from", from, "--to", to], { cwd: ROOT });

const failure = async (moving: Promise<unknown>): Promise<string> =>
  moving.then(
    () => "no failure",
    (error: { stderr: string }) => error.stderr,
  );

test("an installation moves from SQLite to PostgreSQL and back with every row, and keeps its identity", async () => {
  const source = await opened(file);
  await fill(source);
  const before = await contentOf(source);
  expect(Object.values(before).every((rows) => rows.length > 0)).toBe(true);
  const { stdout } = await move(`file:${file}`, url);
  expect(stdout).toContain("equal messages: 1401 rows, sha256 ");
  expect(stdout).toMatch(
    /Moved \d+ rows to postgres:\/\/127\.0\.0\.1:\d+\/test_\w+ in \d+ s, at most \d+ MiB of memory/,
  );
  expect(await contentOf(await opened(url))).toEqual(before);
  expect(await contentOf(source)).toEqual(before);
  const back = `${file}.back`;
  await move(url, back);
  expect(await contentOf(await opened(back))).toEqual(before);
});

test("a move that broke off goes on, and the target has the installation's identity only when it is whole", async () => {
  const source = await opened(file);
  await fill(source);
  const target = await opened(url);
  const { id: own } = (await source.table("installation").first()) ?? { id: "" };
  // What a move has written before it broke off: all sessions, and a part of the jobs.
  await target.write([{ query: target.table("sessions").insert(await source.table("sessions")) }]);
  const jobs = await source.table("agent_logs").orderBy("id").limit(300);
  await target.write([{ query: target.table("agent_logs").insert(jobs) }]);
  expect(await target.installation()).not.toBe(own);
  await move(file, url);
  const moved = await opened(url);
  expect(await moved.installation()).toBe(own);
  expect(await contentOf(moved)).toEqual(await contentOf(source));
  expect(await failure(move(file, url))).toContain("is the database of this installation already");
});

test("a target with other data, a missing source and damaged URLs are refused with a clear error", async () => {
  const source = await opened(file);
  await fill(source);
  const target = await opened(url);
  await seedSession(target, "bob", 1);
  const id = await target.installation();
  const before = await contentOf(target);
  expect(await failure(move(file, url))).toMatch(
    /table sessions differs after 0 equal rows: .* the target holds other data/,
  );
  expect([await target.installation(), await contentOf(target)]).toEqual([id, before]);
  expect(await failure(move(`${file}.none`, url))).toContain("there is no database of an installation at");
  expect(await failure(move(file, file))).toContain("are the same database");
  expect(await failure(move(file, "mysql://a@b/c"))).toContain("--to: ");
  expect(await failure(move(file, "postgres://b/c"))).toContain("--to: the URL names no user");
});
