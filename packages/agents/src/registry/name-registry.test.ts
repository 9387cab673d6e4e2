import { expect, test } from "vitest";
import { createNameRegistry } from "./name-registry.ts";

const A = { file: "/plugins/a.ts", line: 7 };
const B = { file: "/plugins/b.ts", line: null };

test("a name belongs to its first holder, whose file and line the error names", () => {
  const things = createNameRegistry<number>("thing");
  things.add("one", 1, null);
  things.add("two", 2, A);
  things.add("three", 3, B);
  expect(() => things.add("one", 9, A)).toThrow(/^(?=.*\bthing "one")(?!.*\/plugins\/)/);
  expect(() => things.add("two", 9, B)).toThrow(/\bthing "two".*\/plugins\/a\.ts\b.*\b7$/);
  expect(() => things.add("three", 9, A)).toThrow(/\bthing "three".*\/plugins\/b\.ts$/);
  expect(things.values()).toEqual([1, 2, 3]);
});

test("a revoked plugin loses its names and registers nothing later, while other holders keep theirs", () => {
  const things = createNameRegistry<number>("thing");
  things.add("a's", 1, A);
  things.add("b's", 2, B);
  things.add("platform's", 3, null);
  things.revoke(A.file);
  expect(things.values()).toEqual([2, 3]);
  expect(() => things.add("late", 4, A)).toThrow(A.file);
  things.add("a's", 5, B);
  expect(things.get("a's")).toBe(5);
});

test("two registries share neither names nor revoked plugins", () => {
  const [first, second] = [createNameRegistry<number>("thing"), createNameRegistry<number>("thing")];
  first.revoke(A.file);
  second.add("one", 1, A);
  expect([first.get("one"), second.get("one")]).toEqual([undefined, 1]);
});
