/** The words of docs/glossary.md: what they replace stays out of code, comments, test titles and documents. */
import { expect, test } from "vitest";
import { listFiles, readText } from "../support/sources.ts";

const MAX_COLUMNS = 120;
const MAX_LINES = 300;

/** Each with the term that takes its place. Whole words, also as parts of names, which `readingsOf` takes apart. */
const REPLACED: readonly (readonly [banned: RegExp, term: string])[] = [
  [/suspect(s|ed)?\b|suspicion|judge_?suspect/i, "poison job"],
  [/\bunowned/i, "orphaned job"],
  [/\bender\b/, "finalizer"],
  [/\bmilestones?\b/i, "failpoint"],
  [/\bhand(s|ed|ing)?[ -]?back\b/i, "requeue"],
  [/disown/i, "superseded"],
  [/\bpark(s|ed|ing)?\b/i, "delay"],
  [/sessionTurns|SessionTurns|turnEntry|TurnEntry|takeTurn|dead[ -]turns?/, "session queue"],
  // `stubGlobal` is Vitest's.
  [/\bstubs?\b(?! ?global)/i, "pending session, or fake in tests"],
  [/\bstrays?\b/i, "unreferenced copy"],
  [/yardstick/i, "baseline"],
  [/notebook/i, "recorder"],
  [/misfortune/i, "incident"],
  [/case[ -]?file/i, "job evidence"],
  [/\bpurse\b/i, "spendable budget"],
  [/\bstranded\b|#strand\b/i, "disconnected"],
  [/\bleash/i, "parent-death watchdog"],
  [/openAnswers|OpenAnswers/, "open responses"],
  [/tickWheel|TickWheel/, "timing wheel"],
  [/\bdemand(NoEviction|Port)/, "assert"],
  [/\bbroughtBy\b|\bBrought\b/, "result"],
  [/\btell(s|ing)?(Again|Start|Queued|End|Gap|Result|Call)\b|\btoldAgain\b|knownEnd|KnownEnd/, "publish"],
  [/open_runs|openRuns|lostRuns/, "unfinished attempts"],
  [/\bNOBODY\b/, "NO_SIGNALS"],
];

/** The words' own list, and migrations that have run: they are history. */
const isExempt = (file: string) =>
  file === "test/architecture/vocabulary.test.ts" || /\/migrations\/00[1-7]-/.test(file) || isCompatibility(file);

/** Reads what version 0.1.0 left, so it has to spell its names. */
const isCompatibility = (file: string) =>
  ["packages/shared/src/redis/upgrade-redis.ts", "packages/shared/src/redis/keys.ts"].includes(file) ||
  file.includes("former-version");

const sources = listFiles("*.ts", "*.tsx", "*.mjs").filter((file) => !isExempt(file));
const GLOSSARY = "docs/glossary.md";
const documents = listFiles(
  ...["README.md", "README.zh-CN.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", ".env.example"],
  ...["CHANGELOG.md", "test/bench/README.md", "scripts/model-server/README.md", "docs/*.md"],
).filter((file) => file !== GLOSSARY);

/** Of the changelog: what is not released yet, without the old name where it says that `old` is `new`. */
function vocabularyOf(file: string): string {
  if (file !== "CHANGELOG.md") return readText(file);
  const [unreleased = ""] = readText(file).split(/^## (?!Unreleased)/m);
  return unreleased.replace(/`[^`\n]+`(?=\s+is\s+`)/g, "");
}

/** The line, and the line with the words of camelCase and snake_case names apart, in lower case. */
const readingsOf = (line: string): readonly string[] => [
  line,
  line
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replaceAll("_", " ")
    .toLowerCase(),
];

test("the documents whose words are checked exist", () => {
  expect(documents).toHaveLength(9 + 2 * 15 + listFiles("docs/decisions/*.md").length);
  expect(vocabularyOf("CHANGELOG.md")).toContain("## Unreleased");
});

test("no source and no document uses a word that the glossary has replaced", () => {
  const found = [...sources, ...documents].flatMap((file) =>
    vocabularyOf(file)
      .split("\n")
      .flatMap((line, at) =>
        REPLACED.filter(([banned]) => readingsOf(line).some((reading) => banned.test(reading))).map(
          ([, term]) => `${file}:${at + 1}: say ${term}`,
        ),
      ),
  );
  expect(found).toEqual([]);
});

test(`no line of a source is wider than ${MAX_COLUMNS} columns`, () => {
  const wide = listFiles("*.ts", "*.mjs").flatMap((file) =>
    readText(file)
      .split("\n")
      .flatMap((line, at) => (line.length > MAX_COLUMNS && !isUnbreakable(line) ? [`${file}:${at + 1}`] : [])),
  );
  expect(wide).toEqual([]);
});

/** Text that the formatter leaves alone: a literal, a template, a row of data. */
const isUnbreakable = (line: string): boolean => !/^\s*(\/\/|\/?\*)/.test(line);

test(`no source is longer than ${MAX_LINES} lines`, () => {
  const long = listFiles("*.ts").filter((file) => readText(file).split("\n").length - 1 > MAX_LINES);
  expect(long).toEqual([]);
});
