/** The wire, byte for byte but for ids: what clients of other languages parse. */
import { connect } from "node:net";
import { text as readText } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

async function rawChat(body: object, headers: Record<string, string>): Promise<{ text: string; response: Response }> {
  const response = await fetch(`${platform.alice.origin}/api/v1/chat/completions`, {
    method: "POST",
    headers: { Authorization: `Bearer ${KEYS.alice}`, "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return { text: await response.text(), response };
}

const withoutIds = (text: string) => text.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "ID");

test("a chat in Chinese is streamed exactly as documented", async () => {
  const { text, response } = await rawChat({ agent_type: "chat_basic", message: "[[text=这是答案]] 你好" }, {});
  expect(response.status).toBe(200);
  expect(withoutIds(text)).toBe(
    [
      "retry: 2000",
      'id: 1\nevent: thought\ndata: {"content":"正在使用 chat_basic 处理...","type":"status"}',
      'id: 2\nevent: message\ndata: {"content":"这","type":"text"}',
      'id: 3\nevent: message\ndata: {"content":"是","type":"text"}',
      'id: 4\nevent: message\ndata: {"content":"答","type":"text"}',
      'id: 5\nevent: message\ndata: {"content":"案","type":"text"}',
      'id: 6\nevent: done\ndata: {"session_id":"ID","job_id":"ID","status":"completed","usage":{"input_tokens":13,"output_tokens":4,"total_tokens":17,"models":{"local-model":{"input_tokens":13,"output_tokens":4,"total_tokens":17}}},"finish_reason":"stop"}',
      "",
    ].join("\n\n"),
  );
  const jobId = response.headers.get("x-job-id");
  expect(Object.fromEntries(response.headers)).toMatchObject({
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
    "x-session-id": expect.stringMatching(/^[0-9a-f-]{36}$/),
    location: `/api/v1/jobs/${jobId}/events`,
  });
  expect(text).toContain(`"job_id":"${jobId}"`);
});

test("a chat in English is streamed exactly as documented", async () => {
  const { text } = await rawChat(
    { agent_type: "chat_basic", message: "[[text=Two%20words]] Hello" },
    { "Accept-Language": "en-GB,en;q=0.9" },
  );
  expect(withoutIds(text)).toBe(
    [
      "retry: 2000",
      'id: 1\nevent: thought\ndata: {"content":"Processing with chat_basic...","type":"status"}',
      'id: 2\nevent: message\ndata: {"content":"Two","type":"text"}',
      'id: 3\nevent: message\ndata: {"content":" words","type":"text"}',
      'id: 4\nevent: done\ndata: {"session_id":"ID","job_id":"ID","status":"completed","usage":{"input_tokens":10,"output_tokens":2,"total_tokens":12,"models":{"local-model":{"input_tokens":10,"output_tokens":2,"total_tokens":12}}},"finish_reason":"stop"}',
      "",
    ].join("\n\n"),
  );
});

test("a failing model is streamed as error and done", async () => {
  const { text } = await rawChat(
    { agent_type: "chat_basic", message: "[[fault=401]] Hello" },
    { "Accept-Language": "en" },
  );
  expect(withoutIds(text)).toBe(
    [
      "retry: 2000",
      'id: 1\nevent: thought\ndata: {"content":"Processing with chat_basic...","type":"status"}',
      'id: 2\nevent: error\ndata: {"code":"model_auth_failed","message":"The model provider refused the platform\'s credentials.","retryable":false}',
      'id: 3\nevent: done\ndata: {"session_id":"ID","job_id":"ID","status":"failed","usage":{"input_tokens":0,"output_tokens":0,"total_tokens":0},"finish_reason":null}',
      "",
    ].join("\n\n"),
  );
});

test("line ends of Unicode are streamed as escapes, and an answer that max_tokens cut says so", async () => {
  const { text } = await rawChat(
    {
      agent_type: "chat_basic",
      message: "[[text=a%E2%80%A8b%20c%20d%20e%20f%20g%20h]] Hello",
      config: { max_tokens: 4 },
    },
    { "Accept-Language": "en" },
  );
  const frames = withoutIds(text).split("\n\n");
  expect(frames.slice(-3)).toEqual([
    expect.stringContaining('limit of output tokens","type":"status","finish_reason":"length"}'),
    expect.stringContaining('"finish_reason":"length"}'),
    "",
  ]);
  expect(text).toContain("\\u2028");
  expect(text).not.toMatch(/[\u0085\u2028\u2029]/);
});

/** What a client gets that sends these requests at once and reads until the server closes. */
function exchange(
  ...requests: readonly { readonly version: string; readonly answer: string; readonly last: boolean }[]
) {
  const { hostname, port } = new URL(platform.alice.origin);
  const socket = connect(Number(port), hostname);
  for (const { version, answer, last } of requests) {
    const body = JSON.stringify({ agent_type: "chat_basic", message: `[[text=${answer}]] hi` });
    const head = [
      `POST /api/v1/chat/completions HTTP/${version}`,
      "Host: test",
      `Authorization: Bearer ${KEYS.alice}`,
      "Accept-Language: en",
      `Content-Length: ${body.length}`,
      `Connection: ${last ? "close" : "keep-alive"}`,
    ];
    socket.write(`${head.join("\r\n")}\r\n\r\n${body}`);
  }
  return readText(socket);
}

test("streams are chunked as HTTP/1.1 says, also those that a client asked for before the former had ended", async () => {
  const all = await exchange(
    { version: "1.1", answer: "First", last: false },
    { version: "1.1", answer: "Second", last: true },
  );
  const bodies = all.split(/HTTP\/1\.1 200 OK\r\n.*?\r\n\r\n/s).slice(1);
  expect(bodies).toHaveLength(2);
  for (const [at, answer] of ["First", "Second"].entries()) {
    let rest = bodies[at] ?? "";
    let text = "";
    for (;;) {
      const [head = "", size = ""] = /^([0-9a-f]+)\r\n/.exec(rest) ?? [];
      const length = Number.parseInt(size, 16);
      text += rest.slice(head.length, head.length + length);
      expect(rest.slice(head.length + length, head.length + length + 2)).toBe("\r\n");
      rest = rest.slice(head.length + length + 2);
      if (length === 0) break;
    }
    expect(rest).toBe("");
    expect(text).toContain(`"content":"${answer}","type":"text"`);
    expect(text.split("\n\n").at(-2)).toContain("event: done");
  }
});

test("a client of HTTP/1.0 gets the stream as it is, to the connection's end", async () => {
  const all = await exchange({ version: "1.0", answer: "Plain", last: true });
  expect(all).not.toMatch(/transfer-encoding/i);
  const [, body = ""] = all.split("\r\n\r\n");
  expect(body.split("\n\n").map((frame) => frame.split("\n").at(-2) ?? frame)).toEqual([
    "retry: 2000",
    "event: thought",
    "event: message",
    "event: done",
    "",
  ]);
});
