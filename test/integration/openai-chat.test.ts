/** OpenAI's chat completions: agents as models, asked by the official client. */
import { randomUUID } from "node:crypto";
import { APIError, BadRequestError, ConflictError, NotFoundError } from "openai";
import type { ChatCompletionMessageParam } from "openai/resources/chat/completions";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ApiClient, Json } from "../support/api-client.ts";
import { createOpenAiClient } from "../support/openai-client.ts";
import { FIXTURE_AGENTS, KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { waitFor } from "../support/wait-for.ts";

let platform: TestPlatform;
let alice: ApiClient;
let client: ReturnType<typeof createOpenAiClient>;
beforeAll(async () => {
  platform = await startTestPlatform({ env: FIXTURE_AGENTS });
  ({ alice } = platform);
  client = createOpenAiClient(alice.origin, KEYS.alice);
});
afterAll(async () => {
  await client.checked();
  await platform.stop();
});

const MODEL = "chat_basic";
const user = (content: string) => ({ role: "user", content }) as const;

/** What the model was asked by the latest call whose last message contains the text. */
async function askedOf(contains: string): Promise<Json> {
  const call = (await platform.model.calls({ contains })).at(-1);
  return platform.model.call(call?.id ?? 0);
}

const ask = (messages: readonly ChatCompletionMessageParam[], more: object = {}) =>
  client.chat.completions.create({ model: MODEL, messages: [...messages], ...more });

test("an agent is a model", async () => {
  const models = await client.models.list();
  expect(models.data).toContainEqual(expect.objectContaining({ id: MODEL, object: "model", owned_by: "agent-paas" }));
  expect(await client.models.retrieve(MODEL)).toMatchObject({ id: MODEL, object: "model" });
  const unknown = await client.models.retrieve("nobody").catch((error) => error);
  expect(unknown).toBeInstanceOf(NotFoundError);
  expect(unknown.code).toBe("model_not_found");
});

test("a whole answer is the job's, which is found by the answer's id", async () => {
  const { data, response } = await client.chat.completions
    .create({ model: MODEL, messages: [user("[[text=Fine]]")], metadata: { note: "kept" }, user: "u-1" })
    .withResponse();
  expect(data).toMatchObject({ object: "chat.completion", model: MODEL });
  expect(data.choices).toMatchObject([{ index: 0, message: { content: "Fine" }, finish_reason: "stop" }]);
  expect(data.usage?.total_tokens).toBeGreaterThan(0);
  expect(response.headers.get("x-job-id")).toBe(data.id);
  expect((data as Json)._request_id).toBe(response.headers.get("x-request-id"));
  expect(await alice.job(data.id)).toMatchObject({
    ...{ status: "completed", session_id: null, kind: "chat", agent_type: MODEL },
    metadata: { note: "kept", user: "u-1" },
  });
});

test("a streamed answer has the text of the native stream, its reason to end, and its usage", async () => {
  const stream = await ask([user("[[tokens=40]]")], { stream: true, stream_options: { include_usage: true } });
  const chunks = await Array.fromAsync(stream as unknown as AsyncIterable<Json>);
  const text = chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("");
  const job = await alice.job(chunks[0].id);
  expect(text).toBe(job.result.content);
  expect(chunks.filter(({ choices }) => choices[0]?.delta.content).length).toBeGreaterThan(30);
  expect(chunks.at(-2).choices[0]).toMatchObject({ finish_reason: "stop", delta: {} });
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: job.usage.output_tokens } });
  expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
});

test("the messages of a request reach the model as they stand, however long they are", async () => {
  const long = "word ".repeat(30_000);
  await ask([
    { role: "system", content: "Be brief." },
    user(`First. ${long}`),
    { role: "assistant", content: "An answer." },
    { role: "developer", content: "Be kind." },
    user("of two"),
    { role: "user", content: [{ type: "text", text: "as they stand" }] },
  ]);
  const { messages } = await askedOf("as they stand");
  expect(messages).toEqual([
    { role: "system", content: "Be brief.\n\nBe kind." },
    { role: "user", content: `First. ${long}` },
    { role: "assistant", content: "An answer." },
    { role: "user", content: "of two\n\nas they stand" },
  ]);
});

