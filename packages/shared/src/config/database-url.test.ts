import { expect, test } from "vitest";
import { CommonConfigSchema } from "./common-config.ts";
import { databaseFile, databaseUrlProblem } from "./database-url.ts";
import { readConfig } from "./read-config.ts";

test.each<[url: string, file: string]>([
  ["data/a.db", "data/a.db"],
  ["my%20data/a?.db", "my%20data/a?.db"],
  ["data/#1.db", "data/#1.db"],
  ["file:data/a.db", "data/a.db"],
  ["file:./my%20data/a.db", "./my data/a.db"],
  ["file:../a.db", "../a.db"],
  ["file:/data/a.db", "/data/a.db"],
  ["file:///my%20data/a.db", "/my data/a.db"],
  ["file://localhost/data/a.db", "/data/a.db"],
  ["FILE://LOCALHOST/data/a.db", "/data/a.db"],
  ["file:what%3F/%231.db", "what?/#1.db"],
  ["file:///%E6%95%B0%E6%8D%AE/a%2Bb+c.db", "/数据/a+b+c.db"],
  ["file:100%.db", "100%.db"],
  ["file:///100%.db", "/100%.db"],
  ["file:a.db?", "a.db"],
  ["file:a.db?mode=rwc&cache=private", "a.db"],
  [`file:${import.meta.filename}?mode=rw`, import.meta.filename],
])("the database URL %s names the file %s", (url, file) => {
  expect([databaseUrlProblem(url), databaseFile(url)]).toEqual([null, file]);
});

test.each<[url: string, problem: string]>([
  ["file:a.db?mode=ro", 'the parameter "mode"'],
  ["file:no-such-folder/a.db?mode=rw", "does not exist"],
  ["file:a.db?mode=rwc&mode=ro", 'the parameter "mode"'],
  ["file:a.db?mode=memory", 'the parameter "mode"'],
  ["file:///a.db?immutable=1", 'the parameter "immutable"'],
  ["file:a.db?cache=shared", 'the parameter "cache"'],
  ["file:a.db?v%66s=unix-none", 'the parameter "vfs"'],
  ["file:a.db?x", 'the parameter "x"'],
  ["file:a.db?MODE=rwc", 'the parameter "MODE"'],
  ["file:a.db#x", "fragment"],
  ["file:a.db?mode=rwc#x", "fragment"],
  ["file://server/a.db", "host"],
  ["file://data/a.db", "host"],
  ["file:", "path of a file"],
  ["file://", "path of a file"],
  ["file:?mode=rwc", "path of a file"],
  ["file:///data/", "path of a file"],
  ["file:a%00b.db", "NUL"],
  [":memory:", "in memory"],
  ["file::memory:", "in memory"],
  ["C:\\data\\a.db", "drive letter"],
  ["file:///C:/data/a.db", "drive letter"],
])("the database URL %s is refused at start: %s", (DATABASE_URL, problem) => {
  const env = { REDIS_URL: "redis://127.0.0.1:6379", DATABASE_URL };
  expect(() => readConfig(CommonConfigSchema, env)).toThrow(`DATABASE_URL: `);
  expect(() => readConfig(CommonConfigSchema, env)).toThrow(problem);
});
