/** Runs of AG-UI, by its own client with its own verifier: texts, tools of both sides, errors, interrupts, steps. */
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BaseEvent } from "@ag-ui/client";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type AgUiRun, createAgUiAgent } from "../support/ag-ui-client.ts";
import type { Json } from "../support/api-client.ts";
import { FIXTURE_AGENTS, KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { waitFor } from "../support/wait-for.ts";

let platform: TestPlatform;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "agent-paas-ag-ui-"));
  platform = await startTestPlatform({ apis: 2, env: FIXTURE_AGENTS });
});
afterAll(async () => {
  await platform.stop();
  await rm(dir, { recursive: true });
});

const open: { readonly checked: () => Promise<unknown> }[] = [];
afterEach(async () => {
  for (const agent of open.splice(0)) await agent.checked();
});

function agentOf(options: Parameters<typeof createAgUiAgent>[2] = {}, { origin } = platform.alice) {
  const agent = createAgUiAgent(origin, KEYS.alice, { threadId: randomUUID(), ...options });
  open.push(agent);
  return agent;
}

const contentOf = (file: string) => readFile(file, "utf8").catch(() => "");

/** Runs of one type in a row count once. */
const typesOf = ({ events }: AgUiRun) =>
  events.map(({ type }) => String(type)).filter((type, at, all) => type !== all[at - 1] && type !== "CUSTOM");

const textOf = ({ events }: AgUiRun) =>
  events.map((event) => (event.type === "TEXT_MESSAGE_CONTENT" ? String(event.delta) : "")).join("");

const lastOf = ({ events }: AgUiRun): BaseEvent => events.at(-1) as BaseEvent;

/** The job of the agent's thread. */
async function jobOf(marker: string): Promise<Json> {
  const { body } = await platform.alice.get("/jobs?limit=1");
  expect(body.jobs[0].result?.content ?? marker).toContain(marker);
  return body.jobs[0];
}

test("a run tells the text, usage and end of its job, and the thread remembers it", async () => {
  const agent = agentOf();
  agent.say("My name is Ada. [[text=Noted]]");
  const run = await agent.run();
  expect(run.error).toBeNull();
  expect(typesOf(run)).toEqual([
    ...["RUN_STARTED", "TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_END", "RUN_FINISHED"],
  ]);
  const { usage, session_id } = await jobOf("Noted");
  expect(lastOf(run)).toMatchObject({
    outcome: { type: "success" },
    usage: [{ inputTokens: usage.input_tokens, outputTokens: usage.output_tokens, totalTokens: usage.total_tokens }],
  });
  expect(agent.client.messages.at(-1)).toMatchObject({ role: "assistant", content: "Noted" });

  agent.say("Who am I? ag-ui thread [[text=Ada]]");
  expect(textOf(await agent.run())).toBe("Ada");
  const [call] = await platform.model.calls({ contains: "ag-ui thread" });
  expect((await platform.model.call(call?.id ?? 0)).messages?.map(({ role }) => role)).toEqual([
    "user",
    "assistant",
    "user",
  ]);
  expect((await jobOf("Ada")).session_id).toBe(session_id);
});

test("instructions and context of a run reach the model for this run", async () => {
  const agent = agentOf();
  agent.client.addMessage({ id: randomUUID(), role: "system", content: "Be kind." });
  agent.say("with context [[text=Fine]]");
  await agent.run({ context: [{ description: "The page", value: "Orders" }] });
  const [call] = await platform.model.calls({ contains: "with context" });
  expect((await platform.model.call(call?.id ?? 0)).messages?.[0]).toMatchObject({
    ...{ role: "system", content: "Be kind.\n\nThe page: Orders" },
  });
});

test("what an agent reasons is reasoning", async () => {
  const agent = agentOf();
  agent.say("think [[text=%3Cthink%3EHm.%3C/think%3EDone.]]");
  const run = await agent.run();
  expect(typesOf(run).slice(1, 7)).toEqual([
    ...["REASONING_START", "REASONING_MESSAGE_START", "REASONING_MESSAGE_CONTENT", "REASONING_MESSAGE_END"],
    ...["REASONING_END", "TEXT_MESSAGE_START"],
  ]);
  expect(textOf(run)).toBe("Done.");
});

