/** The chat API as a client sees it: streamed and whole answers, usage, limits, pace, refused requests. */
import { connect } from "node:net";
import { beforeAll, describe, expect, test } from "vitest";
import { payloads, startTestModel, type TestModel } from "./test-model.ts";
import { tokenize } from "./tokenize.ts";

let model: TestModel;
beforeAll(async () => {
  model = await startTestModel();
  return () => model.server.stop();
});

const user = (content: string) => [{ role: "user" as const, content }];

async function streamed(content: string, fields: { max_tokens?: number } = {}): Promise<string[]> {
  const stream = await model.openai.chat.completions.create({
    model: "local",
    messages: user(content),
    stream: true,
    ...fields,
  });
  const tokens: string[] = [];
  for await (const chunk of stream) tokens.push(chunk.choices[0]?.delta.content ?? "");
  return tokens.filter((token) => token !== "");
}

async function whole(content: string, fields: { max_completion_tokens?: number } = {}) {
  return model.openai.chat.completions.create({ model: "local", messages: user(content), ...fields });
}

describe("answers without directives", () => {
  test("an answer without directives names the local model, in the language of the question", async () => {
    expect((await whole("What is a queue?")).choices[0]?.message.content).toBe(
      'This is the local model. You said: "What is a queue?"',
    );
    expect((await streamed("什么是队列？")).join("")).toBe("这是本地模型的回答。你说的是：“什么是队列？”");
  });

  test("a streamed answer has one token per chunk and equals the whole answer, every time", async () => {
    const tokens = await streamed("你好 Redis");
    expect(tokens).toEqual(tokenize(tokens.join("")));
    expect(await streamed("你好 Redis")).toEqual(tokens);
    expect((await whole("你好 Redis")).choices[0]?.message.content).toBe(tokens.join(""));
  });

  test("an answer quotes at most 500 characters of the question", async () => {
    const { choices } = await whole("x".repeat(5000));
    expect(choices[0]?.message.content).toBe(`This is the local model. You said: "${"x".repeat(500)}…"`);
  });

  test("text parts are accepted as content", async () => {
    const completion = await model.openai.chat.completions.create({
      model: "local",
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "in two " },
            { type: "text", text: "parts" },
          ],
        },
      ],
    });
    expect(completion.choices[0]?.message.content).toContain("in two parts");
  });
});

describe("streams", () => {
  test("a stream begins with the role, ends with a reason and [DONE], and has no usage by default", async () => {
    const response = await model.post("hi [[text=one%20two]]", { stream: true });
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    const events = payloads(await response.text());
    expect(events.at(-1)).toBe("[DONE]");
    const chunks = events.slice(0, -1).map((event) => JSON.parse(event));
    expect(chunks.map((chunk) => chunk.choices[0])).toEqual([
      { index: 0, delta: { role: "assistant", content: "" }, finish_reason: null },
      { index: 0, delta: { content: "one" }, finish_reason: null },
      { index: 0, delta: { content: " two" }, finish_reason: null },
      { index: 0, delta: {}, finish_reason: "stop" },
    ]);
    expect(chunks.every((chunk) => !("usage" in chunk))).toBe(true);
  });

  test("a stream ends with a chunk of usage if include_usage is set", async () => {
    const fields = { stream: true, stream_options: { include_usage: true } };
    const events = payloads(await (await model.post("hi [[text=one%20two]]", fields)).text());
    const chunks = events.slice(0, -1).map((event) => JSON.parse(event));
    const promptTokens = tokenize("hi [[text=one%20two]]").length;
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: promptTokens, completion_tokens: 2, total_tokens: promptTokens + 2 },
    });
    expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true);
  });

  test("all tokens that are due are sent in one write, as separate chunks", async () => {
    const httpChunks = await rawHttpChunks(model.server.port, "[[tokens=64]]");
    expect(httpChunks.map((chunk) => payloads(chunk).length)).toEqual([1, 64 + 2]);
  });

  test("a client that reads slowly receives the complete stream", async () => {
    const response = await model.post("[[tokens=50000 lang=zh]]", { stream: true });
    await expect
      .poll(async () => (await model.control.calls({ contains: "tokens=50000" }))[0]?.tokens_sent)
      .toBeGreaterThan(0);
    const events = payloads(await response.text());
    expect(events).toHaveLength(1 + 50_000 + 2);
  });
});

describe("tokens=", () => {
  test.each([
    ["en", /^[ \w,.]+$/],
    ["zh", /^[\p{Script=Han}，。]+$/u],
  ] as const)("tokens=N gives N tokens in the language %s", async (lang, alphabet) => {
    const tokens = await streamed(`[[tokens=120 lang=${lang}]]`);
    expect(tokens).toHaveLength(120);
    expect(tokens.join("")).toMatch(alphabet);
  });

  test("tokens=N follows the language of the question", async () => {
    expect((await streamed("说吧 [[tokens=5]]")).join("")).toMatch(/\p{Script=Han}/u);
    expect((await streamed("go on [[tokens=5]]")).join("")).not.toMatch(/\p{Script=Han}/u);
  });

  test("max_tokens and max_completion_tokens limit a generated answer", async () => {
    expect(await streamed("[[tokens=50]]", { max_tokens: 7 })).toEqual((await streamed("[[tokens=50]]")).slice(0, 7));
    const cut = await whole("[[tokens=50]]", { max_completion_tokens: 7 });
    expect(cut.choices[0]?.finish_reason).toBe("length");
    expect(cut.usage?.completion_tokens).toBe(7);
    expect((await whole("[[tokens=7]]", { max_completion_tokens: 7 })).choices[0]?.finish_reason).toBe("stop");
  });
});

