/** Jobs that wait for a person, over HTTP: what is shown, what is decided, and what follows (I11). */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Json } from "../support/api-client.ts";
import { FIXTURE_AGENTS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { shownText, thoughtsOf } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";
import { askForWrites, decide, waitingFor } from "../support/waiting-job.ts";

let platform: TestPlatform;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "agent-paas-waiting-"));
  platform = await startTestPlatform({ apis: 2, env: FIXTURE_AGENTS });
});
afterAll(async () => {
  await platform.stop();
  await rm(dir, { recursive: true });
});

const contentOf = (file: string) => readFile(file, "utf8").catch(() => "");
const resultsOf = (events: Parameters<typeof thoughtsOf>[0]) =>
  thoughtsOf(events, "tool_result").map(({ status, result }) => [status, result]);

test("a tool call waits for its approval, and is made once", async () => {
  const write = { file: join(dir, "approved"), word: "one" };
  const { jobId, reader, inquiries } = await askForWrites(platform.alice, [write]);
  const [asked] = inquiries;
  expect(asked).toEqual({
    ...{ type: "approval", tool: "approved_write", arguments: write },
    ...{ request_id: expect.any(String), expires_at: expect.any(String) },
  });
  const { type: _, ...shown } = asked;
  expect(thoughtsOf(reader.seen, "approval_required")).toEqual([expect.objectContaining(shown)]);
  const { body: inbox } = await platform.alice.get("/jobs?status=waiting");
  expect(inbox.jobs).toMatchObject([{ id: jobId, status: "waiting", waiting_for: [asked] }]);
  const { body: running } = await platform.alice.get("/jobs?status=running");
  expect(running.jobs).toEqual([]);
  const { body: health } = await platform.alice.get("/health");
  expect(health.checks.queues.suspended).toBe(1);

  const outcomes = async () => {
    const { body } = await platform.alice.get(`/jobs/${jobId}/steps`);
    const waits = body.steps.filter(({ name }: Json) => name === "person");
    return [...body.attempts.map(({ outcome }: Json) => outcome), ...waits.map(({ status }: Json) => status)];
  };
  expect(await outcomes()).toEqual(["suspended", "running"]);

  const approval = { request_id: asked.request_id, decision: "approve" };
  const other = platform.apis[1]?.alice ?? platform.alice;
  expect(await decide(other, jobId, approval)).toMatchObject({ status: 200, body: { waiting_for: [] } });
  const events = await reader.whole;
  expect(events.filter(({ event }) => event === "done")).toHaveLength(1);
  expect(await contentOf(write.file)).toBe("one\n");
  expect(thoughtsOf(events, "retry")).toEqual([expect.objectContaining({ attempt: 2, resumed: true })]);
  expect(await platform.model.calls({ contains: "please write" })).toHaveLength(2);
  expect(await platform.alice.job(jobId)).toMatchObject({ status: "completed", attempt: 2, waiting_for: [] });
  expect(await outcomes()).toEqual(["suspended", "completed", "completed"]);
  expect(await decide(platform.alice, jobId, approval)).toMatchObject({ status: 200 });
  expect(await decide(platform.alice, jobId, { ...approval, decision: "reject" })).toMatchObject({
    ...{ status: 409, body: { error: { code: "decision_conflict" } } },
  });
});

test("a rejected call is not made, and the model is told why", async () => {
  const write = { file: join(dir, "rejected"), word: "two" };
  const { jobId, reader, inquiries } = await askForWrites(platform.alice, [write]);
  await decide(platform.alice, jobId, { request_id: inquiries[0].request_id, decision: "reject", reason: "too late" });
  const events = await reader.whole;
  expect(resultsOf(events)).toEqual([["error", expect.stringContaining("a person rejected it: too late")]]);
  expect(shownText(events)).toContain("too late");
  expect(await contentOf(write.file)).toBe("");
  expect(events.at(-1)).toMatchObject({ event: "done", data: { status: "completed" } });
});

