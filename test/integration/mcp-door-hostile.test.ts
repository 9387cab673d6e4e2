/** What the MCP door says to clients that are no good ones, or old ones. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Json } from "../support/api-client.ts";
import { mcpHeaders, messagesOf, sendMcp } from "../support/mcp-client.ts";
import { KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({
    env: { MAX_OPEN_STREAMS_PER_OWNER: "1", CORS_ORIGINS: "https://app.example.com" },
  });
});
afterAll(() => platform.stop());

const send = (body: unknown, headers: Record<string, string> = {}, key: string = KEYS.alice) =>
  sendMcp(platform.alice.origin, body, { ...mcpHeaders(key), ...headers });

const rpc = (method: string, params: object = {}, id: unknown = 1) => ({ jsonrpc: "2.0", id, method, params });
const PING = rpc("ping");
const call = (message: string, id: unknown = 1) =>
  rpc("tools/call", { name: "chat_basic", arguments: { message } }, id);

test.each<[string, unknown, number, number]>([
  ["no JSON", "{rubbish", 400, -32700],
  ["an empty body", "", 400, -32600],
  ["a batch", [PING, PING], 400, -32600],
  ["an empty batch", [], 400, -32600],
  ["another version of JSON-RPC", { ...PING, jsonrpc: "1.0" }, 400, -32600],
  ["no method", { jsonrpc: "2.0" }, 400, -32600],
  ["a method that is a number", { ...PING, method: 1 }, 400, -32600],
  ["an id that is an object", { ...PING, id: {} }, 400, -32600],
  ["an id that is null", { ...PING, id: null }, 400, -32600],
  ["params that are a list", { ...PING, params: [] }, 400, -32600],
  ["an unknown method", rpc("tools/burn"), 200, -32601],
  ["a method of objects", rpc("constructor"), 200, -32601],
  ["a call without a name", rpc("tools/call"), 200, -32602],
  ["a call of a name that is an object", rpc("tools/call", { name: {} }), 200, -32602],
  ["a handshake without a version", rpc("initialize"), 200, -32602],
  [
    "a progress token that is an object",
    rpc("tools/call", { name: "chat_basic", _meta: { progressToken: {} } }),
    200,
    -32602,
  ],
])("%s is an error of JSON-RPC", async (_what, body, status, code) => {
  const answer = await send(body);
  expect([answer.status, answer.body.error.code]).toEqual([status, code]);
  expect(answer.body.jsonrpc).toBe("2.0");
});

test("a body beyond the limit is refused before it is read", async () => {
  const { status, body } = await send(call("x".repeat(300_000)));
  expect([status, body.error.data.code, body.id]).toEqual([413, "payload_too_large", null]);
});

test("a deep or wide body costs an error and nothing else", async () => {
  const deep = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;
  const { status } = await send(`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":${deep}}}`);
  expect([200, 400]).toContain(status);
  const wide = Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`k${at}`, 1]));
  const answer = await send(rpc("tools/call", { name: "chat_basic", arguments: { message: "Hi", config: wide } }));
  expect(answer.body.result).toMatchObject({ isError: true });
});

test("without a key, or with a wrong one, nothing is said", async () => {
  const { Authorization: _, ...headers } = mcpHeaders("");
  const none = await sendMcp(platform.alice.origin, PING, headers);
  expect([none.status, none.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
  expect(none.body.error.data.code).toBe("missing_api_key");
  expect((await send(PING, {}, "ap_wrong")).status).toBe(401);
});

test.each([
  ["http://evil.example.com", 403],
  ["http://localhost.evil.example.com", 403],
  ["null", 403],
  ["https://app.example.com", 200],
  ["http://localhost:6274", 200],
  ["http://[::1]:3000", 200],
])("a page of the origin %s gets %i", async (origin, status) => {
  const answer = await send(PING, { Origin: origin });
  expect(answer.status).toBe(status);
  if (status === 403) expect(answer.body.error.data.code).toBe("origin_not_allowed");
});

test("a version that there is not gets those that there are", async () => {
  const { status, body } = await send(PING, { "MCP-Protocol-Version": "1999-12-31" });
  expect([status, body.error.code, body.error.data.requested]).toEqual([400, -32022, "1999-12-31"]);
  expect(body.error.data.supported).toContain("2025-11-25");
});

test.each(["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])(
  "a client of %s gets that revision, and serves itself",
  async (version) => {
    const hello = { protocolVersion: version, capabilities: {}, clientInfo: { name: "old", version: "1" } };
    const { body, headers } = await send(rpc("initialize", hello));
    expect(body.result).toMatchObject({ protocolVersion: version, capabilities: { tools: {} } });
    const session = { "Mcp-Session-Id": headers.get("mcp-session-id") ?? "" };
    const known: Record<string, string> =
      version < "2025-06-18" ? session : { ...session, "MCP-Protocol-Version": version };
    const initialized = await send({ jsonrpc: "2.0", method: "notifications/initialized" }, known);
    expect([initialized.status, initialized.body]).toEqual([202, ""]);
    const stream: string = (await send(call("[[text=Hi]] Hello"), known)).body;
    expect(messagesOf(stream)).toMatchObject([{ id: 1, result: { content: [{ text: "Hi" }, {}] } }]);
    // Clients before 2025-11-25 cannot read an event without data.
    expect(/^data: $/m.test(stream)).toBe(version === "2025-11-25");
  },
);

test("a client of a revision to come is offered the newest with a handshake", async () => {
  const { body } = await send(rpc("initialize", { protocolVersion: "2099-01-01", capabilities: {} }));
  expect(body.result.protocolVersion).toBe("2025-11-25");
});

test("a call is answered as one JSON body where a client takes no events", async () => {
  const { headers, body } = await send(call("[[text=Whole]] Hi", "a"), { Accept: "application/json" });
  expect(headers.get("content-type")).toMatch(/^application\/json/);
  expect(body).toMatchObject({ id: "a", result: { isError: false, content: [{ text: "Whole" }, {}] } });
  const [jobId, sessionId] = [headers.get("x-job-id"), headers.get("x-session-id")];
  expect(body.result._meta).toMatchObject({ job_id: jobId, session_id: sessionId });
});

async function session(): Promise<Record<string, string>> {
  const { headers } = await send(rpc("initialize", { protocolVersion: "2025-11-25", capabilities: {} }));
  return { "Mcp-Session-Id": headers.get("mcp-session-id") ?? "" };
}

test("a call that is sent twice runs once, and its id names no other call", async () => {
  const mine = await session();
  const [first, second] = [
    await send(call("[[text=Once]] Go", 5), mine),
    await send(call("[[text=Once]] Go", 5), mine),
  ];
  expect(second.headers.get("x-job-id")).toBe(first.headers.get("x-job-id"));
  expect(messagesOf(second.body).at(-1)).toEqual(messagesOf(first.body).at(-1));
  const other = await send(call("[[text=Other]] Go", 5), mine);
  expect(other.body.result).toMatchObject({ isError: true, _meta: { error: { code: "idempotency_key_reused" } } });
});

test("a session id of another server sends the client back to its handshake", async () => {
  const { status, body } = await send(PING, { "Mcp-Session-Id": "abc" });
  expect([status, body.error.data.code]).toEqual([404, "session_not_found"]);
});

test("a notification is taken, and an answer to no question, too", async () => {
  const mine = await session();
  for (const body of [
    { jsonrpc: "2.0", method: "notifications/whatever" },
    { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 99 } },
    { jsonrpc: "2.0", method: "notifications/cancelled" },
    { jsonrpc: "2.0", id: "x", result: {} },
  ]) {
    expect((await send(body, mine)).status).toBe(202);
  }
  const unknown = { jsonrpc: "2.0", id: `${randomUUID()}/call`, result: { action: "accept" } };
  expect((await send(unknown, mine)).status).toBe(404);
});

const get = (headers: Record<string, string>) =>
  fetch(`${platform.alice.origin}/mcp`, { headers: { Authorization: `Bearer ${KEYS.alice}`, ...headers } });

test("there is nothing to listen to, to end, or to resume from nowhere", async () => {
  const listening = await get({ Accept: "text/event-stream" });
  expect([listening.status, listening.headers.get("allow")]).toEqual([405, "POST"]);
  expect(((await listening.json()) as Json).error.data.code).toBe("method_not_allowed");
  const deleted = await fetch(`${platform.alice.origin}/mcp`, { method: "DELETE" });
  expect(deleted.status).toBe(405);
  expect(((await deleted.json()) as Json).jsonrpc).toBe("2.0");
  expect((await get({ "Last-Event-ID": "rubbish" })).status).toBe(400);
  const suffix = Buffer.from(JSON.stringify([1, null, false])).toString("base64url");
  expect((await get({ "Last-Event-ID": `${randomUUID()}.0.${suffix}` })).status).toBe(404);
});

test("another key resumes nothing", async () => {
  const whole: string = (await send(call("[[text=Hers]] Mine"), await session())).body;
  const [id = ""] = [...whole.matchAll(/^id: (.+)$/gm)].map(([, found]) => found ?? "");
  const again = await get({ "Last-Event-ID": id });
  expect(messagesOf(await again.text())).toEqual(messagesOf(whole));
  const bobs = await get({ "Last-Event-ID": id, Authorization: `Bearer ${KEYS.bob}` });
  expect(bobs.status).toBe(404);
});

test("a call is resumed from the database, too, when its log is gone", async () => {
  const answer = await send(call("[[text=Kept]] Hi"), await session());
  await platform.redis.del(platform.keys.eventLog(answer.headers.get("x-job-id") ?? ""));
  const [id = ""] = [...answer.body.matchAll(/^id: (.+)$/gm)].map(([, found]) => found ?? "");
  const again = await get({ "Last-Event-ID": id });
  expect(messagesOf(await again.text())).toEqual(messagesOf(answer.body));
});

test("open calls count as open streams", async () => {
  const open = await fetch(`${platform.alice.origin}/mcp`, {
    ...{ method: "POST", headers: mcpHeaders(KEYS.alice) },
    body: JSON.stringify(call("[[tokens=1 ttft=60000]] Keep open")),
  });
  const { body } = await send(call("[[text=Second]] One more"));
  expect(body.result).toMatchObject({
    isError: true,
    _meta: { error: { code: "open_streams_limit", retryable: true } },
  });
  await platform.alice.cancel(open.headers.get("x-job-id") ?? "");
  expect(messagesOf(await open.text()).at(-1)).toMatchObject({
    result: { isError: true, _meta: { status: "cancelled" } },
  });
});
