/** `tool_basic` over HTTP: the loop of model turns and tool calls, what goes wrong in it, its rows and its usage. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openReadonlyDatabase } from "@agent-paas/shared/db/open-database.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { ROOT } from "../support/sources.ts";
import { type SseEvent, shownText } from "../support/sse-client.ts";

let platform: TestPlatform;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "agent-paas-tools-"));
  platform = await startTestPlatform({ env: { AGENTS_DIR: join(ROOT, "test/fixtures/agents") } });
});
afterAll(async () => {
  await platform.stop();
  await rm(dir, { recursive: true });
});

const chat = async (message: string, config: object = {}, more: object = {}) => {
  const stream = await platform.alice.chat({ agent_type: "tool_basic", message, config, ...more });
  return { jobId: stream.jobId, sessionId: stream.sessionId, events: await stream.all() };
};

const thoughts = (events: readonly SseEvent[], type: string) =>
  events.filter(({ event, data }) => event === "thought" && data.type === type).map(({ data }) => data);

test("tools are called turn by turn and side by side, with events, rows and the sum of usage", async () => {
  const { jobId, sessionId, events } = await chat(
    'sum of all [[calls=calculator({"expression":"6*7"});calculator({"expression":"2^10"})|current_time({"time_zone":"Asia/Shanghai"})]]',
  );
  expect(thoughts(events, "tool_call").map(({ name, arguments: args }) => [name, args])).toEqual([
    ["calculator", { expression: "6*7" }],
    ["calculator", { expression: "2^10" }],
    ["current_time", { time_zone: "Asia/Shanghai" }],
  ]);
  const results = thoughts(events, "tool_result");
  expect(results.map(({ status, replayed }) => [status, replayed])).toEqual(Array(3).fill(["ok", false]));
  expect(results.map(({ result }) => result)).toEqual([
    expect.stringContaining("42"),
    expect.stringContaining("1024"),
    expect.stringContaining("+08:00"),
  ]);
  expect(shownText(events)).toContain("1024");

  const calls = await platform.model.calls({ contains: "sum of all" });
  expect(calls).toHaveLength(3);
  const { body: job } = await platform.alice.get(`/jobs/${jobId}`);
  expect(job.usage).toEqual(events.at(-1)?.data.usage);
  expect(job.result.content).toBe(shownText(events));
  const { body: history } = await platform.alice.get(`/chat/history?session_id=${sessionId}`);
  expect(history.messages.map(({ role, content }: { role: string; content: string }) => [role, content])).toEqual([
    ["user", expect.stringContaining("sum of all")],
    ["assistant", shownText(events)],
  ]);

  const db = openReadonlyDatabase(platform.databaseFile);
  try {
    const steps = await db("agent_steps").where({ job_id: jobId }).orderBy("step_no");
    expect(steps.map(({ kind, status }) => [kind, status])).toEqual([
      ["model", "finished"],
      ["tool", "finished"],
      ["tool", "finished"],
      ["model", "finished"],
      ["tool", "finished"],
    ]);
  } finally {
    await db.destroy();
  }
});

test("an execute job runs the same way, and the next message of a session sees what was said", async () => {
  const jobId = await platform.alice.execute('[[calls=calculator({"expression":"1/3"})]]', {}, "tool_basic");
  expect(await platform.alice.ended(jobId)).toMatchObject({
    status: "completed",
    result: { content: expect.stringContaining("0.333") },
  });
  const first = await chat('first turn [[calls=calculator({"expression":"40+2"}) text=forty-two]]');
  await chat("second turn", {}, { session_id: first.sessionId });
  const [call] = await platform.model.calls({ contains: "second turn" });
  expect((await platform.model.call(call?.id ?? 0)).messages?.map(({ content }) => content)).toEqual([
    expect.stringContaining("first turn"),
    "forty-two",
    "second turn",
  ]);
});

test("what goes wrong in a call goes back to the model, and shows nothing of the inside", async () => {
  const tools = ["calculator", "slow", "failing"];
  const { events } = await chat(
    'all wrong [[calls=calculator({"expression":"1/0"});calculator({"formula":"1"});slow();failing();shell({"cmd":"ls"})]]',
    { tools },
  );
  expect(events.at(-1)).toMatchObject({ event: "done", data: { status: "completed" } });
  const results = Object.fromEntries(
    thoughts(events, "tool_result").map(({ call_id, name, status, result }) => [
      `${name}-${call_id}`,
      [status, result],
    ]),
  );
  expect(Object.values(results).map(([status]) => status)).toEqual(Array(5).fill("error"));
  const words = Object.values(results).map(([, result]) => result);
  expect(words).toContain("The tool did not answer within 0.2 s.");
  expect(words).toContain("The tool failed.");
  expect(words).toContain('There is no tool "shell".');
  expect(words.filter((result) => String(result).includes("do not fit"))).toHaveLength(1);
  expect(JSON.stringify(events)).not.toContain("secret-detail");
});

test("a tool that nobody has is refused in the config", async () => {
  const { events } = await chat("hello", { tools: ["calculator", "no_such_tool"] });
  expect(events.at(-2)).toMatchObject({ event: "error", data: { code: "invalid_config" } });
  expect(JSON.stringify(events)).toContain('There is no tool \\"no_such_tool\\"');
});

test("a pattern that fits no tool is refused too: a model without tools would only look lazy", async () => {
  const { events } = await chat("hello", { tools: ["calculator", "nobody__*"] });
  expect(events.at(-2)).toMatchObject({ event: "error", data: { code: "invalid_config" } });
});

test("GET /agents/tool_basic lists the tools at hand", async () => {
  const { body } = await platform.alice.get("/agents/tool_basic");
  expect(body.tools).toEqual(expect.arrayContaining(["calculator", "current_time", "search_documents", "count_once"]));
});

test("cancel reaches a tool that is being called", async () => {
  const file = join(dir, "cancelled");
  const message = `[[calls=count_once({"file":"${file}","word":"a","hold":true})]]`;
  const stream = await platform.alice.chat({ agent_type: "tool_basic", message, config: { tools: ["count_*"] } });
  const events: SseEvent[] = [];
  for await (const event of stream.events()) {
    events.push(event);
    if (event.data.type === "tool_call") await platform.alice.post(`/jobs/${stream.jobId}/cancel`, {});
  }
  expect(events.at(-1)).toMatchObject({ event: "done", data: { status: "cancelled" } });
  expect(await readFile(file, "utf8")).toMatch(/^a \w+\n$/);
});
