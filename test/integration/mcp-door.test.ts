/** The MCP door, as MCP's own SDK sees it: agents are tools, and any API process serves any message. */
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from "vitest";
import type { Json } from "../support/api-client.ts";
import { cancelUnfinished } from "../support/cancel-unfinished.ts";
import { checkedFetch, connectMcp, type McpClient, type McpOptions } from "../support/mcp-client.ts";
import { FIXTURE_AGENTS, KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { shownText } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ apis: 2, env: FIXTURE_AGENTS });
});
afterEach(() => cancelUnfinished(platform.alice));
afterAll(() => platform.stop());

const originOf = (api: number): string => platform.apis[api]?.origin ?? "";

async function connect(api = 0, options: McpOptions = {}, key: string = KEYS.alice): Promise<McpClient> {
  const mcp = await connectMcp(originOf(api), key, options);
  onTestFinished(mcp.close);
  return mcp;
}

const textOf = ({ content }: Json): string => content[0].text;
const UUID = /^[0-9a-f-]{36}$/;

test("the tools are the agents, each with its config in the input schema", async () => {
  const { client } = await connect();
  expect(client.getServerVersion()).toMatchObject({ name: "agent-paas" });
  const { tools } = await client.listTools();
  const { agents } = (await platform.alice.get("/agents")).body;
  expect(tools.map(({ name, description }) => [name, description])).toEqual(
    agents.map(({ id, description }: Json) => [id, description]),
  );
  const chat = tools.find(({ name }) => name === "chat_basic");
  expect(chat?.inputSchema).toMatchObject({
    type: "object",
    required: ["message"],
    properties: { message: { type: "string" }, config: { properties: { temperature: { maximum: 2 } } } },
  });
});

test("a call is a chat, whose session goes on and whose job the native wire shows", async () => {
  const { call } = await connect();
  const first = await call("chat_basic", { message: "[[text=One]] First" });
  expect(first).toMatchObject({ isError: false, _meta: { status: "completed", finish_reason: "stop" } });
  expect(textOf(first)).toBe("One");
  const { job_id, session_id } = first._meta;
  // By that retention knows a session of one job, which does not stay for ever.
  expect(session_id).toBe(job_id);
  expect(first.content.at(-1)).toMatchObject({ text: `session_id: ${session_id}` });
  const second = await call("chat_basic", { message: "[[text=Two]] Second", session_id });
  expect(second._meta.session_id).toBe(session_id);
  expect(await platform.alice.history(session_id)).toMatchObject([
    ...[{ content: "[[text=One]] First" }, { content: "One" }],
    ...[{ content: "[[text=Two]] Second" }, { content: "Two" }],
  ]);
  const job = await platform.alice.job(job_id);
  expect(job).toMatchObject({
    kind: "chat",
    status: "completed",
    result: { content: "One" },
    usage: first._meta.usage,
  });
  expect(shownText(await (await platform.alice.follow(job_id)).all())).toBe("One");
});

test("thoughts are progress that rises, and an agent's own progress is a part of the total", async () => {
  const { call, errors } = await connect();
  const seen: Json[] = [];
  const result = await call(
    "stepping",
    { message: "[[text=Walked]] Go" },
    { onprogress: (one: Json) => seen.push(one) },
  );
  expect(textOf(result)).toBe("Walked");
  const values = seen.map(({ progress }) => progress);
  expect(values).toEqual([...values].sort((a, b) => a - b));
  expect(new Set(values).size).toBe(values.length);
  const steps = seen.filter(({ total }) => total !== undefined);
  expect(steps.map(({ progress, total, message }) => [progress / total, message])).toEqual([
    ...[[0.25, "Asking the model"]],
    ...[[1, "Done"]],
  ]);
  expect(errors).toEqual([]);
});

test("a call without a progress token gets nothing but its result", async () => {
  const { call, errors } = await connect();
  expect(textOf(await call("stepping", { message: "[[text=Quiet]] Go" }))).toBe("Quiet");
  expect(errors).toEqual([]);
});

test("two calls of one client run at once, and each gets its own result", async () => {
  const { call } = await connect();
  const results = await Promise.all(
    ["A", "B", "C"].map((word) => call("chat_basic", { message: `[[text=${word} ttft=300]] Ask ${word}` })),
  );
  expect(results.map(textOf)).toEqual(["A", "B", "C"]);
});

/** Starts a call that never ends by itself; resolves once its job runs. */
async function startEndless({ client }: McpClient, message: string) {
  const abort = new AbortController();
  const args = { name: "chat_basic", arguments: { message: `[[tokens=1 ttft=60000]] ${message}` } };
  const result = client.callTool(args, undefined, { signal: abort.signal, timeout: 120_000 });
  result.catch(() => {});
  const job = await waitFor(`${message} to run`, async () => {
    const { jobs } = (await platform.alice.get("/jobs?status=running")).body;
    for (const { id } of jobs) if ((await platform.model.calls({ contains: message })).length > 0) return { id };
    return false;
  });
  return { abort, result, jobId: job.id as string };
}

test("a client that gives a call up cancels its job, at whichever API its notification arrives", async () => {
  let target: string | null = null;
  const mcp = await connect(0, { fetch: checkedFetch(() => target) });
  const { abort, result, jobId } = await startEndless(mcp, "Give me up");
  target = originOf(1);
  abort.abort("not wanted");
  await expect(result).rejects.toThrow();
  expect((await platform.alice.ended(jobId)).status).toBe("cancelled");
});

