/** Calls of the MCP door whose jobs wait for a person: the client asks its user, or is told what waits. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from "vitest";
import type { Json } from "../support/api-client.ts";
import { cancelUnfinished } from "../support/cancel-unfinished.ts";
import { checkedFetch, connectMcp, mcpHeaders, sendMcp } from "../support/mcp-client.ts";
import { FIXTURE_AGENTS, KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { waitFor } from "../support/wait-for.ts";
import { decide, waitingFor } from "../support/waiting-job.ts";

let platform: TestPlatform;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "agent-paas-mcp-people-"));
  platform = await startTestPlatform({ apis: 2, env: FIXTURE_AGENTS });
});
afterEach(() => cancelUnfinished(platform.alice));
afterAll(async () => {
  await platform.stop();
  await rm(dir, { recursive: true });
});

const textOf = ({ content }: Json): string => content[0].text;
const writtenTo = (file: string) => readFile(file, "utf8").catch(() => "");

const writing = (file: string) => ({
  message: `please write [[calls=approved_write(${JSON.stringify({ file, word: "one" })})]]`,
  config: { tools: ["approved_write"] },
});

/** Each request of the client reaches the next API. */
const inTurn = () => {
  let requests = 0;
  return checkedFetch(() => platform.apis[requests++ % 2]?.origin ?? null);
};

/** A client of the SDK that shows forms, and a user who answers them. */
async function connectUser(answer: (asked: Json) => Json) {
  const capabilities = { elicitation: { form: {} } };
  const mcp = await connectMcp(platform.alice.origin, KEYS.alice, { capabilities, fetch: inTurn() });
  onTestFinished(mcp.close);
  const asked: Json[] = [];
  mcp.client.setRequestHandler(ElicitRequestSchema, async ({ params }) => {
    asked.push(params);
    return answer(params);
  });
  return { ...mcp, asked };
}

/** The same with the revision of 2026-07-28. */
async function connectModern(answer: (message: string) => Json) {
  const transport = new StreamableHTTPClientTransport(new URL(`${platform.alice.origin}/mcp`), {
    requestInit: { headers: { Authorization: `Bearer ${KEYS.alice}` } },
    fetch: inTurn(),
  });
  const client = new Client(
    { name: "agent-paas-test", version: "1.0.0" },
    { capabilities: { elicitation: {} }, versionNegotiation: { mode: { pin: "2026-07-28" } } },
  );
  const asked: string[] = [];
  client.setRequestHandler("elicitation/create", async ({ params }) => {
    asked.push(params.message);
    return answer(params.message);
  });
  await client.connect(transport);
  onTestFinished(() => client.close());
  return { client, asked };
}

test("the user of a client approves a tool call, whichever API hears the answer", async () => {
  const file = join(dir, "approved");
  const { call, asked } = await connectUser(() => ({ action: "accept", content: { decision: "approve" } }));
  const result = await call("tool_basic", writing(file));
  expect(result).toMatchObject({ isError: false, _meta: { status: "completed" } });
  expect(asked).toMatchObject([{ mode: "form", message: expect.stringContaining("approved_write") }]);
  expect(await writtenTo(file)).toBe("one\n");
});

test("two calls side by side are asked about once each", async () => {
  const files = ["left", "right"].map((name) => join(dir, name));
  const calls = files.map((file) => `approved_write(${JSON.stringify({ file, word: "one" })})`).join(";");
  const { call, asked } = await connectUser(({ message }) => ({
    ...{ action: "accept", content: { decision: message.includes("left") ? "approve" : "reject" } },
  }));
  const both = { message: `please write [[calls=${calls}]]`, config: { tools: ["approved_write"] } };
  expect(await call("tool_basic", both)).toMatchObject({ isError: false });
  expect(asked).toHaveLength(2);
  expect(await Promise.all(files.map(writtenTo))).toEqual(["one\n", ""]);
});

test.each<[string, Json]>([
  ["rejects", { action: "accept", content: { decision: "reject", reason: "not today" } }],
  ["declines", { action: "decline" }],
])("a user who %s has the tool not called", async (_what, answer) => {
  const file = join(dir, "rejected");
  const { call } = await connectUser(() => answer);
  expect(await call("tool_basic", writing(file))).toMatchObject({ isError: false });
  expect(await writtenTo(file)).toBe("");
});

