/** `tool_basic` over HTTP: the loop of model turns and tool calls, its errors, its rows and its usage. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Json } from "../support/api-client.ts";
import { readInBackground } from "../support/background-reader.ts";
import { FIXTURE_AGENTS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { readDatabase } from "../support/platform-state.ts";
import { shownText, thoughtsOf } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

let platform: TestPlatform;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "agent-paas-tools-"));
  platform = await startTestPlatform({ env: FIXTURE_AGENTS });
});
afterAll(async () => {
  await platform.stop();
  await rm(dir, { recursive: true });
});

const chat = async (message: string, config: object = {}, more: object = {}) => {
  const stream = await platform.alice.chat({ agent_type: "tool_basic", message, config, ...more });
  return { jobId: stream.jobId, sessionId: stream.sessionId, events: await stream.all() };
};

test("tools are called over several model turns and in parallel, with events, rows and summed usage", async () => {
  const { jobId, sessionId, events } = await chat(
    'sum of all [[calls=calculator({"expression":"6*7"});calculator({"expression":"2^10"})|current_time({"time_zone":"Asia/Shanghai"})]]',
  );
  expect(thoughtsOf(events, "tool_call").map(({ name, arguments: args }) => [name, args])).toEqual([
    ["calculator", { expression: "6*7" }],
    ["calculator", { expression: "2^10" }],
    ["current_time", { time_zone: "Asia/Shanghai" }],
  ]);
  const results = thoughtsOf(events, "tool_result");
  expect(results.map(({ status, replayed }) => [status, replayed])).toEqual(Array(3).fill(["ok", false]));
  expect(results.map(({ result }) => result)).toEqual([
    expect.stringContaining("42"),
    expect.stringContaining("1024"),
    expect.stringContaining("+08:00"),
  ]);
  expect(shownText(events)).toContain("1024");

  const { body: timeline } = await platform.alice.get(`/jobs/${jobId}/steps`);
  expect(timeline).toMatchObject({ job_id: jobId, status: "completed", truncated: false });
  expect(timeline.attempts).toMatchObject([{ attempt: 1, outcome: "completed" }]);
  expect(timeline.steps.map(({ kind, name }: Json) => `${kind} ${name}`)).toEqual([
    ...["wait queue", "model local-model", "tool calculator", "tool calculator", "model local-model"],
    ...["tool current_time", "model local-model"],
  ]);
  const turns: Json[] = timeline.steps.filter(({ kind }: Json) => kind === "model");
  for (const { started_at, first_token_at = started_at, ended_at } of turns) {
    expect([started_at, first_token_at, ended_at].toSorted()).toEqual([started_at, first_token_at, ended_at]);
  }
  const used = turns.reduce((sum, { usage }) => sum + usage.total_tokens, 0);

  const calls = await platform.model.calls({ contains: "sum of all" });
  expect(calls).toHaveLength(3);
  const job = await platform.alice.job(jobId);
  expect(job.usage).toEqual(events.at(-1)?.data.usage);
  expect(job.usage.total_tokens).toBe(used);
  expect(job.result.content).toBe(shownText(events));
  const messages = await platform.alice.history(sessionId);
  expect(messages.map(({ role, content }) => [role, content])).toEqual([
    ["user", expect.stringContaining("sum of all")],
    ["assistant", shownText(events)],
  ]);

  const entries = await readDatabase(platform, (db) =>
    db("agent_steps").where({ job_id: jobId }).orderBy("step_no").select("kind", "status"),
  );
  expect(entries).toEqual(["model", "tool", "tool", "model", "tool"].map((kind) => ({ kind, status: "finished" })));
});

test("an execute job calls tools, and the next message of a session has the earlier answer in its history", async () => {
  const jobId = await platform.alice.execute('[[calls=calculator({"expression":"1/3"})]]', {}, "tool_basic");
  expect(await platform.alice.ended(jobId)).toMatchObject({
    status: "completed",
    result: { content: expect.stringContaining("0.333") },
  });
  const first = await chat('first message [[calls=calculator({"expression":"40+2"}) text=forty-two]]');
  await chat("second message", {}, { session_id: first.sessionId });
  const [call] = await platform.model.calls({ contains: "second message" });
  expect((await platform.model.call(call?.id ?? 0)).messages?.map(({ content }) => content)).toEqual([
    expect.stringContaining("first message"),
    null,
    "42",
    "forty-two",
    "second message",
  ]);
});

test("errors of tool calls are returned to the model and show nothing of the code", async () => {
  const tools = ["calculator", "slow", "failing"];
  const { events } = await chat(
    'all wrong [[calls=calculator({"expression":"1/0"});calculator({"formula":"1"});slow();failing();shell({"cmd":"ls"})]]',
    { tools },
  );
  expect(events.at(-1)).toMatchObject({ event: "done", data: { status: "completed" } });
  const results = thoughtsOf(events, "tool_result");
  expect(results.map(({ name, status }) => `${name} ${status}`).sort()).toEqual([
    ...["calculator error", "calculator error", "failing error", "shell error", "slow error"],
  ]);
  // Each error has its own result; a timeout names its limit, an unknown tool its name.
  expect(new Set(results.map(({ result }) => result)).size).toBe(results.length);
  const resultOf = (tool: string) => results.find(({ name }) => name === tool)?.result;
  expect(resultOf("slow")).toContain("0.2 s");
  expect(resultOf("shell")).toContain('"shell"');
  expect(JSON.stringify(events)).not.toContain("secret-detail");
});

test("a config with an unknown tool is refused, and the error names the tool", async () => {
  const { events } = await chat("hello", { tools: ["calculator", "no_such_tool"] });
  expect(events.at(-2)).toMatchObject({ event: "error", data: { code: "invalid_config" } });
  expect(JSON.stringify(events)).toContain("no_such_tool");
});

test("a config with a pattern that matches no tool is refused", async () => {
  const { events } = await chat("hello", { tools: ["calculator", "nobody__*"] });
  expect(events.at(-2)).toMatchObject({ event: "error", data: { code: "invalid_config" } });
});

test("GET /agents/tool_basic lists the available tools", async () => {
  const { body } = await platform.alice.get("/agents/tool_basic");
  expect(body.tools).toEqual(expect.arrayContaining(["calculator", "current_time", "search_documents", "count_once"]));
});

test("a cancel aborts a tool that is being called", async () => {
  const file = join(dir, "cancelled");
  const message = `[[calls=count_once({"file":"${file}","word":"a","hold":true})]]`;
  const stream = await platform.alice.chat({ agent_type: "tool_basic", message, config: { tools: ["count_*"] } });
  const { whole } = readInBackground(stream);
  const written = () => readFile(file, "utf8").catch(() => "");
  await waitFor("the tool to have begun", async () => (await written()).endsWith("\n"));
  await platform.alice.cancel(stream.jobId);
  expect((await whole).at(-1)).toMatchObject({ event: "done", data: { status: "cancelled" } });
  expect(await written()).toMatch(/^a \w+\n$/);
});

test("the metrics of the platform count these jobs, for whoever has a key", async () => {
  const { interval_s, points, workers } = await waitFor("a sample with an ended job", async () => {
    const { body } = await platform.bob.get("/metrics");
    return body.points.some(({ jobs_ended }: Json) => jobs_ended > 0) ? body : undefined;
  });
  const sum = (field: string) => points.reduce((all: number, { [field]: count }: Json) => all + count, 0);
  expect([interval_s, sum("jobs_started") >= sum("jobs_ended"), sum("tokens_per_s") > 0]).toEqual([5, true, true]);
  expect(points.find(({ first_token_ms }: Json) => first_token_ms !== null)?.first_token_ms.p50).toBeGreaterThan(0);
  expect(workers).toMatchObject([{ running: expect.any(Number), memory_mb: expect.any(Number) }]);
  expect((await platform.alice.send("GET", "/metrics", { headers: { Authorization: "none" } })).status).toBe(401);
});
