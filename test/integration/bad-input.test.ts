/**
 * Bad input: each kind is answered with its status and code in the error envelope, shows nothing of the code, and
 * reaches neither the queue nor the model.
 */
import { resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Json } from "../support/api-client.ts";
import { KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { countQueuedJobs, keysOfAcceptedJobs } from "../support/platform-state.ts";

const CHAT = "/chat/completions";
const EXECUTE = "/agents/chat_basic/execute";
const UNKNOWN_ID = "01890a5d-ac96-774b-bcce-b302099a8057";
const KIB = 1_024;

type BadRequest = {
  readonly method?: string;
  readonly path: string;
  /** Text and bytes are sent unchanged, anything else as JSON. */
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
};
type Case = [what: string, request: BadRequest, status: number, code: string, param?: string | undefined];

const chat = (fields: object, headers: Record<string, string> = {}): BadRequest => ({
  method: "POST",
  path: CHAT,
  body: { agent_type: "chat_basic", message: "Hello", ...fields },
  headers,
});
const execute = (fields: object): BadRequest => ({ method: "POST", path: EXECUTE, body: { task: "Hello", ...fields } });
const raw = (body: unknown, headers: Record<string, string> = {}): BadRequest => ({
  method: "POST",
  path: CHAT,
  body,
  headers,
});
const manyFields = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [at, 1]));
const get = (path: string, headers: Record<string, string> = {}): BadRequest => ({ path, headers });
const invalid = (what: string, request: BadRequest, param?: string): Case => [
  what,
  request,
  400,
  "invalid_request",
  param,
];

const BODIES: Case[] = [
  ["text that is not JSON", raw("hello"), 400, "invalid_json"],
  ["truncated JSON", raw('{"agent_type":"chat_basic","mess'), 400, "invalid_json"],
  ["a bare JSON string", raw('"hello"'), 400, "invalid_json"],
  ["a body that is not gzip", raw("hello", { "Content-Encoding": "gzip" }), 400, "invalid_request"],
  ["an unknown content encoding", raw("{}", { "Content-Encoding": "compress" }), 415, "unsupported_encoding"],
  [
    "an unknown charset",
    raw("{}", { "Content-Type": "application/json; charset=latin1" }),
    415,
    "unsupported_encoding",
  ],
  invalid("26,000 fields", chat({ metadata: { many: manyFields(26_000) } })),
  invalid("a config of 6,000 fields", chat({ config: manyFields(6_000) }), "config"),
  ["a body over 256 KiB", chat({ metadata: { fill: "x".repeat(256 * KIB) } }), 413, "payload_too_large"],
  [
    "a body over 256 KiB once unpacked",
    raw(gzipSync(JSON.stringify({ fill: "x".repeat(256 * KIB) })), { "Content-Encoding": "gzip" }),
    413,
    "payload_too_large",
  ],
  invalid("no body", raw(""), "agent_type"),
  invalid("a JSON array", raw([])),
];

const FIELDS: Case[] = [
  invalid("a chat without message", chat({ message: undefined }), "message"),
  invalid("a chat without agent", chat({ agent_type: undefined }), "agent_type"),
  invalid("an unknown field of a chat", chat({ temperature: 1 }), "temperature"),
  invalid("an unknown field of a task", execute({ stream: true }), "stream"),
  invalid("a message of the wrong type", chat({ message: { text: "Hello" } }), "message"),
  invalid("a task of the wrong type", execute({ task: 5 }), "task"),
  invalid("stream as text", chat({ stream: "true" }), "stream"),
  invalid("config as text", chat({ config: "hot" }), "config"),
  invalid("config as list", execute({ config: [] }), "config"),
  invalid("metadata as list", chat({ metadata: ["a"] }), "metadata"),
  invalid("an unknown on_busy", chat({ on_busy: "explode" }), "on_busy"),
  invalid("an empty message", chat({ message: "" }), "message"),
  invalid("a blank message", chat({ message: " \n\t\u3000" }), "message"),
  invalid("a blank task", execute({ task: "   " }), "task"),
  invalid("a message over 65,536 characters", chat({ message: "x".repeat(65_537) }), "message"),
  invalid("a session that is not a UUID", chat({ session_id: "my-session" }), "session_id"),
  invalid("a task's session that is not a UUID", execute({ session_id: 7 }), "session_id"),
  invalid("an unknown field of config", chat({ config: { temprature: 1 } }), "config.temprature"),
  invalid("config out of range", chat({ config: { temperature: 2.5 } }), "config.temperature"),
  invalid("config of the wrong type", execute({ config: { max_tokens: "many" } }), "config.max_tokens"),
  invalid("a fraction where a whole number is due", execute({ config: { max_tokens: 1.5 } }), "config.max_tokens"),
  ["an unknown agent", chat({ agent_type: "chat_advanced" }), 404, "agent_not_found"],
  ["a task of an unknown agent", { ...execute({}), path: "/agents/nobody/execute" }, 404, "agent_not_found"],
  ["an unknown session", chat({ session_id: UNKNOWN_ID }), 404, "session_not_found"],
  ["a task in an unknown session", execute({ session_id: UNKNOWN_ID }), 404, "session_not_found"],
];

