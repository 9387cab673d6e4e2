/** I4 on the database: only the run with the highest fencing token writes, and a terminal status is final. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { expect, test } from "vitest";
import { createJobRepository } from "../../apps/worker/src/storage/job-repository.ts";
import { createSessionRepository } from "../../apps/worker/src/storage/session-repository.ts";
import { jobEnd } from "../support/job-end.ts";
import { jobPayload } from "../support/job-payload.ts";
import { ROOT } from "../support/sources.ts";
import { countAcquisitions, openTestDatabase } from "../support/test-database.ts";
import { waitFor } from "../support/wait-for.ts";

const payloadIn = (session_id: string | null, text = "hello"): JobPayload =>
  jobPayload({ kind: "chat", session_id, text });

test("a retried job has one row, one question, one answer", async () => {
  const { db } = await openTestDatabase();
  const jobs = createJobRepository(db, "w");
  const payload = payloadIn(newId());
  expect(await jobs.start(payload, 1)).toMatchObject({ kind: "started" });
  expect(await jobs.start(payload, 3)).toMatchObject({ kind: "started" });
  expect(await jobs.end(payload, 3, jobEnd("answer"))).toBe(true);
  const messages = await db("messages").orderBy("ordinal").select("ordinal", "role", "content");
  expect(messages).toEqual([
    { ordinal: 1, role: "user", content: "hello" },
    { ordinal: 2, role: "assistant", content: "answer" },
  ]);
  expect(await db("agent_logs").select("id", "fencing_token", "status")).toEqual([
    { id: payload.job_id, fencing_token: 3, status: "completed" },
  ]);
});

test("a superseded run writes nothing, neither its start nor its end", async () => {
  const { db } = await openTestDatabase();
  const jobs = createJobRepository(db, "w");
  const payload = payloadIn(newId());
  await jobs.start(payload, 1);
  await jobs.start(payload, 2);
  expect(await jobs.start(payload, 1)).toEqual({ kind: "stale" });
  expect(await jobs.start(payload, 2)).toEqual({ kind: "stale" });
  expect(await jobs.end(payload, 1, jobEnd("stale"))).toBe(false);
  expect(await db("messages").where({ role: "assistant" })).toEqual([]);
  expect(await jobs.end(payload, 2, jobEnd("fresh"))).toBe(true);
});

test("the first terminal status of a job is final", async () => {
  const { db } = await openTestDatabase();
  const jobs = createJobRepository(db, "w");
  const payload = payloadIn(newId());
  await jobs.start(payload, 1);
  expect(await jobs.end(payload, 1, jobEnd("part", { status: "cancelled" }))).toBe(true);
  expect(await jobs.end(payload, 1, jobEnd("whole"))).toBe(false);
  expect(await jobs.start(payload, 2)).toMatchObject({ kind: "ended", row: { status: "cancelled", fencing_token: 1 } });
  expect(await db("messages").where({ role: "assistant" }).select("content")).toEqual([{ content: "part" }]);
});

test("history has the newest turns that fit into the token budget", async () => {
  const { db } = await openTestDatabase();
  const jobs = createJobRepository(db, "w");
  const sessions = createSessionRepository(db);
  const sessionId = newId();
  for (let turn = 1; turn <= 80; turn++) {
    const payload = payloadIn(sessionId, `question ${turn}`);
    await jobs.start(payload, 1);
    await jobs.end(payload, 1, jobEnd(`answer ${turn}`));
  }
  const all = await sessions.latestMessages(sessionId, newId(), 1_000_000);
  expect(all).toHaveLength(160);
  expect(all[0]?.content).toBe("question 1");
  const perMessage = all.at(-1)?.tokens_used ?? 0;
  const latest = await sessions.latestMessages(sessionId, newId(), 3 * perMessage + 1);
  expect(latest.map(({ content }) => content)).toEqual(["question 80", "answer 80"]);
  expect(await sessions.latestMessages(sessionId, newId(), 0)).toEqual([]);
});

test("a session is deleted with its messages and jobs, and by its owner only", async () => {
  const { db } = await openTestDatabase();
  const jobs = createJobRepository(db, "w");
  const sessions = createSessionRepository(db);
  const payload = payloadIn(newId());
  await jobs.start(payload, 1);
  await sessions.delete(payload.session_id ?? "", "bob");
  expect(await db("messages")).toHaveLength(1);
  await sessions.delete(payload.session_id ?? "", "alice");
  expect([await db("sessions"), await db("messages"), await db("agent_logs")]).toEqual([[], [], []]);
});

test("a write waits until another writer commits, and its caller sees no SQLITE_BUSY", async () => {
  const { db, file } = await openTestDatabase();
  const jobs = createJobRepository(db, "w");
  const holder = spawn(
    process.execPath,
    [
      "-e",
      `const db = require("better-sqlite3")(process.argv[1]); db.exec("begin immediate");
       process.stdout.write("held"); process.stdin.once("data", () => { db.exec("commit"); process.exit(0); });`,
      file,
    ],
    { cwd: ROOT, stdio: ["pipe", "pipe", "inherit"] },
  );
  await once(holder.stdout, "data");
  const tries = countAcquisitions(db);
  const started = jobs.start(payloadIn(null), 1);
  let isWritten = false;
  void started.then(() => {
    isWritten = true;
  });
  await waitFor("several tries of the write", () => tries() >= 3);
  expect(isWritten).toBe(false);
  holder.stdin.write("commit");
  expect(await started).toMatchObject({ kind: "started" });
});
