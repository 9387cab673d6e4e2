/** OpenAI's responses, by the official client: whole, streamed, in the background, chained. */
import { randomUUID } from "node:crypto";
import { APIError, AuthenticationError, BadRequestError, ConflictError, NotFoundError, RateLimitError } from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import type { ResponseStreamEvent } from "openai/resources/responses/responses";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import type { ApiClient, Json } from "../support/api-client.ts";
import { createOpenAiClient } from "../support/openai-client.ts";
import { KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";

let platform: TestPlatform;
let alice: ApiClient;
let client: ReturnType<typeof createOpenAiClient>;
beforeAll(async () => {
  platform = await startTestPlatform();
  ({ alice } = platform);
  client = createOpenAiClient(alice.origin, KEYS.alice);
});
afterAll(async () => {
  await client.checked();
  await platform.stop();
});

const MODEL = "chat_basic";
const jobOf = (id: string) => alice.job(id.replace("resp_", ""));

/** The messages of the latest model call whose last message contains the text. */
async function askedOf(contains: string): Promise<Json> {
  const call = (await platform.model.calls({ contains })).at(-1);
  return (await platform.model.call(call?.id ?? 0)).messages;
}

const user = (content: string) => ({ role: "user", content });

async function eventsOf(stream: AsyncIterable<ResponseStreamEvent>): Promise<Json[]> {
  return (await Array.fromAsync(stream)) as Json[];
}

test("a whole response is its job's, and is found again by its id", async () => {
  const { data, response } = await client.responses
    .create({ model: MODEL, input: "[[text=Fine]]", instructions: "Be brief.", metadata: { note: "kept" }, user: "u" })
    .withResponse();
  expect(data).toMatchObject({
    ...{ object: "response", status: "completed", model: MODEL, output_text: "Fine", error: null },
    ...{ instructions: "Be brief.", metadata: { note: "kept" }, user: "u", previous_response_id: null },
    output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text: "Fine" }] }],
  });
  expect(data.id).toBe(`resp_${response.headers.get("x-job-id")}`);
  expect(data.usage?.total_tokens).toBeGreaterThan(0);
  const { _request_id, ...again } = (await client.responses.retrieve(data.id)) as typeof data & Json;
  expect({ ...data, _request_id: undefined }).toEqual({ ...again, _request_id: undefined });
  expect((await jobOf(data.id)).result.content).toBe("Fine");
  expect(await askedOf("[[text=Fine]]")).toEqual([{ role: "system", content: "Be brief." }, user("[[text=Fine]]")]);
});

test("a streamed response has its events in their order, with numbers that rise", async () => {
  const stream = await client.responses.create({ model: MODEL, input: "[[tokens=20]]", stream: true });
  const events = await eventsOf(stream);
  const job = await jobOf(events[0].response.id);
  const types = events.map(({ type }) => type.replace("response.", "")).filter((type, at, all) => type !== all[at - 1]);
  expect(types).toEqual([
    ...["created", "in_progress"],
    ...["output_item.added", "content_part.added", "output_text.delta"],
    ...["output_text.done", "content_part.done", "output_item.done", "completed"],
  ]);
  const numbers = events.map(({ sequence_number }) => sequence_number);
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  const deltas = events.filter(({ type }) => type === "response.output_text.delta");
  expect(deltas.length).toBeGreaterThan(10);
  expect(deltas.map(({ delta }) => delta).join("")).toBe(job.result.content);
  const { response } = events.at(-1);
  expect(response.output.map(({ type }: Json) => type)).toEqual(["message"]);
  expect(response.usage.total_tokens).toBe(job.usage.total_tokens);
  const retrieved = (await client.responses.retrieve(response.id)) as Json;
  expect(retrieved.output).toEqual(response.output);
});

test("the client's own stream helper builds the response, also of one that goes on", async () => {
  const stream = client.responses.stream({ model: MODEL, input: "[[tokens=10]]", background: true });
  const final = await stream.finalResponse();
  const job = await jobOf(final.id);
  expect(final.output_text).toBe(job.result.content);
  const again = client.responses.stream({ response_id: final.id, starting_after: 3 });
  expect((await again.finalResponse()).output_text).toBe(job.result.content);
});