describe("pace", () => {
  /** The send time of each token, in milliseconds after this call. */
  async function sendTimes(answer: () => Promise<string>): Promise<number[]> {
    const askedAt = performance.timeOrigin + performance.now();
    return [...(await answer()).matchAll(/⟨(\d+\.\d{3})⟩/g)].map((match) => Number(match[1]) - askedAt);
  }
  const asked = "[[tokens=10 rate=100 ttft=60 stamp=1]]";

  test.each([
    ["streamed", async () => (await streamed(asked)).join("")],
    ["whole", async () => (await whole(asked)).choices[0]?.message.content ?? ""],
  ])("a %s answer sends no token before its time, and the first after ttft", async (_, answer) => {
    const times = await sendTimes(answer);
    expect(times).toHaveLength(10);
    for (const [index, time] of times.entries()) expect(time).toBeGreaterThanOrEqual(60 + index * 10 - 0.01);
  });

  test("a stamped answer has the same tokens as an unstamped one", async () => {
    const plain = await streamed("same [[tokens=20]]");
    const stamped = await streamed("same [[tokens=20 stamp=1]]");
    expect(stamped.map((token) => token.replace(/⟨.*⟩/, ""))).toEqual(plain);
  });

  test("a paced stream completes beside unpaced streams", async () => {
    const flood = new AbortController();
    const drain = async () => {
      const response = await model.post("[[tokens=10000000]]", { stream: true }, flood.signal);
      for await (const _ of response.body ?? []) if (flood.signal.aborted) break;
    };
    const floods = Array.from({ length: 4 }, () => drain().catch(() => undefined));
    expect(await streamed("[[tokens=20 rate=200]]")).toHaveLength(20);
    flood.abort();
    await Promise.all(floods);
  });
});

describe("invalid requests", () => {
  const call = (id: string) => ({ id, type: "function", function: { name: "f", arguments: "{}" } });
  const result = (id: string) => ({ role: "tool", tool_call_id: id, content: "1" });
  test.each([
    [{ model: undefined }, "model"],
    [{ messages: [] }, "messages"],
    [{ messages: [{ role: "usr", content: "x" }] }, "messages[0].role"],
    [
      { messages: [{ role: "system", content: [{ type: "image_url", image_url: { url: "x" } }] }] },
      "messages[0].content",
    ],
    [{ messages: [{ role: "assistant" }] }, "messages[0].content"],
    [{ messages: [...user("x"), result("a")] }, "messages[1].role"],
    [{ messages: [{ role: "assistant", tool_calls: [call("a"), call("b")] }, result("a")] }, "messages"],
    [{ messages: [{ role: "assistant", tool_calls: [call("a")] }, ...user("x")] }, "messages"],
    [{ temperature: 3 }, "temperature"],
    [{ max_tokens: 0 }, "max_tokens"],
    [{ stream_options: { include_usage: true } }, "stream_options"],
    [{ tool_choice: "auto" }, "tool_choice"],
    [{ tools: [{ type: "function", function: { name: "bad name" } }] }, "tools[0].function.name"],
    [{ messages: user("[[fault=sometimes]]") }, "fault"],
  ])("a request with %j is refused with a 400 that names the field %s", async (fields, param) => {
    const response = await model.post("hi", fields);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { type: "invalid_request_error", code: null, param } });
  });

  test("a body that is not JSON gets a 400, an unknown path a 404", async () => {
    const broken = await fetch(`${model.server.url}/chat/completions`, { method: "POST", body: "{" });
    expect(broken.status).toBe(400);
    expect((await fetch(`${model.server.url}/nothing`)).status).toBe(404);
  });
});

/** The chunks of the HTTP transfer encoding, which show which bytes were written together. */
async function rawHttpChunks(port: number, content: string): Promise<string[]> {
  const body = JSON.stringify({ model: "local", stream: true, messages: user(content) });
  const socket = connect(port, "127.0.0.1");
  const headers = `Host: x\r\nConnection: close\r\nContent-Length: ${body.length}`;
  socket.write(`POST /v1/chat/completions HTTP/1.1\r\n${headers}\r\n\r\n${body}`);
  let text = "";
  for await (const data of socket.setEncoding("utf8")) text += data;
  return text
    .slice(text.indexOf("\r\n\r\n") + 4)
    .split("\r\n")
    .filter((line) => line.startsWith("data: "));
}
