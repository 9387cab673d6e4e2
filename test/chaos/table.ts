/** The one table that a run prints, and whether it passed. */
import { type Findings, TIMINGS, type TimingName, ZERO_COLUMNS } from "./findings.ts";

/** What must hold of the times of a scenario, ms. */
export type Bounds = Partial<Record<TimingName, { readonly share: number; readonly withinMs: number }>>;

export type Verdict = { readonly passed: boolean; readonly text: string };

const COUNTS = ["accepted", "ended"];
const CASES_SHOWN = 5;
const SECOND = 1_000;

export function judge(title: string, findings: Findings, bounds: Bounds): Verdict {
  const { cases, counts, timings } = findings;
  const lines: string[] = [];
  const broken: string[] = [];
  const add = (name: string, value: string | number, isBroken = false) => {
    lines.push(`${name.padEnd(28)}${value}${isBroken ? "   <<<" : ""}`);
    if (isBroken) broken.push(name);
  };
  // A run in which nothing was accepted has shown nothing.
  for (const name of COUNTS) add(name, counts.get(name) ?? 0, (counts.get(name) ?? 0) === 0);
  for (const column of ZERO_COLUMNS) add(column, cases.get(column)?.length ?? 0, cases.get(column)?.length !== 0);
  for (const [name, count] of counts) if (!COUNTS.includes(name)) add(name, count);
  for (const name of TIMINGS) {
    const sorted = (timings.get(name) ?? []).toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
    const bound = bounds[name];
    if (sorted.length === 0) {
      if (bound !== undefined) add(name, "never measured", true);
      continue;
    }
    const seconds = (ms: number) => (ms / SECOND).toFixed(2);
    const spread = `median ${seconds(at(0.5))} s, 95 % ${seconds(at(0.95))} s, most ${seconds(at(1))} s of ${sorted.length}`;
    const limit = bound === undefined ? "" : ` (${bound.share * 100} % within ${bound.withinMs / SECOND} s)`;
    add(name, spread + limit, bound !== undefined && at(bound.share) > bound.withinMs);
  }
  const shown = [...cases].flatMap(([column, found]) =>
    found
      .slice(0, CASES_SHOWN)
      .map(({ job, label, what }) => `${column}: ${[label, job, what].filter(Boolean).join(" · ")}`),
  );
  return { passed: broken.length === 0, text: [title, ...lines, ...shown.map((line) => `  ${line}`)].join("\n") };
}
