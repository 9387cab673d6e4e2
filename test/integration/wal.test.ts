/** SQLite under several writing processes: no process sees SQLITE_BUSY, and the write-ahead log stays bounded. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import {
  openReadonlyDatabase,
  openWritableDatabase,
  type SqliteHandle,
  WAL_LIMIT_BYTES,
} from "@agent-paas/shared/db/sqlite/open-database.ts";
import { startWalCheckpoint } from "@agent-paas/shared/db/sqlite/wal-checkpoint.ts";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { createJobRepository } from "../../apps/worker/src/storage/job-repository.ts";
import { jobPayload } from "../support/job-payload.ts";
import { ROOT } from "../support/sources.ts";
import { countAcquisitions, openTestDatabase } from "../support/test-database.ts";
import { waitFor } from "../support/wait-for.ts";

const WRITERS = 4;
const JOBS_EACH = 150;
const LIMIT_BYTES = 1_024 * 1_024;

/** The standard output of a writer process that has exited with code 0. */
async function runWriter(file: string, jobs: number, limitBytes: number): Promise<string> {
  const args = [join(ROOT, "test/fixtures/database-writer.ts"), file, jobs, limitBytes].map(String);
  const writer = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  const [output, errors, [code]] = await Promise.all([text(writer.stdout), text(writer.stderr), once(writer, "exit")]);
  expect(errors).toBe("");
  expect(code).toBe(0);
  return output;
}

const walBytes = async (file: string) => (await stat(`${file}-wal`)).size;

/** Opened with the library of the writers: two SQLite libraries in one process do not see each other's locks. */
async function openReader(file: string): Promise<SqliteHandle> {
  const db = openReadonlyDatabase(file);
  const handle: SqliteHandle = await db.client.acquireConnection();
  onTestFinished(async () => {
    await db.client.releaseConnection(handle);
    await db.destroy();
  });
  return handle;
}

function beginReading(reader: SqliteHandle | undefined): void {
  reader?.exec("BEGIN");
  reader?.prepare("SELECT count(*) FROM agent_logs").get();
}

/** Two readers whose snapshots overlap, so that some snapshot is always open, as with many readers. */
async function startOverlappingReaders(file: string) {
  const stopped = new AbortController();
  const readers = [await openReader(file), await openReader(file)];
  async function alternate(): Promise<void> {
    for (let turn = 0; !stopped.signal.aborted; turn++) {
      const [next, former] = turn % 2 === 0 ? readers : readers.toReversed();
      beginReading(next);
      if (turn > 0) former?.exec("COMMIT");
      await delay(20);
    }
  }
  const alternating = alternate();
  return {
    stop: () => {
      stopped.abort();
      return alternating;
    },
  };
}

test("four processes write jobs at once while snapshots overlap, and the log stays bounded", async () => {
  const { db, file } = await openTestDatabase();
  const readers = await startOverlappingReaders(file);
  let longest = 0;
  const watching = setInterval(async () => {
    longest = Math.max(longest, await walBytes(file));
  }, 20);
  try {
    await Promise.all(Array.from({ length: WRITERS }, () => runWriter(file, JOBS_EACH, LIMIT_BYTES)));
  } finally {
    clearInterval(watching);
    await readers.stop();
  }
  const [jobs] = await db("agent_logs").where({ status: "completed" }).count({ count: "*" });
  expect(jobs?.count).toBe(WRITERS * JOBS_EACH);
  const [messages] = await db("messages").count({ count: "*" });
  expect(messages?.count).toBe(2 * WRITERS * JOBS_EACH);
  // The writers write more than 80 MB in all, 140 KB per job.
  expect(longest).toBeLessThan(40 * LIMIT_BYTES);
});

test("a process whose write waits for another writer goes on with other work", async () => {
  const { db, storage, file } = await openTestDatabase();
  // Opened with the library of the writers, as above.
  const holder = openWritableDatabase(file);
  const handle: SqliteHandle = await holder.client.acquireConnection();
  onTestFinished(async () => {
    await holder.client.releaseConnection(handle);
    await holder.destroy();
  });
  handle.exec("BEGIN IMMEDIATE");
  const tries = countAcquisitions(db);
  const written = createJobRepository(storage, "w").start(jobPayload(), 1);
  // A wait inside SQLite would block the event loop, and the commit below, until the write gives up.
  await waitFor("several tries of the write", () => tries() >= 3);
  handle.exec("COMMIT");
  expect(await written).toMatchObject({ kind: "started" });
});

test("the log grows while a reader keeps its snapshot, and is cut when the snapshot ends", async () => {
  const { db, file } = await openTestDatabase();
  const lines: { level: number }[] = [];
  const logger = pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const reader = await openReader(file);
  beginReading(reader);
  await runWriter(file, JOBS_EACH, 0);
  expect(await walBytes(file)).toBeGreaterThan(4 * LIMIT_BYTES);

  const checkpoint = startWalCheckpoint({ db, file, logger, limitBytes: LIMIT_BYTES, everyMs: 20 });
  try {
    await waitFor("the warning", () => lines.some(({ level }) => level === logger.levels.values.warn));
    reader.exec("COMMIT");
    await waitFor("the cut", async () => (await walBytes(file)) === 0);
    await waitFor("the report of the cut", () => lines.at(-1)?.level === logger.levels.values.info);
  } finally {
    await checkpoint.stop();
  }
});

test("SQLite cuts the log to the limit when the log starts again", async () => {
  const { db } = await openTestDatabase();
  expect(await db.raw("PRAGMA journal_size_limit")).toEqual([{ journal_size_limit: WAL_LIMIT_BYTES }]);
});