test("a response in a format of JSON is parsed", async () => {
  const Answer = z.object({ city: z.string(), people: z.int() });
  const text = JSON.stringify({ city: "Bern", people: 1 });
  const response = await client.responses.parse({
    model: MODEL,
    input: `[[text=${encodeURIComponent(text)}]]`,
    text: { format: zodTextFormat(Answer, "answer") },
  });
  expect(response.output_parsed).toEqual({ city: "Bern", people: 1 });
  expect(response.text?.format).toMatchObject({ type: "json_schema", name: "answer" });
});

const failure = (promise: Promise<unknown>): Promise<Json> => promise.catch((error: unknown) => error);

const ask = (input: string, more: object = {}) => client.responses.create({ model: MODEL, input, ...more });

test.each([
  ["a built-in tool", { tools: [{ type: "web_search" }] }, "tools.0.type"],
  ["a truncation", { truncation: "auto" }, "truncation"],
  ["logprobs", { include: ["message.output_text.logprobs"] }, "include.0"],
  ["a prompt of a store", { prompt: { id: "p" } }, "prompt"],
  ["a field that nobody knows", { nonsense: 1 }, "nonsense"],
  ["two pasts", { conversation: "c", previous_response_id: "r" }, "conversation"],
  ["a setting that the agent does not take", { top_p: 7 }, "top_p"],
  ["an item of a kind that no agent knows", { input: [{ type: "computer_call" }] }, "input.0.type"],
  ["a result without its call", { input: [{ type: "function_call_output", call_id: "c", output: "" }] }, "input"],
  ["nothing to answer", { input: [] }, "input"],
])("%s is a bad request that names its field", async (_name, fields, param) => {
  const refused = await failure(ask("Hello", fields));
  expect(refused).toBeInstanceOf(BadRequestError);
  expect([refused.param, refused.type]).toEqual([param, "invalid_request_error"]);
});

test("errors have the client's own classes", async () => {
  expect(await failure(client.responses.retrieve(`resp_${randomUUID()}`))).toBeInstanceOf(NotFoundError);
  expect(await failure(client.responses.retrieve("resp_no"))).toBeInstanceOf(NotFoundError);
  expect(await failure(client.responses.create({ model: "nobody", input: "Hi" }))).toBeInstanceOf(NotFoundError);
  expect(await failure(ask("Hi", { previous_response_id: `resp_${randomUUID()}` }))).toBeInstanceOf(NotFoundError);
  const stranger = createOpenAiClient(alice.origin, "no such key");
  expect(await failure(stranger.responses.retrieve(`resp_${randomUUID()}`))).toBeInstanceOf(AuthenticationError);
  const bob = createOpenAiClient(alice.origin, KEYS.bob);
  const mine = await ask("[[text=Mine]]");
  const conversation = await client.conversations.create();
  expect(await failure(bob.responses.retrieve(mine.id))).toBeInstanceOf(NotFoundError);
  expect(await failure(bob.conversations.retrieve(conversation.id))).toBeInstanceOf(NotFoundError);
  const headers = { "Idempotency-Key": randomUUID() };
  const create = (input: string) => client.responses.create({ model: MODEL, input }, { headers });
  expect((await create("[[text=Once]]")).id).toBe((await create("[[text=Once]]")).id);
  expect(await failure(create("Twice"))).toBeInstanceOf(ConflictError);
  const failed = await failure(client.responses.create({ model: MODEL, input: "[[fault=400]]" }, { maxRetries: 0 }));
  expect(failed).toBeInstanceOf(APIError);
  await Promise.all([stranger.checked(), bob.checked()]);
});

test("what runs into a limit is incomplete, and says which", async () => {
  const short = await ask("[[tokens=50]]", { max_output_tokens: 5 });
  expect([short.status, short.incomplete_details]).toEqual(["incomplete", { reason: "max_output_tokens" }]);
  expect(short.output_text.length).toBeGreaterThan(0);
});

test("an owner with as many open streams as allowed gets the class for that", async () => {
  const { origin } = await platform.startApi({ MAX_OPEN_STREAMS_PER_OWNER: "1" });
  const narrow = createOpenAiClient(origin, KEYS.alice, { maxRetries: 0 });
  const stream = await narrow.responses.create({ model: MODEL, input: "[[tokens=1 ttft=60000]]", stream: true });
  const iterator = stream[Symbol.asyncIterator]();
  const begun: Json = (await iterator.next()).value;
  expect(await failure(narrow.responses.create({ model: MODEL, input: "Hi" }))).toBeInstanceOf(RateLimitError);
  await narrow.responses.cancel(begun.response.id);
  for (let next = await iterator.next(); !next.done; next = await iterator.next());
  await narrow.checked();
});