test("the calls of an agent's tools are told with their results", async () => {
  const agent = agentOf({ agent: "tool_basic" });
  agent.say('sum [[text=Done calls=calculator({"expression":"6*7"});calculator({"expression":"1/0"})]]');
  const run = await agent.run({ forwardedProps: { config: { tools: ["calculator"] } } });
  expect(run.error).toBeNull();
  const results = run.events.filter(({ type }) => type === "TOOL_CALL_RESULT");
  expect(results).toMatchObject([{ content: expect.any(String) }, { content: expect.any(String) }]);
  expect(results.filter(({ metadata }) => (metadata as Json)?.status === "error")).toHaveLength(1);
  const calls = agent.client.messages.flatMap((message) =>
    message.role === "assistant" ? (message.toolCalls ?? []) : [],
  );
  expect(calls.map((call) => call.function)).toEqual([
    { name: "calculator", arguments: '{"expression":"6*7"}' },
    { name: "calculator", arguments: '{"expression":"1/0"}' },
  ]);
  agent.say("and then [[text=Next]]");
  expect(textOf(await agent.run())).toBe("Next");
});

const WEATHER = {
  name: "weather",
  description: "Tells the weather.",
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};

test("calls of front-end tools end the run, and the next run brings their results", async () => {
  const agent = agentOf();
  agent.say('front end [[calls=weather({"city":"Oslo"})]]');
  const run = await agent.run({ tools: [WEATHER] });
  expect(run.error).toBeNull();
  const call = run.events.find(({ type }) => type === "TOOL_CALL_START") as unknown as { toolCallId: string };
  expect(call).toMatchObject({ toolCallName: "weather" });
  expect(lastOf(run)).toMatchObject({ outcome: { type: "success", pendingToolCallIds: [call.toolCallId] } });
  agent.client.addMessage({ id: randomUUID(), role: "tool", toolCallId: call.toolCallId, content: "grey" });
  const next = await agent.run({ tools: [WEATHER] });
  expect([next.error, textOf(next) !== ""]).toEqual([null, true]);
  const asked = (await platform.model.calls({ contains: "front end" })).at(-1);
  expect((await platform.model.call(asked?.id ?? 0)).messages?.at(-1)).toMatchObject({ role: "tool", content: "grey" });
});

test("a job that fails is a RUN_ERROR with its code, and a request that is refused is the client's error", async () => {
  const agent = agentOf();
  agent.say("failing [[fault=401]]");
  const run = await agent.run();
  expect(lastOf(run)).toMatchObject({
    type: "RUN_ERROR",
    code: expect.stringMatching(/^model_/),
    message: expect.any(String),
  });
  const nobody = agentOf({ agent: "nobody" });
  nobody.say("Hello");
  expect((await nobody.run()).error).toMatchObject({ status: 404, payload: { error: { code: "agent_not_found" } } });
  const silent = await agentOf().run();
  expect(silent.error).toMatchObject({ status: 400, payload: { error: { param: "messages" } } });
});

test("a run that is sent again joins its job, and a cancelled one says so", async () => {
  const [threadId, runId] = [randomUUID(), randomUUID()];
  const question = { id: "m", role: "user" as const, content: "[[tokens=400 rate=20]] once only" };
  const runs = [0, 1].map(async (at) => {
    const agent = agentOf({ threadId, initialMessages: [question] }, platform.apis[at]?.alice);
    return agent.run({ runId });
  });
  const jobId = await waitFor("the job to run", async () => {
    const { body } = await platform.alice.get("/jobs?status=running");
    return body.jobs[0]?.id as string | undefined;
  });
  await waitFor(
    "the model to be asked",
    async () => (await platform.model.calls({ contains: "once only" })).length > 0,
  );
  await platform.alice.cancel(jobId);
  for (const run of await Promise.all(runs)) {
    expect(lastOf(run)).toMatchObject({ type: "RUN_FINISHED", outcome: { type: "cancelled" } });
  }
  expect(await platform.model.calls({ contains: "once only" })).toHaveLength(1);
});

const WRITES = { forwardedProps: { config: { tools: ["approved_write"] } } };

async function askForWrites(
  agent: ReturnType<typeof agentOf>,
  file: string,
  words: readonly string[],
): Promise<Json[]> {
  const calls = words.map((word) => `approved_write(${JSON.stringify({ file, word })})`).join(";");
  agent.say(`please write [[calls=${calls}]]`);
  const run = await agent.run(WRITES);
  expect([run.error, lastOf(run)]).toMatchObject([null, { outcome: { type: "interrupt" } }]);
  return agent.client.pendingInterrupts;
}

