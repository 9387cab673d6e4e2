/** SQLite under several writing processes: none is told that the database is busy, and the write-ahead log stays bounded. */
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
} from "@agent-paas/shared/db/open-database.ts";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { createJobRepository } from "../../apps/worker/src/storage/job-repository.ts";
import { startWalCheckpoint } from "../../apps/worker/src/storage/wal-checkpoint.ts";
import { jobPayload } from "../support/job-payload.ts";
import { ROOT } from "../support/sources.ts";
import { openTestDatabase } from "../support/test-database.ts";
import { waitFor } from "../support/wait-for.ts";

const WRITERS = 4;
const JOBS_EACH = 150;
const LIMIT_BYTES = 1_024 * 1_024;

/** What the process wrote to the terminal, when it has ended well. */
async function runWriter(file: string, jobs: number, limitBytes: number): Promise<string> {
  const args = [join(ROOT, "test/fixtures/database-writer.ts"), file, jobs, limitBytes].map(String);
  const writer = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  const [output, errors, [code]] = await Promise.all([text(writer.stdout), text(writer.stderr), once(writer, "exit")]);
  expect(errors).toBe("");
  expect(code).toBe(0);
  return output;
}

const walBytes = async (file: string) => (await stat(`${file}-wal`)).size;

/** With the library of the writers: two SQLites in one process know nothing of each other's locks. */
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

/** Reads with a snapshot that ends only when the next one has begun: the log is never unread, as with many readers. */
async function startRelay(file: string) {
  const stopped = new AbortController();
  const readers = [await openReader(file), await openReader(file)];
  async function relay(): Promise<void> {
    for (let turn = 0; !stopped.signal.aborted; turn++) {
      const [next, former] = turn % 2 === 0 ? readers : readers.toReversed();
      beginReading(next);
      if (turn > 0) former?.exec("COMMIT");
      await delay(20);
    }
  }
  const relaying = relay();
  return {
    stop: () => {
      stopped.abort();
      return relaying;
    },
  };
}

test("four processes write jobs at once while readers take turns", async () => {
  const { db, file } = await openTestDatabase();
  const readers = await startRelay(file);
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
  // 140 KB a job were written, more than 80 MB in all: far more than the log was ever long.
  expect(longest).toBeLessThan(40 * LIMIT_BYTES);
});

test("a writer that waits for another goes on with everything else", async () => {
  const { db, file } = await openTestDatabase();
  // With the library of the writer; see above.
  const holder = openWritableDatabase(file);
  const handle: SqliteHandle = await holder.client.acquireConnection();
  onTestFinished(async () => {
    await holder.client.releaseConnection(handle);
    await holder.destroy();
  });
  handle.exec("BEGIN IMMEDIATE");
  const written = createJobRepository(db, "w").start(jobPayload(), 1);
  // A wait inside SQLite would let none of them pass until the write is given up.
  for (let turn = 0; turn < 60; turn++) await delay(10);
  handle.exec("COMMIT");
  expect(await written).toMatchObject({ kind: "started" });
});

test("a reader that keeps its snapshot lets the log grow, and no longer than that", async () => {
  const { db, file } = await openTestDatabase();
  const lines: { msg: string }[] = [];
  const logger = pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const reader = await openReader(file);
  beginReading(reader);
  await runWriter(file, JOBS_EACH, 0);
  expect(await walBytes(file)).toBeGreaterThan(4 * LIMIT_BYTES);

  const checkpoint = startWalCheckpoint({ db, file, logger, limitBytes: LIMIT_BYTES, everyMs: 20 });
  try {
    await waitFor("the warning", () => lines.some(({ msg }) => msg.includes("keeps its snapshot")));
    reader.exec("COMMIT");
    await waitFor("the cut", async () => (await walBytes(file)) === 0);
    expect(lines.at(-1)?.msg).toContain("was cut");
  } finally {
    await checkpoint.stop();
  }
});

test("by itself the log is cut to the limit when it starts anew", async () => {
  const { db } = await openTestDatabase();
  expect(await db.raw("PRAGMA journal_size_limit")).toEqual([{ journal_size_limit: WAL_LIMIT_BYTES }]);
});
