/**
 * Messages and tasks of parts: images and files reach the model byte for byte, also with the next message of their
 * session, after a worker's death and in the agents that an orchestrator delegates to; history shows them; what is
 * stored and searched is their text. What is no part is refused with the path of the field, and a model that takes none
 * ends the job, but not the session.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Json } from "../support/api-client.ts";
import { startLoopbackServer } from "../support/loopback-server.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { readDatabase } from "../support/platform-state.ts";
import { type Answer, json, says } from "../support/scripted-provider.ts";
import { waitFor } from "../support/wait-for.ts";

const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const image = (url: string, more: Json = {}) => ({ type: "image_url", image_url: { url, ...more } });
const file = (fields: Json) => ({ type: "file", file: fields });
/** The keys in an order of the client's own, and characters of every kind. */
const PARTS = [
  { text: 'What is "this"? 图 🙂 \u2028', type: "text" },
  { image_url: { detail: "low", url: `data:image/png;base64,${PIXEL}` }, type: "image_url" },
  file({ filename: "报告.pdf", file_data: `data:application/pdf;base64,${"JVBERi0x".repeat(2_000)}` }),
  image("https://example.com/a%20b.png?x=1&y=é"),
  { type: "text", text: "And this?" },
];
const TEXT = 'What is "this"? 图 🙂 \u2028\nAnd this?';

const REFUSAL = "Invalid content type. image_url is only supported by certain models.";
const REFUSED: Answer = json(400, { error: { message: REFUSAL, type: "invalid_request_error" } });
/** A model that takes texts alone. */
const textsOnly = (body: string): Answer => (body.includes('"image_url"') ? REFUSED : says("A text."));

let platform: TestPlatform;
let provider: Awaited<ReturnType<typeof startLoopbackServer>>;
const bodies: string[] = [];
let answer: (body: string) => Answer | null = () => says("A pixel.");

beforeAll(async () => {
  provider = await startLoopbackServer((body, response) => {
    bodies.push(body);
    const answered = answer(body);
    if (answered !== null) response.writeHead(answered.status, answered.headers ?? {}).end(answered.body);
  });
  const env = { OPENAI_BASE_URL: `${provider.origin}/v1`, MAX_PARTS_BYTES: "100000", MAX_MESSAGE_PARTS: "6" };
  platform = await startTestPlatform({ env, workers: 0 });
  await platform.startWorker(env);
});
afterAll(async () => {
  await platform.stop();
  await provider.close();
});
afterEach(() => {
  answer = () => says("A pixel.");
  bodies.length = 0;
});

const chat = (message: unknown, more: Json = {}) => platform.alice.chatWhole(message as string, more);
const execute = (task: unknown, more: Json = {}, agent = "chat_basic") =>
  platform.alice.post(`/agents/${agent}/execute`, { task, ...more });

/** The messages of the n-th request, as they stand in its body. */
const contentsOf = (at: number) => (JSON.parse(bodies[at] ?? "{}").messages as Json[]).map(({ content }) => content);

test("parts reach the model byte for byte, and with the next message of their session again", async () => {
  const first = await chat(PARTS);
  expect(first).toMatchObject({ status: 200, body: { message: { content: "A pixel." } } });
  expect(bodies[0]).toContain(JSON.stringify(PARTS));
  await chat("And now?", { session_id: first.body.session_id });
  expect(bodies[1]).toContain(JSON.stringify(PARTS));
  expect(contentsOf(1)).toEqual([PARTS, "A pixel.", "And now?"]);
});

test("parts are sent again, byte for byte, with a message that is sent again", async () => {
  const { session_id } = (await chat(PARTS)).body;
  const [question] = await platform.alice.history(session_id);
  const again = { agent_type: "chat_basic", session_id, replace_from: question.id, stream: false };
  expect((await platform.alice.post("/chat/completions", again)).status).toBe(200);
  expect(contentsOf(1)).toEqual([PARTS]);
  expect(bodies[1]).toContain(JSON.stringify(PARTS));
  expect(await platform.alice.history(session_id)).toMatchObject([
    { content: TEXT, parts: PARTS },
    { role: "assistant" },
  ]);
});

