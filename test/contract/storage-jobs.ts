import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { parseJson } from "@agent-paas/shared/json/exact-json.ts";
import { expect, test } from "vitest";
import { jobEnd } from "../support/job-end.ts";
import { jobPayload } from "../support/job-payload.ts";
import { type OpenStorage, openParts, type Parts } from "./storage-parts.ts";

const chatIn = (session_id: string, fields: Partial<JobPayload> = {}) =>
  jobPayload({ kind: "chat", session_id, ...fields });

/** I4: only the highest fencing token writes, a message is written once, and a terminal status is final. */
export function jobContract(open: OpenStorage): void {
  test("a first start writes the session, the job and the question", async () => {
    const { table, jobs } = await openParts(open);
    const payload = chatIn(newId(), { config: { system_prompt: "s" }, metadata: { m: 1 }, request: { r: 1 } });
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
        metadata: '{"m":1}',
        request: '{"r":1}',
        created_at: accepted_at,
      },
    ]);
    expect(await table("messages")).toMatchObject([{ job_id, ordinal: 1, role: "user", content: "hello" }]);
  });

  test("what an execute job was given is kept once, with its parts, and goes with the job", async () => {
    const { table, jobs, jobReader, retention } = await openParts(open);
    const parts = [{ type: "text" as const, text: "hello" }];
    const given = { input: { id: 2n ** 60n }, config: { a: "\u0000" }, limits: { max_steps: 2 }, parts };
    const payload = jobPayload(given);
    for (const fencingToken of [1, 2]) await jobs.start(payload, fencingToken);
    const { inputs = "" } = (await jobReader.inputs(payload.job_id)) ?? {};
    expect(parseJson(inputs)).toEqual({ input: given.input, config: given.config, limits: given.limits });
    expect(await table("message_parts")).toMatchObject([{ job_id: payload.job_id, parts: JSON.stringify(parts) }]);
    await retention.deleteJobs([{ id: payload.job_id, kind: "execute", agent_type: "chat_basic" }]);
    expect([await table("job_inputs"), await table("message_parts")]).toEqual([[], []]);
  });

  test.each([
    ["a chat", { kind: "chat" as const, session_id: newId() }],
    ["a system job", { agent_type: "knowledge.query" }],
    ["a job that brings results of the client's calls", { tool_results: [{ call_id: "c", content: "21" }] }],
  ])("nothing is kept of what %s was given", async (_, fields) => {
    const { table, jobs } = await openParts(open);
    await jobs.start(jobPayload(fields), 1);
    expect([await table("agent_logs"), await table("job_inputs")]).toMatchObject([[{ status: "running" }], []]);
  });

  test("a job outside sessions has a row and no message", async () => {
    const { table, jobs } = await openParts(open);
    const payload = jobPayload();
    await jobs.start(payload, 1);
    expect(await jobs.end(payload, 1, jobEnd("answer"))).toBe(true);
    expect([await table("sessions"), await table("messages")]).toEqual([[], []]);
    expect(await table("agent_logs")).toMatchObject([{ id: payload.job_id, result: '{"content":"answer"}' }]);
  });

  test("the timeline is written with the end; where nothing is known of it, what a suspension left stays", async () => {
    const { jobs, suspensions, jobReader } = await openParts(open);
    const timelineOf = async ({ owner, job_id }: JobPayload) => (await jobReader.find(owner, job_id))?.timeline;
    const [known, unknown, former] = [jobPayload(), jobPayload(), jobPayload()];
    const suspended = {
      options: "{}",
      lastSeq: 1,
      inquiries: [],
      expiresAt: new Date().toISOString(),
      timeline: "[1]",
    };
    for (const payload of [known, unknown]) {
      await jobs.start(payload, 1);
      expect(await suspensions.suspend({ ...suspended, payload, fencingToken: 1 })).toBe(true);
      expect(await timelineOf(payload)).toBe("[1]");
      expect(await jobs.start(payload, 2)).toMatchObject({ timeline: "[1]" });
    }
    await jobs.end(known, 2, jobEnd("answer", { timeline: "[2]" }));
    await jobs.end(unknown, 2, jobEnd("answer"));
    await jobs.start(former, 1);
    await jobs.end(former, 1, jobEnd("answer"));
    expect([await timelineOf(known), await timelineOf(unknown), await timelineOf(former)]).toEqual([
      "[2]",
      "[1]",
      null,
    ]);
  });

  test("jobs that have a row are told from others when many are asked for at once", async () => {
    const { jobs } = await openParts(open);
    const payloads = Array.from({ length: 40 }, () => jobPayload());
    const known = payloads.filter((_, at) => at % 3 === 0);
    await Promise.all(known.map((payload) => jobs.start(payload, 1)));
    const answers = await Promise.all(payloads.map(({ job_id }) => jobs.isKnown(job_id)));
    expect(answers).toEqual(payloads.map((payload) => known.includes(payload)));
    expect(await jobs.isKnown('"} \0 {,\\')).toBe(false);
  });

  test("an end that does not wait for its start is written behind it", async () => {
    const { table, jobs } = await openParts(open);
    const payloads = Array.from({ length: 20 }, () => chatIn(newId()));
    const written = await Promise.all(
      payloads.flatMap((payload) => [
        jobs.start(payload, 1).then(({ kind }) => kind),
        jobs.end(payload, 1, jobEnd("answer")),
      ]),
    );
    expect(written).toEqual(payloads.flatMap(() => ["started", true]));
    expect(await table("agent_logs").where({ status: "completed" })).toHaveLength(payloads.length);
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
    const { job_id } = payload;
    const seen = async () => ({ isEnded: await jobs.isEnded(job_id), isRunning: await jobs.isRunning(job_id) });
    expect(await seen()).toEqual({ isEnded: false, isRunning: false });
    await jobs.start(payload, 1);
    expect(await seen()).toEqual({ isEnded: false, isRunning: true });
    expect(await jobs.end(payload, 1, jobEnd("part", { status: "cancelled" }))).toBe(true);
    expect(await seen()).toEqual({ isEnded: true, isRunning: false });
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
    const result = { content: "answer", finish_reason: "length", citations };
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
    expect(answer).toMatchObject({
      tokens_used: 9,
      metadata: JSON.stringify({ status: "failed", finish_reason: "length", citations }),
    });
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

  /** A session whose first job runs; `texts` are accepted behind it, and those in `cancelled` end before their turn. */
  async function openBusySession(parts: Parts, texts: readonly string[], cancelled: readonly string[]) {
    const sessionId = newId();
    const payloads = ["first", ...texts].map((text) => chatIn(sessionId, { text }));
    const idOf = (text: string) => payloads.find((payload) => payload.text === text)?.job_id ?? "";
    await parts.jobs.start(payloads[0] as JobPayload, 1);
    const ended = new Set<string>();
    for (const text of cancelled) {
      const payload = payloads.find((one) => one.text === text) as JobPayload;
      const ahead = payloads.slice(0, payloads.indexOf(payload)).map(({ job_id }) => job_id);
      await parts.jobs.start(
        payload,
        1,
        ahead.filter((jobId) => !ended.has(jobId)),
      );
      await parts.jobs.end(payload, 1, jobEnd("", { status: "cancelled" }));
      ended.add(payload.job_id);
    }
    const run = async () => {
      await parts.jobs.end(payloads[0] as JobPayload, 1, jobEnd("first answer"));
      for (const payload of payloads.slice(1).filter(({ job_id }) => !ended.has(job_id))) {
        await parts.jobs.start(payload, 1);
        await parts.jobs.end(payload, 1, jobEnd(`${payload.text} answer`));
      }
    };
    const contents = () => parts.table("messages").where({ session_id: sessionId }).orderBy("ordinal").pluck("content");
    return { sessionId, idOf, run, contents };
  }

  const inOrder = (texts: readonly string[], cancelled: readonly string[]) =>
    ["first", ...texts].flatMap((text) => (cancelled.includes(text) ? [text] : [text, `${text} answer`]));

  test.each([
    [["b", "c", "d"], ["c"]],
    [
      ["b", "c", "d"],
      ["d", "b"],
    ],
    [
      ["b", "c", "d"],
      ["d", "c", "b"],
    ],
    [
      ["b", "c", "d", "e"],
      ["b", "e", "c"],
    ],
  ])("messages accepted in the order %j stand in it, although %j ended while they waited", async (texts, cancelled) => {
    const parts = await openParts(open);
    const { run, contents } = await openBusySession(parts, texts, cancelled);
    await run();
    expect(await contents()).toEqual(inOrder(texts, cancelled));
    expect(await parts.table("reserved_ordinals")).toEqual([]);
  });

  test("a job's history lacks a message that was accepted after it and is written already", async () => {
    const parts = await openParts(open);
    const { sessionId, idOf, run } = await openBusySession(parts, ["b", "c"], ["c"]);
    await run();
    const history = await parts.sessions.latestMessages(sessionId, idOf("b"), { maxTokens: 1_000 });
    expect(history.map(({ content }) => content)).toEqual(["first", "first answer"]);
  });

  test("a second end of a waiting job reserves nothing behind its message", async () => {
    const parts = await openParts(open);
    const { sessionId, idOf, run, contents } = await openBusySession(parts, ["b", "c"], ["c"]);
    await parts.jobs.start(chatIn(sessionId, { job_id: idOf("c"), text: "c" }), 2, [idOf("b")]);
    await run();
    await parts.jobs.start(chatIn(sessionId, { text: "d" }), 1);
    expect(await contents()).toEqual(["first", "first answer", "b", "b answer", "c", "d"]);
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
