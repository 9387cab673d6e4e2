import { expect, test } from "vitest";
import { isTooOld, MIN_SQLITE_VERSION } from "./open-database.ts";

test("SQLite versions are compared as numbers, and those with the fault of the write-ahead log are too old", () => {
  expect(["3.51.2", "3.9.10", "3.50.99", "2.99.99"].map(isTooOld)).toEqual([true, true, true, true]);
  expect([MIN_SQLITE_VERSION, "3.51.10", "3.52.0", "4.0.0"].map(isTooOld)).toEqual([false, false, false, false]);
});
