/** Tools, approvals and questions in chats of the AI SDK, by its own chat. */
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  isToolUIPart,
  lastAssistantMessageIsCompleteWithApprovalResponses,
  lastAssistantMessageIsCompleteWithToolCalls,
  type UIMessage,
} from "ai";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { FIXTURE_AGENTS, KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { createUiChat, textOf, type UiChat, type UiChatOptions } from "../support/ui-chat.ts";
import { waitFor } from "../support/wait-for.ts";
import { decide } from "../support/waiting-job.ts";

let platform: TestPlatform;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "agent-paas-ui-"));
  platform = await startTestPlatform({ apis: 2, env: FIXTURE_AGENTS });
});
afterAll(async () => {
  await platform.stop();
  await rm(dir, { recursive: true });
});

const open: UiChat[] = [];
afterEach(async () => {
  for (const chat of open.splice(0)) await chat.checked();
});

/** What a client sets that lets the SDK send replies by itself. */
const isReplied = (chat: { messages: UIMessage[] }) =>
  lastAssistantMessageIsCompleteWithApprovalResponses(chat) || lastAssistantMessageIsCompleteWithToolCalls(chat);

function chatOf(options: UiChatOptions = {}, { origin }: { readonly origin: string } = platform.alice) {
  const chat = createUiChat(origin, KEYS.alice, {
    ...{ id: randomUUID(), agent: "tool_basic", sendAutomaticallyWhen: isReplied },
    ...options,
  });
  open.push(chat);
  return chat;
}

const toolsOf = (chat: UiChat) => (chat.lastMessage?.parts ?? []).filter(isToolUIPart);
const typesOf = (chat: UiChat) => chat.lastMessage?.parts.map(({ type }) => type);
const jobIdOf = ({ lastMessage }: UiChat) => String((lastMessage?.metadata as { jobId?: string } | undefined)?.jobId);
const contentOf = (file: string) => readFile(file, "utf8").catch(() => "");

const isAsked = (chat: UiChat, count = 1) =>
  waitFor(
    "the approvals to be asked for",
    () =>
      chat.status === "ready" && toolsOf(chat).filter(({ state }) => state === "approval-requested").length === count,
  );

/** Resolves when the chat has sent its replies by itself, and shows the end of the answer. */
const isEnded = (chat: UiChat) =>
  waitFor(
    "the answer to end",
    () => chat.status === "ready" && (chat.lastMessage?.metadata as { status?: string })?.status === "completed",
  );

/** Has the model write each word, and resolves when the chat asks for all approvals. */
async function askForWrites(chat: UiChat, file: string, words: readonly string[], tool = "approved_write") {
  const calls = words.map((word) => `${tool}(${JSON.stringify({ file, word })})`).join(";");
  await chat.sendMessage({ text: `please write [[calls=${calls}]]` });
}

const WRITES = { body: { config: { tools: ["approved_write", "risky_write"] } } };

test("the calls of an agent's tools are parts with their results, in the step that made them", async () => {
  const chat = chatOf({ body: { config: { tools: ["calculator"] } } });
  await chat.sendMessage({
    text: `sum [[text=Done calls=calculator({"expression":"6*7"});calculator({"expression":"1/0"})]]`,
  });
  expect([chat.status, textOf(chat.lastMessage)]).toEqual(["ready", expect.stringContaining("Done")]);
  expect(typesOf(chat)).toEqual(["step-start", "dynamic-tool", "dynamic-tool", "step-start", "text"]);
  expect(toolsOf(chat)).toMatchObject([
    {
      ...{ toolName: "calculator", state: "output-available", input: { expression: "6*7" } },
      ...{ output: expect.stringContaining("42"), providerExecuted: true },
    },
    { state: "output-error", input: { expression: "1/0" }, errorText: expect.stringMatching(/./) },
  ]);
  const { result } = await platform.alice.job(jobIdOf(chat));
  expect(textOf(chat.lastMessage)).toBe(result.content);
});

test("an approved call is made once, and its result and what follows go on in the same message", async () => {
  const file = join(dir, "approved");
  const chat = chatOf(WRITES);
  await askForWrites(chat, file, ["one"]);
  await isAsked(chat);
  const [call] = toolsOf(chat);
  expect(call).toMatchObject({ toolName: "approved_write", input: { file, word: "one" } });
  expect(await platform.alice.job(jobIdOf(chat))).toMatchObject({ status: "waiting" });

  await chat.addToolApprovalResponse({ id: call?.approval?.id ?? "", approved: true });
  await isEnded(chat);
  expect(await contentOf(file)).toBe("one\n");
  expect(chat.messages).toHaveLength(2);
  expect(typesOf(chat)).toEqual(["step-start", "dynamic-tool", "step-start", "text"]);
  expect(toolsOf(chat)).toMatchObject([{ state: "output-available", output: "wrote one" }]);
  const job = await platform.alice.job(jobIdOf(chat));
  expect(job).toMatchObject({ status: "completed", attempt: 2 });
  expect(textOf(chat.lastMessage)).toBe(job.result.content);
});

