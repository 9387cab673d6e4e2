/** The READMEs and the pages in docs: their two languages, their links, and their form. */
import { basename, dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { listFiles, readText } from "../support/sources.ts";

const MAX_COLUMNS = 120;
/** The glossary has both languages in one table. */
const NOT_TRANSLATED = ["docs/glossary.md"];

const FILES = listFiles();
const exists = (path: string) => FILES.some((file) => file === path || file.startsWith(`${path}/`));

const DOCUMENTS = FILES.filter((file) => file.endsWith(".md")).filter((file) => !file.includes("/results/"));
const PAGES = listFiles("docs/*.md").filter((file) => dirname(file) === "docs" && !NOT_TRANSLATED.includes(file));
const chineseOf = (page: string) => page.replace("docs/", "docs/zh-CN/");
const PAIRS = [["README.md", "README.zh-CN.md"] as const, ...PAGES.map((page) => [page, chineseOf(page)] as const)];

const FENCED = /^```.*\n[\s\S]*?^```$/gm;
const proseOf = (file: string) => readText(file).replace(FENCED, "");
const headingsOf = (file: string) =>
  [...proseOf(file).matchAll(/^(#+) (.*)$/gm)].map(([, level = "", title = ""]) => ({ level, title }));

/** The anchors that GitHub gives a file's headings; of equal ones only the first. */
const anchorsOf = (file: string) =>
  headingsOf(file).map(({ title }) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replace(/\s/g, "-"),
  );

/** Targets of links within the project, as paths below the root; the anchor is empty where there is none. */
const linksOf = (file: string) =>
  [...readText(file).matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)/g)].map(
    ([, path = "", anchor = ""]) => ({
      path: path === "" ? file : normalize(join(dirname(file), path)),
      anchor: decodeURIComponent(anchor),
    }),
  );

test("every page has its other language", () => {
  expect(PAGES.length).toBeGreaterThan(10);
  expect(listFiles("docs/zh-CN/*.md")).toEqual(PAGES.map(chineseOf));
});

test("decisions are numbered without a gap, each with its date, and their index has their titles in order", () => {
  const files = listFiles("docs/decisions/*.md").filter((file) => !file.endsWith("README.md"));
  expect(files.length).toBeGreaterThan(200);
  const lines = files.map((file, at) => {
    expect(basename(file)).toMatch(new RegExp(`^${String(at + 1).padStart(4, "0")}-`));
    const [title = "", , date = ""] = readText(file).split("\n");
    expect([file, date]).toEqual([file, expect.stringMatching(/^\d{4}-\d\d-\d\d\b/)]);
    return `- [${title.slice(2)}](${basename(file)})`;
  });
  expect(readText("docs/decisions/README.md").match(/^- .*$/gm)).toEqual(lines);
});

test.each(DOCUMENTS)("%s links only to files and headings that exist", (file) => {
  const missing = linksOf(file).filter(
    ({ path, anchor }) => !exists(path) || (anchor !== "" && !anchorsOf(path).includes(anchor)),
  );
  expect(missing).toEqual([]);
});

test("links to files and headings of other pages are found", () => {
  expect(
    PAIRS.flat()
      .flatMap(linksOf)
      .filter(({ anchor }) => anchor !== "").length,
  ).toBeGreaterThan(20);
});

describe.each(PAIRS)("%s and %s", (english, chinese) => {
  test("both languages have the same sections and the same commands", () => {
    const shape = (file: string) => headingsOf(file).map(({ level }) => level);
    const code = (file: string) =>
      [...readText(file).matchAll(FENCED)].map(([block]) => block.replace(/\s*(#|\/\/) .*$/gm, ""));
    expect(shape(chinese)).toEqual(shape(english));
    expect(code(chinese)).toEqual(code(english));
  });

  test("the rows of both languages' tables begin with the same names in code style", () => {
    const namesOf = (file: string) =>
      [...proseOf(file).matchAll(/^\| ([^|]*) \|/gm)].map(([, cell = ""]) => cell.match(/`[^`]+`/g)?.map(String));
    expect(namesOf(chinese)).toEqual(namesOf(english));
  });

  test("each language links to the other below its title", () => {
    for (const [from, to] of [[english, chinese] as const, [chinese, english] as const]) {
      const [title, blank, languages = ""] = readText(from).split("\n");
      expect([title?.slice(0, 2), blank]).toEqual(["# ", ""]);
      expect(languages).toMatch(/^(English \| \[中文\]\([^)]+\)|\[English\]\([^)]+\) \| 中文)$/);
      const [, path = ""] = /\(([^)]+)\)/.exec(languages) ?? [];
      expect(normalize(join(dirname(from), path))).toBe(to);
    }
  });

  test("a README has at most 200 lines, a page 300, and their prose fits the columns", () => {
    for (const file of [english, chinese]) {
      const lines = readText(file).trimEnd().split("\n");
      expect(lines.length, file).toBeLessThanOrEqual(basename(file).startsWith("README") ? 200 : 300);
      // What `npm run bench` writes is not wrapped.
      const prose = proseOf(file).replace(/<!-- bench:begin -->[\s\S]*<!-- bench:end -->/, "");
      const long = prose.split("\n").filter((line) => !line.startsWith("|") && line.length > MAX_COLUMNS);
      expect(long, file).toEqual([]);
    }
  });
});

test("a README links to every page of its language", () => {
  for (const [file, pages] of [["README.md", PAGES] as const, ["README.zh-CN.md", PAGES.map(chineseOf)] as const]) {
    const linked = new Set(linksOf(file).map(({ path }) => path));
    expect(pages.filter((page) => !linked.has(page))).toEqual([]);
  }
});