test("calls that need approvals interrupt the run, and the run that answers goes on with the job", async () => {
  const file = join(dir, "approved");
  const agent = agentOf({ agent: "tool_basic" });
  const [one, two, three] = await askForWrites(agent, file, ["one", "two", "three"]);
  expect(one).toMatchObject({
    ...{ reason: "tool_call", toolCallId: expect.any(String), message: expect.stringContaining("approved_write") },
    ...{ expiresAt: expect.any(String), metadata: { tool: "approved_write", arguments: { file, word: "one" } } },
    responseSchema: { required: ["approved"] },
  });
  const run = await agent.run({
    ...WRITES,
    resume: [
      { interruptId: one.id, status: "resolved", payload: { approved: true } },
      { interruptId: two.id, status: "resolved", payload: { approved: false, reason: "too late" } },
      { interruptId: three.id, status: "resolved", payload: { approved: true, arguments: { file, word: "four" } } },
    ],
  });
  expect(run.error).toBeNull();
  expect((await contentOf(file)).split("\n").sort()).toEqual(["", "four", "one"]);
  expect(typesOf(run)).toEqual([
    ...["RUN_STARTED", "TOOL_CALL_RESULT", "TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_END"],
    "RUN_FINISHED",
  ]);
  expect(
    run.events
      .filter(({ type }) => type === "TOOL_CALL_RESULT")
      .map(({ toolCallId }) => toolCallId)
      .sort(),
  ).toEqual([one, two, three].map(({ toolCallId }) => toolCallId).sort());
  expect(agent.client.pendingInterrupts).toEqual([]);
});

test("an interrupt is answered over another API, once, and a wrong answer is refused", async () => {
  const file = join(dir, "elsewhere");
  const agent = agentOf({ agent: "tool_basic" });
  const [asked] = await askForWrites(agent, file, ["five"]);
  const body = (payload: unknown, more: object = {}) => ({
    ...{ threadId: agent.client.threadId, runId: randomUUID(), messages: [] },
    resume: [{ interruptId: asked.id, status: "resolved", payload, ...more }],
  });
  const elsewhere = platform.apis[1]?.alice ?? platform.alice;
  const send = async (client: typeof elsewhere, sent: object) => (await client.post("/ag-ui/tool_basic", sent)).body;
  expect((await send(elsewhere, body("yes"))).error).toMatchObject({
    code: "invalid_request",
    param: "resume.0.payload",
  });
  expect((await send(elsewhere, body(null, { interruptId: "none" }))).error).toMatchObject({
    code: "request_not_found",
  });
  expect((await send(platform.bob, body({ approved: true }))).error).toMatchObject({ code: "request_not_found" });
  expect(await send(elsewhere, body({ approved: true }))).toContain('"type":"RUN_FINISHED"');
  expect(await send(elsewhere, body({ approved: true }))).toContain('"type":"RUN_FINISHED"');
  expect((await send(elsewhere, body({ approved: false }))).error).toMatchObject({ code: "decision_conflict" });
  expect(await contentOf(file)).toBe("five\n");
});

test("what an agent asks interrupts the run, one question after the other", async () => {
  const agent = agentOf({ agent: "asking" });
  agent.say("ask");
  await agent.run();
  for (const payload of ["red", { width: 3 }]) {
    const [asked] = agent.client.pendingInterrupts;
    expect(asked).toMatchObject({
      reason: "input_required",
      message: expect.stringMatching(/^Which (colour|size)\?$/),
    });
    const resume = [{ interruptId: asked?.id ?? "", status: "resolved" as const, payload }];
    const run = await agent.run({ resume });
    expect(run.error).toBeNull();
  }
  const texts = agent.client.messages.map((message) => (message.role === "assistant" ? message.content : ""));
  expect(texts.join("")).toBe((await jobOf("Asked.")).result.content);
});

test("delegated work is steps, and its approvals interrupt the run", async () => {
  const file = join(dir, "children");
  const step = (id: string) => ({
    ...{ id, agent: "tool_basic", config: { tools: ["approved_write"] } },
    task: `${id} [[calls=approved_write(${JSON.stringify({ file, word: id })})]]`,
  });
  const forwardedProps = { config: { join: "concat", plan: { steps: [step("left"), step("right")] } } };
  const agent = agentOf({ agent: "orchestrator" });
  agent.say("delegate");
  const first = await agent.run({ forwardedProps });
  expect(first.error).toBeNull();
  const resume = agent.client.pendingInterrupts.map(({ id }) => ({
    ...{ interruptId: id, status: "resolved" as const, payload: { approved: true } },
  }));
  expect(resume).toHaveLength(2);
  const second = await agent.run({ forwardedProps, resume });
  expect(second.error).toBeNull();
  expect((await contentOf(file)).split("\n").sort()).toEqual(["", "left", "right"]);
  const ended = second.events.filter(({ type }) => type === "STEP_FINISHED").map(({ stepName }) => stepName);
  expect(ended.sort()).toEqual(["left", "right"]);
});
