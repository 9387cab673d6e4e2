import { expect, test } from "vitest";
import { databaseFile, isTooOld, MIN_SQLITE_VERSION } from "./open-database.ts";

test("an SQLite with the fault of the write-ahead log is refused, number by number and not letter by letter", () => {
  expect(["3.51.2", "3.9.10", "3.50.99", "2.99.99"].map(isTooOld)).toEqual([true, true, true, true]);
  expect([MIN_SQLITE_VERSION, "3.51.10", "3.52.0", "4.0.0"].map(isTooOld)).toEqual([false, false, false, false]);
});

test("the file is given as a path or as either form of URL", () => {
  expect(["data/a.db", "file:data/a.db", "file:///data/a.db"].map(databaseFile)).toEqual([
    "data/a.db",
    "data/a.db",
    "/data/a.db",
  ]);
});