test("history shows the parts, and the text is what is stored and searched as the message", async () => {
  const { body } = await chat(PARTS);
  const [question, reply] = await platform.alice.history(body.session_id);
  expect(question).toMatchObject({ role: "user", content: TEXT, parts: PARTS });
  expect(Object.keys(reply)).not.toContain("parts");
  const tasks = await readDatabase(platform, (table) => table("agent_logs").where({ id: body.job_id }).pluck("task"));
  expect(tasks).toEqual([TEXT]);
  const without = await chat([image("https://example.com/a.png")]);
  expect((await platform.alice.history(without.body.session_id))[0]).toMatchObject({ content: "" });
});

test("the parts of a task reach the model byte for byte, with the input behind them, and are the session's", async () => {
  const session_id = (await chat("Hello")).body.session_id;
  const { status, body } = await execute(PARTS, { session_id, input: { page: 2 } });
  expect(status).toBe(202);
  expect((await platform.alice.ended(body.job_id)).result.content).toBe("A pixel.");
  const input = { type: "text", text: JSON.stringify({ page: 2 }, null, 2) };
  expect(bodies[1]).toContain(JSON.stringify([...PARTS, input]));
  expect((await platform.alice.history(session_id)).at(-2)).toMatchObject({ content: TEXT, parts: PARTS });
  const tasks = await readDatabase(platform, (table) => table("agent_logs").where({ id: body.job_id }).pluck("task"));
  expect(tasks).toEqual([TEXT]);
});

test("large parts of a task have a key of their own in Redis until the job has ended", async () => {
  answer = () => null;
  const { body } = await execute(PARTS);
  await waitFor("the request to the model", async () => bodies.length === 1);
  const key = platform.keys.payload(body.job_id);
  expect(await platform.redis.hkeys(key)).toEqual(["parts"]);
  await platform.alice.cancel(body.job_id);
  await waitFor("the key to be removed", async () => (await platform.redis.exists(key)) === 0);
});

test("every agent to which an orchestrator delegates sees the images and files, those of a nested one too", async () => {
  const [, picture, report, link] = PARTS;
  const inner = { join: "concat", plan: { steps: [{ id: "c", agent: "chat_basic", task: "Third look" }] } };
  const steps = [
    { id: "a", agent: "chat_basic", task: "First look" },
    { id: "b", agent: "tool_basic", task: "Second look", depends_on: ["a"] },
    { id: "n", agent: "orchestrator", task: "Delegate", config: inner },
  ];
  const config = { agents: steps.map(({ agent }) => agent), join: "concat", plan: { steps } };
  const { body } = await execute(PARTS, { config }, "orchestrator");
  expect(await platform.alice.ended(body.job_id)).toMatchObject({
    ...{ status: "completed", error: null },
    result: { data: { steps: Array(3).fill({ status: "completed" }) } },
  });
  const asked = bodies.map((_, at) => contentsOf(at).at(-1));
  expect(asked.map(([task]) => task.text.split("\n")[0]).sort()).toEqual(["First look", "Second look", "Third look"]);
  for (const content of asked) expect(content.slice(1)).toEqual([picture, report, link]);
});

test("until the job has ended, large parts have a key of their own in Redis, and another worker finds them", async () => {
  answer = () => null;
  const opened = await platform.alice.chat({ message: PARTS });
  await waitFor("the request to the model", async () => bodies.length === 1);
  const key = platform.keys.payload(opened.jobId);
  expect(await platform.redis.exists(key)).toBe(1);
  await platform.workers.at(-1)?.kill();
  answer = () => says("After the death.");
  await platform.startWorker({ OPENAI_BASE_URL: `${provider.origin}/v1` });
  expect(await platform.alice.ended(opened.jobId)).toMatchObject({
    ...{ status: "completed", attempt: 2 },
    result: { content: "After the death." },
  });
  expect(bodies[1]).toContain(JSON.stringify(PARTS));
  await opened.all();
  await waitFor("the key to be removed", async () => (await platform.redis.exists(key)) === 0);
});