test("a named session is the conversation: only what follows the last answer is new", async () => {
  const headers = { "X-Session-Id": `thread ${randomUUID()}` };
  const system = { role: "system", content: "Be brief." } as const;
  const create = async (messages: ChatCompletionMessageParam[]) =>
    client.chat.completions.create({ model: MODEL, messages }, { headers }).withResponse();
  const first = await create([system, user("[[text=One]] session of a name")]);
  const said = { role: "assistant", content: "not what was said" } as const;
  await create([system, user("not what was asked"), said, user("next in the session")]);
  const { messages } = await askedOf("next in the session");
  expect(messages).toEqual([
    system,
    user("[[text=One]] session of a name"),
    { role: "assistant", content: "One" },
    user("next in the session"),
  ]);
  const sessionId = first.response.headers.get("x-session-id");
  expect((await alice.history(sessionId)).map(({ role }) => role)).toEqual(["user", "assistant", "user", "assistant"]);
  // The platform's own id of a session leads to it as well, and so does the metadata.
  await ask([user("by its id")], { metadata: { session_id: sessionId } });
  expect(await alice.history(sessionId)).toHaveLength(6);
});

test("a name of a session belongs to its owner", async () => {
  const session_id = `mine ${randomUUID()}`;
  const bob = createOpenAiClient(alice.origin, KEYS.bob);
  const sessionOf = async ({ chat }: Pick<typeof client, "chat">, name: string) => {
    const request = { model: MODEL, messages: [user("Hello")], metadata: { session_id: name } };
    return (await chat.completions.create(request).asResponse()).headers.get("x-session-id") ?? "";
  };
  const [ofAlice, ofBob] = await Promise.all([sessionOf(client, session_id), sessionOf(bob, session_id)]);
  expect(ofAlice).not.toBe(ofBob);
  expect(await sessionOf(client, session_id)).toBe(ofAlice);
  expect(await sessionOf(bob, ofAlice)).not.toBe(ofAlice);
  await bob.checked();
});

test("a session whose request brings nothing new is refused", async () => {
  const messages: ChatCompletionMessageParam[] = [user("Hi"), { role: "assistant", content: "Hello" }];
  const refused = await ask(messages, { metadata: { session_id: "s" } }).catch((error) => error);
  expect(refused).toBeInstanceOf(BadRequestError);
  expect(refused.param).toBe("messages");
});

test("a request with an Idempotency-Key joins its job, and another body is a conflict that nobody repeats", async () => {
  const headers = { "Idempotency-Key": randomUUID() };
  const body = { model: MODEL, messages: [user("[[text=Once]]")] };
  const first = await client.chat.completions.create(body, { headers });
  expect(await client.chat.completions.create(body, { headers })).toEqual(first);
  const error = await client.chat.completions
    .create({ ...body, messages: [user("Twice")] }, { headers })
    .catch((thrown) => thrown);
  expect(error).toBeInstanceOf(ConflictError);
  expect(error.code).toBe("idempotency_key_reused");
  expect(error.headers.get("x-should-retry")).toBe("false");
});

test("options become the agent's config, and its errors name the field of the request", async () => {
  await ask([user("with options")], { temperature: 0.3, max_completion_tokens: 77 });
  expect(await askedOf("with options")).toMatchObject({ temperature: 0.3, max_tokens: 77 });
  const refused = await ask([user("Hi")], { temperature: 3 }).catch((error) => error);
  expect(refused).toBeInstanceOf(BadRequestError);
  expect(refused.param).toBe("temperature");
  expect(refused.message).not.toContain("config");
  const schema = { type: "json_schema", json_schema: { name: "x", schema: { type: "nothing" } } };
  const unfit = await ask([user("Hi")], { response_format: schema }).catch((error) => error);
  expect(unfit).toMatchObject({ status: 400, code: "invalid_config", param: "response_format" });
  expect(unfit.message).not.toContain("config");
});

test.each([false, true])(
  "an agent without a setting for it is cut by the request's tokens (stream: %s)",
  async (stream) => {
    const request = { model: "stepping", messages: [user("[[tokens=200]]")], max_completion_tokens: 5 };
    const completion = stream
      ? await client.chat.completions.stream(request).finalChatCompletion()
      : await client.chat.completions.create(request);
    const job = await alice.job(completion.id);
    expect(job).toMatchObject({ status: "failed", error: { code: "budget_exhausted" } });
    expect(completion.choices).toMatchObject([{ finish_reason: "length", message: { content: job.result.content } }]);
    expect(job.result.content).not.toBe("");
  },
);

test.each([
  ["n", 2],
  ["logprobs", true],
  ["audio", { voice: "alloy", format: "wav" }],
  ["functions", [{ name: "f" }]],
  ["logit_bias", { 50256: -100 }],
  ["no_such_field", 1],
  ["stop.0", [1]],
  ["modalities.0", ["audio"]],
  ["messages.0.content.0.image_url.url", { role: "user", content: [{ type: "image_url", image_url: { url: "x" } }] }],
  ["messages.0.tool_call_id", { role: "tool", tool_call_id: "none", content: "" }],
])("%s is refused by its name if no agent can heed it", async (param, value) => {
  const [field = ""] = param.split(".");
  const more = field === "messages" ? { messages: [value] } : { [field]: value };
  const refused = await ask([user("Hi")], more).catch((error) => error);
  expect(refused).toBeInstanceOf(BadRequestError);
  expect(refused).toMatchObject({ param, type: "invalid_request_error", code: "invalid_request" });
});

