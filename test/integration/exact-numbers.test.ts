/** Numbers and nulls of callers, from the request's body to the model, the tools, the database and back. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Json } from "../support/api-client.ts";
import { KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { type RawProvider, startRawProvider, turnOf } from "../support/raw-provider.ts";

const BIG = "12345678901234567890";

/** Answers JSON to a request with a schema, else with a text. */
const answerTo = ({ messages }: Json): Json[] =>
  String(messages[0].content).includes("JSON Schema") ? turnOf([`{"id":${BIG}}`], "stop") : turnOf(["Fine"], "stop");

let provider: RawProvider;
let platform: TestPlatform;
beforeAll(async () => {
  provider = await startRawProvider(answerTo);
  platform = await startTestPlatform({ workers: 0 });
  await platform.startWorker(provider.env);
});
afterAll(async () => {
  await platform.stop();
  await provider.close();
});

/** The text of an answer: parsed, its numbers would have changed. */
async function textOf(path: string): Promise<string> {
  const response = await fetch(`${platform.alice.origin}/api/v1${path}`, {
    headers: { Authorization: `Bearer ${KEYS.alice}` },
  });
  return response.text();
}

test("integers beyond 2^53 in input and metadata reach the model, the database and the caller as they came", async () => {
  const body = `{"task":"exact","input":{"id":${BIG},"list":[-${BIG}]},"metadata":{"order":${BIG}}}`;
  const { body: accepted } = await platform.alice.post("/agents/chat_basic/execute", body);
  expect((await platform.alice.ended(accepted.job_id)).status).toBe("completed");
  expect(provider.bodies.at(-1)).toContain(`\\"id\\": ${BIG}`);
  expect(provider.bodies.at(-1)).toContain(`-${BIG}`);
  expect(await textOf(`/jobs/${accepted.job_id}`)).toContain(`"metadata":{"order":${BIG}}`);
  expect(await textOf("/jobs?limit=5")).toContain(`"metadata":{"order":${BIG}}`);
});

test("the metadata of a session and of its messages keep such integers, and so does data of a response_schema", async () => {
  const schema = '{"type":"object","properties":{"id":{"type":"integer"}},"required":["id"]}';
  const fields = `"agent_type":"chat_basic","message":"Which one?","stream":false,"metadata":{"order":${BIG}}`;
  const { body } = await platform.alice.post("/chat/completions", `{${fields},"config":{"response_schema":${schema}}}`);
  expect(body.status).toBe("completed");
  expect(await textOf(`/jobs/${body.job_id}`)).toContain(`"data":{"id":${BIG}}`);
  expect(await textOf(`/sessions/${body.session_id}`)).toContain(`"metadata":{"order":${BIG}}`);
  expect(await textOf(`/chat/history?session_id=${body.session_id}`)).toContain(`"metadata":{"order":${BIG}}`);
});

test("a number that JSON cannot keep is refused with its words, and does not become null", async () => {
  const { status, body } = await platform.alice.post(
    "/agents/chat_basic/execute",
    '{"task":"far","input":{"n":1e400}}',
  );
  expect([status, body.error.code]).toEqual([400, "invalid_json"]);
  expect(body.error.message).toContain("1e400");
});

test("two bodies that differ in such an integer are two requests, also under one Idempotency-Key", async () => {
  const post = (id: string) =>
    platform.alice.post("/agents/chat_basic/execute", `{"task":"once","input":${id}}`, { "Idempotency-Key": "exact" });
  expect((await post("9007199254740993")).status).toBe(202);
  expect((await post("9007199254740992")).body.error.code).toBe("idempotency_key_reused");
});

test("null for an optional field is its absence, in the body, in limits and in the config of an agent", async () => {
  const nothing = { config: null, limits: null, metadata: null, on_busy: null, session_id: null, input: null };
  const { status, body } = await platform.alice.post("/agents/chat_basic/execute", { task: "bare", ...nothing });
  expect(status).toBe(202);
  await platform.alice.ended(body.job_id);
  // The jobs of other tests may ask at the same time.
  const asked = provider.bodies.map((text) => JSON.parse(text).messages);
  expect(asked).toContainEqual([{ role: "user", content: "bare" }]);

  const inner = { config: { temperature: null, system_prompt: null }, limits: { max_steps: null, deadline_ms: 9_000 } };
  const jobId = await platform.alice.execute("inner", inner);
  expect((await platform.alice.ended(jobId)).status).toBe("completed");
  const refused = await platform.alice.post("/agents/chat_basic/execute", { task: null });
  expect([refused.status, refused.body.error.param]).toEqual([400, "task"]);
});
