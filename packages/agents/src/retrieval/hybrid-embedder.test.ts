import { expect, test } from "vitest";
import type { Embedder } from "../model/embedder.ts";
import { createHybridEmbedder, readingAlso } from "./hybrid-embedder.ts";
import { createLocalEmbedder, DIMENSIONS } from "./local-embedder.ts";

const { signal } = new AbortController();
const meaning: Embedder = { name: "model-3", embed: async (texts) => texts.map(() => [0.6, 0.8]) };
const local = createLocalEmbedder();
const hybrid = createHybridEmbedder(meaning, local);
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);

test("a vector has both parts and length 1, and each probe compares one of them", async () => {
  const [vector = []] = await hybrid.embed(["some words"], signal);
  expect(vector).toHaveLength(2 + DIMENSIONS);
  expect(Math.hypot(...vector)).toBeCloseTo(1, 9);
  const [byMeaning, byTerms] = (await hybrid.probes?.("other words", signal)) ?? [];
  const [[one = []], [other = []]] = [
    await local.embed(["some words"], signal),
    await local.embed(["other words"], signal),
  ];
  expect(dot(byMeaning?.vector ?? [], vector) * (byMeaning?.scale ?? 0)).toBeCloseTo(1, 9);
  expect(dot(byTerms?.vector ?? [], vector) * (byTerms?.scale ?? 0)).toBeCloseTo(dot(one, other), 9);
});

test("collections with and without terms can be read, whichever are made", () => {
  expect(hybrid.name).toBe(`model-3+${local.name}`);
  expect(readingAlso(hybrid, meaning).reads?.("model-3")).toBe(meaning);
  expect(readingAlso(meaning, hybrid).reads?.(hybrid.name)).toBe(hybrid);
  expect(readingAlso(meaning, hybrid).reads?.("model-4")).toBeUndefined();
});
