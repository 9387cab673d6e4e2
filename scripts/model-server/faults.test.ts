/** Each fault as a client sees it: through the openai package if that reports it, otherwise as bytes. */
import OpenAI from "openai";
import { beforeAll, describe, expect, test } from "vitest";
import { callsOf, eventually, payloads, readUntil, startTestModel, type TestModel } from "./test-model.ts";

let model: TestModel;
beforeAll(async () => {
  model = await startTestModel();
  return () => model.server.stop();
});

const STREAM = { stream: true };
const tokensIn = (text: string) => payloads(text).filter((payload) => payload.includes('"delta":{"content":"')).length;

/** Asks with the openai package; returns the number of tokens received and the error thrown. */
async function ask(content: string): Promise<{ tokens: number; error: unknown; finish: string | null | undefined }> {
  let tokens = 0;
  let finish: string | null | undefined;
  try {
    const messages = [{ role: "user" as const, content }];
    const stream = await model.openai.chat.completions.create({ model: "local", messages, stream: true });
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta.content) tokens++;
      finish = chunk.choices[0]?.finish_reason ?? finish;
    }
    return { tokens, error: undefined, finish };
  } catch (error) {
    return { tokens, error, finish };
  }
}

async function loggedEnd(contains: string): Promise<string | undefined> {
  return (await model.control.calls({ contains })).at(-1)?.ended;
}

describe("refusals", () => {
  test.each([
    ["400", OpenAI.BadRequestError, 400],
    ["401", OpenAI.AuthenticationError, 401],
    ["403", OpenAI.PermissionDeniedError, 403],
    ["404", OpenAI.NotFoundError, 404],
    ["429", OpenAI.RateLimitError, 429],
    ["500", OpenAI.InternalServerError, 500],
    ["503", OpenAI.InternalServerError, 503],
    ["quota", OpenAI.RateLimitError, 429],
    ["context_length", OpenAI.BadRequestError, 400],
  ])("fault=%s throws the matching error of the openai package", async (fault, errorClass, status) => {
    const { error } = await ask(`[[fault=${fault}]]`);
    expect(error).toBeInstanceOf(errorClass);
    expect(error).toMatchObject({ status });
    expect(await loggedEnd(`fault=${fault}]`)).toBe("fault");
  });

  test("the two kinds of 429 carry different codes", async () => {
    expect((await ask("[[fault=429]]")).error).toMatchObject({ code: "rate_limit_exceeded" });
    expect((await ask("[[fault=quota]]")).error).toMatchObject({ code: "insufficient_quota" });
  });

  test("a 401 quotes the refused key", async () => {
    expect(String((await ask("[[fault=401]]")).error)).toContain("Incorrect API key provided: sk-test-0123");
  });

  test("a refusal carries the retry-after header of retry_after=", async () => {
    const response = await model.post("[[fault=429 retry_after=7]]", STREAM);
    expect(response.headers.get("retry-after")).toBe("7");
  });

  test("retries of the client succeed after the number of faults in times=", async () => {
    const retrying = model.openai.withOptions({ maxRetries: 2 });
    const completion = await retrying.chat.completions.create({
      model: "local",
      messages: [{ role: "user", content: "again [[fault=429 retry_after=0.01 times=2 text=healed]]" }],
    });
    expect(completion.choices[0]?.message.content).toBe("healed");
    const calls = await model.control.calls({ contains: "again [[" });
    expect(calls.map((call) => [call.fault, call.ended])).toEqual([
      [429, "fault"],
      [429, "fault"],
      [null, "done"],
    ]);
  });

  test("turn= limits a fault to one model turn", async () => {
    const content = "[[calls=f({}) fault=500 turn=1]]";
    const tools = [{ type: "function", function: { name: "f" } }];
    const message = (await model.complete(content, { tools })).choices[0]?.message;
    const results = callsOf(message).map(({ id }) => ({ role: "tool", tool_call_id: id, content: "1" }));
    const messages = [{ role: "user", content }, message, ...results];
    expect((await model.post(content, { tools, messages })).status).toBe(500);
  });
});

