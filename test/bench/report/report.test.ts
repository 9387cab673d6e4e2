import { describe, expect, test } from "vitest";
import { readOptions } from "../options.ts";
import { drawChart } from "./chart.ts";
import { drawPage } from "./markdown.ts";
import { drawSection, putSection } from "./performance-section.ts";
import { createReport, type Report } from "./report.ts";
import type { Sample } from "./summary.ts";
import { formatRange } from "./table.ts";

const sample = (scenario: string, system: string, round: number, figures: Sample["figures"]): Sample => ({
  ...{ scenario, system, round, figures },
});

/** `ours` costs as much as `direct` at 500 streams, and 1.5 times as much in the scenario `fast`. */
const SAMPLES = [1, 2, 3].flatMap((round) => [
  sample("s500", "direct", round, { cpuUsPerToken: 100 + round, lagMsP99: 30, peakMiB: 250 }),
  sample("s500", "ours", round, { cpuUsPerToken: 100 + round, lagMsP99: 20, peakMiB: 500 }),
  sample("fast", "direct", round, { cpuUsPerToken: 20, tokensPerSecond: 50_000 }),
  sample("fast", "ours", round, { cpuUsPerToken: 30, tokensPerSecond: 40_000 }),
  sample("single", "model", round, { firstTokenMsP50: 2 * round, firstTokenMsP99: 3 }),
  sample("single", "ours", round, { firstTokenMsP50: 2 * round + 4, firstTokenMsP99: 9 }),
]);

const report = createReport({
  startedAt: "2026-11-22T10:00:00.000Z",
  options: readOptions([]),
  environment: { commit: "0123456789", machine: "2 × a processor", versions: { node: "v24" }, loadBefore: 0.1 },
  scenarios: { s500: "500 streams × 20 tokens/s", fast: "as fast as <possible>", single: "one at a time" },
  remarks: [],
  samples: SAMPLES,
});
const verdictOf = (claim: string) => report.targets.find((target) => target.claim.startsWith(claim));

describe("summary", () => {
  test("a summary has the median and the range of the rounds", () => {
    expect(report.summary.s500?.ours?.cpuUsPerToken).toEqual({ median: 102, min: 101, max: 103 });
  });

  test("the first token's time over the model's is computed within one round", () => {
    expect(report.summary.single?.ours?.firstTokenOverModelMsP50).toEqual({ median: 4, min: 4, max: 4 });
    expect(report.summary.single?.model).not.toHaveProperty("firstTokenOverModelMsP50");
  });
});

test("a target is held, missed or not measured", () => {
  expect(verdictOf("CPU per token at 500 streams")).toMatchObject({ value: 1, bound: "≤ 1.25", verdict: "held" });
  expect(verdictOf("CPU per token as fast as possible")).toMatchObject({ value: 1.5, verdict: "missed" });
  expect(verdictOf("jobs per second with 1 worker")).toMatchObject({ bound: "≥ 0.45", verdict: "not measured" });
});

test("a range is shown if the rounds differ at the shown precision", () => {
  expect(formatRange("cpuUsPerToken", { median: 1_234.56, min: 1_234.51, max: 1_234.59 })).toBe(
    "1,234.6 (1,234.5–1,234.6)",
  );
  expect(formatRange("failures", { median: 0, min: 0, max: 0 })).toBe("0");
  expect(formatRange("failures", undefined)).toBe("–");
});

describe("report read from JSON", () => {
  const read = JSON.parse(JSON.stringify(report)) as Report;

  test("a report read from JSON gives the same page, with a table per scenario and the limits", () => {
    const page = drawPage(read, "latest.svg");
    expect(page).toBe(drawPage(report, "latest.svg"));
    expect(page).toContain("| ours | 102.0 (101.0–103.0) |");
    expect(page).toContain("| CPU per token as fast as possible, to direct | ≤ 0.9 | 1.50 | missed |");
    expect(page).toContain("## What this does not measure");
  });

  test("a report read from JSON gives the section of a page in each language", () => {
    expect(drawSection(read, "en")).toContain("1 of 2 targets are met");
    expect(drawSection(read, "zh")).toContain("2 项目标中达成 1 项");
  });
});

test("the section of a page replaces only the text between its markers", () => {
  const page = "before\n<!-- bench:begin -->\n\nold\n\n<!-- bench:end -->\nafter";
  const put = putSection(page, "new");
  expect(put).toBe("before\n<!-- bench:begin -->\n\nnew\n\n<!-- bench:end -->\nafter");
  expect(putSection(put, "new")).toBe(put);
  expect(() => putSection("no markers", "new")).toThrow("bench:begin");
});

test("the chart has a bar for each system, scaled within its group", () => {
  const chart = drawChart(report.summary, report.scenarios);
  const lengths = [...chart.matchAll(/<rect x="70" y="\d+" width="([\d.]+)" height="11"/g)].map(([, length]) =>
    Number(length),
  );
  // s500, then fast: direct, floor and one worker (not measured), ours.
  expect(lengths.slice(-4)).toEqual([126.7, 0, 0, 190]);
  expect(chart).toContain("&lt;possible>");
});
