/** For the tests of this folder: a running server with its clients. */
import OpenAI from "openai";
import { expect } from "vitest";
import { type ModelControl, modelControl } from "./client.ts";
import { type ModelServer, startModelServer } from "./server.ts";

export type TestModel = {
  readonly server: ModelServer;
  readonly control: ModelControl;
  /** A client without retries, so that a test sees every fault. */
  readonly openai: OpenAI;
  /** Sends a chat request without the client library; `content` is the only user message. */
  post(content: string, fields?: Record<string, unknown>, signal?: AbortSignal): Promise<Response>;
  /** Sends the same request and returns the whole completion. */
  complete(content: string, fields?: Record<string, unknown>): Promise<OpenAI.ChatCompletion>;
};

export async function startTestModel(): Promise<TestModel> {
  const server = await startModelServer();
  const post: TestModel["post"] = (content, fields = {}, signal) =>
    fetch(`${server.url}/chat/completions`, {
      method: "POST",
      headers: { authorization: "Bearer sk-test-0123" },
      body: JSON.stringify({ model: "local", messages: [{ role: "user", content }], ...fields }),
      signal: signal ?? null,
    });
  return {
    server,
    control: modelControl(server.origin),
    openai: new OpenAI({ baseURL: server.url, apiKey: "sk-test-0123", maxRetries: 0 }),
    post,
    complete: async (content, fields) => (await post(content, fields)).json() as Promise<OpenAI.ChatCompletion>,
  };
}

/** `expect` on a value that changes over time; its timeout allows for a slow machine. */
export function eventually<T>(read: () => Promise<T>): ReturnType<typeof expect.poll<T>> {
  return expect.poll(read, { timeout: 4_500, interval: 10 });
}

/** The `data:` payloads of a finished event stream. */
export function payloads(body: string): string[] {
  return body
    .split("\n\n")
    .filter((event) => event.startsWith("data: "))
    .map((event) => event.slice("data: ".length));
}

/** Reads until `enough` accepts the text so far or the stream ends; the rest of the body stays unread. */
export async function readUntil(response: Response, enough: (text: string) => boolean): Promise<string> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (reader && !enough(text)) {
    const { done, value } = await reader.read();
    if (done) break;
    text += value;
  }
  return text;
}

/** The tool calls of a message as flat objects. */
export function callsOf(message?: OpenAI.ChatCompletionMessage): { id: string; name: string; json: string }[] {
  const calls = message?.tool_calls ?? [];
  return calls.flatMap((call) =>
    call.type === "function" ? [{ id: call.id, name: call.function.name, json: call.function.arguments }] : [],
  );
}