const PATHS_AND_QUERIES: Case[] = [
  invalid("a job that is not a UUID", get("/jobs/17"), "id"),
  invalid("events of a job that is not a UUID", get("/jobs/17/events"), "id"),
  invalid("cancel of a job that is not a UUID", { method: "POST", path: "/jobs/17/cancel" }, "id"),
  invalid("a session that is not a UUID", get("/sessions/17"), "id"),
  invalid("deletion of a session that is not a UUID", { method: "DELETE", path: "/sessions/17" }, "id"),
  invalid("a path that cannot be decoded", get("/jobs/%ZZ")),
  invalid("history of no session", get("/chat/history"), "session_id"),
  invalid("history of a session that is not a UUID", get("/chat/history?session_id=17"), "session_id"),
  invalid("history before what is not a UUID", get(`/chat/history?session_id=${UNKNOWN_ID}&before=17`), "before"),
  invalid("sessions before what is not a UUID", get("/sessions?before=17"), "before"),
  invalid("jobs of a session that is not a UUID", get("/jobs?session_id=17"), "session_id"),
  invalid("a limit of 0", get("/jobs?limit=0"), "limit"),
  invalid("a limit that is not a number", get("/sessions?limit=all"), "limit"),
  invalid("a limit beyond the largest", get(`/chat/history?session_id=${UNKNOWN_ID}&limit=501`), "limit"),
  invalid("two limits", get("/jobs?limit=1&limit=2"), "limit"),
  invalid("a negative wait", get(`/jobs/${UNKNOWN_ID}?wait=-1`), "wait"),
  invalid("a wait beyond the longest", get(`/jobs/${UNKNOWN_ID}?wait=61`), "wait"),
  invalid("a wait that is not a number", get(`/jobs/${UNKNOWN_ID}?wait=soon`), "wait"),
  invalid("an unknown status", get("/jobs?status=paused"), "status"),
  invalid("an unknown kind", get("/jobs?kind=batch"), "kind"),
  invalid(
    "a Last-Event-ID that is not a number",
    get(`/jobs/${UNKNOWN_ID}/events`, { "Last-Event-ID": "two" }),
    "Last-Event-ID",
  ),
  invalid("a negative after", get(`/jobs/${UNKNOWN_ID}/events?after=-1`), "after"),
  invalid("a fraction as after", get(`/jobs/${UNKNOWN_ID}/events?after=1.5`), "after"),
  ["an unknown job", get(`/jobs/${UNKNOWN_ID}`), 404, "job_not_found"],
  ["history of an unknown session", get(`/chat/history?session_id=${UNKNOWN_ID}`), 404, "session_not_found"],
  ["an unknown route", get("/chats"), 404, "route_not_found"],
];

const HEADERS: Case[] = [
  ["no key", chat({}, { Authorization: "" }), 401, "missing_api_key"],
  ["a wrong key", chat({}, { Authorization: "Bearer ap_wrong" }), 401, "invalid_api_key"],
  ["a wrong X-API-Key", get("/jobs", { Authorization: "", "X-API-Key": "ap_wrong" }), 401, "invalid_api_key"],
  ["another scheme", chat({}, { Authorization: `Basic ${KEYS.alice}` }), 401, "missing_api_key"],
  invalid("an Idempotency-Key of two words", chat({}, { "Idempotency-Key": "two words" }), "Idempotency-Key"),
  invalid("an empty Idempotency-Key", chat({}, { "Idempotency-Key": "" }), "Idempotency-Key"),
  invalid("an Idempotency-Key too long", chat({}, { "Idempotency-Key": "k".repeat(256) }), "Idempotency-Key"),
];

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

async function send({ method = "GET", path, body, headers = {} }: BadRequest): Promise<Response> {
  const isRaw = typeof body === "string" || body instanceof Uint8Array;
  return fetch(`${platform.alice.origin}/api/v1${path}`, {
    method,
    headers: { Authorization: `Bearer ${KEYS.alice}`, "Content-Type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: (isRaw ? body : JSON.stringify(body)) as string }),
  });
}

async function expectEnvelope(response: Response): Promise<Json> {
  const text = await response.text();
  expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
  const body = JSON.parse(text);
  expect(Object.keys(body)).toEqual(["error"]);
  expect(Object.keys(body.error).sort()).toEqual(["code", "message", "param", "request_id", "type"]);
  expect(body.error.message).toMatch(/\w/);
  expect(body.error.request_id).toBe(response.headers.get("x-request-id"));
  expect(text).not.toContain(resolve(import.meta.dirname, "../.."));
  expect(text).not.toMatch(/\bat \S+ \(|\.[jt]s\b|node_modules|node:|file:/);
  return body.error;
}

test.each([...BODIES, ...FIELDS, ...PATHS_AND_QUERIES, ...HEADERS])(
  "%s is refused",
  async (_what, request, status, code, param) => {
    const response = await send(request);
    const error = await expectEnvelope(response);
    expect({ status: response.status, code: error.code, param: error.param }).toEqual({
      status,
      code,
      param: param ?? null,
    });
    expect(response.headers.get("www-authenticate")).toBe(status === 401 ? "Bearer" : null);
  },
);

test.each([
  ["PUT", CHAT, "POST"],
  ["DELETE", "/jobs", "GET"],
  ["POST", `/sessions/${UNKNOWN_ID}`, "GET, PATCH, DELETE"],
])("%s %s is refused, and the allowed methods are named", async (method, path, allowed) => {
  const response = await send({ method, path });
  expect(await expectEnvelope(response)).toMatchObject({ code: "method_not_allowed" });
  expect(response.status).toBe(405);
  expect(response.headers.get("allow")).toBe(allowed);
});

test("bad requests reach neither the queue nor the model", async () => {
  expect(await countQueuedJobs(platform)).toBe(0);
  expect(await keysOfAcceptedJobs(platform)).toEqual([]);
  expect((await platform.model.stats()).total_calls).toBe(0);
});