test.each<[string, () => Json, string]>([
  ["closes it", () => ({ action: "cancel" }), "the user has closed the question"],
  ["answers what does not fit", () => ({ action: "accept", content: { answer: ["red"] } }), "the answer does not fit"],
  [
    "cannot be shown it",
    () => {
      throw new Error("no screen");
    },
    "the client could not ask its user: no screen",
  ],
])("a question whose user %s has no answer, and its call ends", async (_what, answer, reason) => {
  const { call, asked } = await connectUser(answer);
  const result = await call("asking", { message: "Ask" });
  expect(asked[0]).toMatchObject({ message: "Which colour?" });
  expect(textOf(result)).toContain(`{"answered":false,"reason":"${reason}`);
});

test("an agent asks by a form, one question after the other", async () => {
  const { call, asked } = await connectUser(({ message }) => ({
    action: "accept",
    content: { answer: message === "Which colour?" ? "red" : "large" },
  }));
  const result = await call("asking", { message: "Ask" });
  expect(asked.map(({ message, requestedSchema }) => [message, requestedSchema.properties.answer])).toEqual([
    ["Which colour?", { type: "string", enum: ["red", "blue"] }],
    ["Which size?", { type: "string" }],
  ]);
  expect(textOf(result)).toContain('{"answered":true,"answer":"red"},{"answered":true,"answer":"large"}');
});

test("a client that cannot ask is told what waits, and its job goes on after the decision", async () => {
  const mcp = await connectMcp(platform.alice.origin, KEYS.alice);
  onTestFinished(mcp.close);
  const file = join(dir, "later");
  const result = await mcp.call("tool_basic", writing(file));
  const { job_id } = result._meta;
  expect(result).toMatchObject({ isError: true, _meta: { status: "waiting", error: { code: "person_required" } } });
  expect(textOf(result)).toContain(`POST /api/v1/jobs/${job_id}/decisions`);
  const [inquiry] = await waitingFor(platform.alice, job_id);
  await decide(platform.alice, job_id, { request_id: inquiry.request_id, decision: "approve" });
  expect((await platform.alice.ended(job_id)).status).toBe("completed");
  expect(await writtenTo(file)).toBe("one\n");
});

test("a response that is none leaves no question open", async () => {
  const jobId = await platform.alice.execute("Ask", {}, "asking");
  const [{ request_id }] = (await waitingFor(platform.alice, jobId)) as [Json];
  const response = { jsonrpc: "2.0", id: `${jobId}/${request_id}`, result: "red" };
  expect((await sendMcp(platform.alice.origin, response, mcpHeaders(KEYS.alice))).status).toBe(202);
  await waitFor("the next question", async () => {
    const { waiting_for: open } = await platform.alice.job(jobId);
    return open?.length === 1 && open[0].request_id !== request_id;
  });
});

test("another owner's answer is an answer to no question", async () => {
  const mcp = await connectMcp(platform.alice.origin, KEYS.alice);
  onTestFinished(mcp.close);
  const { job_id } = (await mcp.call("tool_basic", writing(join(dir, "hers"))))._meta;
  const [inquiry] = await waitingFor(platform.alice, job_id);
  const answer = {
    ...{ jsonrpc: "2.0", id: `${job_id}/${inquiry.request_id}` },
    result: { action: "accept", content: { decision: "approve" } },
  };
  const { status, body } = await sendMcp(platform.alice.origin, answer, mcpHeaders(KEYS.bob));
  expect([status, body.error.data.code]).toEqual([404, "job_not_found"]);
  expect((await platform.alice.job(job_id)).status).toBe("waiting");
});

test("a user of the revision of 2026-07-28 who closes the form is not asked again", async () => {
  const { client, asked } = await connectModern(() => ({ action: "cancel" }));
  const result: Json = await client.callTool({ name: "asking", arguments: { message: "Ask" } });
  expect(asked).toEqual(["Which colour?"]);
  expect(result).toMatchObject({ isError: true, _meta: { status: "waiting", error: { code: "person_required" } } });
});

test("with the revision of 2026-07-28 the call is made again with the answers, at whichever API", async () => {
  const { client, asked } = await connectModern((message) => ({
    ...{ action: "accept", content: { answer: message === "Which colour?" ? "blue" : "small" } },
  }));
  const result: Json = await client.callTool({ name: "asking", arguments: { message: "Ask" } });
  expect(asked).toEqual(["Which colour?", "Which size?"]);
  expect(textOf(result)).toContain('{"answered":true,"answer":"blue"},{"answered":true,"answer":"small"}');
  // One job, which went on after each answer.
  expect(await platform.alice.job(result._meta.job_id)).toMatchObject({ status: "completed", attempt: 3 });
});
