/** Incomplete usage, as some providers send it. Everything else is tested with the local model server. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
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