describe("answers that stay open", () => {
  test("fault=no_headers runs into the client's timeout", async () => {
    const request = model.openai.chat.completions.create(
      { model: "local", messages: [{ role: "user", content: "[[fault=no_headers]]" }] },
      { timeout: 50 },
    );
    await expect(request).rejects.toBeInstanceOf(OpenAI.APIConnectionTimeoutError);
    await eventually(() => loggedEnd("no_headers")).toBe("client_closed");
  });

  test("fault=silence sends its tokens and stays open until the client leaves", async () => {
    const leave = new AbortController();
    const response = await model.post("[[tokens=9 fault=silence after=3]]", STREAM, leave.signal);
    expect(tokensIn(await readUntil(response, (text) => tokensIn(text) === 3))).toBe(3);
    expect(await loggedEnd("silence after=3")).toBe("open");
    leave.abort();
    await eventually(() => loggedEnd("silence after=3")).toBe("client_closed");
  });

  test("fault=silence sends the headers of a whole answer and no body", async () => {
    const leave = new AbortController();
    const response = await model.post("[[fault=silence]] whole", {}, leave.signal);
    expect(response.status).toBe(200);
    leave.abort();
    await eventually(() => loggedEnd("silence]] whole")).toBe("client_closed");
  });

  test("fault=keepalive sends its tokens and then only comments", async () => {
    const leave = new AbortController();
    const response = await model.post("[[tokens=9 fault=keepalive after=2]]", STREAM, leave.signal);
    const text = await readUntil(response, (sofar) => sofar.split(": keep-alive\n\n").length > 2);
    expect(tokensIn(text)).toBe(2);
    expect(text.endsWith(": keep-alive\n\n")).toBe(true);
    leave.abort();
    await eventually(() => loggedEnd("keepalive after=2")).toBe("client_closed");
  });
});

describe("broken answers", () => {
  test("fault=cut delivers its tokens and then drops the connection", async () => {
    const { tokens, error } = await ask("[[tokens=500 fault=cut after=300]]");
    expect(tokens).toBe(300);
    expect(String((error as Error).cause ?? error)).toMatch(/terminated|closed|socket/i);
  });

  test("fault=malformed sends one chunk that is not JSON in an otherwise complete stream", async () => {
    const { tokens, error } = await ask("[[tokens=9 fault=malformed after=4]]");
    expect(tokens).toBe(4);
    expect(error).toBeInstanceOf(SyntaxError);
    const events = payloads(await (await model.post("[[tokens=9 fault=malformed after=4]]", STREAM)).text());
    expect(events).toHaveLength(1 + 9 + 1 + 2);
  });

  test("fault=no_done sends every token but neither a finish chunk nor [DONE]", async () => {
    const { tokens, error, finish } = await ask("[[tokens=9 fault=no_done]]");
    expect({ tokens, error, finish }).toEqual({ tokens: 9, error: undefined, finish: undefined });
    expect(await (await model.post("[[tokens=9 fault=no_done]]", STREAM)).text()).not.toContain("[DONE]");
  });

  test("fault=error_chunk sends an error inside the stream", async () => {
    const { tokens, error } = await ask("[[tokens=9 fault=error_chunk after=2]]");
    expect(tokens).toBe(2);
    expect(error).toBeInstanceOf(OpenAI.APIError);
    expect(String(error)).toContain("The server had an error");
  });

  test.each(["cut", "malformed", "error_chunk", "no_done"])("fault=%s breaks a whole answer too", async (fault) => {
    const message = `[[tokens=9 fault=${fault} after=2]] whole`;
    const response = await model.post(message);
    expect(response.status).toBe(200);
    const body = await response.json().catch(() => "unreadable");
    if (fault === "error_chunk") expect(body).toMatchObject({ error: { type: "server_error" } });
    else if (fault === "no_done") expect(body).toMatchObject({ choices: [{ finish_reason: null }] });
    else expect(body).toBe("unreadable");
    expect(await loggedEnd(message)).toBe("fault");
  });
});
