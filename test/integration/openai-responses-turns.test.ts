/** What OpenAI's responses go on from: earlier responses, conversations, their own items, results of functions. */
import { NotFoundError } from "openai";
import type { ResponseStreamEvent } from "openai/resources/responses/responses";
import { afterAll, beforeAll, expect, test } from "vitest";
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
const assistant = (content: string) => ({ role: "assistant", content });

async function eventsOf(stream: AsyncIterable<ResponseStreamEvent>): Promise<Json[]> {
  return (await Array.fromAsync(stream)) as Json[];
}

const failure = (promise: Promise<unknown>): Promise<Json> => promise.catch((error: unknown) => error);

const ask = (input: string, more: object = {}) => client.responses.create({ model: MODEL, input, ...more });

test("a response goes on from another one, and two may go on from the same", async () => {
  const first = await ask("[[text=One]] the first", { instructions: "Only now." });
  const next = { previous_response_id: first.id };
  const [left, right] = await Promise.all([
    ask("[[text=Two]] to the left", next),
    ask("[[text=Three]] to the right", next),
  ]);
  expect(left.previous_response_id).toBe(first.id);
  const before = [user("[[text=One]] the first"), assistant("One")];
  expect(await askedOf("to the left")).toEqual([...before, user("[[text=Two]] to the left")]);
  expect(await askedOf("to the right")).toEqual([...before, user("[[text=Three]] to the right")]);
  await ask("further to the right", { previous_response_id: right.id, instructions: "And now." });
  expect(await askedOf("further to the right")).toEqual([
    { role: "system", content: "And now." },
    ...[...before, user("[[text=Three]] to the right"), assistant("Three"), user("further to the right")],
  ]);
});

test("a response goes on from a chat of the platform's own door, as far as that had come", async () => {
  const chat = await alice.chat({ message: "[[text=Native]] said natively" });
  await chat.all();
  const later = await alice.chat({ session_id: chat.sessionId, message: "[[text=Later]] said afterwards" });
  await later.all();
  const next = await ask("and from there", { previous_response_id: `resp_${chat.jobId}` });
  expect(await askedOf("and from there")).toEqual([
    ...[user("[[text=Native]] said natively"), assistant("Native"), user("and from there")],
  ]);
  expect(next.previous_response_id).toBe(`resp_${chat.jobId}`);
});

test("a request brings its own conversation, and refers to items by their ids", async () => {
  const first = await ask("[[text=Referred]]");
  await client.responses.create({
    model: MODEL,
    store: false,
    input: [
      { role: "developer", content: "Be kind." },
      { role: "user", content: [{ type: "input_text", text: "Hi" }] },
      { type: "item_reference", id: first.output[0]?.id ?? "" },
      { role: "user", content: "by reference" },
    ],
  });
  expect(await askedOf("by reference")).toEqual([
    { role: "system", content: "Be kind." },
    ...[user("Hi"), assistant("Referred"), user("by reference")],
  ]);
});

test("input items are listed, in pages", async () => {
  const response = await client.responses.create({
    model: MODEL,
    input: [user("Earlier"), assistant("Yes?"), user("Later")] as never,
  });
  const listed = await Array.fromAsync(client.responses.inputItems.list(response.id, { order: "asc", limit: 2 }));
  expect(listed).toMatchObject([
    { type: "message", role: "user", content: [{ type: "input_text", text: "Earlier" }] },
    { type: "message", role: "assistant", content: [{ type: "output_text", text: "Yes?" }] },
    { type: "message", role: "user", content: [{ type: "input_text", text: "Later" }] },
  ]);
  const newest = await client.responses.inputItems.list(response.id, { limit: 1 });
  expect([newest.data[0]?.id, newest.hasNextPage()]).toEqual([listed.at(-1)?.id, true]);
});

test("a conversation is a session: its responses see each other, and it is deleted whole", async () => {
  const conversation = await client.conversations.create({});
  expect(await client.conversations.retrieve(conversation.id)).toEqual(
    expect.objectContaining({ id: conversation.id, object: "conversation", metadata: {} }),
  );
  const first = await ask("[[text=Noted]] remember", { conversation: conversation.id });
  await ask("what was it", { conversation: { id: conversation.id } });
  expect(first.conversation).toEqual({ id: conversation.id });
  expect(await askedOf("what was it")).toEqual([
    ...[user("[[text=Noted]] remember"), assistant("Noted"), user("what was it")],
  ]);
  const items = await Array.fromAsync(client.conversations.items.list(conversation.id, { order: "asc", limit: 3 }));
  expect(items.map((item) => (item as Json).role)).toEqual(["user", "assistant", "user", "assistant"]);
  const [newest] = (await client.conversations.items.list(conversation.id, { limit: 1 })).data;
  expect(newest?.id).toBe(items.at(-1)?.id);
  const refused = await failure(client.responses.delete(first.id));
  expect([refused.status, refused.param]).toEqual([400, "response_id"]);
  await client.conversations.delete(conversation.id);
  expect(await failure(client.conversations.retrieve(conversation.id))).toBeInstanceOf(NotFoundError);
  expect(await failure(client.responses.retrieve(first.id))).toBeInstanceOf(NotFoundError);
  expect(await failure(ask("too late", { conversation: conversation.id }))).toBeInstanceOf(NotFoundError);
});

