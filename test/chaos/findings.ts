/** What the checks found: incidents by column of the table, counts, and times to be compared with bounds. */

/** Columns that must be empty. */
export const ZERO_COLUMNS = [
  "lost",
  "twice",
  "without end",
  "broken streams",
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
  "incidents",
  "growth",
] as const;
export type ZeroColumn = (typeof ZERO_COLUMNS)[number];

/** One broken promise. `job` and `label` are empty if it concerns no single job. */
export type Incident = { readonly job: string; readonly label: string; readonly what: string };

/** In milliseconds. */
export const TIMINGS = [
  "job recovery",
  "redis recovery",
  "storage recovery",
  "link recovery",
  "upstream closed",
  "later than when idle",
] as const;
export type TimingName = (typeof TIMINGS)[number];

export type Findings = {
  readonly incidents: ReadonlyMap<ZeroColumn, readonly Incident[]>;
  readonly counts: ReadonlyMap<string, number>;
  readonly timings: ReadonlyMap<TimingName, readonly number[]>;
};

export type Recorder = {
  incident(
    column: ZeroColumn,
    about: { readonly job?: string | undefined; readonly label?: string },
    what: string,
  ): void;
  count(name: string, by?: number): void;
  time(name: TimingName, ms: number): void;
};

export function createRecorder(): { findings: Findings; recorder: Recorder } {
  const incidents = new Map<ZeroColumn, Incident[]>(ZERO_COLUMNS.map((column) => [column, []]));
  const counts = new Map<string, number>();
  const timings = new Map<TimingName, number[]>(TIMINGS.map((name) => [name, []]));
  return {
    findings: { incidents, counts, timings },
    recorder: {
      incident: (column, { job = "", label = "" }, what) => void incidents.get(column)?.push({ job, label, what }),
      count: (name, by = 1) => void counts.set(name, (counts.get(name) ?? 0) + by),
      time: (name, ms) => void timings.get(name)?.push(ms),
    },
  };
}
