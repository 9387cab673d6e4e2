/** I4 on the database: rows are written once, by the attempt that owns the job; a terminal status stays. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { countTokens } from "@agent-paas/agents/model/tokens.ts";
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { expect, test } from "vitest";
import { createJobRepository, type JobEnd } from "../../apps/worker/src/storage/job-repository.ts";
import { createSessionRepository } from "../../apps/worker/src/storage/session-repository.ts";
import { jobPayload } from "../support/job-payload.ts";
import { ROOT } from "../support/sources.ts";
import { openTestDatabase } from "../support/test-database.ts";

const payloadIn = (session_id: string | null, text = "hello"): JobPayload =>
  jobPayload({ kind: "chat", session_id, text });

const ending = (content: string, status: JobEnd["status"] = "completed"): JobEnd => ({
  status,
  result: { content },
  resultTokens: countTokens(content),
  usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3 },
  error: null,
  lastSeq: 5,
  executionMs: 12,
});

test("a retried job has one row, one question, one answer", async () => {
  const { db } = await openTestDatabase();
  const jobs = createJobRepository(db, "w");
  const payload = payloadIn(newId());
  expect(await jobs.start(payload, 1)).toMatchObject({ kind: "started" });
  expect(await jobs.start(payload, 3)).toMatchObject({ kind: "started" });
  expect(await jobs.end(payload, 3, ending("answer"))).toBe(true);
  const messages = await db("messages").orderBy("ordinal").select("ordinal", "role", "content");
  expect(messages).toEqual([
    { ordinal: 1, role: "user", content: "hello" },
    { ordinal: 2, role: "assistant", content: "answer" },
  ]);
  expect(await db("agent_logs").select("id", "fencing_token", "status")).toEqual([
    { id: payload.job_id, fencing_token: 3, status: "completed" },
  ]);
});

test("a stale attempt writes nothing, neither at its start nor at its end", async () => {
  const { db } = await openTestDatabase();
  const jobs = createJobRepository(db, "w");
  const payload = payloadIn(newId());
  await jobs.start(payload, 1);
  await jobs.start(payload, 2);
  expect(await jobs.start(payload, 1)).toEqual({ kind: "stale" });
  expect(await jobs.start(payload, 2)).toEqual({ kind: "stale" });
  expect(await jobs.end(payload, 1, ending("stale"))).toBe(false);
  expect(await db("messages").where({ role: "assistant" })).toEqual([]);
  expect(await jobs.end(payload, 2, ending("fresh"))).toBe(true);
});

test("the first terminal status stays", async () => {
  const { db } = await openTestDatabase();
  const jobs = createJobRepository(db, "w");
  const payload = payloadIn(newId());
  await jobs.start(payload, 1);
  expect(await jobs.end(payload, 1, ending("part", "cancelled"))).toBe(true);
  expect(await jobs.end(payload, 1, ending("whole"))).toBe(false);
  expect(await jobs.start(payload, 2)).toMatchObject({ kind: "ended", row: { status: "cancelled", fencing_token: 1 } });
  expect(await db("messages").where({ role: "assistant" }).select("content")).toEqual([{ content: "part" }]);
});

test("history is cut by tokens, newest first, and costs no more in a long session", async () => {
  const { db } = await openTestDatabase();
  const jobs = createJobRepository(db, "w");
  const sessions = createSessionRepository(db);
  const sessionId = newId();
  for (let turn = 1; turn <= 80; turn++) {
    const payload = payloadIn(sessionId, `question ${turn}`);
    await jobs.start(payload, 1);
    await jobs.end(payload, 1, ending(`answer ${turn}`));
  }
  const all = await sessions.latestMessages(sessionId, newId(), 1_000_000);
  expect(all).toHaveLength(160);
  expect(all[0]?.content).toBe("question 1");
  const perMessage = all.at(-1)?.tokens_used ?? 0;
  const latest = await sessions.latestMessages(sessionId, newId(), 3 * perMessage + 1);
  expect(latest.map(({ content }) => content)).toEqual(["question 80", "answer 80"]);
  expect(await sessions.latestMessages(sessionId, newId(), 0)).toEqual([]);
});

test("a session goes with its messages and jobs, another owner's stays", async () => {
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

test("another writer is waited for, and no caller sees SQLITE_BUSY", async () => {
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
  const started = jobs.start(payloadIn(null), 1);
  const early = await Promise.race([started, new Promise((resolve) => setTimeout(resolve, 300, "still waiting"))]);
  expect(early).toBe("still waiting");
  holder.stdin.write("let go");
  expect(await started).toMatchObject({ kind: "started" });
});
