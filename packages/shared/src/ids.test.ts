import { expect, test } from "vitest";
import { createIdSource, newId } from "./ids.ts";

const HOUR = 3_600_000;
const timeOf = (id: string) => Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16);

test("the ids of a source carry the time of its clock, and rise within one millisecond", () => {
  const newId = createIdSource(() => 1_700_000_000_000.7);
  const ids = Array.from({ length: 1_000 }, newId);
  expect(new Set(ids.map(timeOf))).toEqual(new Set([1_700_000_000_000]));
  expect([...ids].sort()).toEqual(ids);
  expect(new Set(ids).size).toBe(1_000);
});

test("ids of this process rise, also within one millisecond", () => {
  const ids = Array.from({ length: 2_000 }, newId);
  expect([...ids].sort()).toEqual(ids);
});

test("the ids of a source rise over a small correction of its clock, and follow a large one", () => {
  let now = 1_700_000_000_000;
  const newId = createIdSource(() => now);
  const first = newId();
  now -= 500;
  const second = newId();
  expect([second > first, timeOf(second)]).toEqual([true, timeOf(first)]);
  now -= HOUR;
  expect(timeOf(newId())).toBe(now);
});
