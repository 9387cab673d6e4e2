/**
 * `npm run tokens`: our token counts beside those of two tokenizers, by kind of text. The texts are the repository's
 * own and, for languages that it has no documents in, names and dates that the system writes in them.
 */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { countTokens } from "@agent-paas/agents/model/tokens.ts";
import { countTokens as cl100k } from "gpt-tokenizer/encoding/cl100k_base";
import { countTokens as o200k } from "gpt-tokenizer/encoding/o200k_base";
import { ROOT } from "../../scripts/start/processes.ts";

/** The tokenizers take quadratic time for long words. */
const SLICE = 512;
const LANGUAGES = ["de", "es", "fr", "pl", "vi", "ru", "uk", "el", "ar", "he", "hi", "th", "ja", "ko"];
const REGIONS = "AR AU BR CA CH CN DE EG ES FR GB GR ID IL IN IR IT JP KE KR MX NL PL RU SA SE TH TR UA US VN".split(
  " ",
);

const files = (pattern: string): string =>
  globSync(pattern, { cwd: ROOT })
    .map((file) => readFileSync(join(ROOT, file), "utf8"))
    .join("\n");
const proseOf = (text: string): string => text.replace(/```[^`]*```/g, "").replace(/^\|.*$/gm, "");

function namesIn(language: string): string {
  const region = new Intl.DisplayNames([language], { type: "region" });
  const date = new Intl.DateTimeFormat(language, { dateStyle: "full" });
  const dates = Array.from({ length: 12 }, (_, month) => date.format(Date.UTC(2026, month, 3 * month + 1)));
  const regions = REGIONS.map((code) => region.of(code) ?? code);
  return `${new Intl.ListFormat(language).format(regions)}. ${dates.join(" ")}`;
}

const TEXTS: readonly (readonly [string, string])[] = [
  ["English", proseOf(files("{README,ARCHITECTURE,CONTRIBUTING,docs/*}.md"))],
  ["Chinese", proseOf(files("{README.zh-CN,docs/zh-CN/*}.md"))],
  ["TypeScript", files("apps/worker/src/**/*.ts")],
  ["SQL", files("apps/worker/src/storage/*.sql")],
  ["JSON", files("package-lock.json").slice(0, 100_000)],
  ...LANGUAGES.map((language) => [`names and dates in ${language}`, namesIn(language)] as const),
];

const slicesOf = (text: string) =>
  Array.from({ length: Math.ceil(text.length / SLICE) }, (_, at) => text.slice(at * SLICE, (at + 1) * SLICE));

console.log(`${"".padEnd(24)}${["characters", "o200k", "cl100k", "ours", "to o200k", "to cl100k"].map(cell).join("")}`);
for (const [kind, text] of TEXTS) {
  const sum = (count: (slice: string) => number) => slicesOf(text).reduce((total, slice) => total + count(slice), 0);
  const [newer, older] = [o200k, cl100k].map((count) => sum((slice) => count(slice)));
  const ours = countTokens(text);
  const error = (to = 0) => `${ours < to ? "" : "+"}${Math.round((ours / to - 1) * 100)} %`;
  console.log(
    `${kind.padEnd(24)}${[text.length, newer, older, ours, error(newer), error(older)].map((value) => cell(value)).join("")}`,
  );
}

function cell(value: number | string | undefined): string {
  return String(value).padStart(11);
}
