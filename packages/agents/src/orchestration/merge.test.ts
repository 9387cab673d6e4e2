import { expect, test } from "vitest";
import { createMerge } from "./merge.ts";

/** A source that records how far it was pulled, and whether it was closed. */
function source(values: readonly string[], result: string) {
  const state = { pulled: 0, closed: false };
  async function* generate(): AsyncGenerator<string, string> {
    try {
      for (const value of values) {
        state.pulled += 1;
        yield value;
      }
      return result;
    } finally {
      state.closed = true;
    }
  }
  return { generator: generate(), state };
}

/** A source that yields when `open` is called and throws when `fail` is called. */
function gated() {
  const gate = Promise.withResolvers<string>();
  async function* generate(): AsyncGenerator<string, string> {
    yield await gate.promise;
    return "end";
  }
  return { generator: generate(), open: gate.resolve, fail: gate.reject };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test("the values of each source are read in their order, and its result last", async () => {
  const merge = createMerge<string, string, string>();
  merge.add("a", source(["a1", "a2"], "A").generator);
  merge.add("b", source(["b1", "b2", "b3"], "B").generator);
  const seen: Record<string, string[]> = { a: [], b: [] };
  while (merge.size > 0) {
    const { key, value } = await merge.next();
    seen[key]?.push(value);
  }
  expect(seen).toEqual({ a: ["a1", "a2", "A"], b: ["b1", "b2", "b3", "B"] });
});

test("values are read in the order of arrival, and a busy source does not delay another", async () => {
  const merge = createMerge<string, string, string>();
  const slow = gated();
  merge.add("slow", slow.generator);
  merge.add("busy", source(["1", "2", "3", "4", "5"], "end").generator);
  expect((await merge.next()).value).toBe("1");
  slow.open("at last");
  await settle();
  const next = [await merge.next(), await merge.next()].map(({ value }) => value);
  expect(next).toContain("at last");
});

test("a source is pulled again only when its value was taken and next is called", async () => {
  const merge = createMerge<string, string, string>();
  const { generator, state } = source(["1", "2", "3"], "end");
  merge.add("a", generator);
  await settle();
  expect(state.pulled).toBe(1);
  await merge.next();
  await settle();
  expect(state.pulled).toBe(1);
  await merge.next();
  await settle();
  expect(state.pulled).toBe(2);
});

test("a source can be added after another has ended", async () => {
  const merge = createMerge<string, string, string>();
  merge.add("a", source([], "A").generator);
  expect(await merge.next()).toEqual({ key: "a", done: true, value: "A" });
  merge.add("b", source(["b1"], "B").generator);
  expect(await merge.next()).toEqual({ key: "b", done: false, value: "b1" });
  expect(await merge.next()).toEqual({ key: "b", done: true, value: "B" });
  expect(merge.size).toBe(0);
});

test("an error of one source reaches the reader, and the other sources can still be closed", async () => {
  const merge = createMerge<string, string, string>();
  const broken = gated();
  const other = source(["1", "2"], "end");
  merge.add("broken", broken.generator);
  merge.add("other", other.generator);
  await merge.next();
  broken.fail(new Error("broken"));
  await expect(merge.next().then(() => merge.next())).rejects.toThrow("broken");
  await merge.close();
  expect(other.state.closed).toBe(true);
});

test("closing closes every source, even one whose value was not taken", async () => {
  const merge = createMerge<string, string, string>();
  const sources = [source(["1", "2"], "end"), source(["1"], "end")];
  for (const { generator } of sources) merge.add("x", generator);
  await merge.next();
  await merge.close();
  expect(sources.map(({ state }) => state.closed)).toEqual([true, true]);
});
