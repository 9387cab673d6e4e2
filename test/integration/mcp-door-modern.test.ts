/** The MCP door with the revision of 2026-07-28, which has no handshake, as the SDK of that revision sees it. */
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from "vitest";
import type { Json } from "../support/api-client.ts";
import { cancelUnfinished } from "../support/cancel-unfinished.ts";
import { checkedFetch, mcpHeaders, messagesOf, sendMcp } from "../support/mcp-client.ts";
import { FIXTURE_AGENTS, KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { waitFor } from "../support/wait-for.ts";

const VERSION = "2026-07-28";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ apis: 2, env: FIXTURE_AGENTS });
});
afterEach(() => cancelUnfinished(platform.alice));
afterAll(() => platform.stop());

async function connect(capabilities: Json = {}) {
  let requests = 0;
  const checked = checkedFetch(() => platform.apis[requests++ % 2]?.origin ?? null);
  const transport = new StreamableHTTPClientTransport(new URL(`${platform.alice.origin}/mcp`), {
    requestInit: { headers: { Authorization: `Bearer ${KEYS.alice}` } },
    fetch: checked,
  });
  const options = { capabilities, versionNegotiation: { mode: { pin: VERSION } } };
  const client = new Client({ name: "agent-paas-test", version: "1.0.0" }, options);
  await client.connect(transport);
  onTestFinished(() => client.close());
  return client;
}

const textOf = ({ content }: Json): string => content[0].text;

test("each request may reach another API, and lists and calls need no handshake", async () => {
  const client = await connect();
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toContain("chat_basic");
  const seen: Json[] = [];
  const args = { name: "stepping", arguments: { message: "[[text=Walked]] Go" } };
  const result: Json = await client.callTool(args, { onprogress: (one) => seen.push(one) });
  expect(textOf(result)).toBe("Walked");
  expect(result._meta).toMatchObject({ status: "completed" });
  expect(seen.filter(({ total }) => total !== undefined)).toHaveLength(2);
  const { session_id } = result._meta;
  const next: Json = await client.callTool({ name: "stepping", arguments: { message: "[[text=On]] Go", session_id } });
  expect(next._meta.session_id).toBe(session_id);
});

test("a client that closes a call's response cancels its job", async () => {
  const client = await connect();
  const abort = new AbortController();
  const pending = client.callTool(
    { name: "chat_basic", arguments: { message: "[[tokens=1 ttft=60000]] Close me" } },
    { signal: abort.signal },
  );
  pending.catch(() => {});
  await waitFor("the model to be asked", async () => (await platform.model.calls({ contains: "Close me" })).length > 0);
  const { jobs } = (await platform.alice.get("/jobs?limit=1")).body;
  abort.abort("enough");
  await expect(pending).rejects.toThrow();
  expect((await platform.alice.ended(jobs[0].id)).status).toBe("cancelled");
});

const META = {
  "io.modelcontextprotocol/protocolVersion": VERSION,
  "io.modelcontextprotocol/clientCapabilities": {},
};
const HEADERS = { ...mcpHeaders(KEYS.alice), "MCP-Protocol-Version": VERSION };
const list = (_meta: object) => ({ jsonrpc: "2.0", id: 7, method: "tools/list", params: { _meta } });
const call = { name: "chat_basic", arguments: { message: "[[text=Raw]] Hi" } };

const send = (body: unknown, headers: Record<string, string> = {}) =>
  sendMcp(platform.alice.origin, body, { ...HEADERS, "Mcp-Method": "tools/list", ...headers });

test("a result says what it is, who sends it, and how long it is good", async () => {
  const { status, body } = await send(list(META));
  expect(status).toBe(200);
  expect(body).toMatchObject({
    id: 7,
    result: { resultType: "complete", ttlMs: expect.any(Number), cacheScope: "private" },
  });
  expect(body.result._meta["io.modelcontextprotocol/serverInfo"]).toMatchObject({ name: "agent-paas" });
});

const { "io.modelcontextprotocol/clientCapabilities": _, ...WITHOUT_CAPABILITIES } = META;

test.each<[string, object, Record<string, string>, number, number]>([
  ["without _meta", list({}), {}, 400, -32602],
  ["without capabilities", list(WITHOUT_CAPABILITIES), {}, 400, -32602],
  [
    "of another version than its header",
    list({ ...META, "io.modelcontextprotocol/protocolVersion": "2099-01-01" }),
    {},
    400,
    -32020,
  ],
  [
    "of a version that there is not",
    list({ ...META, "io.modelcontextprotocol/protocolVersion": "2099-01-01" }),
    { "MCP-Protocol-Version": "2099-01-01" },
    400,
    -32022,
  ],
  ["of another method than its header", list(META), { "Mcp-Method": "tools/call" }, 400, -32020],
  [
    "that calls another tool than its header",
    { ...list(META), method: "tools/call", params: { _meta: META, ...call } },
    { "Mcp-Method": "tools/call", "Mcp-Name": "tool_basic" },
    400,
    -32020,
  ],
  ["of a method that is gone", { ...list(META), method: "ping" }, { "Mcp-Method": "ping" }, 404, -32601],
])("a request %s is refused", async (_what, body, headers, status, code) => {
  const answer = await send(body, headers);
  expect([answer.status, answer.body.id, answer.body.error.code]).toEqual([status, 7, code]);
});

test("a name in the header may come in base64", async () => {
  const name = `=?base64?${Buffer.from("chat_basic").toString("base64")}?=`;
  const body = { ...list(META), method: "tools/call", params: { _meta: META, ...call } };
  const { status, body: stream } = await send(body, { "Mcp-Method": "tools/call", "Mcp-Name": name });
  expect(status).toBe(200);
  expect(messagesOf(stream)).toMatchObject([{ id: 7, result: { content: [{ text: "Raw" }, {}] } }]);
  expect(stream).not.toMatch(/^id: /m);
});