test("a conversation without a response is deleted as well", async () => {
  const { id } = await client.conversations.create();
  await client.conversations.delete(id);
  expect(await failure(client.conversations.retrieve(id))).toBeInstanceOf(NotFoundError);
  const refused = await failure(ask("too late", { conversation: id }));
  expect([refused.status, refused.param]).toEqual([404, "conversation"]);
});

test("a conversation keeps no format of its first response", async () => {
  const { id } = await client.conversations.create();
  const format = { type: "json_schema", name: "a", schema: { type: "object" } };
  await ask('[[text={"a":1}]]', { conversation: id, text: { format } });
  expect((await ask("[[text=Plain]]", { conversation: id })).output_text).toBe("Plain");
});

test("a deleted response is gone, with its session", async () => {
  const response = await ask("[[text=Soon gone]]".replace(" ", "%20"));
  const { session_id } = await jobOf(response.id);
  expect(response.id).toBe(`resp_${session_id}`);
  await client.responses.delete(response.id);
  expect(await failure(client.responses.retrieve(response.id))).toBeInstanceOf(NotFoundError);
  expect(await failure(ask("after it", { previous_response_id: response.id }))).toBeInstanceOf(NotFoundError);
  expect((await alice.get(`/sessions/${session_id}`)).status).toBe(404);
});

test("a chain goes on without a response that was deleted from it", async () => {
  const first = await ask("[[text=One]] to be deleted");
  const second = await ask("[[text=Two]] stays", { previous_response_id: first.id });
  await client.responses.delete(first.id);
  await ask("without the first", { previous_response_id: second.id });
  expect(await askedOf("without the first")).toEqual([
    ...[user("[[text=Two]] stays"), assistant("Two"), user("without the first")],
  ]);
});

const WEATHER = {
  type: "function",
  name: "get_weather",
  description: "The weather of a city.",
  parameters: { type: "object", properties: { city: { type: "string" } } },
  strict: false,
} as const;

const CALL = '[[calls=get_weather({"city":"Bern"}) text=Sunny]]';

test.each([
  ["by the response before", async () => ({}), true],
  ["by the request's own items", async () => ({ store: false }), false],
  ["by a conversation", async () => ({ conversation: (await client.conversations.create()).id }), false],
] as const)("a function is called by the client, whose result comes back %s", async (name, options, isChained) => {
  const more = await options();
  const input = `${CALL} ${name}`;
  const first = await ask(input, { tools: [WEATHER], ...more });
  const call = first.output.at(-1) as Json;
  expect(first.status).toBe("completed");
  expect(call).toMatchObject({ type: "function_call", name: "get_weather", arguments: '{"city":"Bern"}' });
  const result = { type: "function_call_output", call_id: call.call_id, output: "18 degrees" };
  const isOfConversation = "conversation" in more;
  const second = await client.responses.create({
    ...{ model: MODEL, tools: [WEATHER], ...more },
    ...(isChained ? { previous_response_id: first.id } : {}),
    input: (isChained || isOfConversation ? [result] : [user(input), call, result]) as never,
  });
  expect(second.output_text).toBe("Sunny");
  const { messages, tools } = (await platform.model.call(
    (await platform.model.calls({ contains: name })).at(-1)?.id ?? 0,
  )) as Json;
  expect(messages).toMatchObject([
    user(input),
    { role: "assistant", tool_calls: [{ id: call.call_id, function: { arguments: '{"city":"Bern"}' } }] },
    { role: "tool", tool_call_id: call.call_id, content: "18 degrees" },
  ]);
  expect(tools).toEqual(["get_weather"]);
});

test("input items are the same while their job waits and when it has ended", async () => {
  const conversation = (await client.conversations.create()).id;
  const more = { conversation, tools: [WEATHER] };
  const call = (await ask(CALL, more)).output.at(-1) as Json;
  const busy = await ask("[[tokens=1 ttft=60000]]", { conversation, background: true });
  const input = [
    { role: "developer", content: "Be brief." },
    { type: "function_call_output", call_id: call.call_id, output: "18 degrees" },
    {
      role: "user",
      content: [
        { type: "input_text", text: `And so? ${"word ".repeat(1_000)}` },
        { type: "input_image", image_url: "https://example.com/a.png", detail: "low" },
      ],
    },
  ];
  const request = { ...more, model: MODEL, background: true, input };
  const { id } = await client.responses.create(request as never);
  const items = () => Array.fromAsync(client.responses.inputItems.list(id, { order: "asc" }));
  const waiting = await items();
  expect(waiting).toMatchObject([{ role: "system" }, ...input.slice(1)]);
  await client.responses.cancel((busy as Json).id);
  expect(await alice.ended(id.replace("resp_", ""))).toMatchObject({ status: "completed" });
  expect(await items()).toEqual(waiting);
});

test("the calls of a streamed response are its job's", async () => {
  const stream = await ask(CALL, { tools: [WEATHER], stream: true });
  const events = await eventsOf(stream as never);
  const job = await jobOf(events[0].response.id);
  const [call] = job.result.tool_calls;
  const types = events.map(({ type }) => type).filter((type) => type.includes("function_call"));
  expect(types).toEqual(["response.function_call_arguments.delta", "response.function_call_arguments.done"]);
  expect(events.at(-1).response.output).toMatchObject([
    { type: "function_call", call_id: call.call_id, name: call.name, arguments: call.arguments },
  ]);
});
