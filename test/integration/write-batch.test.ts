/** How SQLite runs batches; what batches promise on every database is in test/contract. */
import { readFile } from "node:fs/promises";
import { newId } from "@agent-paas/shared/ids.ts";
import { expect, test } from "vitest";
import { createJobRepository } from "../../apps/worker/src/storage/job-repository.ts";
import { holdDatabase } from "../support/database-lock.ts";
import { jobPayload } from "../support/job-payload.ts";
import { countAcquisitions, openTestDatabase } from "../support/test-database.ts";
import { waitFor } from "../support/wait-for.ts";

test("many batches of one iteration of the event loop are one commit", async () => {
  const { storage, file } = await openTestDatabase();
  const { table, write } = storage;
  const before = await commitsOf(file);
  await Promise.all(
    Array.from({ length: 50 }, (_, at) =>
      write([
        {
          query: table("collections").insert({
            id: newId(),
            owner: "alice",
            name: `${at}`,
            embedding: "",
            created_at: "",
          }),
        },
      ]),
    ),
  );
  expect(await table("collections")).toHaveLength(50);
  expect((await commitsOf(file)) - before).toBe(1);
});

test("a write waits until another writer commits, and its caller sees no SQLITE_BUSY", async () => {
  const { db, storage, file } = await openTestDatabase();
  const jobs = createJobRepository(storage, "w");
  const release = await holdDatabase(file, "immediate");
  const tries = countAcquisitions(db);
  const started = jobs.start(jobPayload(), 1);
  let isWritten = false;
  void started.then(() => {
    isWritten = true;
  });
  await waitFor("several tries of the write", () => tries() >= 3);
  expect(isWritten).toBe(false);
  await release();
  expect(await started).toMatchObject({ kind: "started" });
});

const [WAL_HEADER, FRAME_HEADER] = [32, 24];

/** Counts the frames that end a transaction in the write-ahead log: they carry the size of the database. */
async function commitsOf(file: string): Promise<number> {
  const wal = await readFile(`${file}-wal`);
  const frame = FRAME_HEADER + wal.readUInt32BE(8);
  const frames = Array.from(
    { length: Math.floor((wal.length - WAL_HEADER) / frame) },
    (_, no) => WAL_HEADER + no * frame,
  );
  return frames.filter((at) => wal.readUInt32BE(at + 4) !== 0).length;
}