test("an edited call is made with the other arguments, and the model is told so", async () => {
  const write = { file: join(dir, "edited"), word: "three" };
  const { jobId, reader, inquiries } = await askForWrites(platform.alice, [write]);
  const edited = { ...write, word: "four" };
  await decide(platform.alice, jobId, { request_id: inquiries[0].request_id, decision: "edit", arguments: edited });
  const events = await reader.whole;
  expect(resultsOf(events)).toEqual([["ok", expect.stringMatching(/^A person changed the arguments.*\nwrote four$/)]]);
  expect(await contentOf(write.file)).toBe("four\n");
});

test("several requests of one turn wait together, and one without an approval is not held up", async () => {
  const file = join(dir, "several");
  const words = ["risky-1", "safe", "risky-2"].map((word) => ({ file, word }));
  const config = { tools: ["risky_write"] };
  const calls = words.map((write) => `risky_write(${JSON.stringify(write)})`).join(";");
  const jobId = await platform.alice.execute(`several [[calls=${calls}]]`, { config }, "tool_basic");
  const [one, two] = await waitingFor(platform.alice, jobId, 2);
  expect(await contentOf(file)).toBe("safe\n");
  const first = await decide(platform.alice, jobId, { request_id: one.request_id, decision: "approve" });
  expect(first.body).toMatchObject({ status: "waiting", waiting_for: [{ request_id: two.request_id }] });
  expect((await waitingFor(platform.alice, jobId)).map(({ request_id }) => request_id)).toEqual([two.request_id]);
  await decide(platform.alice, jobId, { request_id: two.request_id, decision: "approve" });
  expect(await platform.alice.ended(jobId)).toMatchObject({ status: "completed", attempt: 2 });
  expect((await contentOf(file)).split("\n").sort()).toEqual(["", "risky-1", "risky-2", "safe"]);
});

test("a request names tools that need an approval", async () => {
  const config = { tools: ["calculator"], approve: ["calc*"] };
  const task = `sum [[calls=calculator({"expression":"6*7"})]]`;
  const jobId = await platform.alice.execute(task, { config }, "tool_basic");
  const [asked] = await waitingFor(platform.alice, jobId);
  await decide(platform.alice, jobId, { request_id: asked.request_id, decision: "approve" });
  expect((await platform.alice.ended(jobId)).result.content).toContain("42");
});

test("an agent asks two questions, one after the other, and goes on with the answers", async () => {
  const jobId = await platform.alice.execute("ask", {}, "asking");
  const [colour] = await waitingFor(platform.alice, jobId);
  expect(colour).toMatchObject({ type: "input", question: "Which colour?", schema: { type: "string" } });
  const { request_id } = colour;
  for (const [decision, param] of [
    [{ decision: "answer", answer: "green" }, "decisions.0.answer"],
    [{ decision: "answer" }, "decisions.0.answer"],
    [{ decision: "approve" }, "decisions.0.decision"],
    [{ decision: "reject", answer: "red" }, "decisions.0.answer"],
    [{ decision: "maybe" }, "decisions.0.decision"],
  ] as const) {
    expect(await decide(platform.alice, jobId, { request_id, ...decision })).toMatchObject({
      ...{ status: 400, body: { error: { code: "invalid_request", param } } },
    });
  }
  const answer = { request_id, decision: "answer", answer: "red" };
  expect(await decide(platform.bob, jobId, answer)).toMatchObject({
    ...{ status: 404, body: { error: { code: "job_not_found" } } },
  });
  expect(await decide(platform.alice, jobId, { ...answer, request_id: "none" })).toMatchObject({
    ...{ status: 404, body: { error: { code: "request_not_found" } } },
  });
  await decide(platform.alice, jobId, answer);
  const [size] = await waitFor("the second question", async () => {
    const { waiting_for } = await platform.alice.job(jobId);
    return waiting_for[0]?.question === "Which size?" && (waiting_for as Json[]);
  });
  await decide(platform.alice, jobId, { request_id: size.request_id, decision: "reject" });
  const { status, attempt, result } = await platform.alice.ended(jobId);
  expect([status, attempt]).toEqual(["completed", 3]);
  expect(result.content).toBe(
    `Asked. ${JSON.stringify([
      { answered: true, answer: "red" },
      { answered: false, reason: null, expired: false },
    ])}`,
  );
});

