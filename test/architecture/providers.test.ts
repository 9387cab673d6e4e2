/** The READMEs' table of providers against the cases that are under test. */
import { expect, test } from "vitest";
import { PROVIDERS } from "../providers/index.ts";
import { readText } from "../support/sources.ts";

const SECTIONS = { "README.md": "## Providers", "README.zh-CN.md": "## 模型服务商" };

/** The cells of the section's table, without its head. */
function rowsIn(file: string, heading: string): string[][] {
  const [, section = ""] = readText(file).split(`\n${heading}\n`);
  return (section.split("\n## ")[0] ?? "")
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .slice(1)
    .map((line) => line.slice(2, -2).split(" | "));
}

test.each(Object.entries(SECTIONS))("%s has a row for each provider with the number of its cases", (file, heading) => {
  const rows = rowsIn(file, heading);
  expect(rows.map(([name, cases, , settings]) => [name, cases, settings])).toEqual(
    PROVIDERS.map(({ name, cases, settings }) => [name, `${cases.length}`, settings]),
  );
  expect(rows.filter(([, , tried = ""]) => tried.trim().length < 10)).toEqual([]);
});

test.each(Object.entries(SECTIONS))(
  "%s says how many cases there are, and that none of them is live",
  (file, heading) => {
    const [, section = ""] = readText(file).split(`\n${heading}\n`);
    const count = PROVIDERS.reduce((sum, { cases }) => sum + cases.length, 0);
    expect(section).toContain(` ${count} `);
    expect(section).toMatch(/not live|未连接真实服务/);
  },
);
