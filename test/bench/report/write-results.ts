/** Writes results: to `results/latest.*` after a full run, to other names after a quick or partial one. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "../../../scripts/start/processes.ts";
import type { BenchOptions } from "../options.ts";
import { drawChart } from "./chart.ts";
import { drawPage } from "./markdown.ts";
import { drawSection, putSection } from "./performance-section.ts";
import type { Report } from "./report.ts";

const RESULTS = join(import.meta.dirname, "../results");
const PAGES = { en: "docs/performance.md", zh: "docs/zh-CN/performance.md" } as const;

const nameOf = ({ quick, only, systems }: BenchOptions) =>
  only !== null || systems !== null ? "partial" : quick ? "quick" : "latest";

/** Resolves to the path of the page. */
export async function writeResults(report: Report): Promise<string> {
  const name = nameOf(report.options);
  const path = (extension: string) => join(RESULTS, `${name}.${extension}`);
  await mkdir(RESULTS, { recursive: true });
  await writeFile(path("json"), `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(path("svg"), drawChart(report.summary, report.scenarios));
  await writeFile(path("md"), drawPage(report, `${name}.svg`));
  return path("md");
}

export async function writePages(): Promise<void> {
  const report = JSON.parse(await readFile(join(RESULTS, "latest.json"), "utf8")) as Report;
  for (const [language, file] of Object.entries(PAGES) as [keyof typeof PAGES, string][]) {
    const page = await readFile(join(ROOT, file), "utf8");
    await writeFile(join(ROOT, file), putSection(page, drawSection(report, language)));
  }
}
