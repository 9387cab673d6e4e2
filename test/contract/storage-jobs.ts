import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { expect, test } from "vitest";
import { jobEnd } from "../support/job-end.ts";
import { jobPayload } from "../support/job-payload.ts";
import { type OpenStorage, openParts } from "./storage-parts.ts";

const chatIn = (session_id: string, fields: Partial<JobPayload> = {}) =>
  jobPayload({ kind: "chat", session_id, ...fields });

/** I4: only the highest fencing token writes, a message is written once, and a terminal status is final. */
export function jobContract(open: OpenStorage): void {
  test("a first start writes the session, the job and the question", async () => {
    const { table, jobs } = await openParts(open);
    const payload = chatIn(newId(), { config: { system_prompt: "s" }, metadata: { m: 1 } });
    expect(await jobs.start(payload, 1)).toMatchObject({ kind: "started", attempt: 1 });
    const { job_id, owner, agent_type, accepted_at } = payload;
    expect(await table("sessions")).toMatchObject([
      { id: payload.session_id, owner, agent_type, config: '{"system_prompt":"s"}', metadata: '{"m":1}' },
    ]);
    expect(await table("agent_logs")).toMatchObject([
      {
        id: job_id,
        owner,
        status: "running",
        fencing_token: 1,
        attempts: 1,
        worker: "worker-a",
        created_at: accepted_at,
      },
    ]);
    expect(await table("messages")).toMatchObject([{ job_id, ordinal: 1, role: "user", content: "hello" }]);
  });

  test("a job outside sessions has a row and no message", async () => {
    const { table, jobs } = await openParts(open);
    const payload = jobPayload();
    await jobs.start(payload, 1);
    expect(await jobs.end(payload, 1, jobEnd("answer"))).toBe(true);
    expect([await table("sessions"), await table("messages")]).toEqual([[], []]);
    expect(await table("agent_logs")).toMatchObject([{ id: payload.job_id, result: '{"content":"answer"}' }]);
  });

  test("a later start counts the attempt and keeps the time of the first", async () => {
    const { jobs } = await openParts(open);
    const payload = jobPayload();
    const first = await jobs.start(payload, 1);
    const later = await jobs.start(payload, 7);
    expect(later).toEqual({ ...first, attempt: 2 });
  });

  test("a retried job has one row, one question, one answer", async () => {
    const { table, jobs } = await openParts(open);
    const payload = chatIn(newId());
    expect(await jobs.start(payload, 1)).toMatchObject({ kind: "started" });
    expect(await jobs.start(payload, 3)).toMatchObject({ kind: "started" });
    expect(await jobs.end(payload, 3, jobEnd("answer"))).toBe(true);
    expect(await table("messages").orderBy("ordinal").select("ordinal", "role", "content")).toEqual([
      { ordinal: 1, role: "user", content: "hello" },
      { ordinal: 2, role: "assistant", content: "answer" },
    ]);
    expect(await table("agent_logs").select("id", "fencing_token", "status")).toEqual([
      { id: payload.job_id, fencing_token: 3, status: "completed" },
    ]);
  });

  test("a superseded run writes nothing, neither its start nor its end", async () => {
    const { table, jobs } = await openParts(open);
    const payload = chatIn(newId());
    await jobs.start(payload, 1);
    await jobs.start(payload, 2);
    expect(await jobs.start(payload, 1)).toEqual({ kind: "stale" });
    expect(await jobs.start(payload, 2)).toEqual({ kind: "stale" });
    expect(await jobs.end(payload, 1, jobEnd("stale"))).toBe(false);
    expect(await table("messages").where({ role: "assistant" })).toEqual([]);
    expect(await jobs.end(payload, 2, jobEnd("fresh"))).toBe(true);
  });

  test("the first terminal status of a job is final", async () => {
    const { table, jobs } = await openParts(open);
    const payload = chatIn(newId());
    expect(await jobs.isEnded(payload.job_id)).toBe(false);
    await jobs.start(payload, 1);
    expect(await jobs.isEnded(payload.job_id)).toBe(false);
    expect(await jobs.end(payload, 1, jobEnd("part", { status: "cancelled" }))).toBe(true);
    expect(await jobs.isEnded(payload.job_id)).toBe(true);
    expect(await jobs.end(payload, 1, jobEnd("whole"))).toBe(false);
    expect(await jobs.start(payload, 2)).toMatchObject({
      kind: "ended",
      row: { status: "cancelled", fencing_token: 1 },
    });
    expect(await table("messages").where({ role: "assistant" }).select("content")).toEqual([{ content: "part" }]);
  });

  test("an end is stored with its error, its counts and its citations", async () => {
    const { table, jobs } = await openParts(open);
    const payload = chatIn(newId());
    await jobs.start(payload, 1);
    const error = { code: "model_unavailable", message: "no model" };
    const citations = [{ marker: "[1]", document_id: "d", source: "s", heading: "h", score: 1, excerpt: "e" }];
    const result = { content: "answer", citations };
    await jobs.end(
      payload,
      1,
      jobEnd("answer", { status: "failed", error, result, resultTokens: 9, lastSeq: 2 ** 40 }),
    );
    expect(await table("agent_logs").first()).toMatchObject({
      status: "failed",
      error_code: error.code,
      error_message: error.message,
      result: JSON.stringify(result),
      // Beyond 32 bits: the seq of a job that Redis has lost.
      last_seq: 2 ** 40,
    });
    const answer = await table("messages").where({ role: "assistant" }).first();
    expect(answer).toMatchObject({ tokens_used: 9, metadata: JSON.stringify({ status: "failed", citations }) });
  });

  test("an end without text writes no answer", async () => {
    const { table, jobs } = await openParts(open);
    const payload = chatIn(newId());
    await jobs.start(payload, 1);
    await jobs.end(payload, 1, jobEnd("", { status: "failed" }));
    expect(await table("messages").pluck("role")).toEqual(["user"]);
  });

  test("messages that are written at once get consecutive ordinals within their sessions", async () => {
    const { table, jobs } = await openParts(open);
    const sessionIds = [newId(), newId()];
    await Promise.all(Array.from({ length: 10 }, (_, at) => jobs.start(chatIn(sessionIds[at % 2] ?? ""), 1)));
    for (const session_id of sessionIds) {
      expect(await table("messages").where({ session_id }).orderBy("ordinal").pluck("ordinal")).toEqual([
        1, 2, 3, 4, 5,
      ]);
    }
  });

  test("a further job changes only the time of its session's last use", async () => {
    const { table, jobs } = await openParts(open);
    const sessionId = newId();
    await jobs.start(chatIn(sessionId, { config: { system_prompt: "first" } }), 1);
    const before = await table("sessions").first();
    await jobs.start(chatIn(sessionId, { config: { system_prompt: "second" } }), 1);
    const after = await table("sessions").first();
    expect(after).toEqual({ ...before, updated_at: after?.updated_at });
  });
}