test("a question whose schema may be slow to check fails its job", async () => {
  const input = { schema: { type: "string", pattern: "^(a+)+$" } };
  const jobId = await platform.alice.execute("ask", { input }, "asking");
  expect(await platform.alice.ended(jobId)).toMatchObject({ status: "failed", error: { code: "agent_failed" } });
});

test("a cancelled job that waits ends at once, and its session goes on", async () => {
  const write = { file: join(dir, "cancelled"), word: "five" };
  const { jobId, sessionId, reader, inquiries } = await askForWrites(platform.alice, [write]);
  const next = await platform.alice.chat({ message: "next", session_id: sessionId });
  expect(await platform.alice.job(next.jobId)).toMatchObject({ status: "queued" });
  await platform.alice.cancel(jobId);
  expect((await reader.whole).at(-1)).toMatchObject({ event: "done", data: { status: "cancelled" } });
  expect((await next.all()).at(-1)).toMatchObject({ data: { status: "completed" } });
  expect(
    await decide(platform.alice, jobId, { request_id: inquiries[0].request_id, decision: "approve" }),
  ).toMatchObject({
    ...{ status: 409, body: { error: { code: "job_not_waiting" } } },
  });
  expect(await contentOf(write.file)).toBe("");
});

test("a chat that interrupts ends the job that waits", async () => {
  const { sessionId, reader } = await askForWrites(platform.alice, [{ file: join(dir, "interrupted"), word: "six" }]);
  const busy = await platform.alice.post("/chat/completions", {
    ...{ agent_type: "chat_basic", message: "me", session_id: sessionId, on_busy: "reject" },
  });
  expect(busy).toMatchObject({ status: 409, body: { error: { code: "session_busy" } } });
  const next = await platform.alice.chat({ message: "instead", session_id: sessionId, on_busy: "interrupt" });
  expect((await next.all()).at(-1)).toMatchObject({ data: { status: "completed" } });
  expect((await reader.whole).at(-1)).toMatchObject({ data: { status: "cancelled" } });
});

test("children of an orchestrator wait side by side, the whole job waits, and goes on", async () => {
  const file = join(dir, "children");
  const step = (id: string) => ({
    ...{ id, agent: "tool_basic", config: { tools: ["approved_write"] } },
    task: `${id} [[calls=approved_write(${JSON.stringify({ file, word: id })})]]`,
  });
  const steps = [step("left"), step("right"), { id: "plain", agent: "chat_basic", task: "plain work" }];
  const both = { id: "both", agent: "chat_basic", task: "build on both", depends_on: ["left", "right"] };
  const config = { join: "concat", plan: { steps: [...steps, both] } };
  const jobId = await platform.alice.execute("delegate", { config }, "orchestrator");
  const asked = await waitingFor(platform.alice, jobId, 2);
  expect(asked.map(({ arguments: { word } }) => word).sort()).toEqual(["left", "right"]);
  await decide(
    platform.alice,
    jobId,
    ...asked.map(({ request_id, arguments: { word } }) => ({
      ...{ request_id, decision: word === "left" ? "approve" : "reject" },
    })),
  );
  const job = await platform.alice.ended(jobId);
  expect(job).toMatchObject({ status: "completed", attempt: 2 });
  expect(job.result.data.steps.map(({ status }: Json) => status)).toEqual(Array(4).fill("completed"));
  expect(await contentOf(file)).toBe("left\n");
  expect(await platform.model.calls({ contains: "plain work" })).toHaveLength(1);
  expect(await platform.model.calls({ contains: "build on both" })).toHaveLength(1);
});
