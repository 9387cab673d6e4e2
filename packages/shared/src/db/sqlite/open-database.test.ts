import { expect, test } from "vitest";
import { databaseFile, isTooOld, MIN_SQLITE_VERSION } from "./open-database.ts";

test("SQLite versions are compared as numbers, and those with the fault of the write-ahead log are too old", () => {
  expect(["3.51.2", "3.9.10", "3.50.99", "2.99.99"].map(isTooOld)).toEqual([true, true, true, true]);
  expect([MIN_SQLITE_VERSION, "3.51.10", "3.52.0", "4.0.0"].map(isTooOld)).toEqual([false, false, false, false]);
});

test("a database URL is a path or either form of a file URL", () => {
  expect(["data/a.db", "file:data/a.db", "file:///data/a.db"].map(databaseFile)).toEqual([
    "data/a.db",
    "data/a.db",
    "/data/a.db",
  ]);
});

test("what `?` begins is no part of a file URL's path, and %20 is a space; a path is as it stands", () => {
  const urls = ["file:./my%20data/a.db?mode=rw", "file:///my%20data/a.db?x=1", "file:100%.db", "my%20data/a?.db"];
  expect(urls.map(databaseFile)).toEqual(["./my data/a.db", "/my data/a.db", "100%.db", "my%20data/a?.db"]);
});
