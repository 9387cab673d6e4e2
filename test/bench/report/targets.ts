/** Targets of the product, most of them relative to the baselines of the same run, and whether a run met them. */
import { SECOND } from "@agent-paas/shared/time.ts";
import type { FigureRanges, Summary } from "./summary.ts";
import type { Table } from "./table.ts";

export type Verdict = {
  readonly claim: string;
  /** null if not measured in this run. */
  readonly value: number | null;
  /** Shown to people, with its direction: `≤ 1.1`. */
  readonly bound: string;
  readonly verdict: "held" | "missed" | "not measured";
};

type Target = {
  readonly claim: string;
  readonly value: (of: Lookup) => number;
  readonly bound: number;
  readonly isAtLeast?: true;
};

/** The median of a figure; NaN if there is none, which makes every result computed from it NaN. */
type Lookup = (scenario: string, system: string, figure: string) => number;

const ratio =
  (scenario: string, figure: string, to: string, system = "ours") =>
  (of: Lookup): number =>
    of(scenario, system, figure) / of(scenario, to, figure);

const own =
  (scenario: string, figure: string) =>
  (of: Lookup): number =>
    of(scenario, "ours", figure);

const CPU = "cpuUsPerToken";
const FIRST_P50 = "firstTokenOverModelMsP50";
const FIRST_P99 = "firstTokenOverModelMsP99";

/** `ours` has two workers, as `npm start` starts them. */
export const TARGETS: readonly Target[] = [
  { claim: "CPU per token at 500 streams, to direct", value: ratio("s500", CPU, "direct"), bound: 1.25 },
  {
    claim: "CPU per token at 500 streams, to floor with two workers",
    value: ratio("s500", CPU, "floor-2"),
    bound: 0.85,
  },
  {
    claim: "CPU per token at 500 streams with one worker, to direct",
    value: ratio("s500", CPU, "direct", "ours-1"),
    bound: 1.1,
  },
  { claim: "of it Redis, µs", value: own("s500", "redisUsPerToken"), bound: 15 },
  { claim: "lag p99 at 500 streams, to floor", value: ratio("s500", "lagMsP99", "floor"), bound: 0.7 },
  { claim: "CPU per token at 50 streams × 50 tokens/s, to direct", value: ratio("s50", CPU, "direct"), bound: 1.4 },
  { claim: "CPU per token as fast as possible, to direct", value: ratio("fast", CPU, "direct"), bound: 0.9 },
  {
    claim: "one at a time: first token over the model's p50, ms more than direct",
    value: (of) => of("single", "ours", FIRST_P50) - of("single", "direct", FIRST_P50),
    bound: 2,
  },
  {
    claim: "one at a time: first token over the model's p99, to floor",
    value: ratio("single", FIRST_P99, "floor"),
    bound: 1,
  },
  { claim: "CPU per token at 2000 streams, to direct", value: ratio("s2000", CPU, "direct"), bound: 0.8 },
  {
    claim: "first token p50 at 2000 streams, s",
    value: (of) => of("s2000", "ours", "firstTokenMsP50") / SECOND,
    bound: 0.5,
  },
  { claim: "peak at 2000 streams, MiB", value: own("s2000", "peakMiB"), bound: 750 },
  ...[
    ["failures", "failures"],
    ["missing", "missing tokens"],
    ["doubled", "doubled tokens"],
    ["restarts", "chats that started over"],
  ].map(([figure = "", what]) => ({ claim: `${what} at 2000 streams`, value: own("s2000", figure), bound: 0 })),
  ...[1, 2].map((workers) => ({
    claim: `jobs per second with ${workers} worker${workers > 1 ? "s" : ""}, to bare BullMQ`,
    value: ratio(`jobs-${workers}`, "jobsPerSecond", "bullmq"),
    bound: 0.45,
    isAtLeast: true as const,
  })),
  {
    claim: "CPU per token at 500 streams on PostgreSQL, its processes too, to SQLite",
    value: ratio("s500", CPU, "ours", "ours-pg"),
    bound: 1.05,
  },
  ...[1, 2].map((workers) => ({
    claim: `jobs per second with ${workers} worker${workers > 1 ? "s" : ""} on PostgreSQL, to SQLite`,
    value: ratio(`jobs-${workers}`, "jobsPerSecond", "ours", "ours-pg"),
    bound: 0.7,
    isAtLeast: true as const,
  })),
  ...[
    ["s500", "at 500 streams"],
    ["fast", "as fast as possible"],
  ].map(([scenario = "", when]) => ({
    claim: `CPU of the API per token ${when} as chat completions of OpenAI, to the native wire`,
    value: ratio(scenario, "apiUsPerToken", "ours", "ours-openai"),
    bound: 1.5,
  })),
  ...(
    [
      ["start", "all", 420],
      ["api", "API", 85],
      ["worker", "each worker", 95],
    ] as const
  ).map(([part, who, bound]) => ({
    claim: `MiB of an idle npm start, ${who}`,
    value: own("start", `${part}PssMiB`),
    bound,
  })),
  ...(
    [
      ["api", 25],
      ["worker", 30],
    ] as const
  ).map(([role, bound]) => ({
    claim: `KiB per idle stream, ${role}`,
    value: own("idle", `${role}KiBPerStream`),
    bound,
  })),
  ...["api", "worker", "redis"].map((role) => ({
    claim: `memory over time, ${role}: last third to middle third`,
    value: own("soak", `${role}Growth`),
    bound: 1.05,
  })),
  ...["history", "million"].flatMap((scenario) => {
    const what = scenario === "history" ? "10,000 messages of history to 50" : "a million stored messages to none";
    return [
      { claim: `CPU per turn, ${what}`, value: own(scenario, "turnCpuRatio"), bound: 1.1 },
      { claim: `time per turn, ${what}`, value: own(scenario, "turnTimeRatio"), bound: 1.1 },
    ];
  }),
  ...(
    [
      [2, 1.9],
      [4, 3.6],
      [8, 7.5],
    ] as const
  ).map(([workers, bound]) => ({
    claim: `throughput of ${workers} workers to that of one`,
    value: own("scaling", `speedUp${workers}`),
    bound,
    isAtLeast: true as const,
  })),
];

export function evaluateTargets(summary: Summary): Verdict[] {
  const of: Lookup = (scenario, system, figure) => {
    const figures: FigureRanges | undefined = summary[scenario]?.[system];
    return figures?.[figure]?.median ?? Number.NaN;
  };
  return TARGETS.map(({ claim, value: read, bound, isAtLeast = false }) => {
    const value = read(of);
    const holds = isAtLeast ? value >= bound : value <= bound;
    const common = { claim, bound: `${isAtLeast ? "≥" : "≤"} ${bound}` };
    if (Number.isNaN(value)) return { ...common, value: null, verdict: "not measured" };
    return { ...common, value, verdict: holds ? "held" : "missed" };
  });
}

export function targetsTable(verdicts: readonly Verdict[]): Table {
  return {
    head: ["target", "bound", "measured", ""],
    rows: verdicts.map(({ claim, bound, value, verdict }) => [claim, bound, value?.toFixed(2) ?? "–", verdict]),
  };
}
