/** Evaluates the findings of a run against its bounds, and formats the table that the run prints. */
import { type Findings, TIMINGS, type TimingName, ZERO_COLUMNS } from "./findings.ts";

/** Bounds of a scenario's times: `share` of the times must be at most `withinMs`. */
export type Bounds = Partial<Record<TimingName, { readonly share: number; readonly withinMs: number }>>;

export type Verdict = { readonly passed: boolean; readonly text: string };

/** Columns that must not be zero: a run without accepted jobs proves nothing. */
const COUNTS = ["accepted", "ended"];
const INCIDENTS_SHOWN = 5;
const SECOND = 1_000;

/** What a failover may do to jobs that no replica had to have. */
const LOSSES: readonly string[] = ["lost", "failed"];

export type Tolerance = { readonly mayLose?: boolean };

export function evaluate(
  title: string,
  findings: Findings,
  bounds: Bounds,
  { mayLose = false }: Tolerance = {},
): Verdict {
  const { incidents, counts, timings } = findings;
  const lines: string[] = [];
  const broken: string[] = [];
  const add = (name: string, value: string | number, isBroken = false) => {
    lines.push(`${name.padEnd(28)}${value}${isBroken ? "   <<<" : ""}`);
    if (isBroken) broken.push(name);
  };
  for (const name of COUNTS) add(name, counts.get(name) ?? 0, (counts.get(name) ?? 0) === 0);
  for (const column of ZERO_COLUMNS) {
    const count = incidents.get(column)?.length ?? 0;
    add(column, count, count !== 0 && !(mayLose && LOSSES.includes(column)));
  }
  for (const [name, count] of counts) if (!COUNTS.includes(name)) add(name, count);
  for (const name of TIMINGS) {
    const sorted = (timings.get(name) ?? []).toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
    const bound = bounds[name];
    if (sorted.length === 0) {
      if (bound !== undefined) add(name, "never measured", true);
      continue;
    }
    const [median, most95, most] = [at(0.5), at(0.95), at(1)].map((ms) => `${(ms / SECOND).toFixed(2)} s`);
    const spread = `median ${median}, 95 % ${most95}, most ${most} of ${sorted.length}`;
    const limit = bound === undefined ? "" : ` (${bound.share * 100} % within ${bound.withinMs / SECOND} s)`;
    add(name, spread + limit, bound !== undefined && at(bound.share) > bound.withinMs);
  }
  const shown = [...incidents].flatMap(([column, found]) =>
    found
      .slice(0, INCIDENTS_SHOWN)
      .map(({ job, label, what }) => `  ${column}: ${[label, job, what].filter(Boolean).join(" · ")}`),
  );
  return { passed: broken.length === 0, text: [title, ...lines, ...shown].join("\n") };
}