test("a deleted session leaves no parts", async () => {
  const { body } = await chat(PARTS);
  const stored = () =>
    readDatabase(platform, (table) => table("message_parts").where({ job_id: body.job_id }).pluck("job_id"));
  expect(await stored()).toHaveLength(1);
  await platform.alice.delete(`/sessions/${body.session_id}`);
  await waitFor("the parts to be deleted", async () => (await stored()).length === 0);
});

test("a model that takes no images ends the job with its words, and the session goes on", async () => {
  answer = textsOnly;
  const refused = await chat([{ type: "text", text: "Look" }, image("https://example.com/a.png")]);
  expect(refused.status).toBe(422);
  expect(refused.body.error).toMatchObject({
    code: "model_input_unsupported",
    message: `The model does not take a part of the message. It says: ${REFUSAL}`,
  });
  const { session_id } = refused.body.error;
  const next = await chat("Then without", { session_id });
  expect(next).toMatchObject({ status: 200, body: { message: { content: "A text." } } });
  expect(contentsOf(bodies.length - 1)).toEqual(["Look\n[image_url]", "(no answer)", "Then without"]);
  // What was learned is not applied to a message's own parts.
  expect((await chat([image("https://example.com/a.png")], { session_id })).body.error).toMatchObject({
    code: "model_input_unsupported",
  });
});