test("a request id cancels nothing of another client with the same key", async () => {
  const [mine, other] = [await connect(), await connect()];
  const { jobId } = await startEndless(mine, "Leave me alone");
  for (let requestId = 0; requestId < 5; requestId++) {
    await other.client.notification({ method: "notifications/cancelled", params: { requestId } });
  }
  expect((await platform.alice.job(jobId)).status).toBe("running");
});

test("a connection that breaks cancels nothing, and the client resumes at the other API", async () => {
  let target: string | null = null;
  const opened: Response[] = [];
  const cut = new AbortController();
  const checked = checkedFetch(() => target);
  const mcp = await connect(0, {
    async fetch(input, init) {
      const isCall = String(init?.body).includes("tools/call");
      const response = await checked(input, isCall ? { ...init, signal: cut.signal } : init);
      if (isCall) opened.push(response);
      return response;
    },
  });
  const seen: Json[] = [];
  const pending = mcp.call(
    "chat_basic",
    { message: "[[text=Still%20here ttft=2500]] Hold on" },
    { onprogress: (one: Json) => seen.push(one) },
  );
  await waitFor("the first progress", () => seen.length > 0);
  target = originOf(1);
  cut.abort();
  expect(textOf(await pending)).toBe("Still here");
  expect(opened).toHaveLength(1);
  const values = seen.map(({ progress }) => progress);
  expect(new Set(values).size).toBe(values.length);
});

test("a job that fails is a result with its code, and a cancelled one says so", async () => {
  const mcp = await connect();
  const failed = await mcp.call("throwing", { message: "Fail" });
  expect(failed).toMatchObject({ isError: true, _meta: { status: "failed", error: { code: "agent_failed" } } });
  expect(textOf(failed)).toMatch(/^agent_failed: /);
  expect(failed.content[1]).toEqual({ type: "text", text: "Before " });
  const { jobId, result } = await startEndless(mcp, "Cancelled elsewhere");
  await platform.alice.cancel(jobId);
  expect(await result).toMatchObject({ isError: true, _meta: { job_id: jobId, status: "cancelled" } });
});

test.each<[string, Json, RegExp]>([
  ["no message", {}, /^invalid_request: arguments.message: is required/],
  ["an empty message", { message: " " }, /^invalid_request: arguments.message: must not be empty/],
  ["an unknown argument", { message: "Hi", text: "Hi" }, /^invalid_request: arguments.text: there is no such field/],
  ["a config of another agent", { message: "Hi", config: { plan: 1 } }, /^invalid_request: config.plan: /],
  ["an unknown session", { message: "Hi", session_id: randomUUID() }, /^session_not_found: /],
])("a call with %s gets a result that says so", async (_what, args, words) => {
  const { call } = await connect();
  const result = await call("chat_basic", args);
  expect(result).toMatchObject({ isError: true });
  expect(textOf(result)).toMatch(words);
});

test("an unknown tool, method or version is an error of the protocol", async () => {
  const { call, client } = await connect();
  await expect(call("nobody", { message: "Hi" })).rejects.toMatchObject({
    code: -32602,
    message: /Unknown tool: nobody/,
  });
  await expect(client.listResources()).rejects.toThrow(/resources/);
  await expect(client.ping()).resolves.toEqual({});
});

test("an answer that is an object is structured content, by a schema of the call or of the tool", async () => {
  const { client, call } = await connect();
  const schema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
  const message = `[[text=${encodeURIComponent('{"n":7}')}]] Count`;
  const asked = await call("chat_basic", { message, config: { response_schema: schema } });
  expect(asked).toMatchObject({ structuredContent: { n: 7 }, isError: false });
  expect(textOf(asked)).toBe('{"n":7}');
  const { tools } = await client.listTools();
  expect(tools.find(({ name }) => name === "counting")?.outputSchema).toMatchObject(schema);
  // The SDK holds the result against the schema.
  expect(await call("counting", { message })).toMatchObject({ structuredContent: { n: 7 } });
  const other = await call("counting", { message, config: { response_schema: {} } });
  expect(textOf(other)).toMatch(/^invalid_request: arguments.config.response_schema: /);
  expect((await call("stepping", { message: "[[text=Beside]] Go" })).structuredContent).toBeUndefined();
});

test("an unknown key gets 401, and another owner's session is unknown", async () => {
  await expect(connectMcp(originOf(0), "ap_wrong")).rejects.toThrow(/invalid_api_key/);
  const { call } = await connect();
  const { session_id } = (await call("chat_basic", { message: "[[text=Mine]] Keep" }))._meta;
  expect(session_id).toMatch(UUID);
  const bob = await connect(0, {}, KEYS.bob);
  expect(textOf(await bob.call("chat_basic", { message: "Hi", session_id }))).toMatch(/^session_not_found: /);
});

test("a process that stops sends its clients on, and no call is lost", async () => {
  const stopping = await platform.startApi();
  let target: string | null = null;
  const mcp = await connectMcp(stopping.origin, KEYS.alice, { fetch: checkedFetch(() => target) });
  onTestFinished(mcp.close);
  const seen: Json[] = [];
  const pending = mcp.call(
    "chat_basic",
    { message: "[[text=Moved ttft=2000]] Wait" },
    { onprogress: (one: Json) => seen.push(one) },
  );
  await waitFor("the first progress", () => seen.length > 0);
  target = originOf(1);
  await stopping.stop(10_000);
  expect(textOf(await pending)).toBe("Moved");
});
