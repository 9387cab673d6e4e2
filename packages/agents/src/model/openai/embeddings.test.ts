/** Embeddings as providers send them, and the batches in which they take texts. */
import { describe, expect, test } from "vitest";
import {
  type Answer,
  type Asked,
  failureOf,
  json,
  withProvider,
} from "../../../../../test/support/scripted-provider.ts";

/** A vector that tells its text by its direction. */
const vectorOf = (text: string): number[] => [Number(text), 1];
const answerFor = ({ input }: Asked): Answer =>
  json(200, { data: input.map((text: string, index: number) => ({ index, embedding: vectorOf(text) })) });
const unit = (text: string) => vectorOf(text).map((value) => value / Math.hypot(...vectorOf(text)));
const textsUpTo = (count: number) => Array.from({ length: count }, (_, at) => String(at));

const embedWith = <T>(
  answer: (body: Asked, at: number) => Answer,
  use: (embed: (texts: string[]) => Promise<number[][]>, asked: readonly Asked[]) => Promise<T>,
  batchSize = 64,
) =>
  withProvider(answer, ({ provider, asked }) => {
    const embedder = provider.embedder("e", batchSize);
    return use((texts) => embedder.embed(texts, new AbortController().signal), asked);
  });

const sizes = (asked: readonly Asked[]) => asked.map(({ input }) => input.length);

describe("batches", () => {
  test("texts go to the provider in batches of the set size, and their vectors come back in order", async () => {
    await embedWith(
      answerFor,
      async (embed, asked) => {
        expect(await embed(textsUpTo(7))).toEqual(textsUpTo(7).map(unit));
        expect(sizes(asked)).toEqual([3, 3, 1]);
        expect(await embed([])).toEqual([]);
      },
      3,
    );
  });

  test.each<[provider: string, limit: number, refusal: Answer, tried: number[]]>([
    [
      "DashScope",
      10,
      json(400, {
        error: {
          code: "InvalidParameter",
          message: "batch size is invalid, it should not be larger than 10.: input.contents",
        },
      }),
      [64, 10],
    ],
    [
      "TEI",
      32,
      json(413, { error: "batch size 64 > maximum allowed batch size 32", error_type: "Validation" }),
      [64, 32],
    ],
    [
      "Cohere",
      20,
      json(400, { message: "invalid request: total number of texts must be at most 20 - received 64" }),
      [64, 20],
    ],
    [
      "Jina",
      50,
      json(422, {
        detail: [{ loc: ["body", "input"], msg: "List should have at most 50 items after validation, not 64" }],
      }),
      [64, 50],
    ],
    ["Mistral", 25, json(400, { message: "Too many inputs in request, split into more batches." }), [64, 32, 16]],
  ])("a batch that %s refuses is divided, and the size is remembered", async (_, limit, refusal, tried) => {
    await embedWith(
      (body) => (body.input.length > limit ? refusal : answerFor(body)),
      async (embed, asked) => {
        expect(await embed(textsUpTo(70))).toEqual(textsUpTo(70).map(unit));
        expect(sizes(asked).slice(0, tried.length)).toEqual(tried);
        const before = asked.length;
        await embed(textsUpTo(70));
        expect(Math.max(...sizes(asked.slice(before)))).toBe(tried.at(-1));
      },
    );
  });

  test("a batch with too many tokens is divided for this call alone", async () => {
    const refusal = json(400, { error: { message: "Requested 300000 tokens, max 200000 tokens per request" } });
    await embedWith(
      (body, at) => (at === 0 ? refusal : answerFor(body)),
      async (embed, asked) => {
        expect(await embed(textsUpTo(64))).toHaveLength(64);
        await embed(textsUpTo(64));
        expect(sizes(asked)).toEqual([64, 32, 32, 64]);
      },
    );
  });

  test("a text that is too long fails with the provider's words, after few requests", async () => {
    const refusal = json(400, {
      error: { message: "This model's maximum context length is 8192 tokens, however you requested 9000 tokens" },
    });
    await embedWith(
      ({ input }) => (input.includes("60") ? refusal : answerFor({ input })),
      async (embed, asked) => {
        expect(await failureOf(embed(textsUpTo(64)))).toMatchObject({ code: "model_context_exceeded" });
        expect(asked.length).toBeLessThan(20);
        const before = asked.length;
        await embed(textsUpTo(50));
        expect(sizes(asked.slice(before))).toEqual([50]);
      },
    );
  });

  test.each([
    ["a wrong key", json(401, { error: { message: "No batch size for you" } }), "model_auth_failed"],
    ["another fault", json(400, { error: { message: "Unknown model" } }), "model_rejected"],
    ["a failure with status 200", json(200, { error: { message: "Down", code: 503 } }), "model_unavailable"],
  ])("%s is no reason to divide a batch", async (_, answer, code) => {
    await embedWith(
      () => answer,
      async (embed, asked) => {
        expect((await failureOf(embed(textsUpTo(4)))).code).toBe(code);
        expect(asked).toHaveLength(1);
      },
    );
  });
});