test("a denied call is not made, and the model is told why", async () => {
  const file = join(dir, "denied");
  const chat = chatOf(WRITES);
  await askForWrites(chat, file, ["two"]);
  await isAsked(chat);
  const { id = "" } = toolsOf(chat)[0]?.approval ?? {};
  await chat.addToolApprovalResponse({ id, approved: false, reason: "too late" });
  await isEnded(chat);
  expect(toolsOf(chat)).toMatchObject([{ state: "output-denied", approval: { approved: false } }]);
  expect(textOf(chat.lastMessage)).toContain("too late");
  expect(await contentOf(file)).toBe("");
});

test("several approvals of one turn are asked together, and the job goes on when all are given", async () => {
  const file = join(dir, "several");
  const chat = chatOf(WRITES);
  await askForWrites(chat, file, ["risky-1", "safe", "risky-2"], "risky_write");
  await isAsked(chat, 2);
  expect(await contentOf(file)).toBe("safe\n");
  for (const { approval } of toolsOf(chat)) {
    if (approval !== undefined) await chat.addToolApprovalResponse({ id: approval.id, approved: true });
  }
  await isEnded(chat);
  expect((await contentOf(file)).split("\n").sort()).toEqual(["", "risky-1", "risky-2", "safe"]);
  expect(toolsOf(chat).map(({ state }) => state)).toEqual(Array(3).fill("output-available"));
});

test("a chat that was reloaded while it waits asks again, and its reply reaches the job from another API", async () => {
  const file = join(dir, "reloaded");
  const first = chatOf(WRITES);
  await askForWrites(first, file, ["three"]);
  await isAsked(first);
  const second = chatOf({ ...WRITES, id: first.id, messages: first.messages.slice(0, 1) }, platform.apis[1]);
  await second.resumeStream();
  await isAsked(second);
  expect(second.messages).toEqual(first.messages);
  await second.addToolApprovalResponse({ id: toolsOf(second)[0]?.approval?.id ?? "", approved: true });
  await isEnded(second);
  expect(await contentOf(file)).toBe("three\n");

  await first.addToolApprovalResponse({ id: toolsOf(first)[0]?.approval?.id ?? "", approved: true });
  await isEnded(first);
  expect(first.messages.map(({ parts }) => parts)).toEqual(second.messages.map(({ parts }) => parts));
  expect(await contentOf(file)).toBe("three\n");
});

test("a reply that comes after another decision is a conflict, and one to nothing is refused", async () => {
  const chat = chatOf(WRITES);
  await askForWrites(chat, join(dir, "conflict"), ["four"]);
  await isAsked(chat);
  const { id = "" } = toolsOf(chat)[0]?.approval ?? {};
  await decide(platform.alice, jobIdOf(chat), { request_id: id, decision: "reject" });
  await chat.addToolApprovalResponse({ id, approved: true });
  await waitFor("the refusal", () => chat.status === "error");
  expect(chat.error?.message).toContain("decision_conflict");
  const foreign = createUiChat(platform.alice.origin, KEYS.bob, { id: chat.id, messages: chat.messages });
  await foreign.sendMessage();
  expect(foreign.error?.message).toContain("invalid_request");
});

test("a message of the user instead of a reply ends what waits", async () => {
  const chat = chatOf(WRITES);
  await askForWrites(chat, join(dir, "instead"), ["five"]);
  await isAsked(chat);
  const jobId = jobIdOf(chat);
  await chat.sendMessage({ text: "Never mind. [[text=Fine]]" });
  expect(textOf(chat.lastMessage)).toBe("Fine");
  expect(await platform.alice.ended(jobId)).toMatchObject({ status: "cancelled" });
});

test("what an agent asks is a call that the client answers, one question after the other", async () => {
  const chat = chatOf({ agent: "asking" });
  await chat.sendMessage({ text: "ask" });
  const asked = () => toolsOf(chat).find(({ state }) => state === "input-available");
  for (const [question, output] of [
    ["Which colour?", "red"],
    ["Which size?", { width: 3 }],
  ] as const) {
    const call = await waitFor("the question", () => {
      const found = chat.status === "ready" ? asked() : undefined;
      return (found?.input as { question: string } | undefined)?.question === question && found;
    });
    await chat.addToolOutput({ tool: "input_required", toolCallId: call.toolCallId, output });
  }
  await isEnded(chat);
  expect(textOf(chat.lastMessage)).toBe((await platform.alice.job(jobIdOf(chat))).result.content);
  expect(textOf(chat.lastMessage)).toContain('"answer":{"width":3}');
});

