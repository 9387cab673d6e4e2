/** For the tests of this folder: a running server with everything that talks to it. */
import OpenAI from "openai";
import { expect } from "vitest";
import { type ModelControl, modelControl } from "./client.ts";
import { type ModelServer, startModelServer } from "./server.ts";

export type TestModel = {
  readonly server: ModelServer;
  readonly control: ModelControl;
  /** Without retries, so that each fault is seen once. */
  readonly openai: OpenAI;
  /** A chat request below the client library: `content` becomes the one user message. */
  post(content: string, fields?: Record<string, unknown>, signal?: AbortSignal): Promise<Response>;
  /** The whole answer to the same. */
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

/** `expect` on something that is to become true; patient, since a loaded machine is slow and not wrong. */
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

/** Reads until `enough` holds for the text so far or the stream ends; then the body is left as it is. */
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

/** The tool calls of a message, flat. */
export function callsOf(message?: OpenAI.ChatCompletionMessage): { id: string; name: string; json: string }[] {
  const calls = message?.tool_calls ?? [];
  return calls.flatMap((call) =>
    call.type === "function" ? [{ id: call.id, name: call.function.name, json: call.function.arguments }] : [],
  );
}
