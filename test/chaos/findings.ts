/** What the checks have found: cases under the columns of the table, and times to be judged. */

/** Every one of them must be empty. */
export const ZERO_COLUMNS = [
  "lost",
  "twice",
  "without end",
  "holes",
  "repeated events",
  "wrong text",
  "failed",
  "rejected",
  "rows doubled",
  "effects doubled",
  "effects missing",
  "stale writes",
  "out of order",
  "overlaps",
  "left running",
  "misfortunes",
  "growth",
] as const;
export type ZeroColumn = (typeof ZERO_COLUMNS)[number];

export type Case = { readonly job: string; readonly label: string; readonly what: string };

/** Milliseconds each. */
export const TIMINGS = ["job recovery", "redis recovery", "upstream closed"] as const;
export type TimingName = (typeof TIMINGS)[number];

export type Findings = {
  readonly cases: ReadonlyMap<ZeroColumn, readonly Case[]>;
  readonly counts: ReadonlyMap<string, number>;
  readonly timings: ReadonlyMap<TimingName, readonly number[]>;
};

export type Notebook = {
  found(column: ZeroColumn, about: { readonly job?: string | undefined; readonly label?: string }, what: string): void;
  count(name: string, by?: number): void;
  took(name: TimingName, ms: number): void;
};

export function createFindings(): { findings: Findings; notebook: Notebook } {
  const cases = new Map<ZeroColumn, Case[]>(ZERO_COLUMNS.map((column) => [column, []]));
  const counts = new Map<string, number>();
  const timings = new Map<TimingName, number[]>(TIMINGS.map((name) => [name, []]));
  return {
    findings: { cases, counts, timings },
    notebook: {
      found: (column, { job = "", label = "" }, what) => void cases.get(column)?.push({ job, label, what }),
      count: (name, by = 1) => void counts.set(name, (counts.get(name) ?? 0) + by),
      took: (name, ms) => void timings.get(name)?.push(ms),
    },
  };
}
