/** The documents' table of providers against the cases that are under test. */
import { expect, test } from "vitest";
import { PROVIDERS } from "../providers/index.ts";
import { readText } from "../support/sources.ts";

const FILES = ["docs/providers.md", "docs/zh-CN/providers.md"];

/** What stands before the first section: that is about several models. */
const sectionOf = (file: string) => readText(file).split("\n## ")[0] ?? "";

/** The cells of its table, without its head. */
function rowsIn(file: string): string[][] {
  return sectionOf(file)
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .slice(1)
    .map((line) => line.slice(2, -2).split(" | "));
}

test.each(FILES)("%s has a row for each provider with the number of its cases", (file) => {
  const rows = rowsIn(file);
  expect(rows.map(([name, cases, , settings]) => [name, cases, settings])).toEqual(
    PROVIDERS.map(({ name, cases, settings }) => [name, `${cases.length}`, settings]),
  );
  expect(rows.filter(([, , tried = ""]) => tried.trim().length < 10)).toEqual([]);
});

test.each(FILES)("%s says how many cases there are, and that none of them is live", (file) => {
  const count = PROVIDERS.reduce((sum, { cases }) => sum + cases.length, 0);
  expect(sectionOf(file)).toContain(` ${count} `);
  expect(sectionOf(file)).toMatch(/not live|未连接真实服务/);
});

test.each(["README.md", "README.zh-CN.md"])("%s says how many cases there are", (file) => {
  expect(readText(file)).toContain(` ${PROVIDERS.reduce((sum, { cases }) => sum + cases.length, 0)} `);
});
