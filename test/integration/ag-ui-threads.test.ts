/** Threads of AG-UI, by its own client: what follows a run whose calls or interrupts are not like those of most. */
import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createAgUiAgent } from "../support/ag-ui-client.ts";
import { FIXTURE_AGENTS, KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ env: { ...FIXTURE_AGENTS, MAX_PARTS_BYTES: "65536" } });
});
afterAll(() => platform.stop());

const agentOf = (agent: string) =>
  createAgUiAgent(platform.alice.origin, KEYS.alice, { agent, threadId: randomUUID() });

const WEATHER = {
  name: "weather",
  description: "Tells the weather.",
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};

test("the results of front-end tools that are called side by side reach the model together", async () => {
  const agent = agentOf("chat_basic");
  agent.say('two cities [[calls=weather({"city":"Oslo"});weather({"city":"Rome"})]]');
  const { events, error } = await agent.run({ tools: [WEATHER] });
  expect(error).toBeNull();
  const ids = events.flatMap((event) => (event.type === "TOOL_CALL_START" ? [String(event.toolCallId)] : []));
  expect(ids).toHaveLength(2);
  // Each behind the message that has its call, as clients put them.
  for (const [at, toolCallId] of ids.entries()) {
    const { messages } = agent.client;
    const place = messages.findIndex(
      (one) => one.role === "assistant" && one.toolCalls?.some((c) => c.id === toolCallId),
    );
    const result = { id: randomUUID(), role: "tool" as const, toolCallId, content: at === 0 ? "grey" : "blue" };
    agent.client.setMessages(messages.toSpliced(place + 1, 0, result));
  }
  expect((await agent.run({ tools: [WEATHER] })).error).toBeNull();
  const asked = (await platform.model.calls({ contains: "two cities" })).at(-1);
  const { messages } = await platform.model.call(asked?.id ?? 0);
  const results = messages?.slice(-2).map(({ role, content }) => [role, content]);
  expect(results?.sort()).toEqual([
    ["tool", "blue"],
    ["tool", "grey"],
  ]);
  await agent.checked();
});

test("calls of one turn that the client shows in a message each are answered together", async () => {
  const agent = agentOf("chat_basic");
  agent.say('each its own [[calls=weather({"city":"Oslo"});weather({"city":"Rome"})]]');
  await agent.run({ tools: [WEATHER] });
  const { messages } = agent.client;
  const shown = messages.find((message) => message.role === "assistant");
  const split = (shown?.toolCalls ?? []).flatMap((call, at) => [
    { id: `call-${at}`, role: "assistant" as const, toolCalls: [call] },
    { id: `result-${at}`, role: "tool" as const, toolCallId: call.id, content: ["grey", "blue"][at] ?? "" },
  ]);
  agent.client.setMessages([...messages.filter((message) => message !== shown), ...split]);
  const { error } = await agent.run({ tools: [WEATHER] });
  expect([error, split.length]).toEqual([null, 4]);
  const asked = (await platform.model.calls({ contains: "each its own" })).at(-1);
  const { messages: sent } = await platform.model.call(asked?.id ?? 0);
  expect(sent?.slice(-2)).toMatchObject([
    { role: "tool", content: "grey" },
    { role: "tool", content: "blue" },
  ]);
  agent.say("and then? [[text=Later]]");
  expect((await agent.run()).error).toBeNull();
  await agent.checked();
});

test("data of an agent are the thread's state, which it gets again with the next run", async () => {
  const agent = agentOf("stepping");
  agent.say("Walk. [[text=Walked]]");
  const run = await agent.run();
  expect([run.error, run.events.at(-1)]).toMatchObject([null, { result: { steps: 2 } }]);
  expect(agent.client.state).toEqual({ steps: 2 });
  agent.client.url = agent.client.url.replace("stepping", "chat_basic");
  agent.say("Go on. [[text=Gone]]");
  expect((await agent.run()).error).toBeNull();
  const asked = (await platform.model.calls({ contains: "Go on." })).at(-1);
  const { messages } = await platform.model.call(asked?.id ?? 0);
  expect(messages?.at(-1)?.content).toContain('"steps": 2');
  await agent.checked();
});

test("a thread with more images than a request may bring goes on", async () => {
  const value = "A".repeat(40 * 1_024);
  const content = [{ type: "image", source: { type: "data", value, mimeType: "image/png" } }];
  const before = Array.from({ length: 12 }, (_, at) => [
    { id: `u-${at}`, role: "user", content },
    { id: `a-${at}`, role: "assistant", content: "Nice." },
  ]).flat();
  const question = { id: "u", role: "user", content: "many images [[text=Seen]]" };
  const run = { threadId: randomUUID(), runId: randomUUID(), messages: [...before, question] };
  const { status, body } = await platform.alice.post("/ag-ui/chat_basic", run);
  expect([status, body]).toEqual([200, expect.stringContaining('"delta":"Seen"')]);
});

async function interrupted() {
  const agent = agentOf("tool_basic");
  const call = `approved_write(${JSON.stringify({ file: join(tmpdir(), "never"), word: "never" })})`;
  agent.say(`please write [[calls=${call}]]`);
  await agent.run({ forwardedProps: { config: { tools: ["approved_write"] } } });
  const { body } = await platform.alice.get("/jobs?limit=1");
  return { agent, interruptId: agent.client.pendingInterrupts[0]?.id ?? "", jobId: String(body.jobs[0].id) };
}

test("a user who writes on instead of answering gets an answer, and what waited is cancelled", async () => {
  const { agent, interruptId, jobId } = await interrupted();
  agent.say("Never mind. [[text=Fine]]");
  const { error } = await agent.run({ resume: [{ interruptId, status: "cancelled" }] });
  expect(error).toBeNull();
  expect(agent.client.messages.at(-1)).toMatchObject({ role: "assistant", content: "Fine" });
  expect(await platform.alice.ended(jobId)).toMatchObject({ status: "cancelled" });
  await agent.checked();
});

test("a message beside an answer is refused before anything is decided", async () => {
  const { agent, interruptId, jobId } = await interrupted();
  agent.say("And hurry!");
  const answer = { interruptId, status: "resolved" as const, payload: { approved: true } };
  expect((await agent.run({ resume: [answer] })).error).toMatchObject({
    ...{ status: 400, payload: { error: { code: "invalid_request", param: "messages" } } },
  });
  expect(await platform.alice.job(jobId)).toMatchObject({ status: "waiting" });
  await agent.checked();
});

test("a thread whose interrupted job has ended goes on when its interrupt is cancelled", async () => {
  const { agent, interruptId, jobId } = await interrupted();
  await platform.alice.cancel(jobId);
  await platform.alice.ended(jobId);
  const approved = { interruptId, status: "resolved", payload: { approved: true } };
  const late = { threadId: agent.client.threadId, runId: randomUUID(), messages: [], resume: [approved] };
  expect((await platform.alice.post("/ag-ui/tool_basic", late)).body.error).toMatchObject({ code: "job_not_waiting" });

  const { events, error } = await agent.run({ resume: [{ interruptId, status: "cancelled" }] });
  expect([error, events.at(-1)]).toMatchObject([null, { type: "RUN_FINISHED", outcome: { type: "cancelled" } }]);
  expect(agent.client.pendingInterrupts).toEqual([]);
  agent.say("go on [[text=Gladly]]");
  expect((await agent.run()).error).toBeNull();
  expect(agent.client.messages.at(-1)).toMatchObject({ role: "assistant", content: "Gladly" });
  await agent.checked();
});