describe("what is no part", () => {
  const data = `data:image/png;base64,${PIXEL}`;
  test.each<[string, unknown, string]>([
    ["no parts", [], "message"],
    ["too many parts", Array(7).fill({ type: "text", text: "a" }), "message"],
    ["a number", 7, "message"],
    ["an object", { type: "text", text: "a" }, "message"],
    ["a text for a part", ["a"], "message.0"],
    ["null for a part", [null], "message.0"],
    ["a list for a part", [[{ type: "text", text: "a" }]], "message.0"],
    ["no type", [{ text: "a" }], "message.0.type"],
    ["an unknown type", [{ type: "input_audio", input_audio: {} }], "message.0.type"],
    ["a type that is no text", [{ type: 1, text: "a" }], "message.0.type"],
    ["the type of the Responses API", [{ type: "input_image", image_url: data }], "message.0.type"],
    ["a text without its text", [{ type: "text" }], "message.0.text"],
    ["an empty text", [{ type: "text", text: " " }], "message.0.text"],
    ["a text that is none", [{ type: "text", text: 5 }], "message.0.text"],
    ["a field too many", [{ type: "text", text: "a", style: "b" }], "message.0.style"],
    ["an image without address", [{ type: "image_url" }], "message.0.image_url"],
    ["an address in the wrong place", [{ type: "image_url", image_url: data }], "message.0.image_url"],
    ["an address in another field", [{ type: "image_url", image_url: { uri: data } }], "message.0.image_url.url"],
    ["an empty address", [image("")], "message.0.image_url.url"],
    ["a relative address", [image("/a.png")], "message.0.image_url.url"],
    ["an address of a file", [image("file:///etc/passwd")], "message.0.image_url.url"],
    ["an address of a script", [image("javascript:alert(1)")], "message.0.image_url.url"],
    ["a long address", [image(`https://example.com/${"a".repeat(9_000)}`)], "message.0.image_url.url"],
    ["data that is no image", [image(`data:text/html;base64,${PIXEL}`)], "message.0.image_url.url"],
    ["data without base64", [image("data:image/svg+xml,<svg/>")], "message.0.image_url.url"],
    ["broken base64", [image(`${data}*`)], "message.0.image_url.url"],
    ["cut base64", [image(data.slice(0, -1))], "message.0.image_url.url"],
    ["no base64", [image("data:image/png;base64,")], "message.0.image_url.url"],
    ["an unknown detail", [image(data, { detail: "huge" })], "message.0.image_url.detail"],
    ["a file without content", [file({ filename: "a.pdf" })], "message.0.file"],
    ["a file with two contents", [file({ file_data: "AAAA", file_id: "f" })], "message.0.file"],
    ["a file that is no data", [file({ file_data: "https://example.com/a.pdf" })], "message.0.file.file_data"],
    ["a file by an empty id", [file({ file_id: "" })], "message.0.file.file_id"],
    ["a long file name", [file({ file_id: "f", filename: "a".repeat(300) })], "message.0.file.filename"],
    ["a bad part behind good ones", [...PARTS.slice(0, 2), image("x")], "message.2.image_url.url"],
    ["more text than a message has", Array(2).fill({ type: "text", text: "a".repeat(40_000) }), "message"],
  ])("%s is refused by name", async (_, message, param) => {
    const { status, body } = await chat(message);
    expect([status, body.error?.code, body.error?.param]).toEqual([400, "invalid_request", param]);
    expect(body.error.message.startsWith(`${param}: `)).toBe(true);
    const task = await execute(message);
    const ofTask = [400, "invalid_request", param.replace("message", "task")];
    expect([task.status, task.body.error?.code, task.body.error?.param]).toEqual(ofTask);
  });

  const SEVEN = { role: "user", content: Array(7).fill({ type: "text", text: "a" }) };
  test.each<[string, string, object, string]>([
    ["/v1", "/chat/completions", { messages: [SEVEN] }, "messages.0.content"],
    ["/v1", "/chat/completions", { messages: [SEVEN], metadata: { session_id: "s" } }, "messages.0.content"],
    [
      "/v1",
      "/responses",
      { input: [{ ...SEVEN, content: Array(7).fill({ type: "input_text", text: "a" }) }] },
      "input.0.content",
    ],
    [
      "/api/v1",
      "/ui-messages/chat_basic",
      { id: "c", messages: [{ ...SEVEN, id: "m", parts: SEVEN.content }] },
      "messages",
    ],
    ["/api/v1", "/ag-ui/chat_basic", { threadId: "t", runId: "r", messages: [{ ...SEVEN, id: "m" }] }, "messages"],
  ])("more parts than the limit are a 400 at %s%s", async (base, path, body, param) => {
    const fields = base === "/v1" ? { model: "chat_basic", ...body } : body;
    const answered = await platform.alice.through(base).post(path, fields);
    expect([answered.status, answered.body.error]).toMatchObject([400, { code: "invalid_request", param }]);
  });

  test("parts that are too large, and a large body besides them, are refused", async () => {
    const large = await chat([image(`data:image/png;base64,${"AAAA".repeat(26_000)}`)]);
    expect(large).toMatchObject({ status: 413, body: { error: { code: "payload_too_large", param: "message" } } });
    const config = { system_prompt: "a".repeat(300_000) };
    expect(await chat(PARTS, { config })).toMatchObject({ status: 413, body: { error: { param: null } } });
    const fitting = image(`data:image/png;base64,${"A".repeat(26_500)}${"+".repeat(53_500)}`);
    expect(await chat([fitting])).toMatchObject({ status: 200 });
    // As clients write it that escape more than JSON asks for.
    const escaped = JSON.stringify({ agent_type: "chat_basic", stream: false, message: [fitting] });
    const answered = await platform.alice.post("/chat/completions", escaped.replaceAll("+", "\\u002B"));
    expect(answered.status).toBe(200);
    const tasks = [
      await execute([image(`data:image/png;base64,${"AAAA".repeat(26_000)}`)]),
      await execute(PARTS, { config }),
    ];
    expect(tasks.map(({ status, body }) => [status, body.error.param])).toEqual([
      [413, "task"],
      [413, null],
    ]);
    const started = await execute([fitting]);
    expect(await platform.alice.ended(started.body.job_id)).toMatchObject({ status: "completed" });
  });

  test("a list of more values than parsing may cost is refused before it is parsed", async () => {
    const list = `{"agent_type":"chat_basic","message":[${",".repeat(300_000)}`;
    const { status, body } = await platform.alice.post("/chat/completions", list);
    expect([status, body.error?.code]).toEqual([413, "payload_too_large"]);
  });
});