describe("vectors", () => {
  const base64 = (...values: number[]) => Buffer.from(Float32Array.from(values).buffer).toString("base64");

  test.each<[form: string, data: object[]]>([
    [
      "in another order",
      [
        { index: 1, embedding: [0, 2] },
        { index: 0, embedding: [3, 0] },
      ],
    ],
    ["without indices", [{ embedding: [3, 0] }, { embedding: [0, 2] }]],
    ["without the index 0", [{ index: 1, embedding: [0, 2] }, { embedding: [3, 0] }]],
    [
      "in base64",
      [
        { index: 0, embedding: base64(3, 0) },
        { index: 1, embedding: base64(0, 2) },
      ],
    ],
  ])("vectors %s are read", async (_, data) => {
    await embedWith(
      () => json(200, { data }),
      async (embed) =>
        expect(await embed(["a", "b"])).toEqual([
          [1, 0],
          [0, 1],
        ]),
    );
  });

  const sound = { index: 1, embedding: [1, 0] };
  test.each<[fault: string, answer: unknown]>([
    ["null", { data: [{ index: 0, embedding: null }, sound] }],
    ["a vector of nulls", { data: [{ index: 0, embedding: [null, null] }, sound] }],
    ["one null in a vector", { data: [{ index: 0, embedding: [1, null] }, sound] }],
    ["an empty vector", { data: [{ index: 0, embedding: [] }, sound] }],
    ["a vector of another length", { data: [{ index: 0, embedding: [1, 0, 0] }, sound] }],
    ["a vector of texts", { data: [{ index: 0, embedding: ["1", "0"] }, sound] }],
    ["a vector that overflows", { data: [{ index: 0, embedding: [1.7e308, 1.7e308] }, sound] }],
    ["base64 that is none", { data: [{ index: 0, embedding: "abc" }, sound] }],
    ["not-a-number in base64", { data: [{ index: 0, embedding: base64(Number.NaN, 1) }, sound] }],
    ["an index twice", { data: [sound, sound] }],
    ["an index beyond", { data: [{ index: 2, embedding: [1, 0] }, sound] }],
    ["too few", { data: [sound] }],
    ["too many", { data: [sound, sound, sound] }],
    ["no list", { data: null }],
    ["nothing", {}],
  ])("%s is refused", async (_, answer) => {
    await embedWith(
      () => json(200, answer),
      async (embed) => expect(await failureOf(embed(["a", "b"]))).toMatchObject({ code: "model_unavailable" }),
    );
  });

  test("vectors of two lengths in two batches are refused", async () => {
    await embedWith(
      (_, at) => json(200, { data: [{ index: 0, embedding: at === 0 ? [1, 0] : [1, 0, 0] }] }),
      async (embed) => expect((await failureOf(embed(["a", "b"]))).code).toBe("model_unavailable"),
      1,
    );
  });
});
