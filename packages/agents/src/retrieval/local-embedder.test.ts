import { expect, test } from "vitest";
import { createLocalEmbedder, DIMENSIONS } from "./local-embedder.ts";

const embedder = createLocalEmbedder();
const embed = (...texts: string[]) => embedder.embed(texts, AbortSignal.timeout(10_000));

async function cosine(one: string, other: string): Promise<number> {
  const [a = [], b = []] = await embed(one, other);
  return a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
}

test("vectors have length 1, even of a text without words, and are reproducible", async () => {
  for (const text of ["Redis keeps the event log.", "事件日志保存在 Redis 中", "", "?!", "的"]) {
    const [vector = []] = await embed(text);
    expect(vector).toHaveLength(DIMENSIONS);
    expect(Math.hypot(...vector)).toBeCloseTo(1, 10);
    expect(await embed(text)).toEqual([vector]);
  }
});

test("the vectors of this embedder's name never change", async () => {
  const [vector = []] = await embed("Agents stream tokens; 智能体流式输出");
  expect(embedder.name).toBe("local-hash-2048-v2");
  const places = vector.flatMap((value, at) => (value === 0 ? [] : [`${at}:${value.toFixed(3)}`]));
  expect(places.join(" ")).toMatchInlineSnapshot(
    `"507:-0.333 537:0.333 938:0.333 1010:-0.333 1053:-0.333 1366:0.333 1407:-0.333 1649:0.333 1719:-0.333"`,
  );
});

test.each([
  ["How are jobs cancelled?", "A cancelled job keeps its text.", "The database is opened read-only."],
  ["怎样取消任务？", "被取消的任务会保留已生成的文本。", "数据库以只读方式打开。"],
  ["which setting limits the first token", "MODEL_FIRST_TOKEN_TIMEOUT_MS", "WORKER_CHAT_CONCURRENCY"],
])("the query %s is nearer to a text that shares its words", async (query, near, far) => {
  expect(await cosine(query, near)).toBeGreaterThan((await cosine(query, far)) + 0.1);
});

test("embedding many texts yields to the event loop, and ends when the signal aborts", async () => {
  const texts = Array.from({ length: 3_000 }, (_, at) => `text ${at} of many, with some words in it`.repeat(5));
  const stop = new AbortController();
  setImmediate(() => stop.abort(new Error("stopped")));
  await expect(embedder.embed(texts, stop.signal)).rejects.toThrow("stopped");
});

test("collections of the former version can be read and added to; others cannot", async () => {
  const former = embedder.reads?.("local-hash-2048-v1");
  expect(former?.name).toBe("local-hash-2048-v1");
  expect(await former?.embed(["text"], AbortSignal.timeout(10_000))).toEqual(await embed("text"));
  expect(embedder.reads?.("local-hash-1024-v1")).toBeUndefined();
});