test("approvals of delegated agents are asked in the message of the whole job", async () => {
  const file = join(dir, "children");
  const step = (id: string) => ({
    ...{ id, agent: "tool_basic", config: { tools: ["approved_write"] } },
    task: `${id} [[calls=approved_write(${JSON.stringify({ file, word: id })})]]`,
  });
  const config = { join: "concat", plan: { steps: [step("left"), step("right")] } };
  const chat = chatOf({ agent: "orchestrator", body: { config } });
  await chat.sendMessage({ text: "delegate" });
  await isAsked(chat, 2);
  for (const { approval, input } of toolsOf(chat)) {
    const approved = (input as { word: string }).word === "left";
    await chat.addToolApprovalResponse({ id: approval?.id ?? "", approved });
  }
  await isEnded(chat);
  expect(await contentOf(file)).toBe("left\n");
  expect(
    toolsOf(chat)
      .map(({ state, input }) => [state, (input as { word: string }).word])
      .sort(),
  ).toEqual([
    ["output-available", "left"],
    ["output-denied", "right"],
  ]);
  const steps = (chat.lastMessage?.parts ?? []).filter(({ type }) => type === "data-delegate");
  expect(steps).toMatchObject([
    { id: "left", data: { status: "completed" } },
    { id: "right", data: { status: "completed" } },
  ]);
});

const WEATHER = {
  name: "weather",
  description: "Tells the weather.",
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};

test("calls of the client's tools are made by the client, and what follows goes on in the same message", async () => {
  const chat: UiChat = chatOf({
    ...{ agent: "chat_basic", body: { tools: [WEATHER] } },
    onToolCall({ toolCall: { toolName, toolCallId, input, dynamic } }) {
      if (dynamic === true || toolName !== "weather") return;
      const { city } = input as { city: string };
      if (city === "Oslo") void chat.addToolOutput({ tool: toolName, toolCallId, output: { sky: "grey" } });
      else void chat.addToolOutput({ tool: toolName, toolCallId, state: "output-error", errorText: `no ${city}` });
    },
  });
  const calls = ["Oslo", "Atlantis"].map((city) => `weather(${JSON.stringify({ city })})`).join(";");
  await chat.sendMessage({ text: `weather report [[calls=${calls}]]` });
  await waitFor("the answer", () => chat.status === "ready" && textOf(chat.lastMessage) !== "");
  expect(chat.messages).toHaveLength(2);
  expect(typesOf(chat)).toEqual(["step-start", "tool-weather", "tool-weather", "step-start", "text"]);
  expect(toolsOf(chat)).toMatchObject([
    { state: "output-available", input: { city: "Oslo" }, output: { sky: "grey" } },
    { state: "output-error", input: { city: "Atlantis" }, errorText: "no Atlantis" },
  ]);
  const call = (await platform.model.calls({ contains: "weather report" })).at(-1);
  const { messages } = await platform.model.call(call?.id ?? 0);
  expect(messages?.slice(-2)).toMatchObject([
    { role: "tool", content: '{"sky":"grey"}' },
    { role: "tool", content: "no Atlantis" },
  ]);
  await chat.sendMessage({ text: "thanks [[text=Welcome]]" });
  expect(textOf(chat.lastMessage)).toBe("Welcome");
});

test("a result that the chat has kept to itself reaches the model with the user's next message", async () => {
  const chat: UiChat = chatOf({
    ...{ agent: "chat_basic", body: { tools: [WEATHER] }, sendAutomaticallyWhen: () => false },
    onToolCall({ toolCall: { toolName, toolCallId } }) {
      void chat.addToolOutput({ tool: toolName, toolCallId, output: "grey" });
    },
  });
  await chat.sendMessage({ text: 'unsent weather [[calls=weather({"city":"Oslo"})]]' });
  await waitFor("the output", () => toolsOf(chat)[0]?.state === "output-available");
  for (const text of ["Thank you. [[text=Welcome]]", "Bye. [[text=Bye]]"]) await chat.sendMessage({ text });
  expect([chat.status, textOf(chat.lastMessage)]).toEqual(["ready", "Bye"]);
  const call = (await platform.model.calls({ contains: "Thank you." }))[0];
  const { messages } = await platform.model.call(call?.id ?? 0);
  // Between the two the model reads that it has not said anything yet.
  expect(messages?.slice(-3).map(({ role }) => role)).toEqual(["tool", "assistant", "user"]);
  expect(messages?.at(-3)).toMatchObject({ content: "grey" });
});

test("results of calls that nobody made are refused", async () => {
  const part = { type: "tool-weather", toolCallId: "call_none", state: "output-available", input: {}, output: "dry" };
  const messages = [{ id: "m", role: "assistant", parts: [{ type: "step-start" }, part] }] as UIMessage[];
  const chat = chatOf({ agent: "chat_basic", messages });
  await chat.sendMessage();
  expect([chat.status, chat.error?.message]).toEqual(["error", expect.stringContaining("has not called a tool")]);
});
