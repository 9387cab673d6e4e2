/** Chats of the AI SDK, by its own transport: texts, sources, thoughts, ends. */
import { randomUUID } from "node:crypto";
import type { UIMessageChunk } from "ai";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { ApiClient, Json } from "../support/api-client.ts";
import { KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { createUiChat, createUiTransport, textOf, type UiChatOptions } from "../support/ui-chat.ts";
import { waitFor } from "../support/wait-for.ts";

let platform: TestPlatform;
let alice: ApiClient;
beforeAll(async () => {
  platform = await startTestPlatform({ apis: 2, env: { MAX_PARTS_BYTES: "65536" } });
  ({ alice } = platform);
});
afterAll(() => platform.stop());

const open: { readonly checked: () => Promise<unknown> }[] = [];
afterEach(async () => {
  for (const chat of open.splice(0)) await chat.checked();
});

function chatOf(options: UiChatOptions = {}, { origin }: { readonly origin: string } = alice) {
  const chat = createUiChat(origin, KEYS.alice, { id: randomUUID(), ...options });
  open.push(chat);
  return chat;
}

type Chat = ReturnType<typeof chatOf>;

/** Of the last message. */
const metadataOf = ({ lastMessage }: Chat) => (lastMessage?.metadata ?? {}) as Record<string, unknown>;

/** The id of the answer, once some of it is there. */
const answering = (chat: Chat): Promise<string> =>
  waitFor(
    "some text",
    () => textOf(chat.lastMessage) !== "" && chat.lastMessage?.role === "assistant" && chat.lastMessage.id,
  );

/** What the model was asked in the latest turn whose last message contains the text. */
async function askedOf(contains: string): Promise<Json[]> {
  const call = (await platform.model.calls({ contains })).at(-1);
  return [...((await platform.model.call(call?.id ?? 0)).messages ?? [])];
}

const ask = (text: string) => ({ id: randomUUID(), role: "user" as const, parts: [{ type: "text" as const, text }] });

/** The chunks with which one question is answered. */
async function chunksOf(text: string, options: UiChatOptions = {}): Promise<UIMessageChunk[]> {
  const { transport, checked } = createUiTransport(alice.origin, KEYS.alice, options);
  const stream = await transport.sendMessages({
    ...{ chatId: randomUUID(), messages: [ask(text)], trigger: "submit-message" },
    ...{ messageId: undefined, abortSignal: undefined },
  });
  const chunks = await Array.fromAsync(stream);
  await checked();
  return chunks;
}

test("an answer is a message whose text, usage and end are those of its job", async () => {
  const chat = chatOf();
  await chat.sendMessage({ text: "[[tokens=40]]" });
  const { jobId, sessionId, ...end } = metadataOf(chat);
  const { result, usage, session_id, kind } = await alice.job(String(jobId));
  expect([chat.status, chat.lastMessage?.id]).toEqual(["ready", jobId]);
  expect(textOf(chat.lastMessage)).toBe(result.content);
  expect([session_id, kind]).toEqual([sessionId, "chat"]);
  expect(end).toEqual({
    status: "completed",
    usage: { inputTokens: usage.input_tokens, outputTokens: usage.output_tokens, totalTokens: usage.total_tokens },
  });
  expect(chat.lastMessage?.parts.map(({ type }) => type)).toEqual(["step-start", "text"]);
});

test("the chunks of an answer come in the protocol's order, and its status texts stay out of the message", async () => {
  const chunks = await chunksOf("[[tokens=3]]");
  const types = chunks.map(({ type }) => type).filter((type, at, all) => type !== all[at - 1]);
  expect(types).toEqual([
    ...["start", "data-status", "start-step", "text-start", "text-delta", "text-end", "finish-step", "finish"],
  ]);
  expect(chunks[1]).toMatchObject({ transient: true, data: { type: "status" } });
  expect(chunks.at(-1)).toMatchObject({ finishReason: "stop" });
});

test("the client's chat id names a session of its owner, which remembers the conversation", async () => {
  const id = `chat ${randomUUID()}`;
  const first = chatOf({ id });
  await first.sendMessage({ text: "My name is Ada. [[text=Noted]]" });
  const second = chatOf({ id, messages: first.messages });
  await second.sendMessage({ text: "Who am I? remembering" });
  expect(metadataOf(second).sessionId).toBe(metadataOf(first).sessionId);
  const messages = await askedOf("remembering");
  expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
  expect(messages.slice(0, 2)).toMatchObject([
    { content: expect.stringContaining("My name is Ada.") },
    { content: "Noted" },
  ]);
  const foreign = createUiChat(alice.origin, KEYS.bob, { id });
  await foreign.sendMessage({ text: "[[text=Hello]]" });
  expect(metadataOf(foreign).sessionId).not.toBe(metadataOf(first).sessionId);
});

test("a file becomes a part of the message, and what no agent can read is refused by its type", async () => {
  const chat = chatOf();
  const url = "data:text/plain;base64,SGVsbG8=";
  await chat.sendMessage({
    text: "Read it.",
    files: [{ type: "file", mediaType: "text/plain", filename: "a.txt", url }],
  });
  expect(chat.status).toBe("ready");
  const [question] = await alice.history(String(metadataOf(chat).sessionId));
  expect(question.parts).toEqual([
    { type: "file", file: { file_data: url, filename: "a.txt" } },
    { type: "text", text: "Read it." },
  ]);
  await chat.sendMessage({ parts: [{ type: "custom", kind: "a.b" }] });
  expect(chat.status).toBe("error");
  expect(chat.error?.message).toContain("a message of the user cannot have a part of type custom");
});

const image = (kilobytes: number) => ({
  ...{ id: randomUUID(), role: "user" },
  parts: [{ type: "file", mediaType: "image/png", url: `data:image/png;base64,${"A".repeat(kilobytes * 1_024)}` }],
});

test("a chat with more images than a request may bring goes on, and a new one beyond the limit is refused", async () => {
  const answer = { id: "answered", role: "assistant", parts: [{ type: "text", text: "Nice." }] };
  const before = Array.from({ length: 12 }, () => [image(40), answer]).flat();
  const send = (...messages: readonly object[]) =>
    alice.post("/ui-messages/chat_basic", { id: randomUUID(), messages: [...before, ...messages] });
  const { status, body } = await send(ask("many images [[text=Seen]]"));
  expect([status, body]).toEqual([200, expect.stringContaining('"delta":"Seen"')]);
  expect((await askedOf("many images")).map(({ role }) => role)).toEqual(["user"]);
  const refused = await send(image(400));
  expect([refused.status, refused.body.error.code]).toEqual([413, "payload_too_large"]);
});

test("what an agent reasons is a part of its own", async () => {
  const chat = chatOf();
  await chat.sendMessage({ text: "think [[text=%3Cthink%3EHm.%3C/think%3EDone.]]" });
  expect(chat.lastMessage?.parts).toMatchObject([
    { type: "step-start" },
    { type: "reasoning", text: "Hm.", state: "done" },
    { type: "text", text: "Done.", state: "done" },
  ]);
});

test("a job that fails is an error of the chat, and the next message is answered", async () => {
  const chat = chatOf();
  await chat.sendMessage({ text: "failing [[fault=401]]" });
  expect([chat.status, chat.error?.message]).toEqual(["error", expect.stringContaining("model")]);
  await chat.sendMessage({ text: "again [[text=Fine]]" });
  expect([chat.status, textOf(chat.lastMessage)]).toEqual(["ready", "Fine"]);
});

test("a cancelled job ends its message, and keeps what it has said", async () => {
  const chat = chatOf();
  const sent = chat.sendMessage({ text: "[[tokens=500 rate=20]] to be cancelled" });
  const jobId = await answering(chat);
  await alice.cancel(jobId);
  await sent;
  const { status, result } = await alice.job(jobId);
  expect([chat.status, status]).toEqual(["ready", "cancelled"]);
  expect(textOf(chat.lastMessage)).toBe(result.content);
});

test("a client that stops leaves its job alone, and one that asks for it cancels", async () => {
  for (const [headers, status] of [
    [{}, "running"],
    [{ "X-Cancel-On-Disconnect": "true" }, "cancelled"],
  ] as const) {
    const chat = chatOf({ headers });
    const sent = chat.sendMessage({ text: "[[tokens=2000 rate=20]] stopped" });
    const jobId = await answering(chat);
    await chat.stop();
    await sent;
    if (status === "cancelled") expect(await alice.ended(jobId)).toMatchObject({ status });
    else expect(await alice.job(jobId)).toMatchObject({ status });
    // What the user says next is not to wait for an answer that nobody reads.
    await chat.sendMessage({ text: "next [[text=Next]]" });
    expect(textOf(chat.lastMessage)).toBe("Next");
    expect(await alice.ended(jobId)).toMatchObject({ status: "cancelled" });
  }
});

test("a chat that was reloaded resumes on another API process, and ends with the same message", async () => {
  const id = randomUUID();
  const first = chatOf({ id });
  const sent = first.sendMessage({ text: "[[tokens=60 rate=30]] reloaded" });
  await answering(first);
  const kept = structuredClone(first.messages);
  const elsewhere = platform.apis[1]?.alice ?? alice;
  const [whole, withoutAnswer] = [
    chatOf({ id, messages: kept }, elsewhere),
    chatOf({ id, messages: kept.slice(0, 1) }),
  ];
  await Promise.all([whole.resumeStream(), withoutAnswer.resumeStream(), sent]);
  expect(first.messages).toHaveLength(2);
  const shown = ({ messages }: typeof first) => messages.map(({ id: message, parts }) => [message, parts]);
  expect(shown(whole)).toEqual(shown(first));
  expect(shown(withoutAnswer)).toEqual(shown(first));
  await whole.resumeStream();
  expect([whole.status, whole.messages.length]).toEqual(["ready", 2]);
});

test("a message that is sent again comes whole from the database when the log of its job is gone", async () => {
  const messages = [ask("[[tokens=10]] kept for good")];
  const { transport, checked } = createUiTransport(alice.origin, KEYS.alice, {
    headers: { "Idempotency-Key": randomUUID() },
  });
  const chatId = randomUUID();
  const send = async () =>
    Array.fromAsync(
      await transport.sendMessages({
        ...{ chatId, messages, trigger: "submit-message", messageId: undefined, abortSignal: undefined },
      }),
    );
  const first = await send();
  const [start] = first;
  const { jobId } = (start?.type === "start" ? start.messageMetadata : {}) as { jobId: string };
  await platform.redis.del(platform.keys.eventLog(jobId));
  const again = await send();
  await checked();
  const wordsOf = (chunks: typeof first) =>
    chunks.map((chunk) => (chunk.type === "text-delta" ? chunk.delta : "")).join("");
  expect(wordsOf(again)).toBe(wordsOf(first));
  expect(again.map(({ type }) => type)).toEqual([
    ...["start", "start-step", "text-start", "text-delta", "text-end", "finish-step", "finish"],
  ]);
  expect([again[0], again.at(-1)]).toEqual([start, first.at(-1)]);
});

test("an answer that is asked for again replaces the one before, and an edited question what followed it", async () => {
  const chat = chatOf();
  await chat.sendMessage({ text: "first [[text=One]]" });
  const [first] = chat.messages;
  await chat.sendMessage({ text: "second [[text=Two]]" });
  const before = metadataOf(chat).jobId;
  await chat.regenerate();
  expect([textOf(chat.lastMessage), metadataOf(chat).jobId === before]).toEqual(["Two", false]);
  expect((await askedOf("second")).map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
  const history = () => alice.history(String(metadataOf(chat).sessionId));
  expect((await history()).map(({ role }) => role)).toEqual(["user", "assistant", "user", "assistant"]);
  expect((await history()).at(-1)?.job_id).toBe(metadataOf(chat).jobId);

  await chat.sendMessage({ text: "edited [[text=Three]]", messageId: first?.id ?? "" });
  expect((await askedOf("edited")).map(({ role }) => role)).toEqual(["user"]);
  expect((await history()).map(({ content }) => content)).toEqual(["edited [[text=Three]]", "Three"]);
});

test("an answer that the chat does not have is kept by no request, and its messages stay", async () => {
  const [chat, foreign] = [chatOf(), chatOf()];
  await foreign.sendMessage({ text: "elsewhere [[text=There]]" });
  await chat.sendMessage({ text: "here [[text=Here]]" });
  const kept = { id: String(metadataOf(foreign).jobId), role: "assistant" as const, parts: [] };
  const body = { id: chat.id, trigger: "regenerate-message", messages: [kept, ask("again")] };
  const answer = await alice.post("/ui-messages/chat_basic", body);
  expect([answer.status, answer.body.error]).toMatchObject([400, { code: "invalid_request", param: "messages" }]);
  expect(await alice.history(String(metadataOf(chat).sessionId))).toHaveLength(2);
});

test("the first answer of a chat that the application has greeted in is asked for again", async () => {
  const greeting = { id: "greeting", role: "assistant" as const, parts: [{ type: "text" as const, text: "Hi!" }] };
  const chat = chatOf({ messages: [greeting] });
  await chat.sendMessage({ text: "greeted [[text=Well]]" });
  await chat.regenerate();
  expect([chat.status, textOf(chat.lastMessage)]).toEqual(["ready", "Well"]);
  expect(await alice.history(String(metadataOf(chat).sessionId))).toHaveLength(2);
});

test.each([
  ["messages", { messages: [] }],
  ["id", { id: "" }],
  ["trigger", { trigger: "other" }],
  ["messages", { messages: [{ id: "a", role: "assistant", parts: [] }] }],
  ["messages.0.parts", { messages: [{ id: "a", role: "user" }] }],
  ["messages.0.text", { messages: [{ id: "a", role: "user", parts: [{ type: "text", text: " " }] }] }],
  ["colour", { colour: "red" }],
])("a request with a bad %s is a 400 that names the field", async (param, change) => {
  const body = { id: "bad", messages: [ask("Hello")], ...change };
  const answer = await alice.post("/ui-messages/chat_basic", body);
  expect([answer.status, answer.body.error]).toMatchObject([400, { code: "invalid_request", param }]);
});

test("an agent that does not exist is a 404, and a chat that nobody has begun has nothing to resume", async () => {
  const { status, body } = await alice.post("/ui-messages/nobody", { id: randomUUID(), messages: [ask("Hello")] });
  expect([status, body.error.code]).toEqual([404, "agent_not_found"]);
  expect((await alice.get(`/ui-messages/chat_basic/${randomUUID()}/stream`)).status).toBe(204);
});
