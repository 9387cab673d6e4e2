import { expect, test } from "vitest";
import { createScriptedModel } from "../testing/scripted-model.ts";
import { createLazyEmbedder, createLazyModel } from "./lazy-model.ts";
import type { ModelChunk } from "./model.ts";

const REQUEST = { messages: [{ role: "user", content: "Hello" }] } as const;
const USAGE = { input_tokens: 1, output_tokens: 1, total_tokens: 2 };

async function read(stream: AsyncGenerator<ModelChunk, unknown>): Promise<{ text: string; turn: unknown }> {
  let text = "";
  for (;;) {
    const { done, value } = await stream.next();
    if (done) return { text, turn: value };
    text += value.content;
  }
}

test("a lazy model opens with its first turn and passes on every turn whole", async () => {
  let opened = 0;
  const scripted = createScriptedModel({ pieces: ["one ", "two"], usage: USAGE }, { pieces: ["three"], usage: USAGE });
  const model = createLazyModel(async () => {
    opened++;
    return scripted;
  });
  expect(opened).toBe(0);
  const signal = new AbortController().signal;
  expect(await read(model.stream(REQUEST, signal))).toMatchObject({ text: "one two", turn: { usage: USAGE } });
  expect(await read(model.stream(REQUEST, signal))).toMatchObject({ text: "three" });
  expect(opened).toBe(1);
});

test("a turn that is aborted while its model opens asks nobody, and rejects with the signal's reason", async () => {
  const opening = Promise.withResolvers<ReturnType<typeof createScriptedModel>>();
  const model = createLazyModel(() => opening.promise);
  const stop = new AbortController();
  const turn = read(model.stream(REQUEST, stop.signal));
  stop.abort(new Error("cancelled"));
  opening.resolve(createScriptedModel({ pieces: ["never"], usage: USAGE }));
  await expect(turn).rejects.toThrow("cancelled");
});

test("a lazy embedder has its name before it opens, and a failure to open is the caller's", async () => {
  const embedder = createLazyEmbedder("meaning-1", async () => {
    throw new Error("cannot be loaded");
  });
  expect(embedder.name).toBe("meaning-1");
  await expect(embedder.embed(["a"], new AbortController().signal)).rejects.toThrow("cannot be loaded");
});