test("a request without its messages is at most as large as every request may be", async () => {
  const refused = await ask([user("Hi")], { metadata: { note: "a".repeat(300_000) } }).catch((error) => error);
  expect([refused.status, refused.code]).toEqual([413, "payload_too_large"]);
});

const PIXEL = { type: "image_url", image_url: { url: "https://example.com/pixel.png" } } as const;

test("an empty text beside an image is left out, and a message without parts is refused", async () => {
  const asked = (content: object[]) => ask([{ role: "user", content } as ChatCompletionMessageParam]);
  const answer: Json = await asked([{ type: "text", text: "" }, PIXEL]);
  const latest = (await platform.model.calls({})).at(-1);
  const { messages }: Json = await platform.model.call(latest?.id ?? 0);
  expect(messages.at(-1).content).toEqual([PIXEL]);
  expect(answer.choices[0].finish_reason).toBe("stop");
  const refused = await asked([]).catch((error) => error);
  expect([refused.status, refused.param]).toEqual([400, "messages.0.content"]);
});

test("a session's requests say all that they want: nothing of an earlier one holds for a later one", async () => {
  const session = { metadata: { session_id: `plain ${randomUUID()}` } };
  await ask([user("coldly, in a session")], { ...session, temperature: 0.1 });
  await ask([user("and as usual, in a session")], session);
  expect(await askedOf("coldly, in a session")).toMatchObject({ temperature: 0.1 });
  expect(await askedOf("and as usual, in a session")).not.toMatchObject({ temperature: 0.1 });
});

test("what asks for nothing is accepted", async () => {
  const neutral = { n: 1, logprobs: false, presence_penalty: 0, frequency_penalty: 0, modalities: ["text"], seed: 1 };
  const harmless = { store: true, service_tier: "auto", prompt_cache_key: "k", logit_bias: {}, audio: null };
  const answer = await ask([user("[[text=Yes]]")], { ...neutral, ...harmless, user: "u" });
  expect((answer as Json).choices[0].message.content).toBe("Yes");
});

test("a job that fails in mid-stream ends its stream with the error", async () => {
  const stream = await ask([user("[[fault=cut after=3 tokens=9]]")], { stream: true });
  let text = "";
  const read = async () => {
    for await (const chunk of stream as unknown as AsyncIterable<Json>) text += chunk.choices[0]?.delta.content ?? "";
  };
  const error = await read().catch((thrown) => thrown);
  expect(error).toBeInstanceOf(APIError);
  expect(error).toMatchObject({ type: "server_error", code: "model_stream_broken" });
  expect(text).not.toBe("");
});

test("a job that is cancelled is no answer, whole or streamed", async () => {
  const cancelled = async (more: object) => {
    const message = `[[tokens=1 ttft=60000]] ${randomUUID()}`;
    const answer = ask([user(message)], more).then(async (stream) =>
      "choices" in stream ? stream : Array.fromAsync(stream as unknown as AsyncIterable<Json>),
    );
    answer.catch(() => {});
    const { id } = await waitFor("the job", async () => (await alice.get("/jobs?status=running")).body.jobs[0]);
    await alice.cancel(id);
    return answer.catch((thrown) => thrown);
  };
  expect(await cancelled({})).toBeInstanceOf(ConflictError);
  expect(await cancelled({ stream: true })).toMatchObject({ code: "job_cancelled" });
});

test.each([true, false])(
  "a client that leaves cancels its job if it said so, and no other (stream: %s)",
  async (stream) => {
    const leave = async (directives: string, headers: Record<string, string>) => {
      const connection = new AbortController();
      const request = { model: MODEL, messages: [user(`[[${directives}]] ${randomUUID()}`)], stream };
      const answer = client.chat.completions.create(request, { headers, signal: connection.signal });
      answer.catch(() => {});
      const { id } = await waitFor("the job", async () => (await alice.get("/jobs?status=running")).body.jobs[0]);
      connection.abort();
      return alice.ended(id);
    };
    expect(await leave("tokens=1 ttft=60000", { "X-Cancel-On-Disconnect": "true" })).toMatchObject({
      status: "cancelled",
    });
    expect(await leave("tokens=40 rate=20", {})).toMatchObject({ status: "completed" });
  },
);
