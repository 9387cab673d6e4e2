import { expect, test } from "vitest";
import { waitFor } from "../../../../test/support/wait-for.ts";
import { createSlowSchemas } from "./slow-schemas.ts";

const REASON = new Error("slow");

test("a schema is too slow for values at least as long as the shortest that took too much", () => {
  const slow = createSlowSchemas({ max: 10, keepMs: 60_000 });
  slow.remember("a", 500, REASON);
  slow.remember("a", 100, REASON);
  slow.remember("a", 300, REASON);
  expect([99, 100, 1_000].map((chars) => slow.find("a", chars))).toEqual([null, REASON, REASON]);
  expect(slow.find("b", 1_000)).toBeNull();
  slow.remember("b", 0, REASON);
  expect(slow.find("b", 0)).toBe(REASON);
});

test("the oldest schema is forgotten when there are too many, and each after its time", async () => {
  const slow = createSlowSchemas({ max: 2, keepMs: 300 });
  for (const schema of ["a", "b", "a", "c"]) slow.remember(schema, 0, REASON);
  expect(["a", "b", "c"].map((schema) => slow.find(schema, 0))).toEqual([REASON, null, REASON]);
  await waitFor("the end of the time", () => slow.find("a", 0) === null && slow.find("c", 0) === null);
});
