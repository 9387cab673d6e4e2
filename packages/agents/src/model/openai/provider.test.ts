/** Incomplete usage, as some providers send it, and readers that are slow or leave. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { startLoopbackServer } from "../../../../../test/support/loopback-server.ts";
import type { ModelTurn } from "../model.ts";
import { createOpenAiProvider } from "./provider.ts";

/** The turn that results from a stream of one thought, one text and this usage. */
async function turnOf(usage: object): Promise<ModelTurn> {
  const chunks = [
    { choices: [{ delta: { reasoning_content: "So. " } }] },
    { choices: [{ delta: { content: "Hello" }, finish_reason: "stop" }] },
    { choices: [], usage },
  ];
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(
      [...chunks.map((chunk) => JSON.stringify(chunk)), "[DONE]"].map((data) => `data: ${data}\n\n`).join(""),
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const limits = { connectMs: 5_000, firstTokenMs: 5_000, idleMs: 5_000, totalMs: 5_000 };
  const provider = createOpenAiProvider({ baseUrl, apiKey: "key", limits });
  try {
    const model = provider.model({ defaultModel: "m", responseFormat: "none" });
    const stream = model.stream({ messages: [{ role: "user", content: "Hi" }] }, new AbortController().signal);
    for (;;) {
      const step = await stream.next();
      if (step.done) return step.value;
    }
  } finally {
    await provider.close();
    server.close();
  }
}

test("incomplete usage is estimated including the reasoning, and a missing total is summed up", async () => {
  expect((await turnOf({})).usage).toMatchObject({ output_tokens: 3, total_tokens: expect.any(Number) });
  expect((await turnOf({ total_tokens: 9, completion_tokens: null })).usage).toMatchObject({ output_tokens: 3 });
  expect((await turnOf({ prompt_tokens: 2, completion_tokens: 3 })).usage).toEqual({
    ...{ input_tokens: 2, output_tokens: 3, total_tokens: 5 },
  });
});

test("a provider waits while the reader is behind, and is closed when the reader leaves", async () => {
  const event = `data: ${JSON.stringify({ choices: [{ delta: { content: "x".repeat(100) } }] })}\n\n`.repeat(1_000);
  const waits = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const { origin, close } = await startLoopbackServer((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.on("close", closed.resolve);
    // A reader that took everything would soon have more than a turn may have.
    const write = () => {
      while (!response.writableNeedDrain && !response.destroyed) response.write(event);
      untilStill(0);
    };
    const untilStill = (turns: number) => {
      if (response.destroyed || !response.writableNeedDrain) return;
      if (turns > 5_000) waits.resolve();
      else setImmediate(untilStill, turns + 1);
    };
    response.on("drain", write);
    write();
  });
  const limits = { connectMs: 5_000, firstTokenMs: 5_000, idleMs: 5_000, totalMs: 60_000 };
  const provider = createOpenAiProvider({ baseUrl: `${origin}/v1`, apiKey: "key", limits });
  try {
    const model = provider.model({ defaultModel: "m", responseFormat: "none" });
    const stream = model.stream({ messages: [{ role: "user", content: "Hi" }] }, new AbortController().signal);
    await stream.next();
    await waits.promise;
    expect(await stream.next()).toMatchObject({ done: false });
    await stream.return(undefined as never);
    await closed.promise;
  } finally {
    await provider.close();
    await close();
  }
});

test.each<[form: string, thought: object]>([
  ["reasoning_content", { reasoning_content: "so " }],
  ["reasoning", { reasoning: "so " }],
  ["a part of type thinking", { content: [{ type: "thinking", thinking: [{ type: "text", text: "so " }] }] }],
  ["text within think tags", { content: "<think>so </think>" }],
])("a model that thinks for longer than the limit of the first token, in %s, is not cut off", async (_, thought) => {
  const FIRST_TOKEN_MS = 400;
  const { origin, close } = await startLoopbackServer((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const send = (delta: object, finish_reason: string | null = null) =>
      response.write(`data: ${JSON.stringify({ choices: [{ delta, finish_reason }] })}\n\n`);
    let thoughts = 0;
    const timer = setInterval(() => {
      if (++thoughts <= 12) {
        send(thought);
        return;
      }
      send({ content: "Done" }, "stop");
      response.end("data: [DONE]\n\n");
    }, FIRST_TOKEN_MS / 4);
    response.on("close", () => clearInterval(timer));
  });
  const limits = { connectMs: 5_000, firstTokenMs: FIRST_TOKEN_MS, idleMs: FIRST_TOKEN_MS, totalMs: 60_000 };
  const provider = createOpenAiProvider({ baseUrl: `${origin}/v1`, apiKey: "key", limits });
  try {
    const model = provider.model({ defaultModel: "m", responseFormat: "none" });
    const stream = model.stream({ messages: [{ role: "user", content: "Hi" }] }, new AbortController().signal);
    let step = await stream.next();
    while (!step.done) step = await stream.next();
    expect(step.value).toMatchObject({ content: "Done", reasoning: expect.stringContaining("so") });
  } finally {
    await provider.close();
    await close();
  }
});
